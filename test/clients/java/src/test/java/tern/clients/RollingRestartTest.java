package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Daemons of two makes: each of them goes and comes back while a producer and a consumer work. What was acknowledged arrives, at
 * least once: a queue that changes hands, or a broker that stops before it has heard of the last offsets, gives messages again.
 */
@Tag("mixed")
class RollingRestartTest extends ClientTest {
    /** A client may leave a queue alone until its next heartbeat and its next look around before it goes on. */
    private static final Duration AFTER_RESTART = Duration.ofSeconds(120);
    private static final int SOME = 200;

    @Test
    void everyDaemonInTurnIsStoppedAndStarted() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "rolling");
        Collection<MessageQueue> queues = queues(producer, topic);
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        // A broker that is back hears of the consumer soon, not in half a minute.
        consumer.setHeartbeatBrokerInterval(1000);
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        awaitOwned(consumer, topic, queues.size());
        Set<String> acknowledged = new HashSet<>();
        try (Traffic traffic = new Traffic(producer, topic)) {
            for (String broker : Env.BROKERS) {
                traffic.awaitProgress(SOME, broker);
            }
            List<String> daemons = Control.daemons();
            assertTrue(daemons.containsAll(Env.BROKERS), () -> "brokers " + Env.BROKERS + " among " + daemons);
            for (String daemon : daemons) {
                boolean isBroker = Env.BROKERS.contains(daemon);
                Control.stop(daemon);
                if (!isBroker || Env.BROKERS.size() > 1) {
                    traffic.awaitProgress(SOME);
                }
                if (!isBroker && daemons.size() - Env.BROKERS.size() > 1) {
                    aNewcomerFinds(topic, queues);
                }
                Control.start(daemon);
                for (String broker : Env.BROKERS) {
                    // The consumer, too, is at work with all of them before the next one goes.
                    long before = countFrom(broker, received);
                    traffic.awaitProgress(SOME, broker);
                    Await.until(AFTER_RESTART, () -> countFrom(broker, received) >= before + SOME / 2,
                        () -> "consumed from " + broker + ": " + before + ", and then no more than " + countFrom(broker, received));
                }
            }
            acknowledged.addAll(traffic.finish());
            received.awaitAll(AFTER_RESTART, acknowledged);
        }
        // The consumer may have had them before the blow; they are still there.
        DefaultMQPullConsumer reader = startedPullConsumer(Env.unique("readers"));
        Set<String> stored = new HashSet<>();
        for (MessageQueue queue : queues) {
            readQueue(reader, queue).forEach(message -> stored.add(Received.text(message)));
        }
        acknowledged.removeAll(stored);
        assertEquals(Set.of(), acknowledged);
        // All brokers are told how far the group is, also those that came back.
        awaitOwned(consumer, topic, queues.size());
        Await.until(AFTER_RESTART, () -> {
            consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
            return committed(consumer, queues) == stored(producer, queues);
        }, () -> "committed " + committed(consumer, queues));
    }

    /** A client that starts now has to ask a nameserver that is left. */
    private void aNewcomerFinds(String topic, Collection<MessageQueue> queues) throws Exception {
        DefaultMQProducer newcomer = startedProducer();
        Await.until(() -> Set.copyOf(newcomer.fetchPublishMessageQueues(topic)).equals(Set.copyOf(queues)),
            () -> "a new producer does not find all queues of " + topic);
        send(newcomer, message(topic, "newcomer"));
    }

    private static long countFrom(String broker, Received received) {
        return received.messages().stream().filter(message -> message.getBrokerName().equals(broker)).count();
    }

    private static long stored(DefaultMQProducer producer, Collection<MessageQueue> queues) throws Exception {
        long sum = 0;
        for (MessageQueue queue : queues) {
            sum += producer.maxOffset(queue) - producer.minOffset(queue);
        }
        return sum;
    }
}
