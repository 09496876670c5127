package clients

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"sync"
	"testing"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func TestSynchronousSend(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "sync")
	p := startedProducer(t)
	texts := numbered("sync", 3*len(queues))
	perQueue := map[string]int64{}
	ids := map[string]string{}
	for _, body := range texts {
		result := send(t, p, text(topic, body))
		name := queueName(result.MessageQueue)
		equal(t, "offset in "+name, perQueue[name], result.QueueOffset)
		perQueue[name]++
		ids[body] = result.MsgID
	}
	equal(t, "queues in turn", len(queues), len(perQueue))
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	got.awaitExactly(t, texts)
	for _, m := range got.all() {
		equal(t, "message id", ids[m.body], m.id)
	}
}

func TestAsynchronousSend(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "async")
	p := startedProducer(t)
	texts := numbered("async", 200)
	outcomes := make(chan error, 2*len(texts))
	for _, body := range texts {
		ok(t, p.SendAsync(background, func(_ context.Context, result *primitive.SendResult, err error) {
			if err == nil && result.Status != primitive.SendOK {
				err = fmt.Errorf("send status %d", result.Status)
			}
			outcomes <- err
		}, text(topic, body)))
	}
	for range texts {
		ok(t, <-outcomes)
	}
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	got.awaitExactly(t, texts)
}

func TestOneWaySend(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "oneway")
	p := startedProducer(t)
	texts := numbered("oneway", 50)
	for _, body := range texts {
		ok(t, p.SendOneWay(background, text(topic, body)))
	}
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	got.awaitExactly(t, texts)
}

func TestBatchSend(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "batch")
	p := startedProducer(t)
	texts := numbered("batch", 30)
	var batch []*primitive.Message
	for i, body := range texts {
		m := text(topic, body).WithTag("TagA").WithKeys([]string{"key-" + body})
		m.WithProperty("number", fmt.Sprint(i))
		batch = append(batch, m)
	}
	result := send(t, p, batch...)
	equal(t, "first offset", 0, result.QueueOffset)
	var got received
	startedConsumer(t, unique("group"), topic, "TagA", got.listener)
	got.awaitExactly(t, texts)
	for _, m := range got.all() {
		equal(t, "queue", result.MessageQueue.QueueId, m.queue)
		equal(t, "offset", m.properties["number"], m.offset)
		equal(t, "keys", "key-"+m.body, m.keys)
	}
}

func TestChosenQueue(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "chosen")
	p := startedProducer(t, producer.WithQueueSelector(producer.NewManualQueueSelector()))
	for i, queue := range queues {
		for n := 0; n <= i; n++ {
			m := text(topic, queueName(queue))
			m.Queue = queue
			result := send(t, p, m)
			equal(t, "queue", queueName(queue), queueName(result.MessageQueue))
			equal(t, "offset", n, result.QueueOffset)
		}
	}
	c := startedPullConsumer(t, unique("group"), topic, "*")
	for i, queue := range queues {
		found := read(t, c, queue, i+1)
		equal(t, "messages in "+queueName(queue), i+1, len(found))
		for n, m := range found {
			equal(t, "body", queueName(queue), m.body)
			equal(t, "offset", n, m.offset)
		}
	}
}

func TestTagsKeysAndProperties(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "properties")
	p := startedProducer(t)
	m := text(topic, "properties").WithTag("TagA").WithKeys([]string{"one", "two"}).WithShardingKey("shard")
	m.WithProperty("name", "value, with = and \u00e9\u4e2d")
	m.WithProperty("empty-looking", " ")
	sent := send(t, p, m)
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	got.awaitExactly(t, []string{"properties"})
	found := got.all()[0]
	equal(t, "id", sent.MsgID, found.id)
	equal(t, "topic", topic, found.topic)
	equal(t, "tags", "TagA", found.tags)
	equal(t, "keys", "one two", found.keys)
	equal(t, "sharding key", "shard", found.properties[primitive.PropertyShardingKey])
	equal(t, "property", "value, with = and \u00e9\u4e2d", found.properties["name"])
	equal(t, "property", " ", found.properties["empty-looking"])
	equal(t, "reconsume times", 0, found.reconsumed)
	if found.born <= 0 || found.stored <= 0 {
		t.Fatalf("born %d, stored %d", found.born, found.stored)
	}
}

// The client compresses bodies from 4 KiB on; noise stays about as long as it is.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "large")
	p := startedProducer(t)
	noise := make([]byte, 1<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	texts := []string{string(bytes.Repeat([]byte("large "), 500_000)), string(noise)}
	for _, body := range texts {
		send(t, p, text(topic, body))
	}
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	await(t, func() bool { return len(got.all()) == len(texts) }, func() string { return fmt.Sprint(len(got.all()), " arrived") })
	for _, m := range got.all() {
		if m.body != texts[0] && m.body != texts[1] {
			t.Fatalf("a body of %d bytes is not what was sent", len(m.body))
		}
	}
}

func TestDelayedSend(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "delayed")
	p := startedProducer(t)
	send(t, p, text(topic, "delayed").WithDelayTimeLevel(18))
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	got.awaitExactly(t, []string{"delayed"})
	// The last level of the harness is three seconds.
	if m := got.all()[0]; m.stored-m.born < 3000 || m.topic != topic {
		t.Fatalf("topic %s, stored %d ms after it was born", m.topic, m.stored-m.born)
	}
}

func TestSendToATopicThatIsNotThereCreatesIt(t *testing.T) {
	t.Parallel()
	topic := unique("automatic")
	p := startedProducer(t)
	send(t, p, text(topic, "first"))
	await(t, func() bool { return len(queues(topic)) > 0 }, func() string { return "no route for " + topic })
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	got.awaitExactly(t, []string{"first"})
}

func TestSendErrorIsReported(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "refused")
	p := startedProducer(t, producer.WithRetry(0))
	m := text(topic, "refused")
	m.WithProperty("long", string(bytes.Repeat([]byte("p"), 40_000)))
	if _, err := p.SendSync(background, m); err == nil {
		t.Fatal("properties of 40,000 bytes were accepted")
	}
	send(t, p, text(topic, "accepted"))
}

func TestManyProducersAtOnce(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "many")
	const producers, each = 4, 100
	var texts []string
	failures := make(chan error, producers*each)
	var done sync.WaitGroup
	for i := 0; i < producers; i++ {
		mine := numbered(fmt.Sprintf("many-%d", i), each)
		texts = append(texts, mine...)
		p := startedProducer(t)
		done.Add(1)
		go func() {
			defer done.Done()
			for _, body := range mine {
				if _, err := p.SendSync(background, text(topic, body)); err != nil {
					failures <- err
				}
			}
		}()
	}
	var got received
	startedConsumer(t, unique("group"), topic, "*", got.listener)
	done.Wait()
	close(failures)
	for err := range failures {
		t.Fatal(err)
	}
	got.awaitExactly(t, texts)
}
