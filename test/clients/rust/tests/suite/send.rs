//! All the ways to send.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use rocketmq_model::common::message::message_single::Message;
use rocketmq_model::common::message::MessageTrait;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synchronous_sends_tell_queue_and_offset() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "sync", QUEUES).await;
    let mut sent = Vec::new();
    for text in numbered("sync", 40) {
        let result = producer
            .send(message(&topic, &text))
            .await
            .expect("a send")
            .expect("a result");
        sent.push(format!("{} {} {text}", place(&result), result.offset_msg_id.expect("an id")));
    }
    let stored = read_all(&topic, sent.len()).await;
    let stored = stored
        .iter()
        .map(|m| format!("{} {} {}", place_of(m), m.msg_id(), text(m)))
        .collect();
    assert_eq!(sorted(sent), sorted(stored));
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asynchronous_sends_call_back() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "async", QUEUES).await;
    let texts = numbered("async", 100);
    let answers = Arc::new(Mutex::new(Vec::new()));
    for text in &texts {
        let answers = Arc::clone(&answers);
        producer
            .send_with_callback(message(&topic, text), move |result, failure| {
                answers
                    .lock()
                    .expect("lock")
                    .push(result.map(place).ok_or(format!("{failure:?}")));
            })
            .await
            .expect("a send");
    }
    eventually("all callbacks", async || answers.lock().expect("lock").len() == texts.len()).await;
    let told = answers
        .lock()
        .expect("lock")
        .iter()
        .map(|answer| answer.clone().expect("success"))
        .collect();
    let stored = read_all(&topic, texts.len()).await;
    assert_eq!(sorted(told), sorted(stored.iter().map(place_of).collect()));
    assert_eq!(sorted(texts), sorted(stored.iter().map(text).collect()));
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_way_sends_arrive() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "oneway", QUEUES).await;
    let texts = numbered("oneway", 100);
    for text in &texts {
        producer.send_oneway(message(&topic, text)).await.expect("a send");
    }
    let stored = read_all(&topic, texts.len()).await;
    assert_eq!(sorted(texts), sorted(stored.iter().map(text).collect()));
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_many_messages() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "batch", QUEUES).await;
    let texts = numbered("batch", 50);
    let batch = texts.iter().map(|text| tagged(&topic, "Tag", text)).collect::<Vec<Message>>();
    let result = producer.send_batch(batch).await.expect("a send");
    let first = place(&result);
    let mut stored = read_all(&topic, texts.len()).await;
    stored.sort_by_key(|m| m.queue_offset());
    assert_eq!(first, place_of(&stored[0]));
    assert_eq!(texts, stored.iter().map(text).collect::<Vec<_>>());
    assert!(stored.iter().all(|m| m.get_tags().as_deref() == Some("Tag")));
    assert_eq!(1, stored.iter().map(|m| m.queue_id()).collect::<BTreeSet<_>>().len());
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selector_keeps_the_order_of_a_key() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "ordered", QUEUES).await;
    for i in 0..60usize {
        let key = i % 6;
        let result = producer
            .send_with_selector(
                message(&topic, &format!("{key}:{}", i / 6)),
                |queues, _, key: &usize| {
                    queues
                        .iter()
                        .find(|queue| queue.queue_id() as usize == *key % QUEUES)
                        .cloned()
                },
                key,
            )
            .await
            .expect("a send")
            .expect("a result");
        assert_eq!(key % QUEUES, result.message_queue.expect("a queue").queue_id() as usize);
    }
    let mut stored = read_all(&topic, 60).await;
    stored.sort_by_key(|m| m.queue_offset());
    let mut next: HashMap<String, usize> = HashMap::new();
    for message in &stored {
        let text = text(message);
        let (key, number) = text.split_once(':').expect("key and number");
        let expected = next.entry(key.to_string()).or_default();
        assert_eq!(*expected, number.parse::<usize>().expect("a number"), "{text}");
        *expected += 1;
    }
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_explicit_queue_is_obeyed() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "explicit", QUEUES).await;
    for queue in queues(&mut producer, &topic).await {
        for offset in 0..3 {
            let result = producer
                .send_to_queue(message(&topic, "explicit"), queue.clone())
                .await
                .expect("a send")
                .expect("a result");
            assert_eq!(format!("{}/{offset}", name_of(&queue)), place(&result));
        }
    }
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_keys_and_properties_round_trip() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "properties", QUEUES).await;
    let key = unique("key");
    let mut sent = tagged(&topic, "Tag", "grüße, 世界");
    sent.set_keys(key.clone().into());
    sent.put_user_property("name".into(), "välue".into()).expect("a property");
    let result = producer.send(sent).await.expect("a send").expect("a result");
    let stored = &read_all(&topic, 1).await[0];
    assert_eq!("grüße, 世界", text(stored));
    assert_eq!(Some("Tag"), stored.get_tags().as_deref());
    assert_eq!(Some(key.as_str()), stored.properties().get("KEYS").map(|keys| keys.as_str()));
    assert_eq!(Some("välue"), stored.properties().get("name").map(|value| value.as_str()));
    let id = result.offset_msg_id.expect("an id");
    assert_eq!(
        "grüße, 世界",
        text(&producer.view_message(&topic, &id).await.expect("found by its id"))
    );
    producer.shutdown().await;
}

/// Large enough that the client compresses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_comes_back_whole() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "large", QUEUES).await;
    let body = numbered("large", 100_000).join(" ");
    producer
        .send(message(&topic, &body))
        .await
        .expect("a send")
        .expect("a result");
    let stored = &read_all(&topic, 1).await[0];
    assert!(body == text(stored), "not the same body");
    assert!((stored.store_size() as usize) < body.len(), "was not compressed");
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_topic_is_created_by_sending() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = unique("unknown");
    let texts = numbered("unknown", 10);
    send_all(&producer, &topic, &texts).await;
    assert_eq!(sorted(texts), sorted(read_all(&topic, 10).await.iter().map(text).collect()));
    producer.shutdown().await;
}
