package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Daemons of two makes are one cluster to a client. */
@Tag("mixed")
class MixedClusterTest extends ClientTest {
    @Test
    void everyNameserverTellsOfEveryBroker() throws Exception {
        DefaultMQProducer creator = startedProducer();
        String topic = createdTopic(creator, "route");
        Set<MessageQueue> expected = new HashSet<>();
        for (String broker : Env.BROKERS) {
            for (int id = 0; id < QUEUES_PER_BROKER; id++) {
                expected.add(new MessageQueue(topic, broker, id));
            }
        }
        for (String nameserver : Env.NAMESERVERS.split(";")) {
            DefaultMQProducer producer = newProducer();
            producer.setNamesrvAddr(nameserver);
            start(producer);
            Await.until(() -> expected.equals(new HashSet<>(producer.fetchPublishMessageQueues(topic))),
                () -> nameserver + " does not tell of " + expected);
            for (MessageQueue queue : expected) {
                assertEquals(0, producer.maxOffset(queue));
            }
        }
    }

    @Test
    void aTopicThatASendCreatesIsFoundByAll() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = Env.unique("created");
        Map<String, String> sentTo = new TreeMap<>();
        for (String text : numbered("created", 20)) {
            sentTo.put(text, send(producer, message(topic, text)).getMessageQueue().getBrokerName());
        }
        Map<String, String> readFrom = new TreeMap<>();
        for (MessageExt message : readAll(topic, sentTo.size())) {
            readFrom.put(Received.text(message), message.getBrokerName());
        }
        assertEquals(sentTo, readFrom);
    }

    @Test
    void sendsReachEveryBroker() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "spread");
        List<String> sent = new ArrayList<>();
        for (String text : numbered("spread", 80)) {
            sent.add(place(send(producer, message(topic, text))) + " " + text);
        }
        List<String> stored = readAll(topic, sent.size()).stream()
            .map(m -> m.getBrokerName() + "/" + m.getQueueId() + "/" + m.getQueueOffset() + " " + Received.text(m))
            .sorted().collect(Collectors.toList());
        assertEquals(sent.stream().sorted().collect(Collectors.toList()), stored);
        assertEquals(new HashSet<>(Env.BROKERS), sent.stream().map(s -> s.split("/")[0]).collect(Collectors.toSet()));
    }

    private static String place(SendResult result) {
        return result.getMessageQueue().getBrokerName() + "/" + result.getMessageQueue().getQueueId() + "/" + result.getQueueOffset();
    }

    @Test
    void aGroupSharesTheQueuesOfEveryBroker() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "group");
        Collection<MessageQueue> queues = queues(producer, topic);
        String group = Env.unique("group");
        Received received = new Received();
        DefaultMQPushConsumer stays = startedPushConsumer(group, topic, received);
        awaitOwned(stays, topic, queues.size());
        DefaultMQPushConsumer leaves = startedPushConsumer(group, topic, received);
        awaitOwned(stays, topic, queues.size() / 2);
        awaitOwned(leaves, topic, queues.size() / 2);
        Set<MessageQueue> together = new HashSet<>(owned(stays, topic));
        together.addAll(owned(leaves, topic));
        assertEquals(new HashSet<>(queues), together);
        List<String> shared = numbered("shared", 80);
        sendAll(producer, topic, shared);
        received.awaitExactly(shared);

        leaves.shutdown();
        awaitOwned(stays, topic, queues.size());
        List<String> alone = numbered("alone", 80);
        sendAll(producer, topic, alone);
        // Some may come twice: nothing says that the offsets of the one that left are known before its queues are taken over.
        received.awaitAll(alone);
        awaitCommitted(stays, queues, shared.size() + alone.size());
    }

    @Test
    void anOrderlyGroupLocksQueuesOnEveryBroker() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "orderly");
        List<MessageQueue> queues = queues(producer, topic);
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.registerMessageListener(received.orderly());
        start(consumer);
        Map<MessageQueue, List<String>> sent = new HashMap<>();
        for (int i = 0; i < 10; i++) {
            for (MessageQueue queue : queues) {
                String text = queue.getBrokerName() + "/" + queue.getQueueId() + ":" + i;
                producer.send(message(topic, text), queue);
                sent.computeIfAbsent(queue, any -> new ArrayList<>()).add(text);
            }
        }
        received.awaitExactly(sent.values().stream().flatMap(List::stream).collect(Collectors.toList()));
        Map<MessageQueue, List<String>> got = new HashMap<>();
        for (MessageExt message : received.messages()) {
            got.computeIfAbsent(new MessageQueue(topic, message.getBrokerName(), message.getQueueId()), any -> new ArrayList<>())
                .add(Received.text(message));
        }
        assertEquals(sent, got);
    }

    /** Sent back to the broker that it came from, which waits and gives it again; at the end it is a dead letter there. */
    @Test
    void everyBrokerRetriesWhatItGave() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "again");
        List<MessageQueue> queues = queues(producer, topic);
        String group = Env.unique("group");
        // The group's retry topic comes with its first consumer; one that finds it there does not have to look around again.
        startedPushConsumer(group, topic, new Received()).shutdown();
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "Tag");
        consumer.setMaxReconsumeTimes(1);
        consumer.registerMessageListener(received.failing());
        start(consumer);
        List<String> texts = new ArrayList<>();
        for (MessageQueue queue : queues) {
            texts.add(queue.getBrokerName() + "/" + queue.getQueueId());
            producer.send(new Message(topic, "Tag", texts.get(texts.size() - 1).getBytes()), queue);
        }
        List<String> dead = new ArrayList<>();
        for (MessageExt message : readAll("%DLQ%" + group, texts.size())) {
            dead.add(Received.text(message));
            assertEquals(message.getBrokerName(), Received.text(message).split("/")[0]);
        }
        assertEquals(texts.stream().sorted().collect(Collectors.toList()), dead.stream().sorted().collect(Collectors.toList()));
        List<String> twice = new ArrayList<>(texts);
        twice.addAll(texts);
        received.awaitExactly(twice);
    }
}
