package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.Test;

/** Transactional sends. The harness lets brokers ask for the first time after a second, and every second. */
class TransactionTest extends ClientTest {
    private static final LocalTransactionState COMMIT = LocalTransactionState.COMMIT_MESSAGE;
    private static final LocalTransactionState ROLLBACK = LocalTransactionState.ROLLBACK_MESSAGE;
    private static final LocalTransactionState UNKNOWN = LocalTransactionState.UNKNOW;

    /** What the application says, by the message; and what it was asked about. */
    private static final class Decisions implements TransactionListener {
        final List<MessageExt> asked = Collections.synchronizedList(new ArrayList<>());
        private final Function<Message, LocalTransactionState> first;
        private final Function<MessageExt, LocalTransactionState> later;

        Decisions(Function<Message, LocalTransactionState> first, Function<MessageExt, LocalTransactionState> later) {
            this.first = first;
            this.later = later;
        }

        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
            return first.apply(message);
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            asked.add(message);
            return later.apply(message);
        }

        List<String> askedAbout() {
            synchronized (asked) {
                return asked.stream().map(Received::text).sorted().collect(Collectors.toList());
            }
        }
    }

    private TransactionMQProducer startedProducer(String group, Decisions decisions) throws Exception {
        TransactionMQProducer producer = configured(new TransactionMQProducer(group));
        // A broker asks whom it knows by heartbeats: after a restart it knows nobody.
        producer.setHeartbeatBrokerInterval(1000);
        producer.setSendMsgTimeout(10_000);
        producer.setTransactionListener(decisions);
        start(producer);
        return producer;
    }

    /** Who has sent nothing knows no broker that a heartbeat could go to. */
    private void makeItselfKnown(TransactionMQProducer producer) throws Exception {
        send(producer, message(createdTopic(producer, "other"), "known"));
    }

    private static TransactionSendResult sendInTransaction(TransactionMQProducer producer, Message message) throws Exception {
        TransactionSendResult result = producer.sendMessageInTransaction(message, null);
        assertEquals(SendStatus.SEND_OK, result.getSendStatus());
        return result;
    }

    @Test
    void aCommittedMessageArrivesAsItWasSent() throws Exception {
        Decisions decisions = new Decisions(message -> COMMIT, message -> ROLLBACK);
        TransactionMQProducer producer = startedProducer(Env.unique("transactions"), decisions);
        String topic = createdTopic(producer, "commit");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        Message message = message(topic, "committed");
        message.setTags("Tag");
        message.setKeys("Key");
        message.putUserProperty("name", "value");
        message.setFlag(7);
        TransactionSendResult sent = sendInTransaction(producer, message);
        assertEquals(topic, sent.getMessageQueue().getTopic());

        received.awaitExactly(List.of("committed"));
        MessageExt got = received.messages().get(0);
        assertEquals(sent.getMsgId(), got.getMsgId());
        assertEquals(sent.getTransactionId(), got.getTransactionId());
        assertEquals(sent.getMessageQueue().getQueueId(), got.getQueueId());
        assertEquals("Tag", got.getTags());
        assertEquals("Key", got.getKeys());
        assertEquals("value", got.getUserProperty("name"));
        assertEquals(7, got.getFlag());
        assertTrue(got.getPreparedTransactionOffset() < got.getCommitLogOffset());
    }

    @Test
    void onlyWhatWasCommittedArrives() throws Exception {
        Decisions decisions = new Decisions(message -> message.getTags().equals("yes") ? COMMIT : ROLLBACK, message -> ROLLBACK);
        TransactionMQProducer producer = startedProducer(Env.unique("transactions"), decisions);
        String topic = createdTopic(producer, "mixed");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 60; ++i) {
            Message message = message(topic, "mixed-" + i);
            message.setTags(i % 3 == 0 ? "no" : "yes");
            if (i % 3 != 0) {
                expected.add("mixed-" + i);
            }
            sendInTransaction(producer, message);
        }
        received.awaitExactly(expected);
        // What the broker asks about after them comes behind all that it would have asked about of these.
        askAboutOneMore(producer.getProducerGroup(), topic);
        received.awaitExactly(expected);
        assertEquals(List.of(), decisions.askedAbout());
    }

    private void askAboutOneMore(String group, String topic) throws Exception {
        Decisions last = new Decisions(message -> UNKNOWN, message -> ROLLBACK);
        TransactionMQProducer producer = startedProducer(Env.unique("last"), last);
        sendInTransaction(producer, message(topic, "last"));
        Await.until(() -> !last.asked.isEmpty(), () -> "nobody asked");
    }

    @Test
    void anUndecidedMessageIsAskedAboutUntilItIsCommitted() throws Exception {
        List<String> askedOnce = Collections.synchronizedList(new ArrayList<>());
        Decisions decisions = new Decisions(message -> UNKNOWN, message -> {
            if (!askedOnce.contains(Received.text(message))) {
                askedOnce.add(Received.text(message));
                return UNKNOWN;
            }
            return COMMIT;
        });
        TransactionMQProducer producer = startedProducer(Env.unique("transactions"), decisions);
        String topic = createdTopic(producer, "unknown");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        List<String> texts = numbered("unknown", 20);
        for (String text : texts) {
            Message message = message(topic, text);
            message.setTags("Tag");
            message.setFlag(7);
            sendInTransaction(producer, message);
        }
        received.awaitExactly(texts);
        decisions.asked.forEach(asked -> {
            assertEquals(topic, asked.getTopic());
            assertEquals("Tag", asked.getTags());
            assertNotNull(asked.getTransactionId());
        });
        received.messages().forEach(message -> {
            assertEquals("Tag", message.getTags());
            assertEquals("2", message.getProperty("TRANSACTION_CHECK_TIMES"));
        });
        askAboutOneMore(producer.getProducerGroup(), topic);
        received.awaitExactly(texts);
    }

    @Test
    void anUndecidedMessageThatIsRolledBackNeverArrives() throws Exception {
        Decisions decisions = new Decisions(message -> UNKNOWN, message -> ROLLBACK);
        TransactionMQProducer producer = startedProducer(Env.unique("transactions"), decisions);
        String topic = createdTopic(producer, "rollback");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        List<String> texts = numbered("rollback", 20);
        for (String text : texts) {
            sendInTransaction(producer, message(topic, text));
        }
        Await.until(() -> decisions.askedAbout().size() == texts.size(), () -> "asked about " + decisions.askedAbout());
        askAboutOneMore(producer.getProducerGroup(), topic);
        assertEquals(texts.stream().sorted().collect(Collectors.toList()), decisions.askedAbout());
        assertEquals(List.of(), received.texts());
    }

    @Test
    void anotherProducerOfTheGroupIsAsked() throws Exception {
        String group = Env.unique("transactions");
        Decisions gone = new Decisions(message -> UNKNOWN, message -> UNKNOWN);
        TransactionMQProducer first = startedProducer(group, gone);
        String topic = createdTopic(first, "heir");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        sendInTransaction(first, message(topic, "inherited"));
        first.shutdown();

        Decisions decisions = new Decisions(message -> UNKNOWN, message -> COMMIT);
        TransactionMQProducer heir = startedProducer(group, decisions);
        makeItselfKnown(heir);
        received.awaitExactly(List.of("inherited"));
    }

    @Test
    void anUndecidedMessageSurvivesABrokerRestart() throws Exception {
        undecidedSurvives(Control::restart);
    }

    @Test
    void anUndecidedMessageSurvivesAKilledBroker() throws Exception {
        undecidedSurvives(Control::crash);
    }

    @FunctionalInterface
    private interface Blow {
        void strike(String daemon) throws Exception;
    }

    private void undecidedSurvives(Blow blow) throws Exception {
        String group = Env.unique("transactions");
        TransactionMQProducer before = startedProducer(group, new Decisions(
            message -> message.getTags().equals("yes") ? COMMIT : message.getTags().equals("no") ? ROLLBACK : UNKNOWN,
            message -> UNKNOWN));
        String topic = createdTopic(before, "blow");
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 30; ++i) {
            Message message = message(topic, "blow-" + i);
            message.setTags(i % 3 == 0 ? "yes" : i % 3 == 1 ? "no" : "later");
            if (i % 3 != 1) {
                expected.add("blow-" + i);
            }
            sendInTransaction(before, message);
        }
        readAll(topic, 10);
        before.shutdown();
        for (String broker : Env.BROKERS) {
            blow.strike(broker);
        }
        // What was rolled back may be asked about again if its mark went with the broker: the answer is the same.
        Decisions decisions = new Decisions(message -> UNKNOWN, message -> message.getTags().equals("no") ? ROLLBACK : COMMIT);
        TransactionMQProducer after = startedProducer(group, decisions);
        makeItselfKnown(after);
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        received.awaitExactly(expected);
        askAboutOneMore(group, topic);
        received.awaitExactly(expected);
    }
}
