package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.junit.jupiter.api.Test;

/** Messages that are taken back before their time; and the methods for times that 4.9.8 lacks. */
class RecallTest extends ClientTest {
    @Test
    void aRecalledMessageDoesNotArrive() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "recall");
        Received received = new Received();
        startedPushConsumer(Env.unique("group"), topic, received);
        Message taken = message(topic, "taken back");
        taken.setDelayTimeMs(4000);
        SendResult sent = send(producer, taken);
        assertNotNull(sent.getRecallHandle());
        Message kept = message(topic, "kept");
        kept.setDeliverTimeMs(System.currentTimeMillis() + 6000);
        send(producer, kept);
        assertEquals(sent.getMsgId(), producer.recallMessage(topic, sent.getRecallHandle()));
        received.awaitExactly(List.of("kept"));
    }

    @Test
    void aForgedHandleIsRefused() throws Exception {
        DefaultMQProducer producer = startedProducer();
        String topic = createdTopic(producer, "recall");
        assertNull(send(producer, message(topic, "untimed")).getRecallHandle());
        Message message = message(topic, "kept");
        message.setDelayTimeSec(60);
        String handle = send(producer, message).getRecallHandle();
        String other = createdTopic(producer, "recall");
        assertThrows(Exception.class, () -> producer.recallMessage(topic, "nonsense"));
        MQBrokerException refused = assertThrows(MQBrokerException.class, () -> producer.recallMessage(other, handle));
        assertEquals(604, refused.getResponseCode());
    }
}
