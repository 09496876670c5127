package clients

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const queuesPerBroker = 4

var background = context.Background()

// Every client has an instance of its own: no connection, and no table, is shared between two of them.

func newAdmin(t *testing.T) admin.Admin {
	t.Helper()
	a, err := admin.NewAdmin(admin.WithResolver(primitive.NewPassthroughResolver(env.nameservers)))
	ok(t, err)
	t.Cleanup(func() { a.Close() })
	return a
}

func startedProducer(t *testing.T, options ...producer.Option) rocketmq.Producer {
	t.Helper()
	p, err := rocketmq.NewProducer(append([]producer.Option{
		producer.WithNameServer(env.nameservers),
		producer.WithGroupName(unique("producers")),
		producer.WithInstanceName(unique("instance")),
	}, options...)...)
	ok(t, err)
	ok(t, p.Start())
	t.Cleanup(func() { p.Shutdown() })
	return p
}

type listener = func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

func startedConsumer(t *testing.T, group, topic, tags string, f listener, options ...consumer.Option) rocketmq.PushConsumer {
	t.Helper()
	c, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithNameServer(env.nameservers),
		consumer.WithGroupName(group),
		consumer.WithInstance(unique("instance")),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, options...)...)
	ok(t, err)
	ok(t, c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: tags}, f))
	ok(t, c.Start())
	t.Cleanup(func() { c.Shutdown() })
	return c
}

func startedPullConsumer(t *testing.T, group, topic, tags string) rocketmq.PullConsumer {
	t.Helper()
	c, err := rocketmq.NewPullConsumer(
		consumer.WithNameServer(env.nameservers),
		consumer.WithGroupName(group),
		consumer.WithInstance(unique("instance")))
	ok(t, err)
	ok(t, c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: tags}))
	ok(t, c.Start())
	t.Cleanup(func() { c.Shutdown() })
	return c
}

// queues asks the nameservers. An administration client asks only once about each topic, so it takes a new one.
func queues(topic string) []*primitive.MessageQueue {
	a, err := admin.NewAdmin(admin.WithResolver(primitive.NewPassthroughResolver(env.nameservers)))
	if err != nil {
		return nil
	}
	defer a.Close()
	found, err := a.FetchPublishMessageQueues(background, topic)
	if err != nil {
		return nil
	}
	sort.Slice(found, func(i, j int) bool { return queueName(found[i]) < queueName(found[j]) })
	return found
}

func queueName(queue *primitive.MessageQueue) string {
	return fmt.Sprintf("%s/%d", queue.BrokerName, queue.QueueId)
}

// createdTopic returns when the nameserver tells of all its queues.
func createdTopic(t *testing.T, hint string) (string, []*primitive.MessageQueue) {
	t.Helper()
	topic := unique(hint)
	a := newAdmin(t)
	for _, broker := range env.brokers {
		ok(t, a.CreateTopic(background, admin.WithTopicCreate(topic), admin.WithBrokerAddrCreate(broker.address),
			admin.WithReadQueueNums(queuesPerBroker), admin.WithWriteQueueNums(queuesPerBroker)))
	}
	return topic, awaitQueues(t, topic, queuesPerBroker*len(env.brokers))
}

func awaitQueues(t *testing.T, topic string, count int) []*primitive.MessageQueue {
	t.Helper()
	var found []*primitive.MessageQueue
	await(t, func() bool {
		found = queues(topic)
		return len(found) == count
	}, func() string { return fmt.Sprintf("%s has the queues %v, not %d of them", topic, found, count) })
	return found
}

func text(topic, body string) *primitive.Message {
	return primitive.NewMessage(topic, []byte(body))
}

func numbered(prefix string, count int) []string {
	var texts []string
	for i := 0; i < count; i++ {
		texts = append(texts, fmt.Sprintf("%s-%d", prefix, i))
	}
	return texts
}

func send(t *testing.T, p rocketmq.Producer, message ...*primitive.Message) *primitive.SendResult {
	t.Helper()
	result, err := p.SendSync(background, message...)
	ok(t, err)
	equal(t, "send status", primitive.SendOK, result.Status)
	return result
}

func sendAll(t *testing.T, p rocketmq.Producer, topic string, texts []string) {
	t.Helper()
	for _, body := range texts {
		send(t, p, text(topic, body))
	}
}

// A message as it was when a listener got it; the client goes on writing to its own.
type message struct {
	id, topic, body, tags, keys string
	properties                  map[string]string
	queue                       int
	offset, born, stored        int64
	reconsumed                  int32
}

func snapshot(m *primitive.MessageExt) message {
	properties := map[string]string{}
	for key, value := range m.GetProperties() {
		properties[key] = value
	}
	return message{m.MsgId, m.Topic, string(m.Body), m.GetTags(), m.GetKeys(), properties, m.Queue.QueueId,
		m.QueueOffset, m.BornTimestamp, m.StoreTimestamp, m.ReconsumeTimes}
}

// What listeners got, in the order in which they did.
type received struct {
	mutex    sync.Mutex
	messages []message
}

func (r *received) add(messages ...*primitive.MessageExt) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, m := range messages {
		r.messages = append(r.messages, snapshot(m))
	}
}

func (r *received) listener(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	r.add(messages...)
	return consumer.ConsumeSuccess, nil
}

func (r *received) all() []message {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]message{}, r.messages...)
}

func (r *received) bodies() []string {
	var bodies []string
	for _, m := range r.all() {
		bodies = append(bodies, m.body)
	}
	return bodies
}

// awaitAll waits until each of the texts has come. There may be others, or the same again.
func (r *received) awaitAll(t *testing.T, texts []string) {
	t.Helper()
	var missing []string
	await(t, func() bool {
		have := map[string]bool{}
		for _, body := range r.bodies() {
			have[body] = true
		}
		missing = nil
		for _, body := range texts {
			if !have[body] {
				missing = append(missing, body)
			}
		}
		return len(missing) == 0
	}, func() string {
		return fmt.Sprintf("of %d messages %d are missing: %s", len(texts), len(missing), strings.Join(missing, " "))
	})
}

// awaitExactly waits until the texts have come: each of them once, and no other.
func (r *received) awaitExactly(t *testing.T, texts []string) {
	t.Helper()
	r.awaitAll(t, texts)
	want, got := append([]string{}, texts...), r.bodies()
	sort.Strings(want)
	sort.Strings(got)
	equal(t, "bodies", want, got)
}

// awaitConsumed waits until the client itself has noted that it is through with all that it has pulled.
func awaitConsumed(t *testing.T, c rocketmq.PushConsumer, topic string) {
	t.Helper()
	await(t, func() bool { return c.GetOffsetDiffMap()[topic] == 0 },
		func() string { return fmt.Sprintf("not consumed: %v", c.GetOffsetDiffMap()) })
}

// awaitCommitted waits until the broker has that progress of a group, added over the queues. A consumer that shuts down
// says what it has done and is gone; nobody answers it. The reader subscribes something else, so it changes nothing.
func awaitCommitted(t *testing.T, group string, queues []*primitive.MessageQueue, count int) {
	t.Helper()
	elsewhere, _ := createdTopic(t, "elsewhere")
	reader := startedPullConsumer(t, group, elsewhere, "*")
	var committed int64
	await(t, func() bool {
		committed = 0
		for _, queue := range queues {
			// A queue without progress is -1, or 0.
			if offset, err := reader.CurrentOffset(queue); err == nil && offset > 0 {
				committed += offset
			}
		}
		// It remembers what it has been told, unless it is about to save it and finds that the queue is not its own.
		ok(t, reader.PersistOffset(background, elsewhere))
		return committed == int64(count)
	}, func() string { return fmt.Sprintf("committed %d of %d", committed, count) })
	ok(t, reader.Shutdown())
}

// read pulls the messages of one queue from its beginning until there are `count`, or more if one pull brings more.
func read(t *testing.T, c rocketmq.PullConsumer, queue *primitive.MessageQueue, count int) []message {
	t.Helper()
	var found []message
	var offset int64
	await(t, func() bool {
		result, err := c.PullFrom(background, queue, offset, 32)
		ok(t, err)
		if result.Status == primitive.PullFound {
			for _, m := range result.GetMessageExts() {
				found = append(found, snapshot(m))
			}
		}
		offset = result.NextBeginOffset
		return len(found) >= count
	}, func() string { return fmt.Sprintf("%s: %d messages of %d", queueName(queue), len(found), count) })
	return found
}
