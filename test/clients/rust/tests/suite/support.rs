//! What the suite is told about its cluster; names that no other test and no other run uses; clients; and waiting.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rocketmq_client_rust::{
    ClientConfig, ClientOptions, ClientRuntime, ClientRuntimeConfig, ConsumeConcurrentlyContext, ConsumeConcurrentlyStatus,
    ConsumeOrderlyContext, ConsumeOrderlyStatus, DefaultLitePullConsumer, DefaultMQProducer, DefaultMQPullConsumer,
    DefaultMQPushConsumer, MQPushConsumer, PullStatus, SendResult, SendStatus, TelemetryHandle,
};
use rocketmq_model::common::consumer::consume_from_where::ConsumeFromWhere;
use rocketmq_model::common::message::message_ext::MessageExt;
use rocketmq_model::common::message::message_queue::MessageQueue;
use rocketmq_model::common::message::message_single::Message;
use rocketmq_protocol::protocol::heartbeat::message_model::MessageModel;
use rocketmq_runtime::{RuntimeConfig, RuntimeOwner};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// For machines that are busy with other things; nothing waits it out when all is well.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);
pub const QUEUES: usize = 4;
const SEND_TIMEOUT_MS: u32 = 10_000;
/// The topic after which automatically created ones are modelled.
const MODEL_TOPIC: &str = "TBW102";

static OWNER: LazyLock<RuntimeOwner> = LazyLock::new(|| {
    RuntimeOwner::plan(RuntimeConfig {
        thread_name: "clients".to_string(),
        ..Default::default()
    })
    .expect("runtime configuration")
    .build()
    .expect("runtime")
});
static RUN: LazyLock<u128> = LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_millis());
static COUNTER: AtomicUsize = AtomicUsize::new(0);
static CLUSTER: LazyLock<RwLock<()>> = LazyLock::new(|| RwLock::new(()));

/// Held by a test that wants the daemons to run on.
pub async fn running_cluster() -> RwLockReadGuard<'static, ()> {
    CLUSTER.read().await
}

/// Held by a test that stops daemons.
pub async fn cluster_of_ones_own() -> RwLockWriteGuard<'static, ()> {
    CLUSTER.write().await
}

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this test needs the harness"))
}

pub fn brokers() -> Vec<String> {
    told("TERN_BROKERS")
        .split(',')
        .map(|pair| pair.split('=').next().expect("a name").to_string())
        .collect()
}

/// Asks the harness to do something to a daemon; returns when it has happened.
pub async fn control(verb: &str, daemon: &str) {
    let request = format!("{verb} {daemon}\n");
    tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(told("TERN_CONTROL")).expect("control port");
        socket.write_all(request.as_bytes()).expect("request");
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).expect("answer");
        assert_eq!("ok", answer.trim(), "{request}");
    })
    .await
    .expect("control");
}

pub fn unique(hint: &str) -> String {
    format!("{hint}_{}_{}", *RUN, COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Every client has a runtime and an instance name of its own: no connection is shared between two of them.
fn runtime() -> Arc<ClientRuntime> {
    ClientRuntime::try_new(
        OWNER.root_context().component("client"),
        ClientRuntimeConfig::default(),
        TelemetryHandle::noop(),
    )
    .expect("client runtime")
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.set_namesrv_addr(told("TERN_NAMESERVERS").into());
    config.set_instance_name(unique("instance").into());
    // The shortest it allows: topics that come into being while a client runs are found sooner than in half a minute.
    config.set_poll_name_server_interval(10_000);
    config
}

pub async fn producer() -> DefaultMQProducer {
    let mut producer = DefaultMQProducer::builder(runtime())
        .client_config(config())
        .producer_group(unique("producers"))
        .send_msg_timeout(SEND_TIMEOUT_MS)
        .build();
    producer.start().await.expect("a producer starts");
    producer
}

/// Returns when the nameserver tells of all its queues.
pub async fn created_topic(producer: &mut DefaultMQProducer, hint: &str, queues: usize) -> String {
    let topic = unique(hint);
    producer
        .create_topic(MODEL_TOPIC, &topic, queues as i32, HashMap::new())
        .await
        .expect("a topic is created");
    let end = Instant::now() + PATIENCE;
    loop {
        match producer.fetch_publish_message_queues(&topic).await {
            Ok(found) if found.len() == queues * brokers().len() => return topic,
            other => assert!(Instant::now() < end, "no route with all queues of {topic}: {other:?}"),
        }
        tokio::time::sleep(POLL).await;
    }
}

pub async fn queues(producer: &mut DefaultMQProducer, topic: &str) -> Vec<MessageQueue> {
    let mut queues = producer.fetch_publish_message_queues(topic).await.expect("a route");
    queues.sort_by_key(name_of);
    queues
}

pub fn name_of(queue: &MessageQueue) -> String {
    format!("{}/{}", queue.broker_name(), queue.queue_id())
}

pub fn message(topic: &str, text: &str) -> Message {
    Message::builder()
        .topic(topic)
        .body_slice(text.as_bytes())
        .build()
        .expect("a message")
}

pub fn tagged(topic: &str, tag: &str, text: &str) -> Message {
    Message::builder()
        .topic(topic)
        .tags(tag)
        .body_slice(text.as_bytes())
        .build()
        .expect("a message")
}

pub fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{prefix}-{i}")).collect()
}

/// Of a send that must succeed: where the message went, as "broker/queue/offset".
pub fn place(result: &SendResult) -> String {
    assert_eq!(SendStatus::SendOk, result.send_status);
    format!(
        "{}/{}",
        name_of(result.message_queue.as_ref().expect("a queue")),
        result.queue_offset
    )
}

pub async fn send_all(producer: &DefaultMQProducer, topic: &str, texts: &[String]) {
    for text in texts {
        place(&producer.send(message(topic, text)).await.expect("a send").expect("a result"));
    }
}

pub fn text(message: &MessageExt) -> String {
    String::from_utf8(message.body().expect("a body").to_vec()).expect("text")
}

pub fn place_of(message: &MessageExt) -> String {
    format!("{}/{}/{}", message.broker_name(), message.queue_id(), message.queue_offset())
}

pub fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < end, "after {PATIENCE:?} still not: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// What a consumer got, in the order in which it got it. A message is known by its text.
#[derive(Clone, Default)]
pub struct Received(Arc<Mutex<Vec<MessageExt>>>);

impl Received {
    pub fn add(&self, messages: &[&MessageExt]) {
        self.0
            .lock()
            .expect("lock")
            .extend(messages.iter().map(|message| (*message).clone()));
    }

    pub fn messages(&self) -> Vec<MessageExt> {
        self.0.lock().expect("lock").clone()
    }

    pub fn texts(&self) -> Vec<String> {
        self.messages().iter().map(text).collect()
    }

    /// Waits for all of these; duplicates and others do not matter.
    pub async fn await_all(&self, expected: &[String]) {
        eventually(
            &format!("all of {} messages such as {:?}", expected.len(), expected.first()),
            async || {
                let got = BTreeSet::from_iter(self.texts());
                expected.iter().all(|text| got.contains(text))
            },
        )
        .await;
    }

    /// Waits for exactly these, each once.
    pub async fn await_exactly(&self, expected: &[String]) {
        self.await_all(expected).await;
        assert_eq!(sorted(expected.to_vec()), sorted(self.texts()));
    }

    pub fn concurrently(
        &self,
    ) -> impl Fn(&[&MessageExt], &ConsumeConcurrentlyContext) -> rocketmq_client_rust::ClientResult<ConsumeConcurrentlyStatus>
           + Send
           + Sync
           + 'static {
        let received = self.clone();
        move |messages, _| {
            received.add(messages);
            Ok(ConsumeConcurrentlyStatus::ConsumeSuccess)
        }
    }

    pub fn orderly(
        &self,
    ) -> impl Fn(&[&MessageExt], &mut ConsumeOrderlyContext) -> rocketmq_client_rust::ClientResult<ConsumeOrderlyStatus>
           + Send
           + Sync
           + 'static {
        let received = self.clone();
        move |messages, _| {
            received.add(messages);
            Ok(ConsumeOrderlyStatus::Success)
        }
    }
}

pub async fn new_push_consumer(group: &str, topic: &str, tags: &str, model: MessageModel) -> DefaultMQPushConsumer {
    let mut consumer = DefaultMQPushConsumer::builder(runtime())
        .client_config(config())
        .consumer_group(group.to_string())
        .message_model(model)
        .consume_from_where(ConsumeFromWhere::ConsumeFromFirstOffset)
        .consume_thread_min(4)
        .consume_thread_max(4)
        .build();
    consumer.subscribe(topic, tags).await.expect("a subscription");
    consumer
}

pub async fn push_consumer(group: &str, topic: &str, received: &Received) -> DefaultMQPushConsumer {
    let mut consumer = new_push_consumer(group, topic, "*", MessageModel::Clustering).await;
    consumer.register_message_listener_concurrently(received.concurrently());
    consumer.start().await.expect("a push consumer starts");
    consumer
}

/// Has asked for the queues of the topic, without which it would not find their broker.
pub async fn pull_consumer_of(topic: &str, group: &str) -> DefaultMQPullConsumer {
    let consumer = pull_consumer(group).await;
    assert!(!consumer
        .fetch_subscribe_message_queues(topic)
        .await
        .expect("a route")
        .is_empty());
    consumer
}

async fn pull_consumer(group: &str) -> DefaultMQPullConsumer {
    let consumer = DefaultMQPullConsumer::builder(runtime())
        .client_options(ClientOptions::legacy(config()))
        .consumer_group(group.to_string())
        .build()
        .expect("a pull consumer");
    consumer.start().await.expect("a pull consumer starts");
    consumer
}

pub async fn lite_pull_consumer(group: &str) -> DefaultLitePullConsumer {
    DefaultLitePullConsumer::builder(runtime())
        .client_options(ClientOptions::legacy(config()))
        .consumer_group(group.to_string())
        .consume_from_where(ConsumeFromWhere::ConsumeFromFirstOffset)
        .auto_commit(false)
        .build()
        .expect("a lite pull consumer")
}

/// The whole of a queue, by pulls that ask for these tags.
pub async fn read_queue(reader: &DefaultMQPullConsumer, queue: &MessageQueue, tags: &str) -> Vec<MessageExt> {
    let mut messages = Vec::new();
    let mut offset = reader.min_offset(queue).await.expect("a first offset");
    let end = reader.max_offset(queue).await.expect("a last offset");
    while offset < end {
        let result = reader.pull(queue, tags, offset, 32).await.expect("a pull");
        if *result.pull_status() == PullStatus::Found {
            messages.extend_from_slice(result.msg_found_list().expect("messages"));
        }
        offset = result.next_begin_offset() as i64;
    }
    messages
}

/// Reads all queues of a topic from their beginning until there are `count` messages.
pub async fn read_all(topic: &str, count: usize) -> Vec<MessageExt> {
    let reader = pull_consumer(&unique("readers")).await;
    let messages = Mutex::new(Vec::new());
    eventually(&format!("{count} messages in {topic}"), async || {
        let mut found = Vec::new();
        for queue in reader.fetch_subscribe_message_queues(topic).await.unwrap_or_default() {
            found.extend(read_queue(&reader, &queue, "*").await);
        }
        let enough = found.len() >= count;
        *messages.lock().expect("lock") = found;
        enough
    })
    .await;
    reader.shutdown().await.expect("a pull consumer ends");
    let messages = messages.into_inner().expect("lock");
    assert_eq!(count, messages.len());
    messages
}

/// Waits until the broker has this as the progress of a group that nobody is a member of, added over the queues.
pub async fn await_committed(group: &str, queues: &[MessageQueue], count: i64) {
    let witness = pull_consumer_of(queues[0].topic(), group).await;
    eventually(&format!("{group} to have committed {count}"), async || {
        let mut sum = 0;
        for queue in queues {
            sum += witness.fetch_consume_offset(queue, true).await.unwrap_or(0).max(0);
        }
        sum == count
    })
    .await;
    witness.shutdown().await.expect("a pull consumer ends");
}
