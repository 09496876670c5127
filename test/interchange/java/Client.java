import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONArray;
import com.alibaba.fastjson2.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * The published Java client as a service, so that a whole run needs one JVM of it: prints the port it listens on; a line of
 * JSON asks, a line of JSON answers ({"error":...} if it went wrong). A connection is a session: its first request names
 * the nameservers, it has clients of its own, and they leave when it ends.
 */
public final class Client {
    private static final AtomicInteger SESSIONS = new AtomicInteger();
    private static final int PULLED_AT_ONCE = 32;
    private static final int TIMEOUT_MILLIS = 15_000;
    private static final int KEY_RESULTS_MAX = 64;

    public static void main(String[] arguments) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            System.out.println("port " + server.getLocalPort());
            System.out.flush();
            // Whoever started us holds our input open for as long as it lives.
            Thread watch = new Thread(() -> {
                try {
                    while (System.in.read() >= 0) { }
                } catch (java.io.IOException gone) {
                    // As good as the end.
                }
                Runtime.getRuntime().halt(0);
            });
            watch.setDaemon(true);
            watch.start();
            while (true) {
                Socket socket = server.accept();
                new Thread(() -> new Client().serve(socket), "session").start();
            }
        }
    }

    private final String name = "interchange-" + SESSIONS.incrementAndGet();
    private String nameservers;
    private DefaultMQProducer producer;
    private DefaultMQProducer compressing;
    private DefaultMQPullConsumer puller;
    private Load load;

    private void serve(Socket socket) {
        try (Socket open = socket;
             BufferedReader in = new BufferedReader(new InputStreamReader(open.getInputStream(), StandardCharsets.UTF_8));
             PrintWriter out = new PrintWriter(open.getOutputStream(), true, StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Object answer;
                try {
                    answer = perform(JSON.parseObject(line));
                } catch (Throwable failure) {
                    // Whatever it was, the suite must hear of it, or it would wait for ever.
                    failure.printStackTrace();
                    answer = JSONObject.of("error", String.valueOf(failure));
                }
                out.println(JSON.toJSONString(answer));
            }
        } catch (java.io.IOException gone) {
            gone.printStackTrace();
        } finally {
            if (load != null) {
                load.stop();
            }
            for (DefaultMQProducer each : Arrays.asList(producer, compressing)) {
                if (each != null) {
                    each.shutdown();
                }
            }
            if (puller != null) {
                puller.shutdown();
            }
        }
    }

    private Object perform(JSONObject request) throws Exception {
        switch (request.getString("do")) {
            case "open":
                return open(request.getString("nameservers"));
            case "send":
                return send(request.getJSONArray("messages"));
            case "batch":
                return batch(request.getJSONArray("messages"));
            case "read":
                return read(request.getString("topic"), request.getString("tags"));
            case "pull":
                return pull(request);
            case "consume":
                return consume(request);
            case "key":
                return byKey(request.getString("topic"), request.getString("key"), request.getLongValue("begin"), request.getLongValue("end"));
            case "view":
                return view(producer.viewMessage(request.getString("topic"), request.getString("id")));
            case "search":
                return producer.searchOffset(queue(request), request.getLongValue("time"));
            case "load":
                load = new Load(request.getString("topic"), request.getIntValue("queues"));
                return JSONObject.of();
            case "loaded":
                return load.acknowledged().size();
            case "end_load":
                return load.finish();
            default:
                throw new IllegalArgumentException("unknown request");
        }
    }

    private JSONObject open(String at) throws MQClientException {
        nameservers = at;
        producer = newProducer("plain", Integer.MAX_VALUE);
        compressing = newProducer("compressing", 0);
        puller = new DefaultMQPullConsumer("interchange_reader");
        puller.setNamesrvAddr(at);
        puller.setInstanceName(name);
        puller.start();
        return JSONObject.of();
    }

    private DefaultMQProducer newProducer(String kind, int compressAbove) throws MQClientException {
        DefaultMQProducer made = new DefaultMQProducer("interchange_" + kind);
        made.setNamesrvAddr(nameservers);
        made.setInstanceName(name);
        made.setCompressMsgBodyOverHowmuch(compressAbove);
        made.setSendMsgTimeout(TIMEOUT_MILLIS);
        // A send that is repeated behind our back would be stored twice.
        made.setRetryTimesWhenSendFailed(0);
        made.start();
        return made;
    }

    private String brokerName;

    private String broker(String topic) throws MQClientException {
        if (brokerName == null) {
            brokerName = producer.fetchPublishMessageQueues(topic).get(0).getBrokerName();
        }
        return brokerName;
    }

    private MessageQueue queue(JSONObject request) throws MQClientException {
        String topic = request.getString("topic");
        return new MessageQueue(topic, broker(topic), request.getIntValue("queue"));
    }

    /** The label, repeated to the size. The suite makes the same text. */
    private static byte[] body(JSONObject spec) {
        byte[] unit = (spec.getString("label") + " ").getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[spec.getIntValue("size")];
        for (int i = 0; i < body.length; i++) {
            body[i] = unit[i % unit.length];
        }
        return body;
    }

    private static Message message(JSONObject spec) {
        Message message = new Message(spec.getString("topic"), spec.getString("tags"), spec.getString("keys"),
            spec.getIntValue("flag"), body(spec), spec.getBooleanValue("wait", true));
        message.putUserProperty("label", spec.getString("label"));
        if (spec.containsKey("deliver_at")) {
            message.setDeliverTimeMs(spec.getLongValue("deliver_at"));
        }
        if (spec.getIntValue("delay") > 0) {
            message.setDelayTimeLevel(spec.getIntValue("delay"));
        }
        return message;
    }

    private List<JSONObject> send(JSONArray specs) throws Exception {
        List<JSONObject> sent = new ArrayList<>();
        for (int i = 0; i < specs.size(); i++) {
            JSONObject spec = specs.getJSONObject(i);
            DefaultMQProducer by = spec.getBooleanValue("compressed") ? compressing : producer;
            sent.add(result(by.send(message(spec), queue(spec), TIMEOUT_MILLIS)));
        }
        return sent;
    }

    private JSONObject batch(JSONArray specs) throws Exception {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < specs.size(); i++) {
            messages.add(message(specs.getJSONObject(i)));
        }
        return result(producer.send(messages, queue(specs.getJSONObject(0)), TIMEOUT_MILLIS));
    }

    private static JSONObject result(SendResult sent) {
        return JSONObject.of("status", sent.getSendStatus().name(), "id", sent.getMsgId(), "offset_id", sent.getOffsetMsgId(),
            "queue", sent.getMessageQueue().getQueueId(), "offset", sent.getQueueOffset());
    }

    /** Everything that a client sees of a message. */
    private static JSONObject view(MessageExt message) {
        CRC32 crc = new CRC32();
        crc.update(message.getBody());
        JSONObject view = new JSONObject();
        view.put("topic", message.getTopic());
        view.put("queue", message.getQueueId());
        view.put("offset", message.getQueueOffset());
        view.put("position", message.getCommitLogOffset());
        view.put("store_size", message.getStoreSize());
        view.put("body_size", message.getBody().length);
        view.put("body_crc", crc.getValue());
        view.put("stored_crc", message.getBodyCRC());
        view.put("flag", message.getFlag());
        view.put("sys_flag", message.getSysFlag());
        view.put("born", message.getBornTimestamp());
        view.put("born_host", String.valueOf(message.getBornHost()));
        view.put("stored", message.getStoreTimestamp());
        view.put("store_host", String.valueOf(message.getStoreHost()));
        view.put("reconsume_times", message.getReconsumeTimes());
        view.put("prepared", message.getPreparedTransactionOffset());
        TreeMap<String, String> properties = new TreeMap<>(message.getProperties());
        // These three the client adds on receipt; they tell of the queue, not of the message.
        properties.keySet().removeAll(Arrays.asList(MessageConst.PROPERTY_MIN_OFFSET, MessageConst.PROPERTY_MAX_OFFSET,
            MessageConst.PROPERTY_CONSUME_START_TIMESTAMP));
        view.put("properties", properties);
        return view;
    }

    private List<MessageQueue> queues(String topic) throws MQClientException {
        return producer.fetchPublishMessageQueues(topic).stream().sorted().collect(Collectors.toList());
    }

    /** All queues of a topic, each from its beginning to its end. */
    private List<JSONObject> read(String topic, String tags) throws Exception {
        List<JSONObject> all = new ArrayList<>();
        for (MessageQueue queue : queues(topic)) {
            long end = puller.maxOffset(queue);
            for (long at = puller.minOffset(queue); at < end; ) {
                PullResult pulled = puller.pull(queue, tags == null ? "*" : tags, at, PULLED_AT_ONCE, TIMEOUT_MILLIS);
                if (pulled.getPullStatus() == PullStatus.FOUND) {
                    pulled.getMsgFoundList().forEach(message -> all.add(view(message)));
                } else if (pulled.getNextBeginOffset() <= at) {
                    throw new IllegalStateException(queue + " at " + at + " of " + end + ": " + pulled);
                }
                at = pulled.getNextBeginOffset();
            }
        }
        return all;
    }

    /** One pull, as it is answered. */
    private JSONObject pull(JSONObject request) throws Exception {
        PullResult pulled = puller.pull(queue(request), "*", request.getLongValue("offset"), request.getIntValue("count"), TIMEOUT_MILLIS);
        List<JSONObject> views = pulled.getMsgFoundList() == null ? new ArrayList<>()
            : pulled.getMsgFoundList().stream().map(Client::view).collect(Collectors.toList());
        return JSONObject.of("status", pulled.getPullStatus().name(), "next", pulled.getNextBeginOffset(),
            "min", pulled.getMinOffset(), "max", pulled.getMaxOffset(), "views", views);
    }

    private List<JSONObject> byKey(String topic, String key, long begin, long end) throws Exception {
        try {
            return producer.queryMessage(topic, key, KEY_RESULTS_MAX, begin, end).getMessageList().stream().map(Client::view)
                .collect(Collectors.toList());
        } catch (MQClientException none) {
            if (none.getResponseCode() == org.apache.rocketmq.client.common.ClientErrorCode.ACCESS_BROKER_TIMEOUT) {
                throw none;
            }
            return Collections.emptyList();
        }
    }

    /** A push consumer until it has seen all of these labels; those to fail are handed back each time they come. */
    private List<JSONObject> consume(JSONObject request) throws Exception {
        Set<String> missing = new HashSet<>(request.getList("labels", String.class));
        Set<String> failing = new HashSet<>(request.getList("fail", String.class));
        List<JSONObject> received = new ArrayList<>();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(request.getString("group"));
        consumer.setNamesrvAddr(nameservers);
        consumer.setInstanceName(name);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(request.getString("topic"), request.getString("tags"));
        consumer.setConsumeMessageBatchMaxSize(1);
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            synchronized (received) {
                String label = batch.get(0).getUserProperty("label");
                received.add(view(batch.get(0)));
                missing.remove(label);
                received.notifyAll();
                return failing.contains(label) ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            }
        });
        consumer.setAwaitTerminationMillisWhenShutdown(5_000);
        consumer.start();
        long deadline = System.nanoTime() + request.getLongValue("seconds") * 1_000_000_000L;
        try {
            synchronized (received) {
                while (!missing.isEmpty()) {
                    long left = (deadline - System.nanoTime()) / 1_000_000;
                    if (left <= 0) {
                        throw new IllegalStateException(missing.size() + " messages did not come, for example "
                            + missing.stream().limit(5).collect(Collectors.toList()) + "; came: "
                            + received.stream().map(v -> v.getJSONObject("properties").getString("label")).collect(Collectors.toList()));
                    }
                    received.wait(left);
                }
            }
        } finally {
            consumer.shutdown();
        }
        synchronized (received) {
            return new ArrayList<>(received);
        }
    }

    /** Sends without a pause until the broker is gone or it is told to stop. */
    private final class Load {
        private final List<JSONObject> acknowledged = Collections.synchronizedList(new ArrayList<>());
        private final Thread thread;
        private volatile boolean stopped;

        Load(String topic, int queues) throws MQClientException {
            String broker = broker(topic);
            thread = new Thread(() -> run(topic, broker, queues), "load");
            thread.start();
        }

        private void run(String topic, String broker, int queues) {
            for (int i = 0; !stopped; i++) {
                JSONObject spec = JSONObject.of("topic", topic, "label", name + "-load-" + i, "size", 1 + i % 3000,
                    "tags", "TagL", "keys", "load" + i % 50);
                try {
                    JSONObject result = result(producer.send(message(spec), new MessageQueue(topic, broker, i % queues), TIMEOUT_MILLIS));
                    if (result.getString("status").equals("SEND_OK")) {
                        spec.putAll(result);
                        acknowledged.add(spec);
                    }
                } catch (Exception refused) {
                    // Not acknowledged: it may be stored or not. The broker is being killed, so there is no other.
                    return;
                }
            }
        }

        List<JSONObject> acknowledged() {
            synchronized (acknowledged) {
                return new ArrayList<>(acknowledged);
            }
        }

        List<JSONObject> finish() throws InterruptedException {
            thread.join(2 * TIMEOUT_MILLIS);
            if (thread.isAlive()) {
                throw new IllegalStateException("a send does not return");
            }
            return acknowledged();
        }

        void stop() {
            stopped = true;
        }
    }
}
