//! Brokers are stopped, killed and started again, by the harness.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_and_offsets_survive_a_broker_restart() {
    let _cluster = cluster_of_ones_own().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "keep", QUEUES).await;
    let queues = queues(&mut producer, &topic).await;
    let group = unique("group");
    let before = numbered("before", 60);
    send_all(&producer, &topic, &before).await;
    let first = Received::default();
    let mut consumer = push_consumer(&group, &topic, &first).await;
    first.await_exactly(&before).await;
    consumer.shutdown().await;
    await_committed(&group, &queues, before.len() as i64).await;
    producer.shutdown().await;

    for broker in brokers() {
        control("restart", &broker).await;
    }

    assert_eq!(
        sorted(before.clone()),
        sorted(read_all(&topic, before.len()).await.iter().map(text).collect())
    );
    let mut again = crate::support::producer().await;
    let after = numbered("after", 60);
    send_all(&again, &topic, &after).await;
    let second = Received::default();
    let mut consumer = push_consumer(&group, &topic, &second).await;
    second.await_exactly(&after).await;
    consumer.shutdown().await;
    again.shutdown().await;
}

/// At least once: what a consumer had not committed when the broker went, it gets again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing_acknowledged() {
    let _cluster = cluster_of_ones_own().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "traffic", QUEUES).await;
    let received = Received::default();
    let mut consumer = push_consumer(&unique("group"), &topic, &received).await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let stopped = Arc::new(AtomicBool::new(false));
    let traffic = tokio::spawn({
        let (acknowledged, stopped) = (Arc::clone(&acknowledged), Arc::clone(&stopped));
        async move {
            for i in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let text = format!("traffic-{i}");
                // Not acknowledged: it may arrive or not.
                if let Ok(Some(result)) = producer.send(message(&topic, &text)).await {
                    place(&result);
                    acknowledged.lock().expect("lock").push(text);
                }
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            producer.shutdown().await;
        }
    });
    let progress = async |more: usize| {
        let wanted = acknowledged.lock().expect("lock").len() + more;
        eventually(&format!("{wanted} acknowledged"), async || {
            acknowledged.lock().expect("lock").len() >= wanted
        })
        .await;
    };
    progress(200).await;
    for broker in brokers() {
        control("crash", &broker).await;
        progress(200).await;
    }
    stopped.store(true, Ordering::Relaxed);
    traffic.await.expect("traffic");
    let acknowledged = acknowledged.lock().expect("lock").clone();
    received.await_all(&acknowledged).await;
    consumer.shutdown().await;
}
