package tern.clients;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.junit.jupiter.api.Test;

/** Heartbeats that leave out what the broker was told before. */
class HeartbeatV2Test extends ClientTest {
    @Test
    void aConsumerStaysKnownByItsFingerprint() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String first = createdTopic(producer, "fingerprint");
        String second = createdTopic(producer, "fingerprint");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), first, "*");
        consumer.setUseHeartbeatV2(true);
        // Several full rounds within the test.
        consumer.setHeartbeatBrokerInterval(200);
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        awaitOwned(consumer, first, queues(producer, first).size());
        List<String> before = numbered("before", 40);
        sendAll(producer, first, before);
        received.awaitAll(before);

        consumer.subscribe(second, "TagA");
        awaitOwned(consumer, second, queues(producer, second).size());
        List<String> after = numbered("after", 40);
        for (String text : after) {
            send(producer, new Message(second, "TagA", text.getBytes()));
            send(producer, new Message(second, "TagB", text.concat("-not").getBytes()));
        }
        List<String> all = new ArrayList<>(before);
        all.addAll(after);
        received.awaitExactly(all);
    }
}
