// Replies: pushed to whoever asked, stored beside, and answered once both are done.

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using test::with;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kTopic = "c_REPLY_TOPIC";

class SendReplyTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    clients.producer_heartbeat({"asker@1", asker, 0, 513, clock.steady_ms()}, "askers");
  }
  test::AnswerPtr begin_reply(std::string_view body, const Fields& more = {}, const Fields& changes = {},
                              const test::AskOptions& how = {}) {
    const auto properties = with({{"REPLY_TO_CLIENT", "asker@1"}, {"CORRELATION_ID", "C"}, {"TTL", "3000"}}, more);
    return ask(RequestCode::kSendReplyMessage, with(send_fields(std::string(kTopic), 0, properties), changes), body,
               how);
  }
  /// The one push that waits, answered.
  void answer_push(Result<remoting::Answer> answer) {
    auto calls = asker->take_calls();
    ASSERT_EQ(calls.size(), 1U);
    calls[0].answer(std::move(answer));
    run();
  }
  static std::map<std::string, std::string> fields_of(const protocol::Outgoing& request) {
    std::map<std::string, std::string> fields;
    const auto json = protocol::parse_json("{" + std::string(request.fields.json()) + "}");
    for (const auto& [key, value] : json->items()) fields[key] = value.get<std::string>();
    return fields;
  }
  std::vector<test::StoredMessage> replies_stored() { return stored(kTopic); }

  test::FakePeerPtr asker = new_peer();
};

TEST_F(SendReplyTest, PushesAReplyToWhoeverAskedAndStoresIt) {
  const auto answer = begin_reply("R", {{"TAGS", "A"}}, {{"sysFlag", "1"}, {"flag", "7"}, {"reconsumeTimes", "0"}});
  EXPECT_FALSE(answer->has_answer()) << "the push has not arrived";
  ASSERT_EQ(asker->calls(), 1U);
  auto call = std::move(asker->take_calls()[0]);
  EXPECT_EQ(call.request.code, 326);
  EXPECT_EQ(call.timeout_ms, 10'000);
  EXPECT_EQ(call.request.body.to_string(), "R");
  auto fields = fields_of(call.request);
  std::map<std::string, std::string> properties;
  message::for_each_property(fields["properties"], [&](std::string_view name, std::string_view value) {
    properties.emplace(std::string(name), std::string(value));
  });
  const auto now = std::to_string(clock.wall_ms());
  EXPECT_EQ(properties, (std::map<std::string, std::string>{{"REPLY_TO_CLIENT", "asker@1"},
                                                            {"CORRELATION_ID", "C"},
                                                            {"TTL", "3000"},
                                                            {"TAGS", "A"},
                                                            {"MSG_REGION", "DefaultRegion"},
                                                            {"TRACE_ON", "true"},
                                                            {"PUSH_REPLY_TIME", now}}));
  fields.erase("properties");
  EXPECT_EQ(fields, (std::map<std::string, std::string>{{"producerGroup", "p"},
                                                        {"topic", std::string(kTopic)},
                                                        {"defaultTopic", "TBW102"},
                                                        {"defaultTopicQueueNums", "4"},
                                                        {"queueId", "0"},
                                                        {"sysFlag", "1"},
                                                        {"bornTimestamp", "1600000000000"},
                                                        {"flag", "7"},
                                                        {"reconsumeTimes", "0"},
                                                        {"unitMode", "false"},
                                                        {"bornHost", peer->remote_text()},
                                                        {"storeHost", "10.0.0.1:10911"},
                                                        {"storeTimestamp", now}}));
  call.answer(remoting::Answer{});
  run();
  EXPECT_EQ(answer->code(), 0) << answer->remark();
  EXPECT_EQ(answer->field("queueOffset"), "0");
  EXPECT_EQ(answer->field("queueId"), "0");
  EXPECT_EQ(answer->field("MSG_REGION"), "DefaultRegion");
  EXPECT_EQ(answer->field("TRACE_ON"), "true");
  const auto stored = replies_stored();
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(answer->field("msgId"), message::offset_message_id(identity.store_host, stored[0].position));
  EXPECT_EQ(stored[0].body, "R");
  EXPECT_EQ(stored[0].sys_flag, 1) << "its body is compressed";
  EXPECT_EQ(stored[0].flag, 7);
  EXPECT_EQ(stored[0].properties, (std::map<std::string, std::string>{{"REPLY_TO_CLIENT", "asker@1"},
                                                                      {"CORRELATION_ID", "C"},
                                                                      {"TTL", "3000"},
                                                                      {"TAGS", "A"},
                                                                      {"MSG_REGION", "DefaultRegion"},
                                                                      {"TRACE_ON", "true"}}));
}

TEST_F(SendReplyTest, TakesShortNames) {
  const auto answer = ask(RequestCode::kSendReplyMessageV2,
                          {{"a", "p"},
                           {"b", std::string(kTopic)},
                           {"e", "-1"},
                           {"g", "1600000000000"},
                           {"i", test::properties({{"REPLY_TO_CLIENT", "asker@1"}})}},
                          "R");
  answer_push(remoting::Answer{});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("queueId"), "0") << "the broker chose";
  EXPECT_EQ(replies_stored().size(), 1U);
}

TEST_F(SendReplyTest, SaysThatNobodyIsNamed) {
  const auto answer = begin_reply("R", {{"-REPLY_TO_CLIENT", ""}});
  EXPECT_EQ(answer->code(), 1);
  EXPECT_EQ(answer->remark(), "reply message properties[REPLY_TO_CLIENT] is null");
  EXPECT_EQ(answer->field("queueOffset"), "0") << "stored all the same";
  EXPECT_EQ(replies_stored().size(), 1U);
}

TEST_F(SendReplyTest, SaysThatWhoeverAskedIsGone) {
  clients.peer_closed(*asker);
  const auto answer = begin_reply("R");
  EXPECT_EQ(answer->code(), 1);
  EXPECT_EQ(answer->remark(), "push reply message fail, channel of <asker@1> not found.");
  EXPECT_EQ(replies_stored().size(), 1U);
}

TEST_F(SendReplyTest, SaysThatThePushFailed) {
  const auto answer = begin_reply("R");
  answer_push(remoting::error(remoting::Errc::kTimeout));
  EXPECT_EQ(answer->code(), 1);
  EXPECT_THAT(answer->remark(), HasSubstr("push reply message to asker@1fail. "));
  EXPECT_THAT(answer->remark(), HasSubstr("no answer in time"));
  EXPECT_EQ(answer->field("queueOffset"), "0");

  const auto refused = begin_reply("R");
  remoting::Answer answered;
  answered.code = 1;
  answered.remark = "what is this";
  answer_push(answered);
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), "push reply message to asker@1fail. what is this");
}

TEST_F(SendReplyTest, SendsNothingToAConnectionThatTakesNothing) {
  asker->take_answers(false);
  const auto answer = begin_reply("R");
  EXPECT_EQ(asker->calls(), 0U);
  EXPECT_EQ(answer->code(), 1);
  EXPECT_THAT(answer->remark(), HasSubstr("push reply message to asker@1fail."));
}

TEST_F(SendReplyTest, StoresNothingIfItShallNot) {
  reply_options.are_stored = false;
  const auto answer = begin_reply("R");
  answer_push(remoting::Answer{});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("msgId"), "0") << "clients decode it";
  EXPECT_EQ(answer->field("queueId"), "0");
  EXPECT_EQ(answer->field("queueOffset"), "0");
  EXPECT_THAT(replies_stored(), IsEmpty());
}

TEST_F(SendReplyTest, PassesOnWhatCannotBeStored) {
  options.message_size_max = 2;
  for (const std::string_view body : {"", "three"}) {
    const auto answer = begin_reply(body);
    answer_push(remoting::Answer{});
    EXPECT_EQ(answer->code(), 0);
    EXPECT_EQ(answer->field("msgId"), "0");
  }
  EXPECT_THAT(replies_stored(), IsEmpty());
}

TEST_F(SendReplyTest, RefusesWhatASendIsRefusedFor) {
  EXPECT_EQ(begin_reply("R", {}, {{"topic", "../x"}})->code(), 29);
  EXPECT_EQ(begin_reply("R", {}, {{"queueId", "9"}})->code(), 29);
  EXPECT_EQ(begin_reply("R", {}, {{"topic", "unknown"}, {"defaultTopic", "x"}})->code(), 17);
  const auto refused = begin_reply("R", {}, {{"topic", "SCHEDULE_TOPIC_XXXX"}});
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->field("MSG_REGION"), "DefaultRegion");
  EXPECT_EQ(begin_reply("R", {}, {{"-queueId", ""}})->code(), 1);
  EXPECT_EQ(asker->calls(), 0U);
}

TEST_F(SendReplyTest, RefusesToPushPropertiesThatNoRecordCanHold) {
  const auto answer = begin_reply("R", {{"x", std::string(40'000, 'x')}});
  EXPECT_EQ(answer->code(), 1);
  EXPECT_THAT(answer->remark(), HasSubstr("the limit is 32767"));
  EXPECT_EQ(asker->calls(), 0U);
  EXPECT_THAT(replies_stored(), IsEmpty());
}

TEST_F(SendReplyTest, AnswersNoReplyThatIsOneWay) {
  const auto answer = begin_reply("R", {}, {}, {.is_one_way = true});
  answer_push(remoting::Answer{});
  EXPECT_FALSE(answer->has_answer());
  EXPECT_EQ(replies_stored().size(), 1U);
}

TEST_F(SendReplyTest, LosesNoCallFromCount) {
  begin_reply("R");
  begin_reply("R");
  EXPECT_EQ(client_calls.under_way(), 2);
  for (auto& call : asker->take_calls()) call.answer(remoting::error(remoting::Errc::kClosed));
  run();
  EXPECT_EQ(client_calls.under_way(), 0);
}

}  // namespace
}  // namespace tern::broker
