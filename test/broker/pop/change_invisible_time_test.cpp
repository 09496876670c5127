#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::kInvisibleMs;
using test::Popped;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChangeInvisibleTime : public test::PopCase {
 protected:
  Popped popped() {
    send("T", "a");
    auto all = pop_all();
    EXPECT_THAT(all, SizeIs(1));
    return all.at(0);
  }
};

TEST_F(ChangeInvisibleTime, Extends) {
  const auto message = popped();
  clock.advance_ms(50'000);
  const auto answer = change(message, 120'000);
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("popTime"), std::to_string(clock.wall_ms()));
  EXPECT_EQ(answer->field("invisibleTime"), "120000");
  EXPECT_EQ(answer->field("reviveQid"), std::to_string(parse_receipt(message.receipt)->revive_queue));
  pass(119'999);
  EXPECT_THAT(pop_all(), IsEmpty());
  pass(1);
  EXPECT_THAT(pop_all(), SizeIs(1));
  pass(kInvisibleMs);
  EXPECT_THAT(pop_all(), SizeIs(1)) << "and only once";
}

TEST_F(ChangeInvisibleTime, Shortens) {
  const auto message = popped();
  change(message, 10);
  pass(10);
  EXPECT_THAT(pop_all(), SizeIs(1));
  pass(kInvisibleMs - 20);
  EXPECT_THAT(pop_all(), IsEmpty());
}

TEST_F(ChangeInvisibleTime, ToNothingMeansAtOnce) {
  change(popped(), 0);
  revive();
  EXPECT_THAT(pop_all(), SizeIs(1));
}

TEST_F(ChangeInvisibleTime, MakesANewReceiptAndSpoilsTheOldOne) {
  const auto message = popped();
  const auto fresh = changed(message, change(message, kInvisibleMs));
  EXPECT_NE(fresh.receipt, message.receipt) << "also within one millisecond";
  EXPECT_EQ(ack(message)->code(), 0);
  EXPECT_EQ(pop->ledger.open_messages({"g", "T", 0}), 1);
  EXPECT_EQ(ack(fresh)->code(), 0);
  EXPECT_EQ(pop->ledger.open_messages({"g", "T", 0}), 0);
  pass(kInvisibleMs);
  EXPECT_THAT(pop_all(), IsEmpty());
}

TEST_F(ChangeInvisibleTime, MayBeSaidAgainAndAgain) {
  auto message = popped();
  for (int i = 0; i < 5; ++i) message = changed(message, change(message, kInvisibleMs));
  EXPECT_EQ(pop->ledger.open(), 1U);
  pass(kInvisibleMs);
  EXPECT_THAT(pop_all(), SizeIs(1));
}

TEST_F(ChangeInvisibleTime, OfAStaleOrForgedReceiptChangesNothing) {
  const auto message = popped();
  pass(kInvisibleMs);
  const auto before = records("rmq_sys_REVIVE_LOG_c");
  const auto answer = change(message, 1'000);
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("popTime"), "0");
  EXPECT_EQ(answer->field("invisibleTime"), "0");
  EXPECT_EQ(change(message, 1'000, {{"extraInfo", "0 1 2 3 0 b 0 0"}})->field("popTime"), "0");
  EXPECT_EQ(records("rmq_sys_REVIVE_LOG_c"), before);
}

TEST_F(ChangeInvisibleTime, Refuses) {
  const auto message = popped();
  EXPECT_EQ(change(message, 1, {{"topic", "U"}})->code(), 17);
  EXPECT_EQ(change(message, 1, {{"queueId", "4"}})->code(), 13);
  EXPECT_EQ(change(message, 1, {{"offset", "1"}})->code(), 208);
  EXPECT_EQ(change(message, 1, {{"extraInfo", "x"}})->code(), 1);
  for (const auto value : {std::int64_t{-1}, kInvisibleMsMax + 1, std::int64_t{INT64_MIN}, std::int64_t{INT64_MAX}}) {
    const auto refused = change(message, value);
    EXPECT_EQ(refused->code(), 29) << value;
    EXPECT_THAT(refused->remark(), HasSubstr("allowed are 0 to 259200000"));
    EXPECT_EQ(refused->field("reviveQid"), "0");
  }
  EXPECT_EQ(pop->ledger.open_messages({"g", "T", 0}), 1);
}

TEST_F(ChangeInvisibleTime, WhatIsNotStoredHasNotChanged) {
  const auto message = popped();
  flush();
  send("T", "b");
  disk.fail_at(disk.changes() + 1, EIO, 10);
  store->flush_step();
  run();
  EXPECT_EQ(change(message, 1'000)->code(), 14);
  EXPECT_EQ(pop->ledger.open(), 1U);
  EXPECT_THAT(pop->ledger.begin_ack({{"g", "T", 0}, 0, parse_receipt(message.receipt)->pop_time}, {0}), SizeIs(1));
}

}  // namespace
}  // namespace tern::broker
