package tern.clients;

import java.util.Map;
import java.util.OptionalLong;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.header.PullMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** What the clients of the two generations have under different names: here, 5.x. */
final class Generation {
    static void broadcasting(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    static void createTopic(DefaultMQProducer producer, String modelTopic, String topic, int queues) throws MQClientException {
        producer.createTopic(modelTopic, topic, queues, Map.of());
    }

    /** Where this request starts to pull from the queue, if that is what it does. */
    static OptionalLong pullOffset(RemotingCommand request, MessageQueue queue) {
        if (request.readCustomHeader() instanceof PullMessageRequestHeader) {
            PullMessageRequestHeader pull = (PullMessageRequestHeader) request.readCustomHeader();
            if (pull.getTopic().equals(queue.getTopic()) && pull.getQueueId() == queue.getQueueId()) {
                return OptionalLong.of(pull.getQueueOffset());
            }
        }
        return OptionalLong.empty();
    }

    private Generation() {
    }
}
