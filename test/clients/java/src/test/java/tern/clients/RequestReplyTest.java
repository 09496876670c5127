package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.exception.RequestTimeoutException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.Test;

/** A producer sends a message and waits for what a consumer says to it. */
class RequestReplyTest extends ClientTest {
    private static final long TTL_MS = 30_000;

    @Test
    void aRequestIsAnswered() throws Exception {
        DefaultMQProducer asker = startedProducer();
        String topic = createdTopic(asker, "requests");
        startedReplier(topic);

        Message reply = asker.request(message(topic, "how"), TTL_MS);
        assertEquals("reply to how", text(reply));
        assertEquals("yes", reply.getUserProperty("answered"));
        assertNotNull(reply.getProperty("PUSH_REPLY_TIME"));
    }

    @Test
    void aLargeReplyArrivesWhole() throws Exception {
        DefaultMQProducer asker = startedProducer();
        String topic = createdTopic(asker, "requests");
        startedReplier(topic);

        // Above the size from which clients compress.
        String text = "x".repeat(100_000);
        assertEquals("reply to " + text, text(asker.request(message(topic, text), TTL_MS)));
    }

    @Test
    void manyRequestsGetTheirOwnReplies() throws Exception {
        DefaultMQProducer asker = startedProducer();
        String topic = createdTopic(asker, "requests");
        startedReplier(topic);

        ExecutorService threads = Executors.newFixedThreadPool(8);
        atEnd(threads::shutdownNow);
        List<Future<String>> replies = new ArrayList<>();
        for (String text : numbered("question", 200)) {
            replies.add(threads.submit(() -> text(asker.request(message(topic, text), TTL_MS))));
        }
        for (int i = 0; i < replies.size(); i++) {
            assertEquals("reply to question-" + i, replies.get(i).get(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void aCallbackGetsTheReply() throws Exception {
        DefaultMQProducer asker = startedProducer();
        String topic = createdTopic(asker, "requests");
        startedReplier(topic);

        CompletableFuture<Message> reply = new CompletableFuture<>();
        asker.request(message(topic, "later"), new RequestCallback() {
            @Override
            public void onSuccess(Message message) {
                // The client also calls it, with nothing, when the request has been sent.
                if (message != null) {
                    reply.complete(message);
                }
            }

            @Override
            public void onException(Throwable problem) {
                reply.completeExceptionally(problem);
            }
        }, TTL_MS);
        assertEquals("reply to later", text(reply.get(60, TimeUnit.SECONDS)));
    }

    @Test
    void aRequestThatNobodyAnswersTimesOut() throws Exception {
        DefaultMQProducer asker = startedProducer();
        String topic = createdTopic(asker, "requests");
        assertThrows(RequestTimeoutException.class, () -> asker.request(message(topic, "anybody?"), 500));
    }

    @Test
    void aReplyToSomebodyWhoIsGoneIsRefusedAndKept() throws Exception {
        DefaultMQProducer asker = startedProducer();
        String topic = createdTopic(asker, "requests");
        Map<String, MessageExt> requests = new ConcurrentHashMap<>();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("repliers"), topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> requests.put(text(message), message));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        start(consumer);
        assertThrows(RequestTimeoutException.class, () -> asker.request(message(topic, "too late"), 2_000));
        Await.until(() -> requests.containsKey("too late"), () -> "the request has not come");
        asker.shutdown();

        DefaultMQProducer replier = startedProducer();
        Message reply = MessageUtil.createReplyMessage(requests.get("too late"), "sorry".getBytes(StandardCharsets.UTF_8));
        Await.until(() -> {
            MQBrokerException refusal = refusal(replier, reply);
            return refusal.getResponseCode() == 1 && refusal.getErrorMessage().contains("not found");
        }, () -> "the broker still knows whoever asked");
    }

    @Test
    void aReplyThatNamesNobodyIsRefused() throws Exception {
        DefaultMQProducer replier = startedProducer();
        String topic = createdTopic(replier, "requests");
        Message reply = message(topic, "to whom?");
        reply.getProperties().put("MSG_TYPE", "reply");
        MQBrokerException refusal = refusal(replier, reply);
        assertEquals(1, refusal.getResponseCode());
        assertTrue(refusal.getErrorMessage().contains("REPLY_TO_CLIENT"), refusal.getErrorMessage());
        assertNull(reply.getProperty("REPLY_TO_CLIENT"));
    }

    /** Answers everything in the topic, with a producer of its own. */
    private void startedReplier(String topic) throws Exception {
        DefaultMQProducer replier = startedProducer();
        DefaultMQPushConsumer consumer = newPushConsumer(Env.unique("repliers"), topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                try {
                    Message reply = MessageUtil.createReplyMessage(message, ("reply to " + text(message)).getBytes(StandardCharsets.UTF_8));
                    reply.putUserProperty("answered", "yes");
                    SendResult sent = replier.send(reply);
                    assertNotNull(sent.getMsgId());
                } catch (Exception problem) {
                    return ConsumeConcurrentlyStatus.RECONSUME_LATER;
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        start(consumer);
    }

    /** The client tries again before it says what the broker said. */
    private static MQBrokerException refusal(DefaultMQProducer replier, Message reply) {
        return (MQBrokerException) assertThrows(MQClientException.class, () -> replier.send(reply)).getCause();
    }

    private static String text(Message message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }
}
