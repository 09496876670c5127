#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::kInvisibleMs;
using test::Popped;
using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PopOrder : public test::PopCase {
 protected:
  test::AnswerPtr ask_order(const Fields& changes = {}) {
    return ask_pop(test::with({{"order", "true"}, {"queueId", "0"}}, changes));
  }
  std::vector<Popped> order(const Fields& changes = {}) { return messages_in(ask_order(changes)); }
  void send_three() {
    for (int i = 0; i < 3; ++i) send("T", fmt::format("m{}", i));
  }
};

TEST_F(PopOrder, BlocksAQueueUntilAllIsAcknowledged) {
  send_three();
  const auto answer = ask_order({{"maxMsgNums", "2"}});
  EXPECT_EQ(answer->field("reviveQid"), "999");
  EXPECT_EQ(answer->field("orderCountInfo"), "0 0 0");
  EXPECT_EQ(answer->field("startOffsetInfo"), "0 0 0");
  EXPECT_EQ(answer->field("msgOffsetInfo"), "0 0 0,1");
  const auto first = messages_in(answer);
  ASSERT_THAT(first, SizeIs(2));
  const auto blocked = ask_order();
  EXPECT_EQ(blocked->code(), 210);
  EXPECT_EQ(blocked->field("orderCountInfo"), "");
  EXPECT_EQ(offsets.find("g", "T", 0), 0) << "the offset stays";
  EXPECT_EQ(ack(first[0])->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 1);
  EXPECT_EQ(ask_order()->code(), 210);
  ack(first[1]);
  EXPECT_EQ(offsets.find("g", "T", 0), 2);
  EXPECT_THAT(bodies_of(order()), ElementsAre("m2"));
  EXPECT_EQ(records("rmq_sys_REVIVE_LOG_c"), 0U);
}

TEST_F(PopOrder, OtherQueuesGoOn) {
  send("T", "a");
  order();
  send("T", "b", {}, {{"queueId", "1"}});
  EXPECT_THAT(bodies_of(order({{"queueId", "-1"}})), ElementsAre("b"));
}

TEST_F(PopOrder, GivesTheSameAgainWhenItsTimeIsOver) {
  send_three();
  order();
  clock.advance_ms(kInvisibleMs - 1);
  EXPECT_EQ(ask_order()->code(), 210);
  clock.advance_ms(1);
  const auto again = ask_order();
  EXPECT_THAT(bodies_of(messages_in(again)), ElementsAre("m0", "m1", "m2"));
  EXPECT_EQ(again->field("orderCountInfo"), "0 qo0%0 1;0 qo0%1 1;0 qo0%2 1;0 0 1");
}

TEST_F(PopOrder, CountsNewMessagesAsNew) {
  send("T", "a");
  order();
  send("T", "b");
  clock.advance_ms(kInvisibleMs);
  EXPECT_EQ(ask_order()->field("orderCountInfo"), "0 qo0%0 1;0 0 0");
}

TEST_F(PopOrder, TheSameAttemptGetsTheSameAgain) {
  send_three();
  order({{"attemptId", "x"}});
  EXPECT_EQ(ask_order({{"attemptId", "y"}})->code(), 210);
  EXPECT_EQ(ask_order()->code(), 210);
  clock.advance_ms(10);
  const auto again = ask_order({{"attemptId", "x"}});
  EXPECT_THAT(messages_in(again), SizeIs(3));
  EXPECT_EQ(again->field("orderCountInfo"), "0 0 0") << "nobody has seen them before";
}

TEST_F(PopOrder, ReceiptsOfAnEarlierTimeAreStale) {
  send_three();
  const auto first = order({{"attemptId", "x"}});
  clock.advance_ms(10);
  order({{"attemptId", "x"}});
  EXPECT_EQ(ack(first[0])->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 0);
  EXPECT_EQ(change(first[0], 1)->field("popTime"), "0");
}

TEST_F(PopOrder, WhatWasAcknowledgedBeforeItsPredecessorDoesNotComeAgain) {
  send_three();
  const auto first = order();
  ack(first[1]);
  ack(first[2]);
  EXPECT_EQ(offsets.find("g", "T", 0), 0);
  clock.advance_ms(kInvisibleMs);
  const auto again = order();
  ASSERT_THAT(bodies_of(again), ElementsAre("m0"));
  ack(again[0]);
  EXPECT_EQ(offsets.find("g", "T", 0), 3);
}

TEST_F(PopOrder, ChangesWhenAMessageIsVisible) {
  send_three();
  const auto first = order();
  clock.advance_ms(1'000);
  for (const auto& one : first) {
    const auto answer = change(one, 5'000);
    EXPECT_EQ(answer->field("popTime"), std::to_string(clock.wall_ms() - 1'000));
    EXPECT_EQ(answer->field("invisibleTime"), "6000");
    EXPECT_EQ(answer->field("reviveQid"), "999");
  }
  clock.advance_ms(4'999);
  EXPECT_EQ(ask_order()->code(), 210);
  clock.advance_ms(1);
  EXPECT_THAT(order(), SizeIs(3));
}

TEST_F(PopOrder, WhoWaitsIsWokenWhenTheQueueIsFree) {
  send_three();
  const auto first = order();
  const auto waiting = ask_order({{"pollTime", "100000"}});
  EXPECT_FALSE(waiting->has_answer());
  send("T", "more");
  EXPECT_FALSE(waiting->has_answer()) << "a message behind a blocked one wakes nobody";
  pass(kInvisibleMs);
  EXPECT_EQ(waiting->code(), 0);
  const auto second = messages_in(waiting);
  const auto next = ask_order({{"pollTime", "100000"}});
  for (const auto& one : second) ack(one);
  EXPECT_FALSE(next->has_answer()) << "all of it was handed out";
  send("T", "last");
  EXPECT_EQ(next->code(), 0);
}

TEST_F(PopOrder, NeverReadsRetries) {
  send("T", "a");
  pop_all();
  pass(kInvisibleMs);
  ASSERT_EQ(records("%RETRY%g_T"), 1U);
  EXPECT_THAT(order(), IsEmpty());
}

TEST_F(PopOrder, BatchesAcknowledgeInOrder) {
  send_three();
  const auto first = order();
  const auto receipt = *parse_receipt(first[0].receipt);
  const auto body =
      fmt::format(R"({{"acks":[{{"b":"Bw==","c":"g","it":60000,"pt":{},"q":0,"r":"0","rq":999,"so":0,"t":"T"}}]}})",
                  receipt.pop_time);
  EXPECT_EQ(ask(RequestCode::kBatchAckMessage, {}, body)->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 3);
}

TEST_F(PopOrder, AForgedReceiptMovesNothing) {
  send_three();
  const auto now = clock.wall_ms();
  offsets.commit("g", "T", 0, 0);
  Popped forged;
  forged.topic = "T";
  forged.offset = 2;
  append_receipt({0, now, kInvisibleMs, kOrderReviveQueue, RetryFlag::kNormal, "b", 0, 2}, forged.receipt);
  EXPECT_EQ(ack(forged)->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 0);
}

TEST_F(PopOrder, ATopicThatIsRemovedLeavesNothing) {
  send_three();
  const auto first = order();
  ack(first[1]);
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInBroker, {{"topic", "T"}})->code(), 0);
  make_topic("T");
  send_three();
  EXPECT_THAT(order(), SizeIs(3));
}

TEST_F(PopOrder, AResetGivesAllAgain) {
  send_three();
  ack(order()[1]);
  offsets.set_reset("g", "T", 0, 0);
  EXPECT_THAT(order(), SizeIs(3));
}

// ---- the file

TEST_F(PopOrder, IsSavedAsApachesBrokerReadsIt) {
  send_three();
  const auto first = order({{"attemptId", "x"}});
  ack(first[1]);
  change(first[2], 5'000);
  EXPECT_TRUE(pop_orders.save());
  const auto text = test::read_text(disk, "store/config/consumerOrderInfo.json");
  const auto json = protocol::parse_json(text);
  ASSERT_TRUE(json);
  const auto& block = (*json)["table"]["T@g"]["0"];
  EXPECT_EQ(block["a"], "x");
  EXPECT_EQ(block["cm"], 2);
  EXPECT_EQ(block["i"], kInvisibleMs);
  EXPECT_EQ(block["o"], protocol::Json::array({0, 1, 2}));
  EXPECT_EQ(block["popTime"], clock.wall_ms());
  EXPECT_EQ(block["ot"]["2"], clock.wall_ms() + 5'000);

  PopOrders again(clock, disk, "store/config/consumerOrderInfo.json");
  EXPECT_EQ(again.load(), std::nullopt);
  EXPECT_TRUE(again.is_blocked({"g", "T", 0}, "y"));
  EXPECT_FALSE(again.is_blocked({"g", "T", 0}, "x"));
  EXPECT_EQ(again.acknowledge({"g", "T", 0}, 0, clock.wall_ms()), 2);
  EXPECT_EQ(again.acknowledge({"g", "T", 0}, 2, clock.wall_ms()), 3);
}

TEST_F(PopOrder, ReadsApachesFileAndPassesOverWhatIsNone) {
  constexpr std::string_view kText =
      R"({"orderInfoCount":1,"orderedConsumptionLevel":"QUEUE","table":{"T@g":{0:{"a":"x","cm":1,"i":60000,)"
      R"("l":1700000000000,"o":[10,1,2],"oc":{11:3},"ot":{},"popTime":1700000000000},"x":{},"1":7,"2":{"o":[-1]},)"
      R"("3":{"o":["a"]},"4":{"o":[]}},"nothing":{},"T@h":7}})";
  ASSERT_TRUE(test::write_text(disk, "store/config/consumerOrderInfo.json", kText));
  PopOrders orders(clock, disk, "store/config/consumerOrderInfo.json");
  EXPECT_EQ(orders.load(), std::nullopt);
  EXPECT_TRUE(orders.is_blocked({"g", "T", 0}, ""));
  for (int queue = 1; queue < 5; ++queue) EXPECT_FALSE(orders.is_blocked({"g", "T", queue}, "")) << queue;
  const auto handed = orders.hand_out({"g", "T", 0}, "y", 1, 1, {10, 11, 12, 13});
  EXPECT_THAT(handed.offsets, ElementsAre(11, 12, 13));
  EXPECT_EQ(handed.attempts.at(11), 4);
  EXPECT_EQ(handed.attempts.at(12), 1);
  EXPECT_TRUE(orders.save());
  EXPECT_THAT(std::string(test::read_text(disk, "store/config/consumerOrderInfo.json")),
              ::testing::HasSubstr("orderedConsumptionLevel"));
}

TEST_F(PopOrder, AFileThatIsNoneStopsTheStart) {
  ASSERT_TRUE(test::write_text(disk, "store/config/consumerOrderInfo.json", "{"));
  PopOrders orders(clock, disk, "store/config/consumerOrderInfo.json");
  EXPECT_NE(orders.load(), std::nullopt);
}

}  // namespace
}  // namespace tern::broker
