//! Pull and lite pull consumers.

use std::collections::HashSet;

use rocketmq_client_rust::{DefaultLitePullConsumer, PullStatus};

use crate::support::*;

/// Polls until there are this many more.
async fn poll(consumer: &DefaultLitePullConsumer, received: &Received, more: usize) {
    let wanted = received.messages().len() + more;
    eventually(&format!("{wanted} messages polled"), async || {
        received.add(&consumer.poll_with_timeout(100).await.iter().collect::<Vec<_>>());
        received.messages().len() >= wanted
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_reads_from_where_it_is_told() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "pull", 1).await;
    let queue = queues(&mut producer, &topic).await[0].clone();
    let texts = numbered("pull", 40);
    for text in &texts {
        producer
            .send_to_queue(message(&topic, text), queue.clone())
            .await
            .expect("a send");
    }
    let consumer = pull_consumer_of(&topic, &unique("group")).await;
    assert_eq!(0, consumer.min_offset(&queue).await.expect("a first offset"));
    assert_eq!(40, consumer.max_offset(&queue).await.expect("a last offset"));
    let result = consumer.pull(&queue, "*", 10, 7).await.expect("a pull");
    assert_eq!(PullStatus::Found, *result.pull_status());
    assert_eq!(
        texts[10..17],
        result
            .msg_found_list()
            .expect("messages")
            .iter()
            .map(text)
            .collect::<Vec<_>>()
    );
    assert_eq!(17, result.next_begin_offset());
    assert_eq!(
        PullStatus::NoNewMsg,
        *consumer.pull(&queue, "*", 40, 7).await.expect("a pull").pull_status()
    );
    let beyond = consumer.pull(&queue, "*", 1000, 7).await.expect("a pull");
    assert_eq!(PullStatus::OffsetIllegal, *beyond.pull_status());
    assert_eq!(40, beyond.next_begin_offset());
    consumer.shutdown().await.expect("a pull consumer ends");
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_filters_by_tag() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "pulltags", 1).await;
    let queue = queues(&mut producer, &topic).await[0].clone();
    for i in 0..20 {
        let sent = tagged(&topic, &format!("Tag{}", i % 4), &format!("pull-{i}"));
        producer.send_to_queue(sent, queue.clone()).await.expect("a send");
    }
    let consumer = pull_consumer_of(&topic, &unique("group")).await;
    let found = read_queue(&consumer, &queue, "Tag1 || Tag3").await;
    let wanted = (0..20)
        .filter(|i| i % 2 == 1)
        .map(|i| format!("pull-{i}"))
        .collect::<Vec<_>>();
    assert_eq!(wanted, found.iter().map(text).collect::<Vec<_>>());
    consumer.shutdown().await.expect("a pull consumer ends");
    producer.shutdown().await;
}

/// The client parks a pull at the broker; a message ends the wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_pull_is_woken_by_a_message() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "park", 1).await;
    let queue = queues(&mut producer, &topic).await[0].clone();
    let consumer = pull_consumer_of(&topic, &unique("group")).await;
    let parked = consumer.pull_block_if_not_found(&queue, "*", 0, 7);
    let send = async {
        producer
            .send_to_queue(message(&topic, "wake"), queue.clone())
            .await
            .expect("a send")
    };
    let (result, _) = tokio::join!(parked, send);
    let result = result.expect("a pull");
    assert_eq!(
        vec!["wake".to_string()],
        result
            .msg_found_list()
            .expect("messages")
            .iter()
            .map(text)
            .collect::<Vec<_>>()
    );
    consumer.shutdown().await.expect("a pull consumer ends");
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lite_subscriber_polls_everything_and_goes_on_where_it_stopped() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "lite", QUEUES).await;
    let queues = queues(&mut producer, &topic).await;
    let group = unique("group");
    let before = numbered("before", 60);
    send_all(&producer, &topic, &before).await;
    let first = lite_pull_consumer(&group).await;
    first.subscribe(&topic).await.expect("a subscription");
    first.start().await.expect("a lite pull consumer starts");
    let received = Received::default();
    poll(&first, &received, before.len()).await;
    received.await_exactly(&before).await;
    assert_eq!(
        HashSet::from_iter(queues.clone()),
        first.assignment().await.expect("an assignment")
    );
    first.commit_sync().await;
    first.shutdown().await;
    await_committed(&group, &queues, before.len() as i64).await;

    let after = numbered("after", 60);
    send_all(&producer, &topic, &after).await;
    let second = lite_pull_consumer(&group).await;
    second.subscribe(&topic).await.expect("a subscription");
    second.start().await.expect("a lite pull consumer starts");
    let rest = Received::default();
    poll(&second, &rest, after.len()).await;
    rest.await_exactly(&after).await;
    second.shutdown().await;
    producer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lite_subscriber_filters_by_tag() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "litetags", QUEUES).await;
    for i in 0..20 {
        producer
            .send(tagged(&topic, &format!("Tag{}", i % 4), &format!("lite-{i}")))
            .await
            .expect("a send");
    }
    let consumer = lite_pull_consumer(&unique("group")).await;
    consumer
        .subscribe_with_expression(&topic, "Tag1 || Tag3")
        .await
        .expect("a subscription");
    consumer.start().await.expect("a lite pull consumer starts");
    let received = Received::default();
    poll(&consumer, &received, 10).await;
    received
        .await_exactly(
            &(0..20)
                .filter(|i| i % 2 == 1)
                .map(|i| format!("lite-{i}"))
                .collect::<Vec<_>>(),
        )
        .await;
    consumer.shutdown().await;
    producer.shutdown().await;
}

/// This client ends the pull under way before it notes where to go on, so that a seek may come at any time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assigned_queues_are_read_from_where_one_seeks() {
    let _cluster = running_cluster().await;
    let mut producer = producer().await;
    let topic = created_topic(&mut producer, "seek", 2).await;
    let queues = queues(&mut producer, &topic).await;
    let (queue, ignored) = (queues[0].clone(), queues[1].clone());
    let texts = numbered("seek", 30);
    for text in &texts {
        producer
            .send_to_queue(message(&topic, text), queue.clone())
            .await
            .expect("a send");
        producer
            .send_to_queue(message(&topic, "ignored"), ignored.clone())
            .await
            .expect("a send");
    }
    let consumer = lite_pull_consumer(&unique("group")).await;
    consumer
        .set_sub_expression_for_assign(&topic, "*")
        .await
        .expect("a subscription");
    consumer.start().await.expect("a lite pull consumer starts");
    consumer.fetch_message_queues(&topic).await.expect("a route");
    consumer.assign(vec![queue.clone()]).await.expect("an assignment");

    consumer.seek(&queue, 20).await.expect("a seek");
    let from_twenty = Received::default();
    poll(&consumer, &from_twenty, 10).await;
    assert_eq!(texts[20..], from_twenty.texts());

    consumer.seek_to_begin(&queue).await.expect("a seek");
    let from_begin = Received::default();
    poll(&consumer, &from_begin, 30).await;
    assert_eq!(texts, from_begin.texts());

    consumer.seek(&queue, 10).await.expect("a seek");
    consumer.seek_to_end(&queue).await.expect("a seek");
    producer
        .send_to_queue(message(&topic, "last"), queue.clone())
        .await
        .expect("a send");
    let from_end = Received::default();
    poll(&consumer, &from_end, 1).await;
    assert_eq!(vec!["last".to_string()], from_end.texts());
    consumer.shutdown().await;
    producer.shutdown().await;
}
