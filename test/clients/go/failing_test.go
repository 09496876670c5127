package clients

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// The client learns of its group's retry topic when it next asks for routes, which it does every 30 seconds, and takes its
// queues when it next looks around, which it does every 20. So all of these last about 40 seconds, next to each other.

func TestListenerThatFailsGetsTheMessageAgain(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "retry")
	p := startedProducer(t)
	var tries, successes received
	startedConsumer(t, unique("group"), topic, "TagA", func(_ context.Context, m ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		tries.add(m...)
		switch m[0].ReconsumeTimes {
		case 0:
			return consumer.ConsumeRetryLater, nil
		case 1:
			return consumer.ConsumeRetryLater, errors.New("an error is a failure, too")
		}
		successes.add(m...)
		return consumer.ConsumeSuccess, nil
	})
	texts := numbered("retry", 10)
	ids := map[string]string{}
	for _, body := range texts {
		m := text(topic, body).WithTag("TagA").WithKeys([]string{body})
		m.WithProperty("name", "value")
		ids[body] = send(t, p, m).MsgID
	}
	successes.awaitExactly(t, texts)
	equal(t, "tries", 3*len(texts), len(tries.all()))
	for _, m := range tries.all() {
		// The client gives the listener the topic it subscribed, wherever the message came from.
		equal(t, "topic", topic, m.topic)
		equal(t, "id", ids[m.body], m.id)
		equal(t, "tags, keys, property", "TagA "+m.body+" value", m.tags+" "+m.keys+" "+m.properties["name"])
	}
	for _, m := range successes.all() {
		equal(t, "reconsume times", 2, m.reconsumed)
		// Both levels' seconds have passed since the message was sent.
		if m.stored-m.born < 2000 {
			t.Fatalf("stored %d ms after it was born", m.stored-m.born)
		}
	}
}

func TestListenerThatAlwaysFailsEndsInTheDeadLetterQueue(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "dead")
	p := startedProducer(t)
	group := unique("group")
	const retries = 2
	var tries received
	startedConsumer(t, group, topic, "*", func(_ context.Context, m ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		tries.add(m...)
		return consumer.ConsumeRetryLater, nil
	}, consumer.WithMaxReconsumeTimes(retries))
	m := text(topic, "dead").WithTag("TagA").WithKeys([]string{"key"})
	sent := send(t, p, m)

	dead := "%DLQ%" + group
	// The queue, once it is there: a consumer does not start without.
	queue := awaitQueues(t, dead, 1)[0]
	letter := read(t, startedPullConsumer(t, unique("readers"), dead, "*"), queue, 1)[0]
	equal(t, "body", "dead", letter.body)
	equal(t, "reconsume times", retries+1, letter.reconsumed)
	equal(t, "origin", topic+" "+sent.OffsetMsgID,
		letter.properties[primitive.PropertyRetryTopic]+" "+letter.properties[primitive.PropertyOriginMessageId])
	equal(t, "tags and keys", "TagA key", letter.tags+" "+letter.keys)
	var times []int32
	for _, m := range tries.all() {
		times = append(times, m.reconsumed)
	}
	equal(t, "reconsume times", fmt.Sprint([]int32{0, 1, 2}), fmt.Sprint(times))
}
