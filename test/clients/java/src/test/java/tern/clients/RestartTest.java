package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

/** Daemons are stopped, killed and started again, by the harness, while clients use them or between two uses. */
class RestartTest extends ClientTest {
    /** A client may pause a queue for half a minute, until its next heartbeat and rebalance, before it goes on. */
    private static final Duration AFTER_RESTART = Duration.ofSeconds(120);
    private static final int SOME = 300;

    @FunctionalInterface
    private interface Blow {
        void strike(String daemon) throws Exception;
    }

    @Test
    void offsetsSurviveABrokerRestart() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "keepoffsets");
        Collection<MessageQueue> queues = queues(producer, topic);
        String group = Env.unique("group");
        List<String> before = numbered("before", 60);
        sendAll(producer, topic, before);
        Received first = new Received();
        DefaultMQPushConsumer consumer = startedPushConsumer(group, topic, first);
        first.awaitExactly(before);
        awaitCommitted(consumer, queues, before.size());
        consumer.shutdown();

        for (String broker : Env.BROKERS) {
            Control.restart(broker);
        }

        DefaultMQProducer again = startedProducer();
        List<String> after = numbered("after", 60);
        sendAll(again, topic, after);
        Received second = new Received();
        startedPushConsumer(group, topic, second);
        second.awaitExactly(after);
    }

    @Test
    void messagesSurviveABrokerRestart() throws Exception {
        messagesSurvive(Control::restart);
    }

    @Test
    void messagesSurviveAKilledBroker() throws Exception {
        messagesSurvive(Control::crash);
    }

    private void messagesSurvive(Blow blow) throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "keep");
        String key = Env.unique("key");
        List<SendResult> sent = new ArrayList<>();
        for (String text : numbered("keep", 60)) {
            sent.add(send(producer, new Message(topic, "Tag", key, text.getBytes())));
        }
        List<String> before = described(readAll(topic, sent.size()));
        // What goes on after the blow is a new client's view, as if the old one had gone with the broker.
        shutDownClients();
        for (String broker : Env.BROKERS) {
            blow.strike(broker);
        }

        assertEquals(before, described(readAll(topic, sent.size())));
        DefaultMQProducer again = startedProducer();
        for (SendResult result : sent) {
            assertEquals(result.getMsgId(), again.viewMessage(topic, result.getOffsetMsgId()).getMsgId());
        }
        Await.until(() -> again.queryMessage(topic, key, 64, 0, Long.MAX_VALUE).getMessageList().size() == sent.size(),
            () -> "not all in the index");
        // Queues go on where they were.
        for (MessageQueue queue : queues(again, topic)) {
            long end = sent.stream().filter(result -> result.getMessageQueue().equals(queue)).count();
            assertEquals(end, again.send(message(topic, "next"), queue).getQueueOffset());
        }
    }

    private static List<String> described(List<MessageExt> messages) {
        return messages.stream().map(m -> m.getBrokerName() + "/" + m.getQueueId() + "/" + m.getQueueOffset() + " " + m.getMsgId() + " "
            + m.getTags() + " " + m.getKeys() + " " + Received.text(m)).sorted().collect(Collectors.toList());
    }

    @Test
    void aDelayedMessageSurvivesABrokerRestart() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "keepdelay");
        List<String> texts = numbered("keepdelay", 10);
        for (String text : texts) {
            Message message = message(topic, text);
            message.setDelayTimeLevel(DelayTest.LONG_LEVEL);
            send(producer, message);
        }
        for (String broker : Env.BROKERS) {
            Control.restart(broker);
        }
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        received.awaitAll(texts);
    }

    @Test
    void aKilledBrokerLosesNothingAcknowledged() throws Exception {
        nothingAcknowledgedIsLost(Env.BROKERS, Control::crash);
    }

    @Test
    void everyDaemonInTurnMayBeRestarted() throws Exception {
        nothingAcknowledgedIsLost(Control.daemons(), Control::restart);
    }

    private void nothingAcknowledgedIsLost(List<String> daemons, Blow blow) throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "traffic");
        Received received = new Received();
        DefaultMQPushConsumer consumer = startedPushConsumer(Env.unique("group"), topic, received);
        awaitOwned(consumer, topic, queues(producer, topic).size());
        try (Traffic traffic = new Traffic(producer, topic)) {
            traffic.awaitProgress(SOME);
            for (String daemon : daemons) {
                blow.strike(daemon);
                traffic.awaitProgress(SOME);
            }
            Set<String> acknowledged = traffic.finish();
            received.awaitAll(AFTER_RESTART, acknowledged);
        }
    }
}
