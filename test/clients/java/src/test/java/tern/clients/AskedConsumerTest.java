package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.junit.jupiter.api.Test;

/** What a broker asks of a running consumer for an administrator, and where it tells it to go. */
class AskedConsumerTest extends ClientTest {
    private static final int RUNNING_INFO = 307;
    private static final int CONSUME_DIRECTLY = 309;
    private static final int RESET_OFFSET = 222;
    private static final int CONSUMER_STATUS = 223;

    @Test
    void aConsumerTellsOfItself() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "asked");
        String group = Env.unique("asked");
        DefaultMQPushConsumer consumer = startedPushConsumer(group, topic, new Received());
        awaitOwned(consumer, topic, QUEUES_PER_BROKER * Env.BROKERS.size());
        // Who has sent knows where the brokers are.
        send(producer, message(topic, "anything"));

        for (String broker : Env.BROKERS) {
            String info = ask(producer, broker, RUNNING_INFO,
                Map.of("consumerGroup", group, "clientId", clientId(consumer), "jstackEnable", "false"));
            assertTrue(info.contains("\"PROP_CONSUME_TYPE\":\"CONSUME_PASSIVELY\""), info);
            assertTrue(info.contains("\"topic\":\"" + topic + "\""), info);
            String status = ask(producer, broker, CONSUMER_STATUS, Map.of("group", group, "topic", topic));
            assertTrue(status.contains("\"" + clientId(consumer) + "\":{"), status);
        }
    }

    @Test
    void aConsumerIsGivenAMessage() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "given");
        String group = Env.unique("given");
        Received received = new Received();
        DefaultMQPushConsumer consumer = startedPushConsumer(group, topic, received);
        SendResult sent = send(producer, message(topic, "once"));
        Await.until(() -> received.texts().size() == 1, () -> "not consumed");

        Map<String, String> fields = Map.of("consumerGroup", group, "clientId", clientId(consumer),
            "msgId", sent.getOffsetMsgId(), "brokerName", sent.getMessageQueue().getBrokerName(), "topic", topic);
        String result = ask(producer, sent.getMessageQueue().getBrokerName(), CONSUME_DIRECTLY, fields);
        assertTrue(result.contains("\"consumeResult\":\"CR_SUCCESS\""), result);
        assertEquals(List.of("once", "once"), received.texts());
    }

    @Test
    void aRunningConsumerGoesBack() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "reset");
        String group = Env.unique("reset");
        Received received = new Received();
        DefaultMQPushConsumer consumer = startedPushConsumer(group, topic, received);
        sendAll(producer, topic, numbered("message", 20));
        Await.until(() -> received.texts().size() == 20, () -> received.texts().size() + " of 20");
        List<MessageQueue> queues = queues(producer, topic);
        awaitCommitted(consumer, queues, 20);

        for (String broker : Env.BROKERS) {
            String told = ask(producer, broker, RESET_OFFSET,
                Map.of("topic", topic, "group", group, "timestamp", "0", "isForce", "true"));
            assertTrue(told.contains("\"offsetTable\":{"), told);
        }
        Await.until(() -> received.texts().size() == 40, () -> received.texts().size() + " of 40");
        awaitCommitted(consumer, queues, 20);
    }

    /** Asks the broker as a tool does, and returns the body of its answer. */
    private static String ask(DefaultMQProducer producer, String broker, int code, Map<String, String> fields) throws Exception {
        MQClientInstance client = producer.getDefaultMQProducerImpl().getmQClientFactory();
        RemotingCommand request = RemotingCommand.createRequestCommand(code, null);
        request.setExtFields(new HashMap<>(fields));
        Await.until(() -> client.findBrokerAddressInPublish(broker) != null, () -> broker + " is not known");
        RemotingCommand answer = client.getMQClientAPIImpl().getRemotingClient()
            .invokeSync(client.findBrokerAddressInPublish(broker), request, 15_000);
        assertEquals(0, answer.getCode(), answer.getRemark());
        return new String(answer.getBody(), StandardCharsets.UTF_8);
    }

    private static String clientId(DefaultMQPushConsumer consumer) {
        return consumer.getDefaultMQPushConsumerImpl().getmQClientFactory().getClientId();
    }
}
