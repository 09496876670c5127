#include "broker/retry/send_back.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class SendBackTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T");
    ASSERT_EQ(send("T", "m", {{"TAGS", "A"}, {"KEYS", "k"}, {"UNIQ_KEY", "U1"}}, {{"flag", "7"}})->code(), 0);
    failed = stored("T").at(0);
  }
  test::AnswerPtr send_back(std::int64_t position, const Fields& changes = {}, const test::AskOptions& how = {}) {
    return ask(RequestCode::kConsumerSendMessageBack,
               test::with({{"offset", std::to_string(position)}, {"group", "g"}, {"delayLevel", "0"}}, changes), {},
               how);
  }
  /// When its delay is over, the message in the retry topic.
  test::StoredMessage retried(std::size_t index) {
    clock.advance_ms(7'200'000);
    delayed->step(512);
    run();
    const auto all = stored("%RETRY%g");
    if (all.size() <= index) {
      ADD_FAILURE() << "only " << all.size();
      return {};
    }
    return all[index];
  }

  test::StoredMessage failed;
};

TEST_F(SendBackTest, DelaysTheMessageLongerWithEachAttempt) {
  EXPECT_EQ(send_back(failed.position)->code(), 0);
  ASSERT_EQ(stored("SCHEDULE_TOPIC_XXXX", 2).size(), 1U) << "level 3";
  const auto second = retried(0);
  EXPECT_EQ(second.reconsume_times, 1);
  EXPECT_EQ(send_back(second.position)->code(), 0);
  ASSERT_EQ(stored("SCHEDULE_TOPIC_XXXX", 3).size(), 1U) << "level 4";
  EXPECT_EQ(retried(1).reconsume_times, 2);
}

// One message of a batch has no record of its own. Its client sends the message itself when it gets this answer.
TEST_F(SendBackTest, CannotTakeBackABatch) {
  make_topic("B", 1, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  std::string properties;
  message::append_inner_batch(properties, 2);
  message::RecordParts parts;
  parts.topic = "B";
  parts.properties = properties;
  parts.body = test::bytes_of(std::string_view("batch"));
  parts.sys_flag = message::kSysInnerBatch | message::kSysNeedUnwrap;
  parts.offset_count = 2;
  parts.ends_with_inner_base = true;
  store::LogPosition position;
  ASSERT_TRUE(stage().send(parts, false, [&](const PutOutcome& put) { position = put.placement.position; }));
  run();
  const auto answer = send_back(position.value);
  EXPECT_EQ(answer->code(), 1);
  EXPECT_EQ(answer->remark(), "MESSAGE_ILLEGAL");
  EXPECT_THAT(stored("SCHEDULE_TOPIC_XXXX", 2), IsEmpty());
}

TEST_F(SendBackTest, KeepsTheMessageAndSaysWhereItCameFrom) {
  send_back(failed.position);
  const auto again = retried(0);
  EXPECT_EQ(again.body, "m");
  EXPECT_EQ(again.flag, 7);
  EXPECT_EQ(again.born_timestamp, failed.born_timestamp);
  EXPECT_EQ(again.born_host, failed.born_host);
  EXPECT_EQ(again.tags_code, 65);
  auto expected = failed.properties;
  expected["ORIGIN_MESSAGE_ID"] = message::offset_message_id(identity.store_host, failed.position);
  expected["RETRY_TOPIC"] = "T";
  expected["DELAY"] = "3";
  expected["WAIT"] = "false";
  expected["REAL_TOPIC"] = "%RETRY%g";
  expected["REAL_QID"] = "0";
  EXPECT_EQ(again.properties, expected);

  send_back(again.position);
  const auto third = retried(1);
  expected["DELAY"] = "4";
  EXPECT_EQ(third.properties, expected) << "topic and id are those of the first incarnation";
}

TEST_F(SendBackTest, TakesTheLevelThatTheConsumerAsksFor) {
  send_back(failed.position, {{"delayLevel", "1"}});
  EXPECT_EQ(stored("SCHEDULE_TOPIC_XXXX", 0).size(), 1U);
  send_back(failed.position, {{"delayLevel", "99"}});
  EXPECT_EQ(stored("SCHEDULE_TOPIC_XXXX", 17).size(), 1U) << "capped";
}

TEST_F(SendBackTest, SendsToTheDeadLettersAfterTheLastAttempt) {
  make_group("g", [](GroupConfig& group) { group.retry_max_times = 1; });
  send_back(failed.position);
  const auto second = retried(0);
  EXPECT_EQ(send_back(second.position)->code(), 0);
  const auto dead = stored("%DLQ%g");
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].body, "m");
  EXPECT_EQ(dead[0].reconsume_times, 2);
  EXPECT_EQ(dead[0].properties.at("DELAY"), "0");
  EXPECT_EQ(dead[0].properties.at("RETRY_TOPIC"), "T");
  EXPECT_EQ(topics.find("%DLQ%g")->perm, 6);
  EXPECT_EQ(topics.find("%DLQ%g")->write_queues, 1);
}

TEST_F(SendBackTest, HasNoRealTopicAmongTheFirstDeadLetters) {
  send_back(failed.position, {{"delayLevel", "-1"}});
  const auto dead = stored("%DLQ%g");
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].properties.count("REAL_TOPIC"), 0U);
  EXPECT_EQ(dead[0].reconsume_times, 1);
}

TEST_F(SendBackTest, CountsAttemptsAsANewEnoughClientSays) {
  send_back(failed.position, {{"maxReconsumeTimes", "0"}}, {.version = 120});
  EXPECT_THAT(stored("%DLQ%g"), IsEmpty());
  send_back(failed.position, {{"maxReconsumeTimes", "0"}}, {.version = 121});
  EXPECT_EQ(stored("%DLQ%g").size(), 1U);
}

TEST_F(SendBackTest, CreatesGroupAndRetryTopic) {
  send_back(failed.position, {{"unitMode", "true"}});
  EXPECT_NE(groups.find("g"), nullptr);
  ASSERT_NE(topics.find("%RETRY%g"), nullptr);
  EXPECT_EQ(topics.find("%RETRY%g")->sys_flag, kTopicUnitSub);
}

TEST_F(SendBackTest, RefusesInApachesOrder) {
  options.auto_create_groups = false;
  options.permission = 4;
  auto refused = send_back(999'999);
  EXPECT_EQ(refused->code(), 26);
  EXPECT_THAT(refused->remark(), StartsWith("subscription group not exist, g \n"));
  make_group("g", [](GroupConfig& group) { group.retry_queues = 0; });
  EXPECT_EQ(send_back(999'999)->code(), 16);
  options.permission = 6;
  EXPECT_EQ(send_back(999'999)->code(), 0) << "without retry queues there is nothing to do";
  EXPECT_EQ(topics.find("%RETRY%g"), nullptr);
  make_group("g");
  make_topic("%RETRY%g", 1, [](TopicConfig& topic) { topic.perm = kPermRead; });
  refused = send_back(999'999);
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "the topic[%RETRY%g] sending message is forbidden");
  make_topic("%RETRY%g", 1);
  refused = send_back(999'999);
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), "look message by offset failed, 999999");
}

TEST_F(SendBackTest, FindsNoMessageInTheMiddleOfOne) {
  EXPECT_EQ(send_back(failed.position + 1)->code(), 1);
  EXPECT_EQ(send_back(-1)->code(), 1);
}

}  // namespace
}  // namespace tern::broker
