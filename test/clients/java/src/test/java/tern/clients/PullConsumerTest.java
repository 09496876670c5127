package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullCallback;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

/** The old pull consumer: each pull is one request, so each answer can be seen. */
class PullConsumerTest extends ClientTest {
    @Test
    void pullsStepThroughAQueue() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "pull", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        List<String> texts = numbered("pull", 50);
        for (String text : texts) {
            producer.send(message(topic, text), queue);
        }
        DefaultMQPullConsumer consumer = startedPullConsumer(Env.unique("group"));
        Await.until(() -> consumer.maxOffset(queue) == texts.size(), () -> "not all in the queue");

        PullResult first = consumer.pull(queue, "*", 0, 32);
        assertEquals(PullStatus.FOUND, first.getPullStatus());
        assertEquals(32, first.getNextBeginOffset());
        assertEquals(0, first.getMinOffset());
        assertEquals(texts.size(), first.getMaxOffset());
        assertEquals(texts.subList(0, 32), first.getMsgFoundList().stream().map(Received::text).collect(Collectors.toList()));

        PullResult second = consumer.pull(queue, "*", first.getNextBeginOffset(), 32);
        assertEquals(texts.subList(32, 50), second.getMsgFoundList().stream().map(Received::text).collect(Collectors.toList()));
        assertEquals(texts.size(), second.getNextBeginOffset());

        PullResult end = consumer.pull(queue, "*", second.getNextBeginOffset(), 32);
        assertEquals(PullStatus.NO_NEW_MSG, end.getPullStatus());
        assertEquals(texts.size(), end.getNextBeginOffset());
    }

    @Test
    void aPullBeyondTheEndIsCorrected() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "beyond", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        producer.send(message(topic, "only"), queue);
        DefaultMQPullConsumer consumer = startedPullConsumer(Env.unique("group"));
        Await.until(() -> consumer.maxOffset(queue) == 1, () -> "not in the queue");
        PullResult result = consumer.pull(queue, "*", 1000, 32);
        assertEquals(PullStatus.OFFSET_ILLEGAL, result.getPullStatus());
        assertEquals(1, result.getNextBeginOffset());
    }

    @Test
    void aPullForAnotherTagSkips() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "othertag", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        for (int i = 0; i < 5; i++) {
            producer.send(new Message(topic, "TagA", "a".getBytes()), queue);
        }
        producer.send(new Message(topic, "TagB", "b".getBytes()), queue);
        DefaultMQPullConsumer consumer = startedPullConsumer(Env.unique("group"));
        Await.until(() -> consumer.maxOffset(queue) == 6, () -> "not all in the queue");
        PullResult none = consumer.pull(queue, "TagC", 0, 32);
        assertEquals(PullStatus.NO_MATCHED_MSG, none.getPullStatus());
        assertEquals(6, none.getNextBeginOffset());
        PullResult some = consumer.pull(queue, "TagB", 0, 32);
        assertEquals(PullStatus.FOUND, some.getPullStatus());
        assertEquals(List.of("b"), some.getMsgFoundList().stream().map(Received::text).collect(Collectors.toList()));
        assertEquals(6, some.getNextBeginOffset());
    }

    @Test
    void aBlockedPullIsAnsweredByTheNextMessage() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "block", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        DefaultMQPullConsumer consumer = startedPullConsumer(Env.unique("group"));
        CompletableFuture<PullResult> answer = new CompletableFuture<>();
        consumer.pullBlockIfNotFound(queue, "*", 0, 32, new PullCallback() {
            @Override
            public void onSuccess(PullResult result) {
                answer.complete(result);
            }

            @Override
            public void onException(Throwable failure) {
                answer.completeExceptionally(failure);
            }
        });
        producer.send(message(topic, "awaited"), queue);
        PullResult result = answer.get(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertEquals(PullStatus.FOUND, result.getPullStatus());
        assertEquals("awaited", Received.text(result.getMsgFoundList().get(0)));
    }

    /** The client asks the broker to hold the pull for a while; the answer comes after it, and well before the client gives up. */
    @Test
    void aBlockedPullEndsWithNothing() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "blocknone", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        producer.send(message(topic, "only"), queue);
        DefaultMQPullConsumer consumer = configured(new DefaultMQPullConsumer(Env.unique("group")));
        int heldMillis = 2000;
        consumer.setBrokerSuspendMaxTimeMillis(heldMillis);
        consumer.start();
        atEnd(consumer::shutdown);
        Await.until(() -> consumer.maxOffset(queue) == 1, () -> "not in the queue");
        long start = System.nanoTime();
        PullResult result = consumer.pullBlockIfNotFound(queue, "*", 1, 32);
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertEquals(PullStatus.NO_NEW_MSG, result.getPullStatus());
        assertEquals(1, result.getNextBeginOffset());
        assertTrue(took >= heldMillis, () -> "answered after " + took + " ms");
    }

    @Test
    void committedOffsetsAreTheGroups() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "commit", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        for (String text : numbered("commit", 10)) {
            producer.send(message(topic, text), queue);
        }
        String group = Env.unique("group");
        DefaultMQPullConsumer consumer = startedPullConsumer(group);
        consumer.pull(queue, "*", 0, 7);
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, 7, false);
        assertEquals(7, consumer.fetchConsumeOffset(queue, true));
        assertEquals(7, startedPullConsumer(group).fetchConsumeOffset(queue, true));
        // Going back is as good as going forward.
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, 3, false);
        assertEquals(3, consumer.fetchConsumeOffset(queue, true));
    }
}
