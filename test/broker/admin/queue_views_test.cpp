// What tools look at: queue entries, time spans, all groups' progress, producers, and the tables of progress.

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using test::with;
using ::testing::HasSubstr;

class QueueViewsTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T", 1);
    make_group("g");
  }
  protocol::Json body_of(const test::AnswerPtr& answer) {
    EXPECT_EQ(answer->code(), 0) << answer->remark();
    const auto body = protocol::parse_json(answer->body());
    return body ? *body : protocol::Json();
  }
  test::AnswerPtr query_queue(const Fields& changes = {}) {
    return ask(RequestCode::kQueryConsumeQueue,
               with({{"topic", "T"}, {"queueId", "0"}, {"index", "0"}, {"count", "10"}}, changes));
  }
  void join() {
    ask(RequestCode::kHeartBeat, {},
        R"({"clientID":"c","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"T","subString":"*","subVersion":3}]}],"producerDataSet":[{"groupName":"p"}]})");
  }
};

TEST_F(QueueViewsTest, ShowTheEntriesOfAQueue) {
  send("T", "one", {{"TAGS", "A"}});
  send("T", "two");
  send("T", "three");
  const auto all = stored("T");
  const auto two = body_of(query_queue({{"index", "1"}, {"count", "1"}}));
  EXPECT_EQ(two["minQueueIndex"], 0);
  EXPECT_EQ(two["maxQueueIndex"], 3);
  ASSERT_EQ(two["queueData"].size(), 1U);
  EXPECT_EQ(two["queueData"][0]["physicOffset"], all[1].position);
  EXPECT_FALSE(two.contains("filterData"));
  const auto from_the_first = body_of(query_queue());
  ASSERT_EQ(from_the_first["queueData"].size(), 3U);
  EXPECT_EQ(from_the_first["queueData"][0]["tagsCode"], 65);
  EXPECT_EQ(from_the_first["queueData"][0]["eval"], false);
  EXPECT_EQ(from_the_first["queueData"][0]["physicSize"], all[1].position - all[0].position);
}

TEST_F(QueueViewsTest, ShowWhatAGroupWantsOfAQueue) {
  send("T");
  EXPECT_EQ(body_of(query_queue({{"consumerGroup", "g"}}))["filterData"], "g@T is not online!");
  join();
  const auto online = body_of(query_queue({{"consumerGroup", "g"}}));
  EXPECT_EQ(online["filterData"], "null");
  EXPECT_EQ(online["subscriptionData"]["subVersion"], 3);
}

TEST_F(QueueViewsTest, SayWhichEntriesThereAreNot) {
  const auto unknown = query_queue({{"queueId", "7"}});
  EXPECT_EQ(unknown->code(), 1);
  EXPECT_EQ(unknown->remark(), "7@T is not exist!");
  send("T");
  for (const auto* index : {"1", "-1"}) {
    const auto outside = query_queue({{"index", index}});
    EXPECT_EQ(outside->code(), 0);
    EXPECT_EQ(outside->remark(), "Index " + std::string(index) + " of 0@T is not exist!");
    EXPECT_EQ(outside->body(), "");
  }
  EXPECT_EQ(body_of(query_queue({{"count", "-3"}}))["queueData"].size(), 0U);
  EXPECT_THAT(query_queue({{"count", "65537"}})->remark(), HasSubstr("65536"));
  EXPECT_EQ(query_queue({{"-index", ""}})->code(), 1);
}

TEST_F(QueueViewsTest, ShowTimesOfAQueueAndOfAGroup) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const auto first = clock.wall_ms();
  send("T");
  clock.advance_ms(1000);
  send("T");
  clock.advance_ms(1000);
  send("T");
  clock.advance_ms(500);
  offsets.commit("g", "T", 0, 2);
  const auto span = [&](const std::string& group) {
    return body_of(
        ask(RequestCode::kQueryConsumeTimeSpan, {{"topic", "T"}, {"group", group}}))["consumeTimeSpanSet"][0];
  };
  const auto known = span("g");
  EXPECT_EQ(known["minTimeStamp"], first);
  EXPECT_EQ(known["maxTimeStamp"], first + 2000);
  EXPECT_EQ(known["consumeTimeStamp"], first + 1000);
  EXPECT_EQ(known["delayTime"], 500);
  EXPECT_EQ(known["messageQueue"], protocol::Json({{"brokerName", "b"}, {"queueId", 0}, {"topic", "T"}}));
  EXPECT_EQ(span("nobody")["consumeTimeStamp"], first);
  EXPECT_EQ(span("nobody")["delayTime"], 2500);
  make_topic("empty", 1);
  const auto empty = body_of(ask(RequestCode::kQueryConsumeTimeSpan, {{"topic", "empty"}, {"group", "g"}}));
  EXPECT_EQ(empty["consumeTimeSpanSet"][0]["minTimeStamp"], -1);
  EXPECT_EQ(empty["consumeTimeSpanSet"][0]["minTimeStampStr"], "1969-12-31#23:59:59:999");
  EXPECT_EQ(empty["consumeTimeSpanSet"][0]["delayTime"], 0);
  EXPECT_EQ(ask(RequestCode::kQueryConsumeTimeSpan, {{"topic", "U"}, {"group", "g"}})->code(), 17);
}

TEST_F(QueueViewsTest, ShowHowFarAllGroupsAreBehind) {
  for (int i = 0; i < 5; ++i) send("T");
  offsets.commit("g", "T", 0, 2);
  offsets.commit("g", "gone", 0, 9);
  const auto all = body_of(ask(RequestCode::kGetBrokerConsumeStats, {{"isOrder", "false"}}));
  EXPECT_EQ(all["brokerAddr"], "10.0.0.1:10911");
  EXPECT_EQ(all["totalDiff"], 3);
  EXPECT_EQ(all["totalInflightDiff"], -2);
  EXPECT_EQ(all["consumeStatsList"].size(), groups.all().size());
  for (const auto& each : all["consumeStatsList"]) {
    if (!each.contains("g")) continue;
    ASSERT_EQ(each["g"].size(), 1U) << "of topics that there are";
    EXPECT_EQ(each["g"][0]["offsetTable"].front()["brokerOffset"], 5);
  }
  EXPECT_EQ(body_of(ask(RequestCode::kGetBrokerConsumeStats, {{"isOrder", "true"}}))["totalDiff"], 0);
}

TEST_F(QueueViewsTest, ShowProducersAndSubscriptions) {
  join();
  const auto producers = body_of(ask(RequestCode::kGetAllProducerInfo, {}));
  ASSERT_EQ(producers["data"]["p"].size(), 1U);
  EXPECT_EQ(producers["data"]["p"][0], protocol::Json({{"clientId", "c"},
                                                       {"language", "OTHER"},
                                                       {"lastUpdateTimestamp", clock.wall_ms()},
                                                       {"remoteIP", "/" + peer->remote_text()},
                                                       {"version", 513}}));
  const auto known = body_of(ask(RequestCode::kQuerySubscriptionByConsumer, {{"group", "g"}, {"topic", "T"}}));
  EXPECT_EQ(known["subscriptionData"]["subString"], "*");
  EXPECT_EQ(ask(RequestCode::kQuerySubscriptionByConsumer, {{"group", "g"}, {"topic", "U"}})->body(),
            R"({"group":"g","topic":"U"})");
}

TEST_F(QueueViewsTest, ShowProgressAsItWouldBeSaved) {
  offsets.commit("g", "T", 0, 2);
  offsets.pulled("g", "T", 0, 4);
  const auto offsets_now = ask(RequestCode::kGetAllConsumerOffset, {});
  EXPECT_THAT(offsets_now->body(), HasSubstr(R"("offsetTable":{"T@g":{0:2}})"));
  EXPECT_THAT(offsets_now->body(), HasSubstr(R"("pullOffsetTable":{"T@g":{0:4}})"));
  send("T", "later", {{"DELAY", "3"}});
  EXPECT_EQ(ask(RequestCode::kGetAllDelayOffset, {})->body(),
            R"({"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},"offsetTable":{3:0}})");
}

TEST_F(QueueViewsTest, RemoveQueuesOfTopicsThatNobodyKnows) {
  make_topic("gone", 1);
  send("gone");
  send("T");
  topics.remove("gone");
  EXPECT_EQ(ask(RequestCode::kCleanUnusedTopic, {})->code(), 0);
  EXPECT_EQ(store->find_queue("gone", 0), nullptr);
  EXPECT_NE(store->find_queue("T", 0), nullptr);
  EXPECT_EQ(ask(RequestCode::kCleanExpiredConsumeQueue, {})->code(), 0);
  EXPECT_EQ(ask(RequestCode::kDeleteExpiredCommitLog, {})->code(), 0);
  EXPECT_EQ(stored("T").size(), 1U);
}

}  // namespace
}  // namespace tern::broker
