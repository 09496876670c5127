package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageRequestMode;
import org.junit.jupiter.api.Test;

/** Push consumers that leave the assignment of queues to the brokers, which have them pop. */
class PopTest extends ClientTest {
    private static final int TIMEOUT_MS = 10_000;
    /** The least that the client allows. */
    private static final long INVISIBLE_MS = 5_000;

    /** As mqadmin setConsumeMode does. */
    private static void setPop(DefaultMQProducer producer, String topic, String group) throws Exception {
        MQClientInstance client = producer.getDefaultMQProducerImpl().getMqClientFactory();
        // Without a route the request would go to a nameserver.
        client.updateTopicRouteInfoFromNameServer(topic);
        for (String broker : Env.BROKERS) {
            client.getMQClientAPIImpl().setMessageRequestMode(client.findBrokerAddressInPublish(broker), topic, group,
                MessageRequestMode.POP, -1, TIMEOUT_MS);
        }
    }

    private DefaultMQPushConsumer newPopConsumer(String group, String topic, String tags) throws Exception {
        DefaultMQPushConsumer consumer = newPushConsumer(group, topic, tags);
        consumer.setClientRebalance(false);
        consumer.setPopInvisibleTime(INVISIBLE_MS);
        return consumer;
    }

    private static void awaitPopping(DefaultMQPushConsumer consumer, String topic) {
        Await.until(() -> consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getPopProcessQueueTable().keySet().stream()
            .anyMatch(queue -> queue.getTopic().equals(topic)), () -> "no queue of " + topic + " is popped");
    }

    @Test
    void consumersShareEveryQueueAndEachMessageComesOnce() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "pop");
        String group = Env.unique("group");
        setPop(producer, topic, group);
        Received first = new Received();
        Received second = new Received();
        for (Received received : List.of(first, second)) {
            DefaultMQPushConsumer consumer = newPopConsumer(group, topic, "*");
            consumer.registerMessageListener(received.concurrently());
            start(consumer);
            awaitPopping(consumer, topic);
        }
        // The client waits half a second before the first pop of a queue.
        List<String> texts = new ArrayList<>();
        Await.until(() -> {
            List<String> more = numbered("m" + texts.size() + "-", 20);
            sendAll(producer, topic, more);
            texts.addAll(more);
            return first.distinct() > 20 && second.distinct() > 20;
        }, () -> first.distinct() + " and " + second.distinct() + " of " + texts.size() + " arrived");
        Await.until(() -> first.distinct() + second.distinct() >= texts.size(),
            () -> first.distinct() + " and " + second.distinct() + " of " + texts.size() + " arrived");
        List<String> all = new ArrayList<>(first.texts());
        all.addAll(second.texts());
        assertEquals(texts.stream().sorted().collect(Collectors.toList()), all.stream().sorted().collect(Collectors.toList()));
    }

    @Test
    void aMessageThatFailsComesAgain() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "pop");
        String group = Env.unique("group");
        setPop(producer, topic, group);
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPopConsumer(group, topic, "wanted");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(received::add);
            return batch.get(0).getReconsumeTimes() == 0 ? ConsumeConcurrentlyStatus.RECONSUME_LATER
                : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        start(consumer);
        awaitPopping(consumer, topic);
        send(producer, new Message(topic, "other", "no".getBytes()));
        send(producer, new Message(topic, "wanted", "a".getBytes()));
        MessageExt again = received.await(message -> message.getReconsumeTimes() == 1, "second delivery");
        assertEquals("a", Received.text(again));
        assertEquals(topic, again.getTopic());
        assertEquals("wanted", again.getTags());
        assertEquals(List.of("a", "a"), received.texts());
    }

    @Test
    void whatWasAcknowledgedDoesNotComeAgainAfterACrash() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "pop");
        String group = Env.unique("group");
        setPop(producer, topic, group);
        Received received = new Received();
        DefaultMQPushConsumer consumer = newPopConsumer(group, topic, "*");
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
        awaitPopping(consumer, topic);
        List<String> before = numbered("before", 50);
        sendAll(producer, topic, before);
        received.awaitExactly(before);
        for (String broker : Env.BROKERS) {
            Control.crash(broker);
        }
        List<String> after = numbered("after", 50);
        for (String text : after) {
            Await.until(() -> {
                send(producer, new Message(topic, text.getBytes()));
                return true;
            }, () -> "no broker takes " + text);
        }
        received.awaitAll(after);
        assertEquals(before.size(), received.texts().stream().filter(text -> text.startsWith("before")).count());
    }
}
