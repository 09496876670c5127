package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

class LitePullConsumerTest extends ClientTest {
    private static final long POLL_MILLIS = 100;

    @Test
    void aSubscriberPollsEverything() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "lite");
        DefaultLitePullConsumer consumer = newLitePullConsumer(Env.unique("group"));
        consumer.subscribe(topic, "*");
        start(consumer);
        List<String> texts = numbered("lite", 200);
        sendAll(producer, topic, texts);
        Received received = new Received();
        poll(consumer, received, texts.size());
        received.awaitExactly(texts);
        assertEquals(new HashSet<>(queues(producer, topic)), consumer.assignment());
    }

    @Test
    void aSubscriberFiltersByTag() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "litetags");
        for (int i = 0; i < 20; i++) {
            send(producer, new Message(topic, "Tag" + i % 4, ("lite-" + i).getBytes()));
        }
        DefaultLitePullConsumer consumer = newLitePullConsumer(Env.unique("group"));
        consumer.subscribe(topic, "Tag1 || Tag3");
        start(consumer);
        Received received = new Received();
        poll(consumer, received, 10);
        assertEquals(10, received.distinct());
        received.messages().forEach(message -> assertTrue(List.of("Tag1", "Tag3").contains(message.getTags())));
    }

    @Test
    void aSubscriberGoesOnWhereItsGroupStopped() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "literesume");
        Collection<MessageQueue> queues = queues(producer, topic);
        String group = Env.unique("group");
        List<String> before = numbered("before", 40);
        sendAll(producer, topic, before);
        DefaultLitePullConsumer first = newLitePullConsumer(group);
        first.setAutoCommit(false);
        first.subscribe(topic, "*");
        start(first);
        Received received = new Received();
        poll(first, received, before.size());
        received.awaitExactly(before);
        first.commitSync();
        first.shutdown();
        // The commit is a one-way request; another client of the group sees when it is in.
        DefaultMQPullConsumer witness = startedPullConsumer(group);
        Await.until(() -> committed(witness, queues) == before.size(), () -> "not all committed");
        witness.shutdown();

        List<String> after = numbered("after", 40);
        sendAll(producer, topic, after);
        DefaultLitePullConsumer second = newLitePullConsumer(group);
        second.subscribe(topic, "*");
        start(second);
        Received rest = new Received();
        poll(second, rest, after.size());
        rest.awaitExactly(after);
    }

    @Test
    void assignedQueuesAreReadFromWhereOneSeeks() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "seek", 2);
        MessageQueue queue = queues(producer, topic).get(0);
        MessageQueue ignored = queues(producer, topic).get(1);
        List<String> texts = numbered("seek", 30);
        for (String text : texts) {
            producer.send(message(topic, text), queue);
            producer.send(message(topic, "ignored-" + text), ignored);
        }
        DefaultLitePullConsumer consumer = newLitePullConsumer(Env.unique("group"));
        start(consumer);
        Collection<MessageQueue> queues = consumer.fetchMessageQueues(topic);
        assertEquals(new HashSet<>(queues(producer, topic)), new HashSet<>(queues));
        consumer.assign(List.of(queue));

        consumer.seek(queue, 20);
        Received fromTwenty = new Received();
        poll(consumer, fromTwenty, 10);
        assertEquals(texts.subList(20, 30), fromTwenty.texts());

        consumer.seekToBegin(queue);
        Received fromBegin = new Received();
        poll(consumer, fromBegin, 30);
        assertEquals(texts, fromBegin.texts());

        consumer.seek(queue, 10);
        consumer.seekToEnd(queue);
        producer.send(message(topic, "last"), queue);
        Received fromEnd = new Received();
        poll(consumer, fromEnd, 1);
        assertEquals(List.of("last"), fromEnd.texts());
    }

    @Test
    void aTimeIsTurnedIntoAnOffset() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "litetime", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        QueryTest.sendAtDistinctTimes(producer, queue, numbered("litetime", 5));
        List<MessageExt> messages = inQueueOrder(readAll(topic, 5), queue.getQueueId());
        DefaultLitePullConsumer consumer = newLitePullConsumer(Env.unique("group"));
        start(consumer);
        for (MessageExt message : messages) {
            assertEquals(message.getQueueOffset(), consumer.offsetForTimestamp(queue, message.getStoreTimestamp()));
        }
    }

    private static long committed(DefaultMQPullConsumer witness, Collection<MessageQueue> queues) throws Exception {
        long sum = 0;
        for (MessageQueue queue : queues) {
            sum += Math.max(0, witness.fetchConsumeOffset(queue, true));
        }
        return sum;
    }

    /** Polls until there are this many more. */
    private static void poll(DefaultLitePullConsumer consumer, Received received, int more) {
        int wanted = received.messages().size() + more;
        Await.until(() -> {
            consumer.poll(POLL_MILLIS).forEach(received::add);
            return received.messages().size() >= wanted;
        }, () -> "polled " + received.messages().size() + " of " + wanted + ": "
            + received.texts().stream().limit(5).collect(Collectors.toList()));
    }
}
