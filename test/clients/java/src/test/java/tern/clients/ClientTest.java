package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.client.impl.consumer.RebalanceImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;
import org.junit.jupiter.api.AfterEach;

/** Makes clients that end with the test, topics that are ready for use, and the few things that many tests do with them. */
abstract class ClientTest {
    static final int QUEUES_PER_BROKER = 4;

    private final Deque<Runnable> shutdowns = new ArrayDeque<>();

    @AfterEach
    void shutDownClients() {
        while (!shutdowns.isEmpty()) {
            shutdowns.pop().run();
        }
    }

    /** Every client has an instance of its own: no connection, and no table, is shared between two of them. */
    final <T extends ClientConfig> T configured(T client) {
        client.setNamesrvAddr(Env.NAMESERVERS);
        client.setInstanceName(Env.unique("instance"));
        // Topics that come into being while a client runs, such as its group's retries, are found soon, not in half a minute.
        client.setPollNameServerInterval(1000);
        return client;
    }

    final void atEnd(Runnable shutdown) {
        shutdowns.push(shutdown);
    }

    final DefaultMQProducer newProducer() {
        DefaultMQProducer producer = configured(new DefaultMQProducer(Env.unique("producers")));
        // The client's own limits must not get in before the broker's.
        producer.setMaxMessageSize(16 * 1024 * 1024);
        producer.setSendMsgTimeout(10_000);
        return producer;
    }

    final DefaultMQProducer start(DefaultMQProducer producer) throws Exception {
        producer.start();
        atEnd(producer::shutdown);
        return producer;
    }

    final DefaultMQProducer startedProducer() throws Exception {
        return start(newProducer());
    }

    final DefaultMQPushConsumer newPushConsumer(String group, String topic, String tags) throws Exception {
        DefaultMQPushConsumer consumer = configured(new DefaultMQPushConsumer(group));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(4);
        consumer.setConsumeThreadMax(4);
        consumer.subscribe(topic, tags);
        return consumer;
    }

    final DefaultMQPushConsumer start(DefaultMQPushConsumer consumer) throws Exception {
        consumer.start();
        atEnd(consumer::shutdown);
        return consumer;
    }

    final DefaultMQPushConsumer startedPushConsumer(String group, String topic, Received received) throws Exception {
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, "*");
        consumer.registerMessageListener(received.concurrently());
        return start(consumer);
    }

    final DefaultMQPullConsumer startedPullConsumer(String group) throws Exception {
        DefaultMQPullConsumer consumer = configured(new DefaultMQPullConsumer(group));
        consumer.start();
        atEnd(consumer::shutdown);
        return consumer;
    }

    final DefaultLitePullConsumer newLitePullConsumer(String group) {
        return newLitePullConsumer(group, null);
    }

    /** The hook, unless it is null, sees every request and every answer. */
    final DefaultLitePullConsumer newLitePullConsumer(String group, RPCHook hook) {
        DefaultLitePullConsumer consumer = configured(new DefaultLitePullConsumer(group, hook));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setPullThreadNums(4);
        return consumer;
    }

    final DefaultLitePullConsumer start(DefaultLitePullConsumer consumer) throws Exception {
        consumer.start();
        atEnd(consumer::shutdown);
        return consumer;
    }

    final String createdTopic(DefaultMQProducer producer, String hint) throws Exception {
        return createdTopic(producer, hint, QUEUES_PER_BROKER);
    }

    /** Returns when the nameserver tells of all its queues. */
    final String createdTopic(DefaultMQProducer producer, String hint, int queuesPerBroker) throws Exception {
        String topic = Env.unique(hint);
        Generation.createTopic(producer, Env.MODEL_TOPIC, topic, queuesPerBroker);
        Await.until(() -> producer.fetchPublishMessageQueues(topic).size() == queuesPerBroker * Env.BROKERS.size(),
            () -> "no route with all queues of " + topic);
        return topic;
    }

    final List<MessageQueue> queues(DefaultMQProducer producer, String topic) throws Exception {
        return producer.fetchPublishMessageQueues(topic).stream().sorted().collect(Collectors.toList());
    }

    static List<String> numbered(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).collect(Collectors.toList());
    }

    static Message message(String topic, String text) {
        return new Message(topic, text.getBytes(StandardCharsets.UTF_8));
    }

    static SendResult send(DefaultMQProducer producer, Message message) throws Exception {
        SendResult result = producer.send(message);
        assertEquals(SendStatus.SEND_OK, result.getSendStatus());
        return result;
    }

    static void sendAll(DefaultMQProducer producer, String topic, Collection<String> texts) throws Exception {
        for (String text : texts) {
            send(producer, message(topic, text));
        }
    }

    static byte[] noise(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    /** Reads all queues of a topic from their beginning until there are `count` messages, in the order of each queue. */
    final List<MessageExt> readAll(String topic, int count) throws Exception {
        DefaultMQPullConsumer reader = startedPullConsumer(Env.unique("readers"));
        List<MessageExt> messages = new ArrayList<>();
        Await.until(() -> {
            messages.clear();
            for (MessageQueue queue : reader.fetchSubscribeMessageQueues(topic)) {
                messages.addAll(readQueue(reader, queue));
            }
            return messages.size() >= count;
        }, () -> messages.size() + " of " + count + " messages in " + topic);
        assertEquals(count, messages.size());
        return messages;
    }

    static List<MessageExt> readQueue(DefaultMQPullConsumer reader, MessageQueue queue) throws Exception {
        List<MessageExt> messages = new ArrayList<>();
        long offset = reader.minOffset(queue);
        long end = reader.maxOffset(queue);
        while (offset < end) {
            PullResult result = reader.pull(queue, "*", offset, 32);
            if (result.getPullStatus() == PullStatus.FOUND) {
                messages.addAll(result.getMsgFoundList());
            }
            offset = result.getNextBeginOffset();
        }
        return messages;
    }

    static List<MessageExt> inQueueOrder(List<MessageExt> messages, int queueId) {
        return messages.stream().filter(m -> m.getQueueId() == queueId)
            .sorted(Comparator.comparingLong(MessageExt::getQueueOffset)).collect(Collectors.toList());
    }

    /** The queues of the topic that this consumer owns now. */
    static Collection<MessageQueue> owned(DefaultMQPushConsumer consumer, String topic) {
        RebalanceImpl rebalance = consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl();
        return rebalance.getProcessQueueTable().keySet().stream().filter(queue -> queue.getTopic().equals(topic))
            .collect(Collectors.toSet());
    }

    static void awaitOwned(DefaultMQPushConsumer consumer, String topic, int count) {
        Await.until(() -> owned(consumer, topic).size() == count, () -> "owns " + owned(consumer, topic) + ", should be " + count);
    }

    /** What the broker has stored as this consumer's progress, added over the queues; a queue it knows nothing of counts as none. */
    static long committed(DefaultMQPushConsumer consumer, Collection<MessageQueue> queues) {
        return queues.stream().mapToLong(queue -> Math.max(0,
            consumer.getDefaultMQPushConsumerImpl().getOffsetStore().readOffset(queue, ReadOffsetType.READ_FROM_STORE))).sum();
    }

    /** Has the consumer tell the broker what it has done, and waits until the broker has that. */
    static void awaitCommitted(DefaultMQPushConsumer consumer, Collection<MessageQueue> queues, long count) {
        Await.until(() -> {
            consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
            return committed(consumer, queues) == count;
        }, () -> "committed " + committed(consumer, queues) + " of " + count);
    }
}
