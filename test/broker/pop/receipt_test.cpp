#include "broker/pop/receipt.hpp"

#include <gtest/gtest.h>

namespace tern::broker {
namespace {

TEST(Receipt, ReadsWhatItWrites) {
  std::string text;
  append_receipt({120, 1'700'000'000'000, 60'000, 4, RetryFlag::kV2, "broker-a", 3, 121}, text);
  EXPECT_EQ(text, "120 1700000000000 60000 4 2 broker-a 3 121");
  const auto receipt = parse_receipt(text);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->start_offset, 120);
  EXPECT_EQ(receipt->pop_time, 1'700'000'000'000);
  EXPECT_EQ(receipt->invisible_ms, 60'000);
  EXPECT_EQ(receipt->revive_queue, 4);
  EXPECT_EQ(receipt->flag, RetryFlag::kV2);
  EXPECT_EQ(receipt->broker, "broker-a");
  EXPECT_EQ(receipt->queue_id, 3);
  EXPECT_EQ(receipt->offset, 121);
}

TEST(Receipt, RefusesWhatIsNone) {
  for (const auto* text : {"", " ", "1", "1 2 3 4 0 b 5", "1 2 3 4 0 b 5 6 7", "1 2 3 4 0  b 5 6", "1 2 3 4 3 b 5 6",
                           "1 2 3 4 -1 b 5 6", "x 2 3 4 0 b 5 6", "1 2 3 4 0 b 5 6x", "1 2 3 4 0 b 99999999999 6",
                           "9223372036854775808 2 3 4 0 b 5 6", "1 2 3 4 0 b 5 "}) {
    EXPECT_FALSE(parse_receipt(text)) << text;
  }
}

TEST(Receipt, SaysWhereMessagesStand) {
  std::string starts;
  append_start_offset(RetryFlag::kNormal, 3, 120, starts);
  append_start_offset(RetryFlag::kV1, 0, 5, starts);
  EXPECT_EQ(starts, "0 3 120;1 0 5");
  std::string offsets;
  const std::int64_t numbers[] = {120, 121, 123};
  append_message_offsets(RetryFlag::kNormal, 3, numbers, offsets);
  append_message_offsets(RetryFlag::kV1, 0, std::span(numbers).first(1), offsets);
  EXPECT_EQ(offsets, "0 3 120,121,123;1 0 120");
}

TEST(Receipt, KnowsRetryTopicsByName) {
  EXPECT_EQ(retry_flag("T"), RetryFlag::kNormal);
  EXPECT_EQ(retry_flag(pop_retry_topic_v1("g", "T")), RetryFlag::kV1);
  EXPECT_EQ(retry_flag(pop_retry_topic_v2("g", "T")), RetryFlag::kV2);
  EXPECT_EQ(pop_retry_topic_v1("g", "T"), "%RETRY%g_T");
  EXPECT_EQ(pop_retry_topic_v2("g", "T"), "%RETRY%g+T");
  EXPECT_EQ(revive_topic("c"), "rmq_sys_REVIVE_LOG_c");
}

}  // namespace
}  // namespace tern::broker
