package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.junit.jupiter.api.Test;

/** A producer that gathers single sends into batches by itself. */
class AutoBatchTest extends ClientTest {
    @Test
    void gatheredSendsAreSingleMessages() throws Exception {
        DefaultMQProducer producer = newProducer();
        producer.setAutoBatch(true);
        start(producer);
        String topic = createdTopic(producer, "autobatch");
        List<String> texts = numbered("autobatch", 100);
        CountDownLatch answered = new CountDownLatch(texts.size());
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        for (String text : texts) {
            producer.send(message(topic, text), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    answered.countDown();
                }

                @Override
                public void onException(Throwable failure) {
                    failures.add(failure);
                    answered.countDown();
                }
            });
        }
        assertTrue(answered.await(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS), () -> answered.getCount() + " without answer");
        assertEquals(List.of(), List.copyOf(failures));
        assertEquals(new HashSet<>(texts), readAll(topic, texts.size()).stream().map(Received::text).collect(Collectors.toSet()));
    }
}
