package tern.clients;

import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** What the clients of the two generations have under different names: here, 5.x. */
final class Generation {
    static void broadcasting(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    static void createTopic(DefaultMQProducer producer, String modelTopic, String topic, int queues) throws MQClientException {
        producer.createTopic(modelTopic, topic, queues, Map.of());
    }

    private Generation() {
    }
}
