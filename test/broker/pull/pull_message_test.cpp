#include "broker/pull/pull_message.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PullMessageTest : public test::BrokerFixture {
 protected:
  /// A heartbeat of group g that subscribes to T.
  void subscribe(const std::string& more = "", const std::string& subscription = R"("subString":"*","subVersion":5)") {
    ask(RequestCode::kHeartBeat, {},
        R"({"clientID":"c","consumerDataSet":[{"groupName":"g")" + more + R"(,"subscriptionDataSet":[{"topic":"T",)" +
            subscription + "}]}]}");
  }
  static std::string summary(const test::AnswerPtr& answer) {
    return fmt::format("{} {} {}", answer->code(), answer->remark(), answer->field("nextBeginOffset"));
  }
};

// Each request would fail every later check too: what is answered is the first that fails.
TEST_F(PullMessageTest, RefusesInApachesOrder) {
  options.permission = 2;
  options.lite_pull_enable = false;
  options.auto_create_groups = false;
  const Fields wrong{{"queueId", "4"}, {"sysFlag", "0"}};
  const auto ask_again = [&] { return ask(RequestCode::kLitePullMessage, test::with(pull_fields("T", 0), wrong)); };

  auto refused = ask_again();
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "the broker[10.0.0.1:10911] pulling message is forbidden");
  EXPECT_EQ(refused->field("forbiddenType"), "1");
  options.permission = 6;

  refused = ask_again();
  EXPECT_EQ(refused->code(), 16);
  EXPECT_THAT(refused->remark(), HasSubstr("lite pull"));
  EXPECT_EQ(refused->field("forbiddenType"), "1");
  options.lite_pull_enable = true;

  refused = ask_again();
  EXPECT_EQ(refused->code(), 26);
  EXPECT_THAT(refused->remark(), StartsWith("subscription group [g] does not exist, \n"));
  make_group("g", [](GroupConfig& group) { group.consume_enable = group.consume_broadcast_enable = false; });

  refused = ask_again();
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "subscription group no permission, g");
  EXPECT_EQ(refused->field("forbiddenType"), "2");
  make_group("g", [](GroupConfig& group) { group.consume_broadcast_enable = false; });

  refused = ask_again();
  EXPECT_EQ(refused->code(), 17);
  EXPECT_THAT(refused->remark(), StartsWith("topic[T] not exist, apply first please! \n"));
  make_topic("T", 4, [](TopicConfig& topic) { topic.perm = kPermWrite; });

  refused = ask_again();
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "the topic[T] pulling message is forbidden");
  EXPECT_EQ(refused->field("forbiddenType"), "3");
  make_topic("T");

  refused = ask_again();
  EXPECT_EQ(refused->code(), 29);
  EXPECT_EQ(refused->remark(),
            "queueId[4] is illegal, topic:[T] topicConfig.readQueueNums:[4] consumer:[/" + peer->remote_text() + "]");
  EXPECT_EQ(refused->field_count(), 0U) << "numbers belong to the other codes";
}

TEST_F(PullMessageTest, RefusesWhoeverIsNotSubscribedInApachesOrder) {
  make_topic("T");
  make_group("g", [](GroupConfig& group) { group.consume_broadcast_enable = false; });
  groups.set_forbidden("g", "T", true);
  const auto ask_again = [&](const std::string& version) {
    return pull("T", 0, {{"sysFlag", "0"}, {"subVersion", version}});
  };

  auto refused = ask_again("9");
  EXPECT_EQ(refused->code(), 24);
  EXPECT_THAT(refused->remark(), StartsWith("the consumer's group info not exist\n"));
  subscribe(R"(,"messageModel":"BROADCASTING")");

  refused = ask_again("9");
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "the consumer group[g] can not consume by broadcast way");
  EXPECT_EQ(refused->field("forbiddenType"), "4");
  subscribe();

  refused = ask_again("9");
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->field("forbiddenType"), "5");
  groups.set_forbidden("g", "T", false);
  subscribe("", R"("topic":"U","subVersion":5)");

  EXPECT_EQ(ask_again("9")->code(), 24) << "subscribed to something else";
  subscribe();
  EXPECT_EQ(ask_again("6")->code(), 25);
  EXPECT_EQ(ask_again("5")->code(), 19);
}

TEST_F(PullMessageTest, RefusesAnExpressionThatCannotBeParsed) {
  make_topic("T");
  EXPECT_EQ(pull("T", 0, {{"subscription", "||"}})->code(), 23);
}

TEST_F(PullMessageTest, RefusesWhatIsNoTag) {
  make_topic("T");
  const auto refused = pull("T", 0, {{"expressionType", "SQL92"}, {"subscription", "a > 1"}});
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), "The broker does not support consumer to filter message by SQL92");
  subscribe("", R"("subString":"a > 1","expressionType":"SQL92","subVersion":5)");
  EXPECT_EQ(pull("T", 0, {{"sysFlag", "0"}})->code(), 1);
}

TEST_F(PullMessageTest, TakesTheRegisteredSubscriptionWithoutOneOfItsOwn) {
  make_topic("T");
  subscribe("", R"("subString":"A","tagsSet":["A"],"codeSet":[65],"subVersion":5)");
  send("T", "x", {{"TAGS", "B"}});
  send("T", "a", {{"TAGS", "A"}});
  EXPECT_THAT(bodies(messages_of(pull("T", 0, {{"sysFlag", "0"}})->body())), ElementsAre("a"));
  EXPECT_THAT(bodies(messages_of(pull("T", 0, {{"subscription", "B"}})->body())), ElementsAre("x"));
}

TEST_F(PullMessageTest, CreatesAnUnknownGroup) {
  make_topic("T");
  EXPECT_EQ(pull("T", 0)->code(), 19);
  EXPECT_NE(groups.find("g"), nullptr);
}

// Clients unbox the four numbers without asking whether they are there.
TEST_F(PullMessageTest, GivesAllNumbersWithEachOfTheFourCodes) {
  make_topic("T");
  make_topic("empty");
  send("T", "a", {{"TAGS", "A"}});
  send("T", "b", {{"TAGS", "A"}});
  const std::vector<std::pair<test::AnswerPtr, std::string>> answers{
      {pull("T", 0), "0 FOUND 2"},
      {pull("T", 2), "19 OFFSET_OVERFLOW_ONE 2"},
      {pull("T", 0, {{"subscription", "B"}}), "20 NO_MATCHED_MESSAGE 2"},
      {pull("T", 3), "21 OFFSET_OVERFLOW_BADLY 2"},
      {pull("T", -1), "21 OFFSET_TOO_SMALL 0"},
      {pull("empty", 0), "19 NO_MESSAGE_IN_QUEUE 0"},
      {pull("empty", 5), "21 NO_MESSAGE_IN_QUEUE 0"},
  };
  for (const auto& [answer, expected] : answers) {
    EXPECT_EQ(summary(answer), expected);
    for (const char* name :
         {"suggestWhichBrokerId", "nextBeginOffset", "minOffset", "maxOffset", "topicSysFlag", "groupSysFlag"}) {
      EXPECT_NE(answer->field(name), "") << expected << ": " << name;
    }
    EXPECT_EQ(answer->field("suggestWhichBrokerId"), "0");
    EXPECT_EQ(answer->body().empty(), answer->code() != 0) << expected;
  }
  EXPECT_EQ(answers.front().first->field("minOffset"), "0");
  EXPECT_EQ(answers.front().first->field("maxOffset"), "2");
}

TEST_F(PullMessageTest, HandsOnTheFlagsOfTopicAndGroup) {
  make_topic("T", 4, [](TopicConfig& topic) { topic.sys_flag = 1; });
  make_group("g", [](GroupConfig& group) { group.sys_flag = 1; });
  const auto answer = pull("T", 0);
  EXPECT_EQ(answer->field("topicSysFlag"), "1");
  EXPECT_EQ(answer->field("groupSysFlag"), "1");
}

TEST_F(PullMessageTest, GivesNoMoreThanTheBrokerAllows) {
  make_topic("T");
  for (int i = 0; i < 4; ++i) send("T");
  options.pull_count_max = 3;
  EXPECT_EQ(messages_of(pull("T", 0)->body()).size(), 3U);
  EXPECT_EQ(messages_of(pull("T", 0, {{"maxMsgNums", "0"}})->body()).size(), 1U);
  options.pull_bytes_max = std::int64_t{1};
  EXPECT_EQ(messages_of(pull("T", 0)->body()).size(), 1U);
}

TEST_F(PullMessageTest, DoesNotWaitUnlessAsked) {
  make_topic("T");
  EXPECT_EQ(pull("T", 0)->code(), 19);
  EXPECT_EQ(hold->parked(), 0U);
}

TEST_F(PullMessageTest, DoesNotWaitAtAnOffsetThatHasMoved) {
  make_topic("T");
  EXPECT_EQ(pull("T", 7, {{"sysFlag", "6"}})->code(), 21);
  EXPECT_EQ(hold->parked(), 0U);
}

TEST_F(PullMessageTest, StoresTheOffsetThatCameAlongAlsoWhenItWaits) {
  make_topic("T");
  pull("T", 0, {{"sysFlag", "7"}, {"commitOffset", "5"}});
  EXPECT_EQ(offsets.find("g", "T", 0), 5);
  offsets.commit("g", "T", 0, 8);
  send("T");
  EXPECT_EQ(offsets.find("g", "T", 0), 8) << "not a second time when it goes on";
}

TEST_F(PullMessageTest, LeavesTheOffsetAloneWithoutTheFlag) {
  make_topic("T");
  pull("T", 0, {{"commitOffset", "5"}});
  EXPECT_EQ(offsets.find("g", "T", 0), std::nullopt);
}

TEST_F(PullMessageTest, RemembersWhereThePullEnded) {
  make_topic("T");
  send("T");
  pull("T", 0);
  EXPECT_EQ(offsets.find_pulled("g", "T", 0), 1);
}

TEST_F(PullMessageTest, TellsAResetOnce) {
  make_topic("T");
  send("T");
  send("T");
  offsets.set_reset("g", "T", 0, 1);
  EXPECT_EQ(summary(pull("T", 2)), "21 OFFSET_RESET 1");
  EXPECT_EQ(summary(pull("T", 1)), "0 FOUND 2");
}

}  // namespace
}  // namespace tern::broker
