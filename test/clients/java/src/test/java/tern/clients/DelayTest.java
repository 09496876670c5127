package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.junit.jupiter.api.Test;

/** Delay levels; the harness configures one second for all but the last. */
class DelayTest extends ClientTest {
    static final int SHORT_LEVEL = 2;
    static final int SHORT_LEVEL_MILLIS = 1000;
    static final int LONG_LEVEL = 18;
    static final int LONG_LEVEL_MILLIS = 3000;

    @Test
    void aDelayedMessageArrivesButNeverEarly() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "delay");
        Received received = new Received();
        Map<String, Long> arrivedAt = startTimedConsumer(topic, received);
        List<String> texts = numbered("delay", 20);
        for (String text : texts) {
            sendDelayed(producer, topic, text, SHORT_LEVEL);
        }
        received.awaitExactly(texts);
        received.messages().forEach(message -> {
            long delay = arrivedAt.get(Received.text(message)) - message.getBornTimestamp();
            assertTrue(delay >= SHORT_LEVEL_MILLIS, () -> "came after " + delay + " ms");
            assertEquals(topic, message.getTopic());
            assertEquals("Tag", message.getTags());
            assertEquals("value", message.getUserProperty("name"));
        });
    }

    @Test
    void levelsAreToldApart() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "levels");
        Received received = new Received();
        Map<String, Long> arrivedAt = startTimedConsumer(topic, received);
        // A level above the highest counts as the highest.
        sendDelayed(producer, topic, "above", LONG_LEVEL + 1);
        sendDelayed(producer, topic, "long", LONG_LEVEL);
        sendDelayed(producer, topic, "short", SHORT_LEVEL);
        sendDelayed(producer, topic, "none", 0);
        received.awaitExactly(List.of("above", "long", "short", "none"));
        received.messages().forEach(message -> {
            String text = Received.text(message);
            long least = text.equals("none") ? 0 : text.equals("short") ? SHORT_LEVEL_MILLIS : LONG_LEVEL_MILLIS;
            long delay = arrivedAt.get(text) - message.getBornTimestamp();
            assertTrue(delay >= least, () -> text + " came after " + delay + " ms");
        });
        // Which queue is read first is the consumer's affair; what was stored last is not.
        assertTrue(storedAt(received, "none") < storedAt(received, "short"));
        assertTrue(storedAt(received, "short") < storedAt(received, "long"));
    }

    private static long storedAt(Received received, String text) {
        return received.await(message -> Received.text(message).equals(text), text).getStoreTimestamp();
    }

    private Map<String, Long> startTimedConsumer(String topic, Received received) throws Exception {
        Map<String, Long> arrivedAt = new ConcurrentHashMap<>();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(message -> arrivedAt.putIfAbsent(Received.text(message), System.currentTimeMillis()));
            return received.concurrently().consumeMessage(batch, context);
        });
        start(consumer);
        return arrivedAt;
    }

    private static void sendDelayed(DefaultMQProducer producer, String topic, String text, int level) throws Exception {
        Message message = new Message(topic, "Tag", text.getBytes());
        message.putUserProperty("name", "value");
        message.setDelayTimeLevel(level);
        send(producer, message);
    }
}
