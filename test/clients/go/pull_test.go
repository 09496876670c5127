package clients

import (
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func TestPullFromChosenOffsets(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "pull")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewManualQueueSelector()))
	const count = 50
	texts := numbered("pull", count)
	for _, body := range texts {
		m := text(topic, body)
		m.Queue = queues[0]
		send(t, p, m)
	}
	c := startedPullConsumer(t, unique("group"), topic, "*")
	result, err := c.PullFrom(background, queues[0], 0, 32)
	ok(t, err)
	equal(t, "status, next, smallest, largest", fmt.Sprint(primitive.PullFound, 32, 0, count),
		fmt.Sprint(result.Status, result.NextBeginOffset, result.MinOffset, result.MaxOffset))
	var bodies []string
	for _, m := range read(t, c, queues[0], count) {
		bodies = append(bodies, m.body)
	}
	equal(t, "bodies", texts, bodies)

	result, err = c.PullFrom(background, queues[0], 47, 32)
	ok(t, err)
	equal(t, "messages from 47 on", 3, len(result.GetMessageExts()))
	result, err = c.PullFrom(background, queues[0], count+10, 32)
	ok(t, err)
	equal(t, "beyond the end: status, next", fmt.Sprint(primitive.PullOffsetIllegal, count),
		fmt.Sprint(result.Status, result.NextBeginOffset))
	// Nothing there: the broker answers when it has waited as long as it may.
	result, err = c.PullFrom(background, queues[0], count, 32)
	ok(t, err)
	equal(t, "at the end", primitive.PullNoNewMsg, result.Status)
}

func TestPullWithTags(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "pulltags")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewManualQueueSelector()))
	for i, body := range numbered("tags", 20) {
		m := text(topic, body).WithTag([]string{"TagA", "TagB"}[i%2])
		m.Queue = queues[0]
		send(t, p, m)
	}
	found := read(t, startedPullConsumer(t, unique("group"), topic, "TagB"), queues[0], 10)
	equal(t, "messages", 10, len(found))
	for _, m := range found {
		equal(t, "tag", "TagB", m.tags)
	}
}

func TestPolledMessagesAreAcknowledgedAndTheOffsetSurvives(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "poll")
	p := startedProducer(t)
	group := unique("group")
	before, after := numbered("before", 40), numbered("after", 40)
	sendAll(t, p, topic, before)
	drain := func(want []string) {
		c := startedPullConsumer(t, group, topic, "*")
		var got []string
		await(t, func() bool {
			request, err := c.Poll(background, time.Second)
			if consumer.IsNoNewMsgError(err) {
				return false
			}
			ok(t, err)
			for _, m := range request.GetMsgList() {
				got = append(got, string(m.Body))
			}
			c.ACK(background, request, consumer.ConsumeSuccess)
			return len(got) >= len(want)
		}, func() string { return fmt.Sprintf("%d messages of %d", len(got), len(want)) })
		sort.Strings(got)
		sorted := append([]string{}, want...)
		sort.Strings(sorted)
		equal(t, "bodies", sorted, got)
		ok(t, c.PersistOffset(background, topic))
		ok(t, c.Shutdown())
	}
	drain(before)
	sendAll(t, p, topic, after)
	drain(after)
}

func TestPullConsumerKeepsOffsetsItIsTold(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "kept")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewManualQueueSelector()))
	for _, body := range numbered("kept", 20) {
		m := text(topic, body)
		m.Queue = queues[0]
		send(t, p, m)
	}
	group := unique("group")
	c := startedPullConsumer(t, group, topic, "*")
	// Once it owns the queue, it has it in memory at the beginning, and may write it.
	await(t, func() bool {
		request, err := c.Poll(background, time.Second)
		return err == nil && request.GetMQ().QueueId == queues[0].QueueId
	}, func() string { return "does not own the queue" })
	ok(t, c.UpdateOffset(queues[0], 13))
	ok(t, c.PersistOffset(background, topic))
	ok(t, c.Shutdown())

	again := startedPullConsumer(t, group, topic, "*")
	offset, err := again.CurrentOffset(queues[0])
	ok(t, err)
	equal(t, "offset", 13, offset)
}
