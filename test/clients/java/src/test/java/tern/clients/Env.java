package tern.clients;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** What the suite is told about its cluster, and names that no other test and no other run uses. */
final class Env {
    static final String NAMESERVERS = System.getProperty("tern.nameservers", "127.0.0.1:9876");
    static final List<String> BROKERS = List.of(System.getProperty("tern.brokers", "broker-a").split(","));
    /** host:port where the harness listens for requests about its daemons; empty when there is no harness. */
    static final String CONTROL = System.getProperty("tern.control", "");

    /** The topic after which automatically created ones are modelled. */
    static final String MODEL_TOPIC = "TBW102";

    private static final String RUN = Long.toString(System.currentTimeMillis(), 36);
    private static final AtomicInteger COUNTER = new AtomicInteger();

    static String unique(String hint) {
        return hint + "_" + RUN + "_" + COUNTER.incrementAndGet();
    }

    private Env() {
    }
}
