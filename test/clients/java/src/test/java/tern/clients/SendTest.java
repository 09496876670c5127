package tern.clients;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.MessageQueueSelector;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

/** Every way of sending; what was sent is read back with plain pulls. */
class SendTest extends ClientTest {
    private static final int MESSAGE_ILLEGAL = 13;
    private static final int TOPIC_NOT_EXIST = 17;

    @Test
    void synchronousSendsTellQueueAndOffset() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "sync");
        List<String> texts = numbered("sync", 40);
        Map<MessageQueue, Long> next = new HashMap<>();
        Set<String> ids = new HashSet<>();
        for (String text : texts) {
            SendResult result = send(producer, message(topic, text));
            assertEquals(next.getOrDefault(result.getMessageQueue(), 0L), result.getQueueOffset());
            next.put(result.getMessageQueue(), result.getQueueOffset() + 1);
            assertTrue(ids.add(result.getMsgId()));
            assertTrue(ids.add(result.getOffsetMsgId()));
        }
        assertEquals(new HashSet<>(queues(producer, topic)), next.keySet(), "sends go round all queues");
        List<MessageExt> messages = readAll(topic, texts.size());
        assertEquals(new HashSet<>(texts), messages.stream().map(Received::text).collect(Collectors.toSet()));
        // A pulled message is known by the id its producer gave it.
        messages.forEach(message -> assertTrue(ids.contains(message.getMsgId())));
    }

    @Test
    void asynchronousSendsCallBack() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "async");
        List<String> texts = numbered("async", 200);
        CountDownLatch answered = new CountDownLatch(texts.size());
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        Queue<SendResult> results = new ConcurrentLinkedQueue<>();
        for (String text : texts) {
            producer.send(message(topic, text), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    results.add(result);
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
        results.forEach(result -> assertEquals(SendStatus.SEND_OK, result.getSendStatus()));
        assertEquals(new HashSet<>(texts), readAll(topic, texts.size()).stream().map(Received::text).collect(Collectors.toSet()));
    }

    @Test
    void oneWaySendsArrive() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "oneway");
        List<String> texts = numbered("oneway", 30);
        for (String text : texts) {
            producer.sendOneway(message(topic, text));
        }
        assertEquals(new HashSet<>(texts), readAll(topic, texts.size()).stream().map(Received::text).collect(Collectors.toSet()));
    }

    @Test
    void aBatchIsManyMessages() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "batch");
        List<String> texts = numbered("batch", 10);
        List<Message> batch = texts.stream().map(text -> message(topic, text)).collect(Collectors.toList());
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).setTags("Tag" + i);
            batch.get(i).putUserProperty("number", String.valueOf(i));
        }
        SendResult result = producer.send(batch);
        assertEquals(SendStatus.SEND_OK, result.getSendStatus());
        Set<String> ids = Set.of(result.getMsgId().split(","));
        assertEquals(batch.size(), ids.size());
        List<String> offsetIds = List.of(result.getOffsetMsgId().split(","));
        assertEquals(batch.size(), offsetIds.size());

        List<MessageExt> messages = inQueueOrder(readAll(topic, texts.size()), result.getMessageQueue().getQueueId());
        assertEquals(texts, messages.stream().map(Received::text).collect(Collectors.toList()));
        for (int i = 0; i < messages.size(); i++) {
            MessageExt message = messages.get(i);
            assertEquals(result.getQueueOffset() + i, message.getQueueOffset());
            assertEquals("Tag" + i, message.getTags());
            assertEquals(String.valueOf(i), message.getUserProperty("number"));
            assertTrue(ids.contains(message.getMsgId()));
            assertEquals(texts.get(i), Received.text(producer.viewMessage(topic, offsetIds.get(i))));
        }
    }

    @Test
    void aSelectorKeepsTheOrderOfAKey() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "selector");
        int keys = 5;
        int perKey = 12;
        MessageQueueSelector byKey = (queues, message, key) -> queues.get((Integer) key % queues.size());
        Map<Integer, MessageQueue> queueOfKey = new HashMap<>();
        for (int i = 0; i < perKey; i++) {
            for (int key = 0; key < keys; key++) {
                SendResult result = producer.send(message(topic, key + ":" + i), byKey, key);
                assertEquals(SendStatus.SEND_OK, result.getSendStatus());
                assertEquals(queueOfKey.computeIfAbsent(key, k -> result.getMessageQueue()), result.getMessageQueue());
            }
        }
        Map<String, Integer> next = new HashMap<>();
        for (MessageExt message : readAll(topic, keys * perKey)) {
            String[] keyAndNumber = Received.text(message).split(":");
            assertEquals(next.merge(keyAndNumber[0], 1, Integer::sum) - 1, Integer.parseInt(keyAndNumber[1]));
        }
    }

    @Test
    void anExplicitQueueIsObeyed() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "explicit");
        MessageQueue queue = queues(producer, topic).get(2);
        for (int i = 0; i < 5; i++) {
            SendResult result = producer.send(message(topic, "explicit-" + i), queue);
            assertEquals(queue, result.getMessageQueue());
            assertEquals(i, result.getQueueOffset());
        }
        readAll(topic, 5).forEach(message -> assertEquals(queue.getQueueId(), message.getQueueId()));
    }

    @Test
    void aQueueThatDoesNotExistIsRefused() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "noqueue");
        MessageQueue queue = new MessageQueue(topic, Env.BROKERS.get(0), 99);
        MQBrokerException refused = assertThrows(MQBrokerException.class, () -> producer.send(message(topic, "lost"), queue));
        assertNotNull(refused.getErrorMessage());
        // And the connection is as good as before.
        send(producer, message(topic, "kept"));
        assertEquals(1, readAll(topic, 1).size());
    }

    @Test
    void aCompressedBodyComesBackWhole() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "compressed");
        byte[] body = "a text that compresses well; ".repeat(3000).getBytes(StandardCharsets.UTF_8);
        assertTrue(body.length > producer.getCompressMsgBodyOverHowmuch());
        send(producer, new Message(topic, body));
        MessageExt message = readAll(topic, 1).get(0);
        assertArrayEquals(body, message.getBody());
        assertTrue(message.getStoreSize() < body.length, () -> "stored in " + message.getStoreSize() + " bytes: not compressed");
    }

    @Test
    void aMebibyteComesBackWhole() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "mebibyte");
        byte[] body = noise(1024 * 1024);
        send(producer, new Message(topic, body));
        assertArrayEquals(body, readAll(topic, 1).get(0).getBody());
    }

    @Test
    void aBodyAboveTheBrokersLimitIsRefused() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "toobig");
        Message message = new Message(topic, noise(5 * 1024 * 1024));
        MQBrokerException refused = assertThrows(MQBrokerException.class, () -> producer.send(message));
        assertEquals(MESSAGE_ILLEGAL, refused.getResponseCode());
        send(producer, message(topic, "small"));
        assertEquals("small", Received.text(readAll(topic, 1).get(0)));
    }

    @Test
    void tagsKeysPropertiesAndTextRoundTrip() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "roundtrip");
        String text = "Küstenseeschwalbe 北极燕鸥 🐦 крачка";
        Message message = new Message(topic, "Tag-ü", "key1 key2", text.getBytes(StandardCharsets.UTF_8));
        message.setFlag(1234567);
        message.putUserProperty("plain", "value with spaces = and ; and : and ,");
        message.putUserProperty("名前", "значение 🐦");
        message.setBuyerId("buyer");
        long before = System.currentTimeMillis();
        SendResult sent = send(producer, message);

        MessageExt read = readAll(topic, 1).get(0);
        assertEquals(text, Received.text(read));
        assertEquals(topic, read.getTopic());
        assertEquals("Tag-ü", read.getTags());
        assertEquals("key1 key2", read.getKeys());
        assertEquals(1234567, read.getFlag());
        assertEquals("value with spaces = and ; and : and ,", read.getUserProperty("plain"));
        assertEquals("значение 🐦", read.getUserProperty("名前"));
        assertEquals("buyer", read.getBuyerId());
        assertEquals(sent.getMsgId(), read.getMsgId());
        assertEquals(0, read.getReconsumeTimes());
        assertTrue(read.getBornTimestamp() >= before);
        assertTrue(read.getStoreTimestamp() >= before);
        assertTrue(read.getStoreTimestamp() <= System.currentTimeMillis());
    }

    @Test
    void theFastChannelTakesSends() throws Exception {
        DefaultMQProducer producer = newProducer();
        producer.setVipChannelEnabled(true);
        start(producer);
        String topic = createdTopic(producer, "vip");
        List<String> texts = numbered("vip", 20);
        sendAll(producer, topic, texts);
        assertEquals(new HashSet<>(texts), readAll(topic, texts.size()).stream().map(Received::text).collect(Collectors.toSet()));
    }

    @Test
    void anUnknownTopicIsCreatedBySending() throws Exception {
        DefaultMQProducer producer = startedProducer();
        producer.setDefaultTopicQueueNums(3);
        String topic = Env.unique("auto");
        SendResult result = send(producer, message(topic, "first"));
        String broker = result.getMessageQueue().getBrokerName();
        Await.until(() -> queues(producer, topic).stream().filter(queue -> queue.getBrokerName().equals(broker)).count() == 3,
            () -> "no route to the three queues of " + topic);
        assertEquals("first", Received.text(readAll(topic, 1).get(0)));
    }

    /** A topic from which others do not inherit, unlike the model topic, is no help to an unknown one. */
    @Test
    void anUnknownTopicIsRefusedWithoutAModel() throws Exception {
        DefaultMQProducer producer = startedProducer();
        producer.setCreateTopicKey(createdTopic(producer, "nomodel"));
        String topic = Env.unique("unknown");
        MQClientException refused = assertThrows(MQClientException.class, () -> producer.send(message(topic, "nowhere")));
        assertEquals(TOPIC_NOT_EXIST, ((MQBrokerException) refused.getCause()).getResponseCode());
        assertThrows(MQClientException.class, () -> producer.fetchPublishMessageQueues(topic));
    }

    @Test
    void aTopicIsCreatedThroughTheClient() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = Env.unique("created");
        Generation.createTopic(producer, Env.MODEL_TOPIC, topic, 6);
        Await.until(() -> queues(producer, topic).size() == 6 * Env.BROKERS.size(), () -> "no route to " + topic);
        for (String broker : Env.BROKERS) {
            assertEquals(Arrays.asList(0, 1, 2, 3, 4, 5), queues(producer, topic).stream()
                .filter(queue -> queue.getBrokerName().equals(broker)).map(MessageQueue::getQueueId).collect(Collectors.toList()));
        }
        assertFalse(send(producer, message(topic, "used")).getOffsetMsgId().isEmpty());
    }
}
