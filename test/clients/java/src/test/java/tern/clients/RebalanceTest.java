package tern.clients;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

/** Two consumers of a group share a topic; one leaves. */
class RebalanceTest extends ClientTest {
    /** A client looks around by itself 20 s after it last did; within less, it must have been told. */
    private static final Duration TOLD = Duration.ofSeconds(15);

    @Test
    void concurrentConsumersShareAndTakeOver() throws Exception {
        shareAndTakeOver(false);
    }

    @Test
    void orderlyConsumersShareAndTakeOver() throws Exception {
        shareAndTakeOver(true);
    }

    private void shareAndTakeOver(boolean orderly) throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "share");
        Set<MessageQueue> queues = new HashSet<>(queues(producer, topic));
        String group = Env.unique("group");
        Received received = new Received();
        DefaultMQPushConsumer stays = startedMember(group, topic, received, orderly);
        Await.until(() -> owned(stays, topic).size() == queues.size(), () -> "owns " + owned(stays, topic));

        DefaultMQPushConsumer leaves = startedMember(group, topic, received, orderly);
        // An orderly consumer that finds queues still locked by the other only tries again with its next look around.
        Await.until(orderly ? Await.PATIENCE : TOLD, () -> isShared(queues, owned(stays, topic), owned(leaves, topic)),
            () -> "shared as " + owned(stays, topic) + " and " + owned(leaves, topic));
        List<String> shared = numbered("shared", 80);
        sendAll(producer, topic, shared);
        received.awaitAll(shared);

        leaves.shutdown();
        Await.until(TOLD, () -> owned(stays, topic).size() == queues.size(), () -> "took over only " + owned(stays, topic));
        List<String> alone = numbered("alone", 80);
        sendAll(producer, topic, alone);
        received.awaitAll(alone);
    }

    private DefaultMQPushConsumer startedMember(String group, String topic, Received received, boolean orderly) throws Exception {
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "*");
        if (orderly) {
            consumer.registerMessageListener(received.orderly());
        } else {
            consumer.registerMessageListener(received.concurrently());
        }
        return start(consumer);
    }

    private static boolean isShared(Set<MessageQueue> all, Collection<MessageQueue> one, Collection<MessageQueue> other) {
        Set<MessageQueue> union = new HashSet<>(one);
        union.addAll(other);
        return union.equals(all) && one.size() == all.size() / 2 && other.size() == all.size() / 2;
    }
}
