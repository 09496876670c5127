package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;

/** What a consumer got, in the order in which it got it. Safe from any thread. A message is known by its text. */
final class Received {
    private final List<MessageExt> messages = new ArrayList<>();

    static String text(MessageExt message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    synchronized void add(MessageExt message) {
        messages.add(message);
    }

    synchronized List<MessageExt> messages() {
        return new ArrayList<>(messages);
    }

    List<String> texts() {
        return messages().stream().map(Received::text).collect(Collectors.toList());
    }

    int distinct() {
        return new HashSet<>(texts()).size();
    }

    /** Waits for all of these; duplicates and others do not matter. */
    void awaitAll(Collection<String> expected) {
        awaitAll(Await.PATIENCE, expected);
    }

    void awaitAll(Duration patience, Collection<String> expected) {
        Await.until(patience, () -> new HashSet<>(texts()).containsAll(expected), () -> {
            Set<String> missing = new TreeSet<>(expected);
            missing.removeAll(new HashSet<>(texts()));
            return missing.size() + " of " + expected.size() + " messages did not arrive, for example "
                + missing.stream().limit(5).collect(Collectors.toList());
        });
    }

    /** Waits for exactly these, each once. */
    void awaitExactly(Collection<String> expected) {
        awaitAll(expected);
        assertEquals(sorted(expected), sorted(texts()));
    }

    MessageExt await(Predicate<MessageExt> wanted, String what) {
        Await.until(() -> messages().stream().anyMatch(wanted), () -> "no " + what + " among " + messages());
        return messages().stream().filter(wanted).findFirst().get();
    }

    MessageListenerConcurrently concurrently() {
        return (batch, context) -> {
            batch.forEach(this::add);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        };
    }

    MessageListenerOrderly orderly() {
        return (batch, context) -> {
            batch.forEach(this::add);
            return ConsumeOrderlyStatus.SUCCESS;
        };
    }

    MessageListenerConcurrently failing() {
        return (batch, context) -> {
            batch.forEach(this::add);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        };
    }

    private static List<String> sorted(Collection<String> texts) {
        return texts.stream().sorted().collect(Collectors.toList());
    }
}
