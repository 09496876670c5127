package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.Test;

/** Listeners that fail: again, again, and at last the dead-letter queue. */
class FailingListenerTest extends ClientTest {
    private static final int RETRIES_MAX = 2;
    private static final String DEAD_LETTERS = "%DLQ%";

    @Test
    void aConcurrentListenerThatAlwaysFailsEndsInTheDeadLetterQueue() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "dead");
        String group = Env.unique("group");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "*");
        consumer.setMaxReconsumeTimes(RETRIES_MAX);
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(received::add);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        start(consumer);
        Message message = new Message(topic, "Tag", "key", "dead".getBytes());
        message.putUserProperty("name", "value");
        SendResult sent = send(producer, message);

        MessageExt dead = readAll(DEAD_LETTERS + group, 1).get(0);
        assertEquals("dead", Received.text(dead));
        assertEquals(RETRIES_MAX + 1, dead.getReconsumeTimes());
        assertOrigin(sent, topic, dead);
        assertEquals("Tag", dead.getTags());
        assertEquals("key", dead.getKeys());
        assertEquals("value", dead.getUserProperty("name"));

        List<MessageExt> attempts = received.messages();
        assertEquals(List.of(0, 1, 2), attempts.stream().map(MessageExt::getReconsumeTimes).collect(Collectors.toList()));
        for (MessageExt attempt : attempts) {
            // The client gives the listener the topic it subscribed, wherever the message came from.
            assertEquals(topic, attempt.getTopic());
            assertEquals(sent.getMsgId(), attempt.getMsgId());
            assertEquals("Tag", attempt.getTags());
            if (attempt.getReconsumeTimes() > 0) {
                assertOrigin(sent, topic, attempt);
            }
        }
    }

    @Test
    void aListenerThatRecoversGetsTheMessageAgain() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "recovers");
        String group = Env.unique("group");
        Received tries = new Received();
        Received successes = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "TagA");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(tries::add);
            if (batch.get(0).getReconsumeTimes() == 0) {
                throw new IllegalStateException("a listener that throws has failed, too");
            }
            batch.forEach(successes::add);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        start(consumer);
        List<String> texts = numbered("recovers", 10);
        for (String text : texts) {
            send(producer, new Message(topic, "TagA", text.getBytes()));
        }
        successes.awaitExactly(texts);
        successes.messages().forEach(message -> {
            assertEquals(1, message.getReconsumeTimes());
            // The level's second has passed since the message failed, hence also since it was sent.
            assertTrue(message.getStoreTimestamp() - message.getBornTimestamp() >= 1000);
        });
        assertEquals(2 * texts.size(), tries.messages().size());
    }

    @Test
    void theListenerMayChooseTheDelay() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "chosen");
        Received successes = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            if (batch.get(0).getReconsumeTimes() == 0) {
                context.setDelayLevelWhenNextConsume(DelayTest.LONG_LEVEL);
                return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            }
            batch.forEach(successes::add);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        start(consumer);
        send(producer, message(topic, "chosen"));
        successes.awaitExactly(List.of("chosen"));
        MessageExt message = successes.messages().get(0);
        assertTrue(message.getStoreTimestamp() - message.getBornTimestamp() >= DelayTest.LONG_LEVEL_MILLIS);
    }

    @Test
    void aNegativeDelayGoesStraightToTheDeadLetterQueue() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "straight");
        String group = Env.unique("group");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(received::add);
            context.setDelayLevelWhenNextConsume(-1);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        start(consumer);
        SendResult sent = send(producer, message(topic, "straight"));
        MessageExt dead = readAll(DEAD_LETTERS + group, 1).get(0);
        assertEquals(1, dead.getReconsumeTimes());
        assertOrigin(sent, topic, dead);
        assertEquals(1, received.messages().size());
    }

    /** An orderly listener blocks its queue while it fails; then the client itself sends the message away. */
    @Test
    void anOrderlyListenerThatAlwaysFailsEndsInTheDeadLetterQueue() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "deadorder", 1);
        String group = Env.unique("group");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "*");
        consumer.setMaxReconsumeTimes(RETRIES_MAX);
        consumer.setSuspendCurrentQueueTimeMillis(20);
        consumer.registerMessageListener((MessageListenerOrderly) (batch, context) -> {
            batch.forEach(received::add);
            return Received.text(batch.get(0)).equals("bad")
                ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
        });
        start(consumer);
        for (String text : List.of("before", "bad", "after")) {
            producer.send(message(topic, text), queues(producer, topic).get(0));
        }
        MessageExt dead = readAll(DEAD_LETTERS + group, 1).get(0);
        assertEquals("bad", Received.text(dead));
        assertEquals(topic, dead.getProperty("RETRY_TOPIC"));
        assertNotNull(dead.getProperty("ORIGIN_MESSAGE_ID"));
        received.awaitAll(List.of("before", "bad", "after"));
        assertEquals(List.of("before", "bad", "bad", "bad", "after"), received.texts());
    }

    private static void assertOrigin(SendResult sent, String topic, MessageExt message) {
        assertEquals(sent.getMsgId(), message.getMsgId());
        assertEquals(sent.getOffsetMsgId(), message.getProperty("ORIGIN_MESSAGE_ID"));
        assertEquals(topic, message.getProperty("RETRY_TOPIC"));
    }
}
