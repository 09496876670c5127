#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::kInvisibleMs;
using test::RequestCode;

class Notification : public test::PopCase {
 protected:
  test::AnswerPtr notify(const Fields& changes = {}) {
    return ask(RequestCode::kNotification, test::with({{"consumerGroup", "g"},
                                                       {"topic", "T"},
                                                       {"queueId", "-1"},
                                                       {"pollTime", "15000"},
                                                       {"bornTime", std::to_string(clock.wall_ms())}},
                                                      changes));
  }
  test::AnswerPtr info(const Fields& changes = {}) {
    return ask(RequestCode::kPollingInfo,
               test::with({{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "-1"}}, changes));
  }
  test::AnswerPtr peek(const Fields& changes = {}) {
    return ask(RequestCode::kPeekMessage,
               test::with({{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "-1"}, {"maxMsgNums", "32"}}, changes));
  }
};

TEST_F(Notification, SaysAtOnceThatThereIsAMessage) {
  send("T", "a");
  const auto answer = notify();
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("hasMsg"), "true");
  EXPECT_EQ(answer->field("pollingFull"), "false");
}

TEST_F(Notification, WaitsAndTakesNothing) {
  const auto waiting = notify();
  const auto popping = ask_pop({{"pollTime", "15000"}});
  EXPECT_FALSE(waiting->has_answer());
  send("T", "a");
  EXPECT_EQ(waiting->field("hasMsg"), "true");
  EXPECT_EQ(popping->code(), 0);
}

TEST_F(Notification, DoesNotStandBetweenAMessageAndAPop) {
  const auto first = ask_pop({{"pollTime", "15000"}, {"maxMsgNums", "1"}});
  const auto waiting = notify({{"queueId", "2"}});
  const auto second = ask_pop({{"pollTime", "15000"}, {"maxMsgNums", "1"}});
  for (int i = 0; i < 2; ++i) begin(RequestCode::kSendMessage, send_fields("T", 1), "a");
  run();
  EXPECT_EQ(first->code(), 0);
  EXPECT_EQ(second->code(), 0);
  EXPECT_FALSE(waiting->has_answer());
}

TEST_F(Notification, SaysWhenItsTimeIsOver) {
  const auto waiting = notify();
  clock.advance_ms(15'000);
  pop->hold->expire();
  run();
  EXPECT_EQ(waiting->code(), 0);
  EXPECT_EQ(waiting->field("hasMsg"), "false");
  EXPECT_EQ(notify({{"pollTime", "0"}})->field("hasMsg"), "false");
}

TEST_F(Notification, HearsOfRetries) {
  send("T", "a");
  pop_all();
  const auto waiting = notify({{"pollTime", "100000"}});
  pass(kInvisibleMs);
  EXPECT_EQ(waiting->field("hasMsg"), "true");
}

TEST_F(Notification, SaysIfTooManyWait) {
  pop_options.parked_per_key_max = 1;
  EXPECT_FALSE(notify()->has_answer());
  const auto refused = notify();
  EXPECT_EQ(refused->field("hasMsg"), "false");
  EXPECT_EQ(refused->field("pollingFull"), "true");
}

TEST_F(Notification, Refuses) {
  EXPECT_EQ(notify({{"topic", "U"}})->code(), 17);
  EXPECT_EQ(notify({{"queueId", "4"}})->code(), 29);
  EXPECT_EQ(notify({{"-pollTime", ""}})->code(), 1);
  options.auto_create_groups = false;
  EXPECT_EQ(notify({{"consumerGroup", "none"}})->code(), 26);
  EXPECT_EQ(info({{"consumerGroup", "none"}})->code(), 26);
  EXPECT_EQ(peek({{"consumerGroup", "none"}})->code(), 26);
}

TEST_F(Notification, PollingInfoCountsWhoWaits) {
  EXPECT_EQ(info()->field("pollingNum"), "0");
  const auto first = ask_pop({{"pollTime", "15000"}});
  const auto second = ask_pop({{"pollTime", "15000"}});
  const auto other = ask_pop({{"pollTime", "15000"}, {"queueId", "1"}});
  EXPECT_EQ(info()->field("pollingNum"), "2");
  EXPECT_EQ(info({{"queueId", "1"}})->field("pollingNum"), "1");
  EXPECT_EQ(info({{"topic", "U"}})->code(), 17);
}

TEST_F(Notification, PeekShowsWhatAPopWouldGiveAndChangesNothing) {
  for (int i = 0; i < 3; ++i) send("T", fmt::format("m{}", i));
  pop_all({{"maxMsgNums", "1"}});
  const auto answer = peek({{"maxMsgNums", "1"}});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->remark(), "FOUND");
  EXPECT_EQ(answer->field("restNum"), "1");
  EXPECT_EQ(answer->field("popTime"), "0");
  EXPECT_THAT(bodies(messages_of(answer->body())), ::testing::ElementsAre("m1"));
  EXPECT_EQ(offsets.find("g", "T", 0), 1);
  EXPECT_EQ(pop->ledger.open(), 1U);
}

TEST_F(Notification, PeekOfNothing) {
  const auto answer = peek();
  EXPECT_EQ(answer->code(), 19);
  EXPECT_EQ(answer->field("restNum"), "0");
  EXPECT_EQ(peek({{"topic", "U"}})->code(), 17);
  EXPECT_EQ(peek({{"queueId", "4"}})->code(), 29);
}

}  // namespace
}  // namespace tern::broker
