// What an administrator asks of one consumer goes through the broker, and its answer comes back unchanged.

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using test::with;
using ::testing::HasSubstr;

class ConsumerCallsTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T", 1, [](TopicConfig& topic) { topic.sys_flag = 1; });
    make_group("g", [](GroupConfig& group) { group.sys_flag = 2; });
    join(consumer, "c@1");
  }
  void join(const test::FakePeerPtr& over, const std::string& id, int version = 513) {
    ConsumerHeartbeat heartbeat;
    heartbeat.group = "g";
    heartbeat.subscriptions = {*parse_subscription("T", "*", "TAG")};
    clients.consumer_heartbeat({id, over, 0, version, clock.steady_ms()}, heartbeat);
  }
  test::AnswerPtr ask_info(const Fields& changes = {}, std::string_view body = {}) {
    return ask(RequestCode::kGetConsumerRunningInfo,
               with({{"consumerGroup", "g"}, {"clientId", "c@1"}, {"jstackEnable", "true"}}, changes), body);
  }
  static std::string fields_of(const protocol::Outgoing& request) { return std::string(request.fields.json()); }

  test::FakePeerPtr consumer = new_peer();
};

TEST_F(ConsumerCallsTest, ForwardsTheRequestAndTheAnswer) {
  const auto answer = ask_info({{"more", "m"}}, "body");
  EXPECT_FALSE(answer->has_answer());
  auto calls = consumer->take_calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].request.code, 307);
  EXPECT_EQ(calls[0].timeout_ms, 10'000);
  EXPECT_EQ(fields_of(calls[0].request), R"("consumerGroup":"g","clientId":"c@1","jstackEnable":"true","more":"m")");
  EXPECT_EQ(calls[0].request.body.to_string(), "body");
  calls[0].answer(remoting::Answer{77, 401, "odd", {{"k", "v"}}, "{}"});
  run();
  EXPECT_EQ(answer->code(), 77);
  EXPECT_EQ(answer->remark(), "odd");
  EXPECT_EQ(answer->field("k"), "v");
  EXPECT_EQ(answer->body(), "{}");
}

TEST_F(ConsumerCallsTest, OfAFieldThatComesTwiceTheLastCounts) {
  ask_info({{"x", "1"}});
  consumer->take_calls();
  ask(RequestCode::kGetConsumerRunningInfo, {{"consumerGroup", "other"}, {"consumerGroup", "g"}, {"clientId", "c@1"}});
  auto calls = consumer->take_calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(fields_of(calls[0].request), R"("consumerGroup":"g","clientId":"c@1")");
}

TEST_F(ConsumerCallsTest, SayWhoIsNotThere) {
  const auto nobody = ask_info({{"clientId", "c@2"}});
  EXPECT_EQ(nobody->code(), 1);
  EXPECT_EQ(nobody->remark(), "The Consumer <g> <c@2> not online");
  EXPECT_EQ(ask_info({{"consumerGroup", "h"}})->remark(), "The Consumer <h> <c@1> not online");
  EXPECT_THAT(ask_info({{"-clientId", ""}})->remark(), HasSubstr("clientId"));
}

TEST_F(ConsumerCallsTest, SayWhoIsTooOld) {
  const auto old = new_peer();
  join(old, "old@1", 61);
  const auto answer = ask_info({{"clientId", "old@1"}});
  EXPECT_EQ(answer->code(), 1);
  EXPECT_EQ(answer->remark(),
            "The Consumer <old@1> Version <61> too low to finish, please upgrade it to V3_1_8_SNAPSHOT");
  join(old, "old@1", 62);
  ask_info({{"clientId", "old@1"}});
  EXPECT_EQ(old->calls(), 1U);
}

TEST_F(ConsumerCallsTest, SayWhoDoesNotAnswer) {
  const auto late = ask_info();
  consumer->take_calls()[0].answer(remoting::error(remoting::Errc::kTimeout));
  EXPECT_EQ(late->code(), 207);
  EXPECT_THAT(late->remark(), HasSubstr("consumer <g> <c@1> Timeout: "));
  const auto gone = ask_info();
  consumer->take_calls()[0].answer(remoting::error(remoting::Errc::kClosed));
  EXPECT_EQ(gone->code(), 1);
  EXPECT_THAT(gone->remark(), HasSubstr("invoke consumer <g> <c@1> Exception: "));
}

TEST_F(ConsumerCallsTest, GiveAMessageToAConsumer) {
  const auto id = send("T", "hello")->field("msgId");
  const auto answer =
      ask(RequestCode::kConsumeMessageDirectly,
          {{"consumerGroup", "g"}, {"clientId", "c@1"}, {"msgId", id}, {"brokerName", "another"}, {"topic", "T"}});
  auto calls = consumer->take_calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].request.code, 309);
  EXPECT_EQ(fields_of(calls[0].request), R"("consumerGroup":"g","clientId":"c@1","msgId":")" + id +
                                             R"(","topic":"T","brokerName":"b","topicSysFlag":"1","groupSysFlag":"2")");
  EXPECT_EQ(stored_message(calls[0].request.body.to_string()).body, "hello");
  calls[0].answer(remoting::Answer{0, 513, "", {}, R"({"consumeResult":"CR_SUCCESS"})"});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->body(), R"({"consumeResult":"CR_SUCCESS"})");
}

TEST_F(ConsumerCallsTest, GiveNoMessageThatIsNone) {
  const auto give = [&](const std::string& id) {
    return ask(RequestCode::kConsumeMessageDirectly, {{"consumerGroup", "g"}, {"clientId", "c@1"}, {"msgId", id}});
  };
  const auto no_id = give("x");
  EXPECT_EQ(no_id->code(), 1);
  EXPECT_THAT(no_id->remark(), HasSubstr("msgId [x]"));
  EXPECT_EQ(give(std::string(32, '0'))->code(), 1);
  EXPECT_THAT(give(message::offset_message_id(identity.store_host, 3))->remark(),
              HasSubstr("can not find message by the offset, 3"));
  EXPECT_EQ(consumer->calls(), 0U);
}

TEST_F(ConsumerCallsTest, MergeWhatTheMembersSayOfTheirOffsets) {
  const auto second = new_peer(), silent = new_peer();
  join(second, "c@2");
  join(silent, "c@3");
  const auto answer = ask(RequestCode::kInvokeBrokerToGetConsumerStatus, {{"group", "g"}, {"topic", "T"}});
  auto first_calls = consumer->take_calls(), second_calls = second->take_calls(), silent_calls = silent->take_calls();
  ASSERT_EQ(first_calls.size(), 1U);
  EXPECT_EQ(first_calls[0].request.code, 221);
  EXPECT_EQ(first_calls[0].timeout_ms, 5'000);
  EXPECT_EQ(fields_of(first_calls[0].request), R"("topic":"T","group":"g")");
  const std::string table = R"({"brokerName":"b","queueId":0,"topic":"T"}:)";
  second_calls[0].answer(remoting::Answer{0, 513, "", {}, R"({"messageQueueTable":{)" + table + "7}}"});
  first_calls[0].answer(remoting::Answer{0, 513, "", {}, R"({"messageQueueTable":{)" + table + "5}}"});
  run();
  EXPECT_FALSE(answer->has_answer());
  silent_calls[0].answer(remoting::error(remoting::Errc::kTimeout));
  run();
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->body(),
            R"({"consumerTable":{"c@1":{)" + table + R"(5},"c@2":{)" + table + R"(7}},"messageQueueTable":{}})");
}

TEST_F(ConsumerCallsTest, AskOneMemberForItsOffsetsIfOneIsNamed) {
  const auto second = new_peer();
  join(second, "c@2");
  const auto status = [&](const std::string& group, const std::string& client) {
    return ask(RequestCode::kInvokeBrokerToGetConsumerStatus,
               {{"group", group}, {"topic", "T"}, {"clientAddr", client}});
  };
  const auto answer = status("g", "c@2");
  EXPECT_EQ(consumer->calls(), 0U);
  second->take_calls()[0].answer(remoting::Answer{0, 513, "", {}, "no JSON"});
  run();
  EXPECT_EQ(answer->body(), R"({"consumerTable":{},"messageQueueTable":{}})");
  EXPECT_EQ(status("g", "c@9")->body(), R"({"consumerTable":{},"messageQueueTable":{}})");
  EXPECT_EQ(status("h", "")->code(), 1);
  join(second, "c@2", 27);
  EXPECT_EQ(status("g", "")->code(), 1) << "one is too old";
}

}  // namespace
}  // namespace tern::broker
