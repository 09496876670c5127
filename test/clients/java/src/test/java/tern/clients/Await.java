package tern.clients;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Waits for conditions. The deadlines are for machines that are busy with other things; nothing waits them out when all is well. */
final class Await {
    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    static void until(Callable<Boolean> condition, Supplier<String> state) {
        until(PATIENCE, condition, state);
    }

    /** An exception out of the condition means "not yet"; the last one is the cause of the failure after the deadline. */
    static void until(Duration patience, Callable<Boolean> condition, Supplier<String> state) {
        long end = System.nanoTime() + patience.toNanos();
        Exception last = null;
        do {
            try {
                if (condition.call()) {
                    return;
                }
                last = null;
            } catch (Exception e) {
                last = e;
            }
            LockSupport.parkNanos(POLL_NANOS);
        } while (System.nanoTime() < end);
        throw new AssertionError("after " + patience.toMillis() + " ms: " + state.get(), last);
    }

    private Await() {
    }
}
