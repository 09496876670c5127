#include "tern/message/topic_name.hpp"

#include <cctype>

#include <gtest/gtest.h>

namespace tern::message {
namespace {

constexpr std::string_view kOnly = "allowing only ^[%|a-zA-Z0-9_-]+$";

TEST(TopicName, MayHoldLettersDigitsAndFourSigns) {
  for (const std::string_view name : {"T", "TopicTest", "a-b_c%d|e", "0123456789", "%RETRY%group", "%DLQ%group"}) {
    EXPECT_EQ(topic_problem(name), std::nullopt) << name;
    EXPECT_EQ(group_problem(name), std::nullopt) << name;
  }
}

TEST(TopicName, RefusesBlanks) {
  for (const std::string_view name : {"", " ", "\t \n", "\x1C\x1F"}) {
    EXPECT_EQ(topic_problem(name), "The specified topic is blank.");
    EXPECT_EQ(group_problem(name), "The specified group is blank.");
  }
}

TEST(TopicName, RefusesEveryOtherCharacter) {
  for (int c = 0; c < 256; ++c) {
    const std::string name = "a" + std::string(1, static_cast<char>(c));
    const bool is_legal = c < 128 && (std::isalnum(c) != 0 ||
                                      std::string_view("%|_-").find(static_cast<char>(c)) != std::string_view::npos);
    EXPECT_EQ(!topic_problem(name), is_legal) << c;
    EXPECT_EQ(!group_problem(name), is_legal) << c;
  }
  EXPECT_EQ(topic_problem("a.b"), "The specified topic: a.b, contains illegal characters, " + std::string(kOnly));
  EXPECT_EQ(group_problem("a b"), "The specified group: a b, contains illegal characters, " + std::string(kOnly));
  EXPECT_TRUE(topic_problem("%RETRY%group+topic")) << "the plus of POP's retry topics is illegal on purpose";
}

TEST(TopicName, RefusesMoreThan127Characters) {
  EXPECT_EQ(topic_problem(std::string(127, 'a')), std::nullopt);
  const std::string name(128, 'a');
  EXPECT_EQ(topic_problem(name), "The specified topic: " + name + ", is longer than topic max length: 127");
}

TEST(TopicName, AllowsRetryAndDeadLetterTopics255Characters) {
  for (const std::string_view prefix : {kRetryPrefix, kDeadLetterPrefix}) {
    std::string name(prefix);
    name.resize(255, 'a');
    EXPECT_EQ(topic_problem(name), std::nullopt);
    name.push_back('a');
    EXPECT_EQ(topic_problem(name),
              "The specified topic is DLQ or Retry topic: " + name + ", and it's longer than topic max length: 255");
  }
}

TEST(GroupName, RefusesMoreThan120Characters) {
  EXPECT_EQ(group_problem(std::string(120, 'a')), std::nullopt);
  const std::string name(121, 'a');
  EXPECT_EQ(group_problem(name), "The specified group: " + name + ", is longer than group max length: 120");
}

TEST(TopicName, IsDerivedFromTheGroup) {
  EXPECT_EQ(retry_topic("G"), "%RETRY%G");
  EXPECT_EQ(dead_letter_topic("G"), "%DLQ%G");
  EXPECT_TRUE(is_retry_topic("%RETRY%G"));
  EXPECT_FALSE(is_retry_topic("%RETRY"));
  EXPECT_TRUE(is_dead_letter_topic("%DLQ%G"));
  EXPECT_FALSE(is_dead_letter_topic("x%DLQ%G"));
}

TEST(TopicName, GivesTheGroupBack) {
  EXPECT_EQ(group_of_retry_topic("%RETRY%G"), "G");
  EXPECT_EQ(group_of_retry_topic("%RETRY%G+topic"), "G");
  EXPECT_EQ(group_of_retry_topic("%RETRY%G_topic"), "G_topic");
  EXPECT_EQ(group_of_retry_topic("%RETRY%"), "");
  EXPECT_EQ(group_of_retry_topic("T"), "");
}

TEST(SystemTopics, AreTheFixedSetAndAPrefix) {
  for (const std::string_view name :
       {"TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRACE_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
        "CHECKPOINT_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
        "rmq_sys_wheel_timer", "rmq_sys_"}) {
    EXPECT_TRUE(is_system_topic(name)) << name;
  }
  for (const std::string_view name : {"TopicTest", "TBW1020", "RMQ_SYS_OTHER", "rmq_sys", "%RETRY%G", ""}) {
    EXPECT_FALSE(is_system_topic(name)) << name;
  }
}

TEST(SystemTopics, ForbidSendsToEightOfThem) {
  for (const std::string_view name : {"SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
                                      "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
                                      "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC"}) {
    EXPECT_TRUE(is_send_forbidden(name)) << name;
  }
  for (const std::string_view name : {"TBW102", "BenchmarkTest", "RMQ_SYS_TRACE_TOPIC", "CHECKPOINT_TOPIC",
                                      "rmq_sys_wheel_timer", "TopicTest", "%RETRY%G"}) {
    EXPECT_FALSE(is_send_forbidden(name)) << name;
  }
}

TEST(SystemGroups, HaveAPrefix) {
  EXPECT_TRUE(is_system_group("CID_RMQ_SYS_TRANS"));
  EXPECT_FALSE(is_system_group("CID_ONSAPI_PULL"));
  EXPECT_FALSE(is_system_group("CID_RMQ_SYS"));
}

}  // namespace
}  // namespace tern::message
