package clients

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func TestMessagesArriveWhileConsumerWaits(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "waits")
	p := startedProducer(t)
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	texts := numbered("first", 20)
	sendAll(t, p, topic, texts)
	got.awaitExactly(t, texts)
	more := numbered("second", 20)
	sendAll(t, p, topic, more)
	got.awaitExactly(t, append(texts, more...))
}

func TestTagFilter(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "tags")
	p := startedProducer(t)
	var both, one received
	startedConsumer(t, unique("group"), topic, "TagA || TagC", both.listener)
	startedConsumer(t, unique("group"), topic, "TagB", one.listener)
	want := map[string][]string{}
	for i, body := range numbered("tags", 60) {
		tag := []string{"TagA", "TagB", "TagC"}[i%3]
		send(t, p, text(topic, body).WithTag(tag))
		want[tag] = append(want[tag], body)
	}
	both.awaitExactly(t, append(want["TagA"], want["TagC"]...))
	one.awaitExactly(t, want["TagB"])
}

func TestOrderlyConsumption(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "orderly")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewHashQueueSelector()))
	const keys, each = 6, 30
	want := map[string][]string{}
	var texts []string
	for n := 0; n < each; n++ {
		for k := 0; k < keys; k++ {
			key, body := fmt.Sprintf("key-%d", k), fmt.Sprintf("key-%d-%d", k, n)
			send(t, p, text(topic, body).WithShardingKey(key))
			want[key] = append(want[key], body)
			texts = append(texts, body)
		}
	}
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener, consumer.WithConsumerOrder(true))
	got.awaitExactly(t, texts)
	order := map[string][]string{}
	for _, m := range got.all() {
		key := m.properties[primitive.PropertyShardingKey]
		order[key] = append(order[key], m.body)
	}
	for key := range want {
		equal(t, "order of "+key, want[key], order[key])
	}
}

func TestOrderlyListenerThatFailsGetsTheSameMessageBeforeTheNext(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "suspend")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewManualQueueSelector()))
	texts := numbered("suspend", 5)
	for _, body := range texts {
		m := text(topic, body)
		m.Queue = queues[0]
		send(t, p, m)
	}
	var got received
	var failed int32
	startedConsumer(t, unique("group"), topic, "*", func(_ context.Context, m ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		got.add(m...)
		if string(m[0].Body) == texts[2] && atomic.AddInt32(&failed, 1) <= 2 {
			return consumer.SuspendCurrentQueueAMoment, nil
		}
		return consumer.ConsumeSuccess, nil
	}, consumer.WithConsumerOrder(true))
	got.awaitAll(t, texts)
	equal(t, "order", []string{texts[0], texts[1], texts[2], texts[2], texts[2], texts[3], texts[4]}, got.bodies())
}

func TestBroadcasting(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "broadcast")
	p := startedProducer(t)
	group := unique("group")
	var one, other received
	startedConsumer(t, group, topic, "*", one.listener, consumer.WithConsumerModel(consumer.BroadCasting))
	startedConsumer(t, group, topic, "*", other.listener, consumer.WithConsumerModel(consumer.BroadCasting))
	texts := numbered("broadcast", 40)
	sendAll(t, p, topic, texts)
	one.awaitExactly(t, texts)
	other.awaitExactly(t, texts)
}

func TestConcurrentConsumersShareAndTakeOver(t *testing.T) {
	t.Parallel()
	shareAndTakeOver(t, false)
}

func TestOrderlyConsumersShareAndTakeOver(t *testing.T) {
	t.Parallel()
	shareAndTakeOver(t, true)
}

func shareAndTakeOver(t *testing.T, orderly bool) {
	topic, queues := createdTopic(t, "share")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewManualQueueSelector()))
	group := unique("group")
	member := func(got *received) rocketmq.PushConsumer {
		return startedConsumer(t, group, topic, "*", got.listener, consumer.WithConsumerOrder(orderly))
	}
	rounds := 0
	// Sends one message to each queue, waits until all of them have come, and tells how many came to each consumer.
	round := func(consumers ...*received) []int {
		rounds++
		want := map[string]bool{}
		for _, queue := range queues {
			m := text(topic, fmt.Sprintf("%d-%s", rounds, queueName(queue)))
			m.Queue = queue
			send(t, p, m)
			want[string(m.Body)] = true
		}
		var counts []int
		await(t, func() bool {
			counts = make([]int, len(consumers))
			have := map[string]bool{}
			for i, got := range consumers {
				for _, body := range got.bodies() {
					if want[body] {
						have[body] = true
						counts[i]++
					}
				}
			}
			return len(have) == len(want)
		}, func() string { return fmt.Sprintf("round %d came to the consumers as %v", rounds, counts) })
		return counts
	}

	var first, second received
	member(&first)
	round(&first)
	leaves := member(&second)
	half := len(queues) / 2
	var counts []int
	await(t, func() bool {
		counts = round(&first, &second)
		return counts[0] == half && counts[1] == half
	}, func() string { return fmt.Sprintf("shared as %v", counts) })
	// An orderly consumer that leaves gives its locks back and then may take some again, which have to expire.
	ok(t, leaves.Shutdown())
	// All messages of a round come to the one that stays.
	round(&first)
}

func TestOffsetsSurviveAConsumerRestart(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "offsets")
	p := startedProducer(t)
	group := unique("group")
	before, after := numbered("before", 40), numbered("after", 40)
	var first, second received
	sendAll(t, p, topic, before)
	c := startedConsumer(t, group, topic, "*", first.listener)
	first.awaitExactly(t, before)
	awaitConsumed(t, c, topic)
	ok(t, c.Shutdown())
	awaitCommitted(t, group, queues, len(before))
	sendAll(t, p, topic, after)
	startedConsumer(t, group, topic, "*", second.listener)
	second.awaitExactly(t, after)
}

// Not parallel: it comes before the parallel tests, which the restart would disturb.
func TestOffsetsAndMessagesSurviveABrokerRestart(t *testing.T) {
	topic, queues := createdTopic(t, "restart")
	group := unique("group")
	before, after := numbered("before", 40), numbered("after", 40)
	var first, second, fresh received
	p := startedProducer(t)
	sendAll(t, p, topic, before)
	c := startedConsumer(t, group, topic, "*", first.listener)
	first.awaitExactly(t, before)
	awaitConsumed(t, c, topic)
	ok(t, c.Shutdown())
	awaitCommitted(t, group, queues, len(before))
	ok(t, p.Shutdown())
	for _, broker := range env.brokers {
		restart(t, broker.name)
	}
	awaitQueues(t, topic, len(queues))
	sendAll(t, startedProducer(t), topic, after)
	startedConsumer(t, group, topic, "*", second.listener)
	second.awaitExactly(t, after)
	startedConsumer(t, unique("group"), topic, "*", fresh.listener)
	fresh.awaitExactly(t, append(before, after...))
}
