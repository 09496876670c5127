package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

/** Questions about what is stored: offsets, times, single messages. */
class QueryTest extends ClientTest {
    /** Sends so that no two messages are stored in the same millisecond. */
    static void sendAtDistinctTimes(DefaultMQProducer producer, MessageQueue queue, List<String> texts) throws Exception {
        for (String text : texts) {
            producer.send(message(queue.getTopic(), text), queue);
            long stored = System.currentTimeMillis();
            Await.until(() -> System.currentTimeMillis() > stored + 1, () -> "the clock stands still");
        }
    }

    @Test
    void offsetsOfAnEmptyQueueAreZero() throws Exception {
        DefaultMQProducer producer = startedProducer();
        MessageQueue queue = queues(producer, createdTopic(producer, "empty")).get(0);
        assertEquals(0, producer.minOffset(queue));
        assertEquals(0, producer.maxOffset(queue));
        assertEquals(0, producer.searchOffset(queue, System.currentTimeMillis()));
        assertEquals(-1, producer.earliestMsgStoreTime(queue));
    }

    @Test
    void offsetsTellWhatIsThere() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "offsets");
        MessageQueue queue = queues(producer, topic).get(1);
        sendAtDistinctTimes(producer, queue, numbered("offsets", 8));
        Await.until(() -> producer.maxOffset(queue) == 8, () -> "not all in the queue");
        assertEquals(0, producer.minOffset(queue));
        List<MessageExt> messages = inQueueOrder(readAll(topic, 8), queue.getQueueId());
        assertEquals(messages.get(0).getStoreTimestamp(), producer.earliestMsgStoreTime(queue));
        for (MessageExt message : messages) {
            assertEquals(message.getQueueOffset(), producer.searchOffset(queue, message.getStoreTimestamp()));
        }
        assertEquals(0, producer.searchOffset(queue, messages.get(0).getStoreTimestamp() - 60_000));
        assertEquals(8, producer.searchOffset(queue, messages.get(7).getStoreTimestamp() + 60_000));
    }

    @Test
    void aMessageIsFoundByItsOffsetId() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "byoffset");
        SendResult sent = send(producer, new Message(topic, "Tag", "key", "by offset".getBytes()));
        MessageExt message = producer.viewMessage(topic, sent.getOffsetMsgId());
        assertEquals("by offset", Received.text(message));
        assertEquals(topic, message.getTopic());
        assertEquals(sent.getQueueOffset(), message.getQueueOffset());
        assertEquals(sent.getMessageQueue().getQueueId(), message.getQueueId());
        assertEquals(sent.getMsgId(), message.getMsgId());
    }

    @Test
    void aMessageIsFoundByItsUniqueKey() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "byid");
        sendAll(producer, topic, numbered("other", 5));
        SendResult sent = send(producer, message(topic, "by id"));
        sendAll(producer, topic, numbered("another", 5));
        // The index is built behind the log.
        Await.until(() -> Received.text(producer.viewMessage(topic, sent.getMsgId())).equals("by id"), () -> "not in the index");
    }

    @Test
    void messagesAreFoundByKey() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "bykey");
        String shared = Env.unique("shared");
        String single = Env.unique("single");
        long begin = System.currentTimeMillis() - 60_000;
        for (int i = 0; i < 3; i++) {
            send(producer, new Message(topic, "Tag", shared + (i == 1 ? " " + single : ""), ("by key " + i).getBytes()));
        }
        assertEquals(List.of("by key 0", "by key 1", "by key 2"), queryByKey(producer, topic, shared, 3, begin));
        assertEquals(List.of("by key 1"), queryByKey(producer, topic, single, 1, begin));
        assertThrows(MQClientException.class,
            () -> producer.queryMessage(topic, Env.unique("nobody"), 32, begin, System.currentTimeMillis() + 60_000));
        assertThrows(MQClientException.class, () -> producer.queryMessage(topic, shared, 32, begin - 60_000, begin));
    }

    @Test
    void aQueryByKeyTellsHowFarTheIndexIs() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "indextime");
        String key = Env.unique("key");
        long before = System.currentTimeMillis();
        send(producer, new Message(topic, "Tag", key, "indexed".getBytes()));
        queryByKey(producer, topic, key, 1, before - 60_000);
        QueryResult result = producer.queryMessage(topic, key, 32, before - 60_000, System.currentTimeMillis() + 60_000);
        assertTrue(result.getIndexLastUpdateTimestamp() >= before);
    }

    private static List<String> queryByKey(DefaultMQProducer producer, String topic, String key, int count, long begin) {
        Await.until(() -> producer.queryMessage(topic, key, 32, begin, System.currentTimeMillis() + 60_000)
            .getMessageList().size() == count, () -> "not " + count + " messages of key " + key);
        try {
            return producer.queryMessage(topic, key, 32, begin, System.currentTimeMillis() + 60_000)
                .getMessageList().stream().map(Received::text).sorted().collect(Collectors.toList());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
