//! Push consumers.

use std::collections::{BTreeSet, HashMap};

use rocketmq_client_rust::{ConsumeConcurrentlyContext, ConsumeConcurrentlyStatus, MQPushConsumer};
use rocketmq_model::common::message::message_ext::MessageExt;
use rocketmq_protocol::protocol::heartbeat::message_model::MessageModel;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_concurrent_listener_gets_each_message_once() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "push", QUEUES).await;
    let texts = numbered("push", 200);
    send_all(&producer, &topic, &texts[..100]).await;
    let received = Received::default();
    let mut consumer = push_consumer(&unique("group"), &topic, &received).await;
    send_all(&producer, &topic, &texts[100..]).await;
    received.await_exactly(&texts).await;
    consumer.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_listener_sees_every_queue_in_order() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "orderly", QUEUES).await;
    let received = Received::default();
    let mut consumer = new_push_consumer(&unique("group"), &topic, "*", MessageModel::Clustering).await;
    consumer.register_message_listener_orderly(received.orderly());
    consumer.start().await.expect("a push consumer starts");
    let mut sent: HashMap<String, Vec<String>> = HashMap::new();
    let queues = queues(&mut producer, &topic).await;
    for i in 0..25 {
        for queue in &queues {
            let text = format!("{}:{i}", name_of(queue));
            producer
                .send_to_queue(message(&topic, &text), queue.clone())
                .await
                .expect("a send");
            sent.entry(name_of(queue)).or_default().push(text);
        }
    }
    received
        .await_exactly(&sent.values().flatten().cloned().collect::<Vec<_>>())
        .await;
    let mut got: HashMap<String, Vec<String>> = HashMap::new();
    for message in received.messages() {
        got.entry(format!("{}/{}", message.broker_name(), message.queue_id()))
            .or_default()
            .push(text(&message));
    }
    assert_eq!(sent, got);
    consumer.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_every_consumer() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "broadcast", QUEUES).await;
    let group = unique("group");
    let texts = numbered("broadcast", 50);
    let received = [Received::default(), Received::default()];
    let mut consumers = Vec::new();
    for one in &received {
        let mut consumer = new_push_consumer(&group, &topic, "*", MessageModel::Broadcasting).await;
        consumer.register_message_listener_concurrently(one.concurrently());
        consumer.start().await.expect("a push consumer starts");
        consumers.push(consumer);
    }
    send_all(&producer, &topic, &texts).await;
    for one in &received {
        one.await_exactly(&texts).await;
    }
    for mut consumer in consumers {
        consumer.shutdown().await;
    }
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_expression_filters() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "tags", QUEUES).await;
    let received = Received::default();
    // Without spaces: the client hashes them together with the tag, and the broker finds no such tag.
    let mut consumer = new_push_consumer(&unique("group"), &topic, "TagA||TagB", MessageModel::Clustering).await;
    consumer.register_message_listener_concurrently(received.concurrently());
    consumer.start().await.expect("a push consumer starts");
    let mut wanted = Vec::new();
    for i in 0..30 {
        for tag in ["TagA", "TagB", "TagC"] {
            let text = format!("{tag}-{i}");
            producer.send(tagged(&topic, tag, &text)).await.expect("a send");
            if tag != "TagC" {
                wanted.push(text);
            }
        }
    }
    received.await_exactly(&wanted).await;
    consumer.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_share_and_one_leaves() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "share", QUEUES).await;
    let group = unique("group");
    let (at_first, at_second) = (Received::default(), Received::default());
    let mut stays = push_consumer(&group, &topic, &at_first).await;
    let mut leaves = push_consumer(&group, &topic, &at_second).await;
    // Round after round, a message to each queue, until both have had some of the same round.
    let mut round = 0;
    eventually("both to have a share", async || {
        round += 1;
        let texts = numbered(&format!("round-{round}"), QUEUES * brokers().len());
        for (queue, text) in queues(&mut producer, &topic).await.into_iter().zip(&texts) {
            producer.send_to_queue(message(&topic, text), queue).await.expect("a send");
        }
        let of_round = |received: &Received| received.texts().iter().filter(|text| texts.contains(text)).count();
        eventually("a round to arrive", async || {
            BTreeSet::from_iter(at_first.texts().into_iter().chain(at_second.texts()))
                .is_superset(&BTreeSet::from_iter(texts.clone()))
        })
        .await;
        of_round(&at_first) > 0 && of_round(&at_second) > 0
    })
    .await;
    leaves.shutdown().await;
    let alone = numbered("alone", 40);
    send_all(&producer, &topic, &alone).await;
    at_first.await_all(&alone).await;
    stays.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_goes_on_where_its_group_stopped() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "resume", QUEUES).await;
    let group = unique("group");
    let before = numbered("before", 50);
    send_all(&producer, &topic, &before).await;
    let first = Received::default();
    let mut consumer = push_consumer(&group, &topic, &first).await;
    first.await_exactly(&before).await;
    consumer.shutdown().await;
    await_committed(&group, &queues(&mut producer, &topic).await, 50).await;

    let after = numbered("after", 50);
    send_all(&producer, &topic, &after).await;
    let second = Received::default();
    let mut consumer = push_consumer(&group, &topic, &second).await;
    second.await_exactly(&after).await;
    consumer.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_always_fails_ends_in_the_dead_letter_queue() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "dead", QUEUES).await;
    let group = unique("group");
    let received = Received::default();
    let mut consumer = new_push_consumer(&group, &topic, "*", MessageModel::Clustering).await;
    consumer.set_max_reconsume_times(2);
    let tries = received.clone();
    consumer.register_message_listener_concurrently(move |messages: &[&MessageExt], _: &ConsumeConcurrentlyContext| {
        tries.add(messages);
        Ok(ConsumeConcurrentlyStatus::ReconsumeLater)
    });
    consumer.start().await.expect("a push consumer starts");
    producer.send(tagged(&topic, "Tag", "dead")).await.expect("a send");
    let dead = &read_all(&format!("%DLQ%{group}"), 1).await[0];
    assert_eq!("dead", text(dead));
    assert_eq!(3, dead.reconsume_times());
    assert_eq!(Some("Tag"), dead.get_tags().as_deref());
    assert_eq!(
        Some(topic.as_str()),
        dead.properties().get("RETRY_TOPIC").map(|topic| topic.as_str())
    );
    assert_eq!(
        vec![0, 1, 2],
        received.messages().iter().map(|m| m.reconsume_times()).collect::<Vec<_>>()
    );
    consumer.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delayed_message_comes_later() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "delay", QUEUES).await;
    let received = Received::default();
    let mut consumer = push_consumer(&unique("group"), &topic, &received).await;
    let mut delayed = message(&topic, "delayed");
    // The harness makes the last level three seconds.
    delayed.set_delay_time_level(18);
    producer.send(delayed).await.expect("a send");
    received.await_exactly(&["delayed".to_string()]).await;
    let message = &received.messages()[0];
    assert!(message.store_timestamp() - message.born_timestamp() >= 3000);
    consumer.shutdown().await;
    producer.shutdown().await;
}
