package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.junit.jupiter.api.Test;

/** Messages with a time of their own. Clients of 4.9.8 have no methods for them, but may set the properties. */
class TimerTest extends ClientTest {
    static final String DELIVER_AT = "TIMER_DELIVER_MS";
    static final String DELAY_MILLIS = "TIMER_DELAY_MS";
    static final String DELAY_SECONDS = "TIMER_DELAY_SEC";
    /** A client may pause a queue for half a minute, until its next heartbeat and rebalance, before it goes on. */
    private static final Duration AFTER_RESTART = Duration.ofSeconds(120);

    @Test
    void aMessageArrivesAtItsTimeAndNotBefore() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "timer");
        Received received = new Received();
        Map<String, Long> arrivedAt = startTimedConsumer(topic, received);
        Map<String, Long> wanted = new ConcurrentHashMap<>();
        long now = System.currentTimeMillis();
        for (int i = 0; i < 30; i++) {
            String text = "timer-" + i;
            long at = now + 1000 + 137 * i;
            wanted.put(text, at);
            send(producer, timed(topic, text, DELIVER_AT, at));
        }
        received.awaitExactly(wanted.keySet());
        received.messages().forEach(message -> {
            String text = Received.text(message);
            long late = arrivedAt.get(text) - wanted.get(text);
            // How late depends on when the client gets its queues.
            assertTrue(late >= 0, () -> text + " came " + -late + " ms before its time");
            assertEquals(topic, message.getTopic());
            assertEquals("Tag", message.getTags());
            assertEquals("value", message.getUserProperty("name"));
        });
    }

    @Test
    void delaysInMillisecondsAndSecondsAreCountedFromTheSend() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "timer");
        Received received = new Received();
        Map<String, Long> arrivedAt = startTimedConsumer(topic, received);
        send(producer, timed(topic, "seconds", DELAY_SECONDS, 2));
        send(producer, timed(topic, "millis", DELAY_MILLIS, 1500));
        send(producer, timed(topic, "over", DELIVER_AT, 1));
        received.awaitExactly(List.of("seconds", "millis", "over"));
        received.messages().forEach(message -> {
            String text = Received.text(message);
            long least = text.equals("seconds") ? 2000 : text.equals("millis") ? 1500 : 0;
            long delay = arrivedAt.get(text) - message.getBornTimestamp();
            assertTrue(delay >= least, () -> text + " came after " + delay + " ms");
        });
    }

    @Test
    void aTimeThatIsNoneIsRefused() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "timer");
        Message message = message(topic, "never");
        MessageAccessor.putProperty(message, DELAY_MILLIS, "soon");
        MQBrokerException refused = assertThrows(MQBrokerException.class, () -> producer.send(message));
        assertEquals(13, refused.getResponseCode());
    }

    @Test
    void whatWaitsOutlivesARestartAndAKill() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "timer");
        long at = System.currentTimeMillis() + 12_000;
        List<String> texts = new ArrayList<>(numbered("waits", 40));
        for (String text : texts) {
            send(producer, timed(topic, text, DELIVER_AT, at));
        }
        Received received = new Received();
        Map<String, Long> arrivedAt = startTimedConsumer(topic, received);
        for (String broker : Env.BROKERS) {
            Control.crash(broker);
            Control.restart(broker);
        }
        received.awaitAll(AFTER_RESTART, texts);
        texts.forEach(text -> assertTrue(arrivedAt.get(text) >= at, () -> text + " came early"));
        assertEquals(texts.size(), received.distinct());
    }

    static Message timed(String topic, String text, String property, long value) {
        Message message = new Message(topic, "Tag", text.getBytes());
        message.putUserProperty("name", "value");
        MessageAccessor.putProperty(message, property, Long.toString(value));
        return message;
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
}
