package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
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

    /**
     * The client forgets a seek, or delivers what it had before it, if a pull has just returned or is just being made. So every
     * seek here comes while the one pull of the queue is parked at its end, which a seek interrupts, or while none can be made.
     */
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
        PullWatch pulls = new PullWatch(queue);
        DefaultLitePullConsumer consumer = newLitePullConsumer(Env.unique("group"), pulls);
        start(consumer);
        Collection<MessageQueue> queues = consumer.fetchMessageQueues(topic);
        assertEquals(new HashSet<>(queues(producer, topic)), new HashSet<>(queues));
        consumer.assign(List.of(queue));
        Received fromStart = new Received();
        poll(consumer, fromStart, 30);
        assertEquals(texts, fromStart.texts());
        pulls.awaitOneFrom(30);

        consumer.seek(queue, 20);
        Received fromTwenty = new Received();
        poll(consumer, fromTwenty, 10);
        assertEquals(texts.subList(20, 30), fromTwenty.texts());
        pulls.awaitOneFrom(20);
        pulls.awaitOneFrom(30);

        consumer.seekToBegin(queue);
        Received fromBegin = new Received();
        poll(consumer, fromBegin, 30);
        assertEquals(texts, fromBegin.texts());
        pulls.awaitOneFrom(0);
        pulls.awaitOneFrom(30);

        // Paused, the client only notes where to go on; the second note must replace the first.
        consumer.pause(List.of(queue));
        consumer.seek(queue, 10);
        consumer.seekToEnd(queue);
        consumer.resume(List.of(queue));
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

    /** Sees where a client's pulls of one queue start, as each of them leaves. */
    private static final class PullWatch implements RPCHook {
        private final MessageQueue queue;
        private final BlockingQueue<Long> starts = new LinkedBlockingQueue<>();

        PullWatch(MessageQueue queue) {
            this.queue = queue;
        }

        /** Looks at those that no call before this one has looked at. */
        void awaitOneFrom(long offset) {
            Await.until(() -> {
                Long start = starts.poll();
                return start != null && start == offset;
            }, () -> "no pull from " + offset);
        }

        @Override
        public void doBeforeRequest(String address, RemotingCommand request) {
            Generation.pullOffset(request, queue).ifPresent(starts::add);
        }

        @Override
        public void doAfterResponse(String address, RemotingCommand request, RemotingCommand response) {
        }
    }
}
