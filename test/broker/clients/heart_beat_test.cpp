#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string consumer(const std::string& group, const std::string& more) {
  return R"({"clientID":"1.1.1.1@7","consumerDataSet":[{"groupName":")" + group + R"(")" + more + "}]}";
}
// A heartbeat of the second version.
std::string fingerprinted(int fingerprint, const std::string& client = "c", bool without_sub = false) {
  return fmt::format(
      R"({{"clientID":"{}","heartbeatFingerprint":{},"withoutSub":{},"consumerDataSet":[{{"groupName":"g","subscriptionDataSet":{}}}]}})",
      client, fingerprint, without_sub, without_sub ? "[]" : R"([{"topic":"T","subString":"*","subVersion":1}])");
}

class HeartBeatTest : public test::BrokerFixture {
 protected:
  test::AnswerPtr beat(const std::string& body, const test::FakePeerPtr& over = nullptr) {
    return ask(RequestCode::kHeartBeat, {}, body, {.over = over});
  }
  ClientRegistry::GroupInfo group(const std::string& name = "g") {
    return clients.consumer_group(name).value_or(ClientRegistry::GroupInfo{});
  }
};

TEST_F(HeartBeatTest, TakesEnumsAsNamesOrOrdinals) {
  beat(consumer(
      "g",
      R"(,"consumeType":"CONSUME_ACTIVELY","messageModel":"BROADCASTING","consumeFromWhere":"CONSUME_FROM_TIMESTAMP")"));
  beat(consumer("h", R"(,"consumeType":0,"messageModel":0,"consumeFromWhere":5)"));
  for (const char* name : {"g", "h"}) {
    EXPECT_EQ(group(name).type, ConsumeType::kActively);
    EXPECT_EQ(group(name).model, MessageModel::kBroadcasting);
    EXPECT_EQ(group(name).consume_from, 5);
  }
}

TEST_F(HeartBeatTest, TakesEnumsThatItDoesNotKnowForTheUsualOnes) {
  EXPECT_EQ(beat(consumer("g", R"(,"consumeType":"CONSUME_ODDLY","messageModel":9,"consumeFromWhere":null)"))->code(),
            0);
  EXPECT_EQ(group().type, ConsumeType::kPassively);
  EXPECT_EQ(group().model, MessageModel::kClustering);
  EXPECT_EQ(group().consume_from, 0);
}

TEST_F(HeartBeatTest, TakesAbsentAndNullSetsForEmptyOnes) {
  EXPECT_EQ(beat(R"({"clientID":"c"})")->code(), 0);
  EXPECT_EQ(beat(R"({"clientID":"c","producerDataSet":null,"consumerDataSet":null})")->code(), 0);
  EXPECT_EQ(beat(consumer("g", R"(,"subscriptionDataSet":null)"))->code(), 0);
  EXPECT_EQ(beat(consumer("h", ""))->code(), 0);
  EXPECT_THAT(clients.consumer_groups(), UnorderedElementsAre("g", "h"));
}

TEST_F(HeartBeatTest, TakesCodesAndVersionsAsTextAndUnknownMembers) {
  beat(consumer(
      "g",
      R"(,"odd":{"x":[1]},"subscriptionDataSet":[{"topic":"T","subString":"A","tagsSet":["A"],"codeSet":["65"],"subVersion":"77","x":1}])"));
  const auto subscription = clients.find_subscription("g", "T");
  ASSERT_NE(subscription, nullptr);
  EXPECT_EQ(subscription->version, 77);
  EXPECT_TRUE(subscription->matches(65));
  EXPECT_FALSE(subscription->matches(66));
}

TEST_F(HeartBeatTest, CreatesTheGroupAndItsRetryTopic) {
  beat(consumer("g", ""));
  EXPECT_NE(groups.find("g"), nullptr);
  const auto retry = topics.find("%RETRY%g");
  ASSERT_NE(retry, nullptr);
  EXPECT_EQ(retry->read_queues, 1);
  EXPECT_EQ(retry->perm, 6);
  EXPECT_FALSE(retry->is_order);
  EXPECT_EQ(retry->sys_flag, 0);
}

TEST_F(HeartBeatTest, ShapesTheRetryTopicAfterTheGroupAndItsTopics) {
  make_topic("T", 4, [](TopicConfig& topic) { topic.is_order = true; });
  make_group("g", [](GroupConfig& config) { config.retry_queues = 3; });
  beat(consumer(
      "g", R"(,"unitMode":true,"messageModel":"BROADCASTING","subscriptionDataSet":[{"topic":"T","subString":"*"}])"));
  const auto retry = topics.find("%RETRY%g");
  ASSERT_NE(retry, nullptr) << "for broadcasting groups too";
  EXPECT_EQ(retry->read_queues, 3);
  EXPECT_TRUE(retry->is_order);
  EXPECT_EQ(retry->sys_flag, kTopicUnitSub);
}

TEST_F(HeartBeatTest, SkipsGroupsThatMayNotBeCreatedAndSucceeds) {
  options.auto_create_groups = false;
  EXPECT_EQ(beat(consumer("g", ""))->code(), 0);
  options.auto_create_groups = true;
  EXPECT_EQ(beat(consumer("../../x", ""))->code(), 0);
  EXPECT_THAT(clients.consumer_groups(), IsEmpty());
  EXPECT_EQ(topics.find("%RETRY%g"), nullptr);
}

TEST_F(HeartBeatTest, RegistersProducers) {
  beat(R"({"clientID":"c","producerDataSet":[{"groupName":"p"},{"groupName":"q"},7]})");
  ASSERT_EQ(clients.producers("p").size(), 1U);
  EXPECT_EQ(clients.producers("p").front().client_id, "c");
  EXPECT_EQ(clients.producers("p").front().version, 513);
  EXPECT_EQ(clients.producers("q").size(), 1U);
}

TEST_F(HeartBeatTest, RefusesABodyThatIsNoObject) {
  for (const char* body : {"", "[]", "{\"clientID\":", "\x01\x02"}) EXPECT_EQ(beat(body)->code(), 1) << body;
}

TEST_F(HeartBeatTest, NotifiesEveryMemberWhenOneJoins) {
  const auto other = new_peer();
  beat(consumer("g", ""));
  ASSERT_EQ(peer->notices().size(), 1U) << "the joining one included";
  EXPECT_EQ(peer->notices().front().code, static_cast<int>(RequestCode::kNotifyConsumerIdsChanged));
  EXPECT_EQ(peer->notices().front().fields.json(), R"("consumerGroup":"g")");
  peer->take_notices();
  beat(consumer("g", ""));
  EXPECT_EQ(peer->take_notices(), 0U) << "nothing new";
  beat(consumer("g", ""), other);
  EXPECT_EQ(peer->take_notices(), 1U);
  EXPECT_EQ(other->take_notices(), 1U);
}

TEST_F(HeartBeatTest, NotifiesTheRestWhenOneLeaves) {
  const auto other = new_peer();
  beat(consumer("g", ""));
  beat(consumer("g", ""), other);
  peer->take_notices();
  other->take_notices();
  const auto left =
      ask(RequestCode::kUnregisterClient, {{"clientID", "c"}, {"producerGroup", ""}, {"consumerGroup", "g"}});
  EXPECT_EQ(left->code(), 0);
  EXPECT_EQ(peer->take_notices(), 0U);
  EXPECT_EQ(other->take_notices(), 1U);
  ask(RequestCode::kUnregisterClient, {{"clientID", "c"}, {"consumerGroup", "g"}});
  EXPECT_EQ(other->take_notices(), 0U) << "it had left already";
}

TEST_F(HeartBeatTest, NotifiesNobodyOfABroadcastingGroup) {
  beat(consumer("g", R"(,"messageModel":"BROADCASTING")"));
  EXPECT_EQ(peer->take_notices(), 0U);
}

TEST_F(HeartBeatTest, NotifiesNobodyWhereBrokerOrGroupTurnsItOff) {
  make_group("g", [](GroupConfig& config) { config.notify_consumer_ids_changed_enable = false; });
  beat(consumer("g", ""));
  options.notify_consumer_ids_changed = false;
  beat(consumer("h", ""));
  EXPECT_EQ(peer->take_notices(), 0U);
}

TEST_F(HeartBeatTest, ListsTheMembersThatClientsAllocateQueuesBy) {
  beat(R"({"clientID":"c1","consumerDataSet":[{"groupName":"g"}]})");
  beat(R"({"clientID":"c2","consumerDataSet":[{"groupName":"g"}]})", new_peer());
  EXPECT_EQ(ask(RequestCode::kGetConsumerListByGroup, {{"consumerGroup", "g"}})->body(),
            R"({"consumerIdList":["c1","c2"]})");
  const auto none = ask(RequestCode::kGetConsumerListByGroup, {{"consumerGroup", "h"}});
  EXPECT_EQ(none->code(), 1);
  EXPECT_EQ(none->remark(), "no consumer for this group, h");
}

TEST_F(HeartBeatTest, AsksClientsOfTheFirstVersionForEverythingEachTime) {
  for (int i = 0; i < 2; ++i) {
    const auto answer = beat(consumer("g", ""));
    EXPECT_EQ(answer->field("IS_SUPPORT_HEART_BEAT_V2"), "true");
    EXPECT_EQ(answer->field("IS_SUB_CHANGE"), "true");
  }
}

TEST_F(HeartBeatTest, AsksClientsOfTheSecondVersionOnlyWhenTheFingerprintDiffers) {
  const auto changed = [&](const std::string& body, const test::FakePeerPtr& over = nullptr) {
    return beat(body, over)->field("IS_SUB_CHANGE");
  };
  const auto other = new_peer();
  EXPECT_EQ(changed(fingerprinted(7)), "false") << "the first of the group";
  EXPECT_EQ(changed(fingerprinted(7)), "false");
  EXPECT_EQ(changed(fingerprinted(8)), "true");
  EXPECT_EQ(changed(fingerprinted(8)), "false");
  EXPECT_EQ(changed(fingerprinted(9, "d"), other), "true") << "one fingerprint for each group, not for each client";
  EXPECT_EQ(changed(fingerprinted(8)), "true");
  EXPECT_EQ(changed(consumer("g", "")), "true");
  EXPECT_EQ(changed(fingerprinted(8)), "true") << "a heartbeat of the first version stores 0";
}

// The connection was lost, or the broker restarted: "as before" means nothing, and pulls would be refused for good.
TEST_F(HeartBeatTest, AsksForTheSubscriptionsOfAGroupThatItDoesNotKnow) {
  beat(fingerprinted(7));
  clients.peer_closed(*peer);
  const auto again = new_peer();
  EXPECT_EQ(beat(fingerprinted(7, "c", /*without_sub=*/true), again)->field("IS_SUB_CHANGE"), "true");
  EXPECT_EQ(beat(fingerprinted(7), again)->field("IS_SUB_CHANGE"), "false");
  EXPECT_EQ(beat(fingerprinted(7, "c", /*without_sub=*/true), again)->field("IS_SUB_CHANGE"), "false");
}

TEST_F(HeartBeatTest, KeepsTheSubscriptionsThatASecondVersionLeavesOut) {
  beat(fingerprinted(7));
  beat(fingerprinted(7, "c", /*without_sub=*/true));
  EXPECT_NE(clients.find_subscription("g", "T"), nullptr);
  beat(consumer("g", R"(,"withoutSub":true)"));
  EXPECT_EQ(clients.find_subscription("g", "T"), nullptr) << "the first version has no such thing";
}

}  // namespace
}  // namespace tern::broker
