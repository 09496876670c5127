package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

class PushConsumerTest extends ClientTest {
    @Test
    void aConcurrentListenerGetsEachMessageOnce() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "concurrent");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        List<String> texts = numbered("concurrent", 300);
        sendAll(producer, topic, texts);
        received.awaitExactly(texts);
    }

    @Test
    void anOrderlyListenerSeesEveryQueueInOrder() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "orderly");
        Received received = new Received();
        Map<MessageQueue, AtomicInteger> inside = new ConcurrentHashMap<>();
        AtomicInteger overlaps = new AtomicInteger();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (batch, context) -> {
            AtomicInteger now = inside.computeIfAbsent(context.getMessageQueue(), queue -> new AtomicInteger());
            overlaps.addAndGet(now.getAndIncrement());
            batch.forEach(received::add);
            now.decrementAndGet();
            return ConsumeOrderlyStatus.SUCCESS;
        });
        start(consumer);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            for (int key = 0; key < 5; key++) {
                texts.add(key + ":" + i);
                producer.send(message(topic, key + ":" + i), (queues, message, k) -> queues.get((Integer) k % queues.size()), key);
            }
        }
        received.awaitExactly(texts);
        assertEquals(0, overlaps.get());
        Map<String, Integer> next = new HashMap<>();
        for (String text : received.texts()) {
            String[] keyAndNumber = text.split(":");
            assertEquals(next.merge(keyAndNumber[0], 1, Integer::sum) - 1, Integer.parseInt(keyAndNumber[1]), text);
        }
    }

    @Test
    void aBroadcastReachesEveryConsumer() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "broadcast");
        int queues = queues(producer, topic).size();
        String group = Env.unique("group");
        List<Received> received = List.of(new Received(), new Received());
        for (Received one : received) {
            DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "*");
            Generation.broadcasting(consumer);
            consumer.registerMessageListener(one.concurrently());
            start(consumer);
            awaitOwned(consumer, topic, queues);
        }
        List<String> texts = numbered("broadcast", 50);
        sendAll(producer, topic, texts);
        for (Received one : received) {
            one.awaitExactly(texts);
        }
    }

    @Test
    void aTagExpressionFilters() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "tags");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "TagA || TagB");
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            for (String tag : List.of("TagA", "TagB", "TagC", "")) {
                Message message = message(topic, tag + "-" + i);
                if (!tag.isEmpty()) {
                    message.setTags(tag);
                }
                send(producer, message);
                if (tag.equals("TagA") || tag.equals("TagB")) {
                    wanted.add(tag + "-" + i);
                }
            }
        }
        received.awaitExactly(wanted);
    }

    /** "Aa" and "BB" have the same hash, which is all that a queue entry keeps of a tag. */
    @Test
    void tagsOfEqualHashAreToldApart() throws Exception {
        assertEquals("Aa".hashCode(), "BB".hashCode());
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "hash");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "BB");
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        List<String> wanted = numbered("BB", 10);
        for (int i = 0; i < wanted.size(); i++) {
            send(producer, new Message(topic, "Aa", ("Aa-" + i).getBytes()));
            send(producer, new Message(topic, "BB", wanted.get(i).getBytes()));
        }
        received.awaitExactly(wanted);
    }

    @Test
    void fromFirstIncludesWhatWasThereBefore() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "first");
        List<String> texts = numbered("first", 40);
        sendAll(producer, topic, texts);
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        received.awaitExactly(texts);
    }

    /** As long as a queue's first message is still in memory, a new group starts with it, whatever it asked for. */
    @Test
    void fromLastStartsAYoungTopicAtItsBeginning() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "young");
        List<String> texts = numbered("young", 40);
        sendAll(producer, topic, texts);
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        received.awaitExactly(texts);
    }

    @Test
    void fromLastWaitsAtTheEndOfAnEmptyTopic() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "emptylast");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        awaitOwned(consumer, topic, queues(producer, topic).size());
        List<String> texts = numbered("emptylast", 40);
        sendAll(producer, topic, texts);
        received.awaitExactly(texts);
    }

    @Test
    void oneConsumerReadsSeveralTopics() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String first = createdTopic(producer, "several");
        String second = createdTopic(producer, "several");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), first, "*");
        consumer.subscribe(second, "Tag");
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        sendAll(producer, first, List.of("one", "two"));
        send(producer, new Message(second, "Other", "no".getBytes()));
        send(producer, new Message(second, "Tag", "three".getBytes()));
        received.awaitExactly(List.of("one", "two", "three"));
        assertEquals(second, received.await(m -> Received.text(m).equals("three"), "message of the second topic").getTopic());
    }

    @Test
    void aBatchListenerGetsManyAtOnce() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "listbatch", 1);
        List<String> texts = numbered("listbatch", 64);
        for (String text : texts) {
            producer.send(message(topic, text), queues(producer, topic).get(0));
        }
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.setConsumeMessageBatchMaxSize(16);
        AtomicInteger largest = new AtomicInteger();
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            largest.accumulateAndGet(batch.size(), Math::max);
            return received.concurrently().consumeMessage(batch, context);
        });
        start(consumer);
        received.awaitExactly(texts);
        assertTrue(largest.get() > 1);
    }

    /** A broker that only looked at parked pulls now and then would be seconds late every time. */
    @Test
    void aParkedPullIsWokenByAMessage() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "wake");
        Received received = new Received();
        Map<String, Long> arrivedAt = new ConcurrentHashMap<>();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(message -> arrivedAt.put(Received.text(message), System.nanoTime()));
            return received.concurrently().consumeMessage(batch, context);
        });
        start(consumer);
        awaitOwned(consumer, topic, queues(producer, topic).size());
        long shortest = Long.MAX_VALUE;
        for (String text : numbered("wake", 10)) {
            long sentAt = System.nanoTime();
            send(producer, message(topic, text));
            received.awaitAll(List.of(text));
            shortest = Math.min(shortest, arrivedAt.get(text) - sentAt);
        }
        long shortestMillis = TimeUnit.NANOSECONDS.toMillis(shortest);
        assertTrue(shortestMillis < 500, () -> "the quickest of ten took " + shortestMillis + " ms");
    }

    @Test
    void theFastChannelServesConsumers() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "vipread");
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.setVipChannelEnabled(true);
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        List<String> texts = numbered("vipread", 30);
        sendAll(producer, topic, texts);
        received.awaitExactly(texts);
        awaitCommitted(consumer, queues(producer, topic), texts.size());
    }

    @Test
    void aConsumerGoesOnWhereItsGroupStopped() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "resume");
        Collection<MessageQueue> queues = queues(producer, topic);
        String group = Env.unique("group");

        List<String> before = numbered("before", 50);
        sendAll(producer, topic, before);
        Received first = new Received();
        DefaultMQPushConsumer consumer = startedPushConsumer(group, topic, first);
        first.awaitExactly(before);
        awaitCommitted(consumer, queues, before.size());
        consumer.shutdown();

        List<String> after = numbered("after", 50);
        sendAll(producer, topic, after);
        Received second = new Received();
        startedPushConsumer(group, topic, second);
        second.awaitExactly(after);
    }

    @Test
    void aPlainMessageCarriesNoRetryMarks() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "plain");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        send(producer, message(topic, "plain"));
        received.awaitAll(List.of("plain"));
        received.messages().forEach(message -> {
            assertEquals(0, message.getReconsumeTimes());
            assertNull(message.getProperty("RETRY_TOPIC"));
            assertNull(message.getProperty("ORIGIN_MESSAGE_ID"));
        });
    }
}
