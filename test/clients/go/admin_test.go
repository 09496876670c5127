package clients

import (
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/admin"
)

func TestCreateListAndDeleteTopic(t *testing.T) {
	t.Parallel()
	topic, queues := createdTopic(t, "admin")
	equal(t, "queues", queuesPerBroker*len(env.brokers), len(queues))
	a := newAdmin(t)
	listed := func() bool {
		list, err := a.FetchAllTopicList(background)
		ok(t, err)
		for _, name := range list.TopicList {
			if name == topic {
				return true
			}
		}
		return false
	}
	equal(t, "listed", true, listed())
	send(t, startedProducer(t), text(topic, "before"))

	for _, broker := range env.brokers {
		ok(t, a.DeleteTopic(background, admin.WithTopicDelete(topic), admin.WithBrokerAddrDelete(broker.address),
			admin.WithNameSrvAddr(env.nameservers)))
	}
	await(t, func() bool { return !listed() }, func() string { return topic + " is still listed" })
	if _, err := newAdmin(t).FetchPublishMessageQueues(background, topic); err == nil {
		t.Fatal("a route of a deleted topic")
	}

	// A topic of the same name starts anew.
	for _, broker := range env.brokers {
		ok(t, a.CreateTopic(background, admin.WithTopicCreate(topic), admin.WithBrokerAddrCreate(broker.address),
			admin.WithReadQueueNums(2), admin.WithWriteQueueNums(2)))
	}
	awaitQueues(t, topic, 2*len(env.brokers))
	equal(t, "offset", 0, send(t, startedProducer(t), text(topic, "after")).QueueOffset)
}

func TestSubscriptionGroups(t *testing.T) {
	t.Parallel()
	topic, _ := createdTopic(t, "groups")
	group := unique("group")
	var got received
	startedConsumer(t, group, topic, "*", got.listener)
	a := newAdmin(t)
	for _, broker := range env.brokers {
		await(t, func() bool {
			groups, err := a.GetAllSubscriptionGroup(background, broker.address, 5*time.Second)
			ok(t, err)
			found, there := groups.SubscriptionGroupTable[group]
			return there && found.ConsumeEnable
		}, func() string { return group + " is not among the groups of " + broker.name })
	}
}
