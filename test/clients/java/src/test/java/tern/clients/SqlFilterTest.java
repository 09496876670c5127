package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

/** Consumers that choose messages by their properties, with SQL92 expressions. */
class SqlFilterTest extends ClientTest {
    private static final String[] REGIONS = {"east", "west", "north", "it's \u5317"};
    private static final int CLIENT_SUBSCRIPTION_PARSE_FAILED = 23;
    private static final long POLL_MILLIS = 100;

    @Test
    void aPushConsumerGetsWhatItsExpressionLetsThrough() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "sqlpush");
        Received received = new Received();
        startChoosing(topic, "price BETWEEN 10 AND 29.5 AND region NOT IN ('east', 'it''s \u5317') OR price IS NULL", received);
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            send(producer, priced(topic, i));
            if (i >= 10 && i <= 29 && i % 4 != 0 && i % 4 != 3) {
                wanted.add("price-" + i);
            }
        }
        send(producer, message(topic, "without a price"));
        wanted.add("without a price");
        received.awaitExactly(wanted);
    }

    @Test
    void aPushConsumerGetsTheOneMessageBehindThousandsThatItDoesNotWant() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "sqlrare", 1);
        for (int i = 0; i < 30; i++) {
            List<Message> batch = new ArrayList<>();
            for (int k = 0; k < 100; k++) {
                batch.add(priced(topic, i * 100 + k));
            }
            producer.send(batch);
        }
        Received received = new Received();
        startChoosing(topic, "price = 2999", received);
        received.awaitExactly(List.of("price-2999"));
    }

    @Test
    void anExpressionThatIsWrongStopsTheStart() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "sqlwrong");
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.subscribe(topic, MessageSelector.bySql("price >"));
        consumer.registerMessageListener(new Received().concurrently());
        atEnd(consumer::shutdown);
        MQClientException refused = assertThrows(MQClientException.class, () -> start(consumer));
        assertEquals(CLIENT_SUBSCRIPTION_PARSE_FAILED, refused.getResponseCode(), refused.getErrorMessage());
    }

    @Test
    void aPullBringsItsOwnExpression() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "sqlpull", 1);
        MessageQueue queue = queues(producer, topic).get(0);
        for (int i = 0; i < 10; i++) {
            producer.send(priced(topic, i), queue);
        }
        DefaultMQPullConsumer consumer = startedPullConsumer(Env.unique("group"));
        Await.until(() -> consumer.maxOffset(queue) == 10, () -> "not all in the queue");
        awaitVersion(consumer, queue);
        PullResult found = consumer.pull(queue, MessageSelector.bySql("price > 6 AND NOT (region = 'west')"), 0, 32);
        assertEquals(PullStatus.FOUND, found.getPullStatus());
        assertEquals(List.of("price-7", "price-8"), found.getMsgFoundList().stream().map(Received::text).collect(Collectors.toList()));
        assertEquals(10, found.getNextBeginOffset());
        PullResult none = consumer.pull(queue, MessageSelector.bySql("region CONTAINS 'x'"), 0, 32);
        assertEquals(PullStatus.NO_MATCHED_MSG, none.getPullStatus());
        assertEquals(10, none.getNextBeginOffset());
    }

    @Test
    void aLitePullConsumerPollsWhatItsExpressionLetsThrough() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "sqllite");
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            send(producer, priced(topic, i));
            if (i % 4 == 0) {
                wanted.add("price-" + i);
            }
        }
        DefaultLitePullConsumer consumer = newLitePullConsumer(Env.unique("group"));
        consumer.subscribe(topic, MessageSelector.bySql("region STARTSWITH 'ea' AND TAGS IS NULL"));
        start(consumer);
        Received received = new Received();
        Await.until(() -> {
            consumer.poll(POLL_MILLIS).forEach(received::add);
            return received.distinct() == wanted.size();
        }, () -> "polled " + received.texts());
        received.awaitExactly(wanted);
    }

    /** The client brings expressions only to brokers whose version it knows: from its first heartbeat, a second after the start. */
    private static void awaitVersion(DefaultMQPullConsumer consumer, MessageQueue queue) {
        Await.until(() -> {
            consumer.pull(queue, MessageSelector.bySql("TRUE"), 0, 1);
            return true;
        }, () -> "the version of the broker is not known");
    }

    private void startChoosing(String topic, String expression, Received received) throws Exception {
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("group"), topic, "*");
        consumer.subscribe(topic, MessageSelector.bySql(expression));
        consumer.registerMessageListener(received.concurrently());
        start(consumer);
    }

    private static Message priced(String topic, int price) {
        Message message = message(topic, "price-" + price);
        message.putUserProperty("price", String.valueOf(price));
        message.putUserProperty("region", REGIONS[price % REGIONS.length]);
        return message;
    }
}
