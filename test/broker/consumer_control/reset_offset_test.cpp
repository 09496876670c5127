// A group is told to go on from another place: by the broker itself, or by its members.

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using test::with;
using ::testing::HasSubstr;

std::string table(const std::string& first, const std::string& second) {
  return R"({"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:)" + first +
         R"(,{"brokerName":"b","queueId":1,"topic":"T"}:)" + second + "}}";
}

class ResetOffsetTest : public test::BrokerFixture {
 protected:
  /// Queue 0 has four messages, 100 ms apart from `began`; queue 1 is empty. The group stands at 3 and 0.
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T", 2);
    make_group("g");
    began = clock.wall_ms();
    for (int i = 0; i < 4; ++i) {
      send("T");
      clock.advance_ms(100);
    }
    offsets.commit("g", "T", 0, 3);
    offsets.commit("g", "T", 1, 0);
  }
  test::AnswerPtr reset(std::int64_t timestamp, const Fields& changes = {}) {
    return ask(
        RequestCode::kInvokeBrokerToResetOffset,
        with({{"topic", "T"}, {"group", "g"}, {"timestamp", std::to_string(timestamp)}, {"isForce", "true"}}, changes));
  }
  void join(const test::FakePeerPtr& over, int version = 513) {
    ConsumerHeartbeat heartbeat;
    heartbeat.group = "g";
    heartbeat.subscriptions = {*parse_subscription("T", "*", "TAG")};
    clients.consumer_heartbeat({"c@1", over, 0, version, clock.steady_ms()}, heartbeat);
  }
  std::int64_t began = 0;
};

TEST_F(ResetOffsetTest, GoesByTimeInAllQueues) {
  const auto answer = reset(began + 100);
  EXPECT_EQ(answer->code(), 0) << answer->remark();
  EXPECT_EQ(answer->body(), table("1", "0"));
  EXPECT_EQ(offsets.find("g", "T", 0), 1);
  EXPECT_EQ(reset(-1)->body(), table("4", "0")) << "the end";
  EXPECT_EQ(reset(0)->body(), table("0", "0"));
}

TEST_F(ResetOffsetTest, IsToldWithTheNextPullAndIgnoresCommitsUntilThen) {
  reset(began + 100);
  const Fields queue = {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "4"}};
  EXPECT_EQ(ask(RequestCode::kUpdateConsumerOffset, queue)->remark(), "Offset has been previously reset");
  EXPECT_EQ(ask(RequestCode::kQueryConsumerOffset, queue)->field("offset"), "1");
  const auto moved = pull("T", 3);
  EXPECT_EQ(moved->code(), 21);
  EXPECT_EQ(moved->field("nextBeginOffset"), "1");
  EXPECT_EQ(pull("T", 1)->code(), 0);
  EXPECT_EQ(ask(RequestCode::kUpdateConsumerOffset, queue)->remark(), "");
  EXPECT_EQ(offsets.find("g", "T", 0), 4);
}

TEST_F(ResetOffsetTest, LetsAPullThatWaitsAskAgain) {
  const auto waiting = pull("T", 4, {{"sysFlag", "6"}});
  EXPECT_FALSE(waiting->has_answer());
  reset(0);
  ASSERT_TRUE(waiting->has_answer());
  EXPECT_EQ(waiting->code(), 19);
}

TEST_F(ResetOffsetTest, GoesToAnOffsetOfOneQueue) {
  EXPECT_EQ(reset(0, {{"queueId", "0"}, {"offset", "2"}})->body(),
            R"({"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:2}})");
  EXPECT_EQ(offsets.find("g", "T", 1), 0) << "the other stays";
  EXPECT_EQ(reset(0, {{"queueId", "0"}, {"offset", "5"}})->code(), 0) << "one behind the end";
  const auto refused = reset(0, {{"queueId", "0"}, {"offset", "6"}});
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), "Target offset 6 not in consume queue range [0-4]");
  EXPECT_EQ(reset(-1, {{"queueId", "0"}, {"offset", "-1"}})->code(), 0) << "-1 is none: by time";
  EXPECT_EQ(offsets.find("g", "T", 0), 4);
  EXPECT_EQ(reset(-1, {{"queueId", "0"}, {"offset", "-2"}})->code(), 1);
}

TEST_F(ResetOffsetTest, RefusesWhatIsNotThere) {
  const auto topic = reset(0, {{"topic", "U"}});
  EXPECT_EQ(topic->code(), 17);
  EXPECT_EQ(topic->remark(), "Topic U does not exist");
  const auto group = reset(0, {{"group", "h"}});
  EXPECT_EQ(group->code(), 26);
  EXPECT_EQ(group->remark(), "Group h does not exist");
  EXPECT_EQ(groups.find("h"), nullptr) << "not created";
  make_topic("none", 0);
  EXPECT_EQ(reset(0, {{"topic", "none"}})->remark(), "No queues to reset.");
  for (const auto* name : {"topic", "group", "timestamp"})
    EXPECT_THAT(reset(0, {{"-" + std::string(name), ""}})->remark(), HasSubstr(name));
}

class TellMembersTest : public ResetOffsetTest {
 protected:
  void SetUp() override {
    ResetOffsetTest::SetUp();
    reset_options.server_side = false;
  }
  std::vector<protocol::Outgoing> told(const test::FakePeerPtr& over) {
    auto notices = over->notices();
    over->take_notices();
    return notices;
  }
  test::FakePeerPtr consumer = new_peer();
};

TEST_F(TellMembersTest, TellsEachWhereToGo) {
  join(consumer);
  const auto second = new_peer();
  join(second);
  const auto answer = reset(began + 100);
  EXPECT_EQ(answer->code(), 0) << answer->remark();
  EXPECT_EQ(answer->body(), table("1", "0"));
  for (const auto& over : {consumer, second}) {
    const auto notices = told(over);
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_EQ(notices[0].code, 220);
    EXPECT_EQ(notices[0].fields.json(), R"("topic":"T","group":"g","queueId":"-1","timestamp":")" +
                                            std::to_string(began + 100) + R"(","isForce":"false")");
    EXPECT_EQ(notices[0].body.to_string(), table("1", "0"));
  }
  EXPECT_EQ(offsets.find("g", "T", 0), 3) << "they move, and commit";
  EXPECT_EQ(offsets.peek_reset("g", "T", 0), std::nullopt);
}

TEST_F(TellMembersTest, GoesForwardOnlyByForce) {
  join(consumer);
  EXPECT_EQ(reset(-1, {{"isForce", "false"}})->body(), table("3", "0"));
  EXPECT_EQ(reset(-1)->body(), table("4", "0"));
  EXPECT_EQ(reset(0, {{"isForce", "false"}})->body(), table("0", "0"));
}

TEST_F(TellMembersTest, ToolsInCppGetAList) {
  join(consumer);
  protocol::CommandHeader header;
  header.code = static_cast<std::int32_t>(RequestCode::kInvokeBrokerToResetOffset);
  header.language = 1;
  header.fields = {{"topic", "T"}, {"group", "g"}, {"timestamp", "0"}, {"isForce", "true"}};
  const remoting::PeerPtr over = peer;
  const auto captured = std::make_shared<test::CapturedAnswer>();
  processor_table().dispatch(services, {header, {}, over}, remoting::Reply(captured, 1, false));
  run();
  EXPECT_EQ(captured->body(), table("0", "0"));
  const auto notices = told(consumer);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].body.to_string(), R"({"offsetTable":[{"brokerName":"b","offset":0,"queueId":0,"topic":"T"},)"
                                         R"({"brokerName":"b","offset":0,"queueId":1,"topic":"T"}]})");
}

TEST_F(TellMembersTest, NeedsSomebodyToTell) {
  const auto offline = reset(5);
  EXPECT_EQ(offline->code(), 206);
  EXPECT_EQ(offline->remark(), "Consumer not online, so can not reset offset, Group: g Topic: T Timestamp: 5");
  join(consumer);
  EXPECT_EQ(reset(0, {{"topic", "U"}})->code(), 17);
  make_topic("T", 3);
  const auto never = reset(0);
  EXPECT_EQ(never->code(), 1);
  EXPECT_EQ(never->remark(), "THe consumer group <g> not exist") << "it has no offset in queue 2";
  make_topic("T", 2);
  join(consumer, 27);
  EXPECT_THAT(reset(0)->remark(), HasSubstr("the client does not support this feature. version=27"));
  EXPECT_TRUE(told(consumer).empty());
}

}  // namespace
}  // namespace tern::broker
