package tern.clients;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;

/** Sends one message after the other on a thread of its own, whatever happens, and knows which were acknowledged. */
final class Traffic implements AutoCloseable {
    /** A few hundred messages a second: enough to be in the middle of something at any time, and easy on the machine. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(3);

    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> acknowledgedBy = new ConcurrentHashMap<>();
    private final Thread thread;
    private volatile boolean stopped;
    private volatile Throwable lastFailure;

    Traffic(DefaultMQProducer producer, String topic) {
        thread = new Thread(() -> run(producer, topic), "traffic");
        thread.start();
    }

    private void run(DefaultMQProducer producer, String topic) {
        for (int i = 0; !stopped; i++) {
            String text = "traffic-" + i;
            try {
                SendResult result = producer.send(ClientTest.message(topic, text));
                if (result.getSendStatus() == SendStatus.SEND_OK) {
                    acknowledged.add(text);
                    acknowledgedBy.merge(result.getMessageQueue().getBrokerName(), 1, Integer::sum);
                }
            } catch (Exception refused) {
                // Not acknowledged: it may arrive or not.
                lastFailure = refused;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Waits until this many more have been acknowledged. */
    void awaitProgress(int more) {
        int wanted = acknowledged.size() + more;
        Await.until(() -> acknowledged.size() >= wanted,
            () -> acknowledged.size() + " of " + wanted + " acknowledged, last failure " + lastFailure);
    }

    /** Waits until this broker has acknowledged this many more. */
    void awaitProgress(int more, String broker) {
        int wanted = acknowledgedBy.getOrDefault(broker, 0) + more;
        Await.until(() -> acknowledgedBy.getOrDefault(broker, 0) >= wanted,
            () -> broker + " acknowledged " + acknowledgedBy.get(broker) + " of " + wanted + ", last failure " + lastFailure);
    }

    /** Stops; what was acknowledged until then. */
    Set<String> finish() throws InterruptedException {
        close();
        assertTrue(!thread.isAlive(), "a send does not return");
        return Set.copyOf(acknowledged);
    }

    @Override
    public void close() throws InterruptedException {
        stopped = true;
        thread.join(Await.PATIENCE.toMillis());
    }
}
