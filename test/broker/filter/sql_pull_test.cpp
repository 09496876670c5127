// Pulls by SQL92 expressions, from the heartbeat to the message.

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SqlPullTest : public test::BrokerFixture {
 protected:
  SqlPullTest() { filter_options.is_enabled = true; }
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T");
  }
  void subscribe(const std::string& expression, int version = 5, const std::string& topic = "T") {
    ask(RequestCode::kHeartBeat, {},
        fmt::format(R"({{"clientID":"c","consumerDataSet":[{{"groupName":"g","subscriptionDataSet":[
                        {{"topic":"{}","subString":"{}","expressionType":"SQL92","subVersion":{}}}]}}]}})",
                    topic, expression, version));
  }
  /// By the expression that it brings.
  test::AnswerPtr pull_by(const std::string& expression, std::int64_t offset = 0, const Fields& more = {}) {
    return pull("T", offset, test::with({{"expressionType", "SQL92"}, {"subscription", expression}}, more));
  }
  /// By that of the heartbeat; 2: it may wait.
  test::AnswerPtr pull_as_subscribed(std::int64_t offset = 0, const Fields& more = {}) {
    return pull("T", offset, test::with({{"sysFlag", "0"}, {"expressionType", "SQL92"}}, more));
  }
  static std::string summary(const test::AnswerPtr& answer) {
    return fmt::format("{} {} {}", answer->code(), answer->remark(), answer->field("nextBeginOffset"));
  }
};

TEST_F(SqlPullTest, GivesWhatItsOwnExpressionLetsThrough) {
  send("T", "one", {{"a", "1"}});
  send("T", "two", {{"a", "2"}, {"b", "x"}});
  send("T", "none");
  send("T", "text", {{"a", "x"}});
  send("T", "three", {{"a", "3"}});
  const auto found = pull_by("a > 1");
  EXPECT_EQ(summary(found), "0 FOUND 5");
  EXPECT_THAT(bodies(messages_of(found->body())), ElementsAre("two", "three"));
  EXPECT_THAT(bodies(messages_of(pull_by("a IS NULL")->body())), ElementsAre("none"));
  EXPECT_THAT(bodies(messages_of(pull_by("a BETWEEN 1 AND 2 AND b IS NULL OR a = 'x'")->body())), ElementsAre("one"))
      << "what fails does not pass";
  EXPECT_EQ(summary(pull_by("a > 3")), "20 NO_MATCHED_MESSAGE 5");
}

TEST_F(SqlPullTest, SeesTheReservedPropertiesToo) {
  send("T", "a", {{"TAGS", "A"}, {"KEYS", "k1 k2"}});
  send("T", "b", {{"TAGS", "B"}, {"KEYS", "k3"}});
  EXPECT_THAT(bodies(messages_of(pull_by("TAGS = 'B' AND KEYS CONTAINS 'k3'")->body())), ElementsAre("b"));
}

TEST_F(SqlPullTest, GivesWhatItsGroupHasSubscribedTo) {
  send("T", "one", {{"a", "1"}});
  send("T", "two", {{"a", "2"}});
  subscribe("a = 2");
  EXPECT_THAT(bodies(messages_of(pull_as_subscribed()->body())), ElementsAre("two"));
  subscribe("a = 1", 6);
  EXPECT_THAT(bodies(messages_of(pull_as_subscribed()->body())), ElementsAre("one"));
}

TEST_F(SqlPullTest, RefusesWhoseFilterIsNotThereOrOld) {
  subscribe("a = ");
  auto refused = pull_as_subscribed();
  EXPECT_EQ(refused->code(), 27);
  EXPECT_EQ(refused->remark(), "The broker's consumer filter data is not exist!Your expression may be wrong!");
  subscribe("a = 1", 6);
  EXPECT_EQ(pull_as_subscribed(0, {{"subVersion", "7"}})->code(), 25) << "the subscription is looked at first";
  EXPECT_EQ(pull_as_subscribed(0, {{"subVersion", "6"}})->code(), 19);
}

TEST_F(SqlPullTest, IsRefusedWhileSwitchedOff) {
  filter_options.is_enabled = false;
  subscribe("a = 1");
  for (const auto& refused : {pull_by("a = 1"), pull_as_subscribed()}) {
    EXPECT_EQ(refused->code(), 1);
    EXPECT_EQ(refused->remark(), "The broker does not support consumer to filter message by SQL92");
  }
  filter_options.is_enabled = true;
  EXPECT_EQ(pull_by("a = 1")->code(), 19);
  EXPECT_EQ(pull_as_subscribed()->code(), 19) << "registered while it was off";
}

TEST_F(SqlPullTest, RefusesAnEmptyExpression) {
  EXPECT_EQ(pull_by("")->code(), 23);
}

// As with Apache's brokers.
TEST_F(SqlPullTest, GivesEverythingToAnExpressionThatIsWrong) {
  send("T", "one", {{"a", "1"}});
  EXPECT_THAT(bodies(messages_of(pull_by("a = ")->body())), ElementsAre("one"));
}

TEST_F(SqlPullTest, WaitsForAMessageThatPasses) {
  subscribe("a = 1");
  const auto own = begin(
      RequestCode::kPullMessage,
      test::with(pull_fields("T", 0), {{"sysFlag", "6"}, {"expressionType", "SQL92"}, {"subscription", "a = 2"}}));
  const auto subscribed = begin(RequestCode::kPullMessage, test::with(pull_fields("T", 0), {{"sysFlag", "2"}}));
  run();
  send("T", "three", {{"a", "3"}});
  EXPECT_FALSE(own->has_answer());
  EXPECT_FALSE(subscribed->has_answer());
  send("T", "one", {{"a", "1"}});
  EXPECT_FALSE(own->has_answer());
  EXPECT_THAT(bodies(messages_of(subscribed->body())), ElementsAre("one"));
  send("T", "two", {{"a", "2"}});
  EXPECT_THAT(bodies(messages_of(own->body())), ElementsAre("two"));
}

TEST_F(SqlPullTest, IsAnsweredSoonAfterMessagesThatDoNotPass) {
  const auto waiting = begin(
      RequestCode::kPullMessage,
      test::with(pull_fields("T", 0), {{"sysFlag", "6"}, {"expressionType", "SQL92"}, {"subscription", "a = 2"}}));
  run();
  send("T", "one", {{"a", "1"}});
  clock.advance_ms(5000);
  hold->expire();
  run();
  EXPECT_EQ(summary(waiting), "20 NO_MATCHED_MESSAGE 1") << "its offset moves on";
}

TEST_F(SqlPullTest, CountsItsExpressionWhileItWaits) {
  options.parked_pulls_bytes_max = 3000;
  const auto wait = [this](const std::string& expression, const test::FakePeerPtr& over) {
    return ask(
        RequestCode::kPullMessage,
        test::with(pull_fields("T", 0), {{"sysFlag", "6"}, {"expressionType", "SQL92"}, {"subscription", expression}}),
        {}, {.over = over});
  };
  EXPECT_FALSE(wait("a = 1", peer)->has_answer());
  EXPECT_EQ(wait("a = '" + std::string(3000, 'x') + "'", peer)->code(), 2);
}

// The scan ends at maxFilterMessageSize; the next pull goes on behind.
TEST_F(SqlPullTest, GoesOnScanningWithBoundedWork) {
  constexpr int kMessages = 1700, kScannedAtOnce = 800;
  for (int i = 0; i < kMessages; ++i)
    begin(RequestCode::kSendMessage, send_fields("T", 0, {{"a", std::to_string(i)}}), "x");
  run();
  ASSERT_EQ(store->find_queue("T", 0)->bounds().max.value, kMessages);
  const std::string expression = "a = " + std::to_string(kMessages - 1);
  EXPECT_EQ(summary(pull_by(expression, 0)), fmt::format("20 NO_MATCHED_MESSAGE {}", kScannedAtOnce));
  EXPECT_EQ(summary(pull_by(expression, kScannedAtOnce)), fmt::format("20 NO_MATCHED_MESSAGE {}", 2 * kScannedAtOnce));
  EXPECT_EQ(summary(pull_by(expression, 2 * kScannedAtOnce)), fmt::format("0 FOUND {}", kMessages));
  options.filter_scan_bytes_max = 20;
  EXPECT_EQ(summary(pull_by(expression, 0, {{"maxMsgNums", "1"}})), "20 NO_MATCHED_MESSAGE 1");
}

TEST_F(SqlPullTest, LooksAtNoMoreThanItMayCost) {
  const std::string value(30'000, 'v');
  for (int i = 0; i < 4; ++i) send("T", "x", {{"a", value}});
  // 5,000 instructions times 30,000 bytes are too much for a second message.
  std::string expression = "a = '0'";
  for (int i = 0; i < 1000; ++i) expression += " OR a = '0'";
  EXPECT_EQ(summary(pull_by(expression)), "20 NO_MATCHED_MESSAGE 1");
  EXPECT_EQ(summary(pull_by(expression + " OR a IS NOT NULL")), "0 FOUND 1");
}

class ColdSqlPullTest : public SqlPullTest {
 protected:
  ColdSqlPullTest() { store_options.log.hot_bytes = 0; }
};

TEST_F(ColdSqlPullTest, ReadsNoMoreThanItMayCost) {
  constexpr int kMessages = 100;
  const std::string body(60'000, 'b');
  for (int i = 0; i < kMessages; ++i) send("T", body, {{"a", std::to_string(i)}});
  // 4 MiB are 70 of them.
  EXPECT_EQ(summary(pull_by("a = 99")), "20 NO_MATCHED_MESSAGE 70");
  const auto found = pull_by("a = 99", 70);
  EXPECT_EQ(summary(found), "0 FOUND 100");
  EXPECT_THAT(messages_of(found->body()), SizeIs(1));
}

// filterSupportRetry: the group's filter of the topic that each message was first sent to.
TEST_F(SqlPullTest, FiltersRetriesByTheirFirstTopicIfAsked) {
  make_topic("%RETRY%g", 1);
  subscribe("a = 1");
  send("%RETRY%g", "one", {{"a", "1"}, {"RETRY_TOPIC", "T"}});
  send("%RETRY%g", "two", {{"a", "2"}, {"RETRY_TOPIC", "T"}});
  send("%RETRY%g", "other", {{"a", "2"}, {"RETRY_TOPIC", "U"}});
  send("%RETRY%g", "none", {{"a", "2"}});
  const auto bodies_by = [&](const Fields& fields) { return bodies(messages_of(pull("%RETRY%g", 0, fields)->body())); };
  const Fields by_sql{{"expressionType", "SQL92"}, {"subscription", "a = 2"}};
  EXPECT_THAT(bodies_by(by_sql), ElementsAre("two", "other", "none")) << "by the pull's own, as long as it is off";
  filter_options.supports_retry = true;
  EXPECT_THAT(bodies_by(by_sql), ElementsAre("one", "other", "none"));
  EXPECT_THAT(bodies_by({}), SizeIs(4)) << "by tags: everything";
}

TEST_F(SqlPullTest, KeepsAGroupsFilterWhenItsLastMemberLeaves) {
  subscribe("a = 1");
  ask(RequestCode::kUnregisterClient, {{"clientID", "c"}, {"consumerGroup", "g"}});
  EXPECT_NE(filters.find("g", "T"), nullptr);
  EXPECT_TRUE(filters.save());
  clock.advance_ms(filter_options.keep_dead_ms);
  EXPECT_TRUE(filters.save());
  EXPECT_EQ(filters.find("g", "T"), nullptr);
  subscribe("a = 1");
  clients.peer_closed(*peer);
  clock.advance_ms(filter_options.keep_dead_ms);
  EXPECT_TRUE(filters.save());
  EXPECT_EQ(filters.find("g", "T"), nullptr);
}

}  // namespace
}  // namespace tern::broker
