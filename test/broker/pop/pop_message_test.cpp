#include <cerrno>

#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::kInvisibleMs;
using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PopMessage : public test::PopCase {};

TEST_F(PopMessage, HandsOutWhatIsThereOnce) {
  send("T", "a");
  send("T", "b", {}, {{"queueId", "1"}});
  const auto answer = ask_pop();
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->remark(), "FOUND");
  EXPECT_EQ(answer->field("popTime"), std::to_string(clock.wall_ms()));
  EXPECT_EQ(answer->field("invisibleTime"), "60000");
  EXPECT_EQ(answer->field("restNum"), "0");
  EXPECT_THAT(bodies_of(messages_in(answer)), ElementsAre("a", "b"));
  EXPECT_EQ(ask_pop()->code(), 210);
  EXPECT_EQ(offsets.find("g", "T", 0), 1);
  EXPECT_EQ(offsets.find("g", "T", 1), 1);
}

TEST_F(PopMessage, WritesACheckpointThatApachesBrokerReads) {
  options.broker_name = "b";
  send("T", "a");
  send("T", "b");
  const auto answer = ask_pop({{"queueId", "0"}});
  const auto revive_queue = std::stoi(answer->field("reviveQid"));
  const auto checkpoints = stored("rmq_sys_REVIVE_LOG_c", revive_queue);
  ASSERT_THAT(checkpoints, SizeIs(1));
  const auto now = std::to_string(clock.wall_ms());
  EXPECT_EQ(checkpoints[0].body, R"({"bm":0,"bn":"b","c":"g","d":[0,1],"it":60000,"n":2,"pt":)" + now +
                                     R"(,"q":0,"reviveTime":)" + std::to_string(clock.wall_ms() + kInvisibleMs) +
                                     R"(,"ro":0,"so":0,"t":"T"})");
  EXPECT_EQ(checkpoints[0].properties.at("TAGS"), "ck");
  EXPECT_EQ(checkpoints[0].properties.at("TIMER_DELIVER_MS"), now);
  EXPECT_EQ(checkpoints[0].properties.at("UNIQ_KEY"), "T@0@0@g@" + now + "@b@ck");
}

TEST_F(PopMessage, SaysWhereMessagesStand) {
  for (int i = 0; i < 3; ++i) send("T", "a", {}, {{"queueId", "2"}});
  ask_pop({{"maxMsgNums", "1"}});
  const auto answer = ask_pop();
  EXPECT_EQ(answer->field("startOffsetInfo"), "0 2 1");
  EXPECT_EQ(answer->field("msgOffsetInfo"), "0 2 1,2");
}

TEST_F(PopMessage, GivesEachGroupItsOwn) {
  make_group("h");
  send("T", "a");
  EXPECT_THAT(pop_all(), SizeIs(1));
  EXPECT_THAT(pop_all({{"consumerGroup", "h"}}), SizeIs(1));
}

TEST_F(PopMessage, ReadsOneQueueIfAsked) {
  send("T", "a");
  send("T", "b", {}, {{"queueId", "1"}});
  EXPECT_THAT(bodies_of(pop_all({{"queueId", "1"}})), ElementsAre("b"));
}

TEST_F(PopMessage, GoesByPriorityWhereATopicHasOne) {
  make_topic("P", 4, [](auto& topic) { topic.attributes["message.type"] = "PRIORITY"; });
  make_group("never", [](auto& group) { group.others["attributes"] = {{"priority.factor", "0"}}; });
  for (int round = 0; round < 8; ++round) {
    for (const auto* priority : {"1", "3", "0", "2"}) send("P", priority, {{"_SYS_MSG_PRIORITY_", priority}});
  }
  const auto popped = [&](const std::string& group) {
    std::string bodies;
    for (int i = 0; i < 32; ++i) {
      for (const auto& one : pop_all({{"topic", "P"}, {"maxMsgNums", "1"}, {"consumerGroup", group}}))
        bodies += one.body;
    }
    return bodies;
  };
  EXPECT_EQ(popped("g"), "33333333222222221111111100000000");
  pop_options.highest_queue_first = false;
  make_group("lowest");
  EXPECT_EQ(popped("lowest"), "00000000111111112222222233333333");
  const auto mixed = popped("never");
  EXPECT_EQ(mixed.size(), 32U);
  EXPECT_NE(mixed, "00000000111111112222222233333333") << "it begins at a queue that is drawn each time";
}

TEST_F(PopMessage, GivesAtMostWhatIsAskedForAndSaysWhatIsLeft) {
  for (int i = 0; i < 5; ++i) send("T", fmt::format("m{}", i));
  const auto answer = ask_pop({{"maxMsgNums", "2"}});
  EXPECT_THAT(messages_in(answer), SizeIs(2));
  EXPECT_EQ(answer->field("restNum"), "3");
}

TEST_F(PopMessage, FiltersByTagAndMovesOn) {
  send("T", "a", {{"TAGS", "x"}});
  send("T", "b", {{"TAGS", "y"}});
  send("T", "c", {{"TAGS", "x"}});
  EXPECT_THAT(bodies_of(pop_all({{"exp", "y"}})), ElementsAre("b"));
  EXPECT_EQ(ask_pop({{"exp", "y"}})->code(), 210);
  EXPECT_EQ(offsets.find("g", "T", 0), 3);
}

TEST_F(PopMessage, FiltersBySqlAndRefusesWhatDoesNotCompile) {
  filter_options.is_enabled = true;
  send("T", "a", {{"n", "1"}});
  send("T", "b", {{"n", "5"}});
  EXPECT_THAT(bodies_of(pop_all({{"expType", "SQL92"}, {"exp", "n > 3"}})), ElementsAre("b"));
  const auto refused = ask_pop({{"expType", "SQL92"}, {"exp", "n > > 3"}});
  EXPECT_EQ(refused->code(), 23);
  EXPECT_EQ(refused->field("popTime"), "0");
}

// ---- where a group begins

TEST_F(PopMessage, BeginsAtTheStart) {
  for (int i = 0; i < 3; ++i) send("T", "a");
  EXPECT_THAT(pop_all(), SizeIs(3));
}

TEST_F(PopMessage, BeginsWithTheFirstYoungMessageAlsoIfAskedForTheEnd) {
  for (int i = 0; i < 3; ++i) send("T", "a");
  EXPECT_THAT(pop_all({{"initMode", "1"}}), SizeIs(3));
}

TEST_F(PopMessage, BeginsWithTheLastMessageIfAskedForTheEnd) {
  pop_options.starts_at_zero_in_memory = false;
  for (int i = 0; i < 3; ++i) send("T", fmt::format("m{}", i));
  EXPECT_THAT(bodies_of(pop_all({{"initMode", "1"}})), ElementsAre("m2"));
}

TEST_F(PopMessage, ContinuesWhereAPullStopped) {
  for (int i = 0; i < 3; ++i) send("T", fmt::format("m{}", i));
  offsets.commit("g", "T", 0, 1);
  EXPECT_THAT(bodies_of(pop_all({{"queueId", "0"}})), ElementsAre("m1", "m2"));
}

TEST_F(PopMessage, FollowsAReset) {
  for (int i = 0; i < 3; ++i) send("T", fmt::format("m{}", i));
  EXPECT_THAT(pop_all(), SizeIs(3));
  offsets.set_reset("g", "T", 0, 1);
  clock.advance_ms(1);
  EXPECT_THAT(bodies_of(pop_all()), ElementsAre("m1", "m2"));
  EXPECT_EQ(offsets.find("g", "T", 0), 3);
}

// ---- waiting

TEST_F(PopMessage, WaitsForAMessage) {
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  EXPECT_FALSE(waiting->has_answer());
  EXPECT_EQ(pop->hold->parked(), 1U);
  send("T", "a", {}, {{"queueId", "3"}});
  EXPECT_THAT(bodies_of(messages_in(waiting)), ElementsAre("a"));
  EXPECT_EQ(pop->hold->parked(), 0U);
}

TEST_F(PopMessage, GivesUpWaitingWhenItsTimeIsOver) {
  const auto waiting = ask_pop({{"pollTime", "15000"}, {"bornTime", std::to_string(clock.wall_ms() - 5'000)}});
  clock.advance_ms(9'999);
  pop->hold->expire();
  run();
  EXPECT_FALSE(waiting->has_answer());
  clock.advance_ms(1);
  pop->hold->expire();
  run();
  EXPECT_EQ(waiting->code(), 210);
  EXPECT_EQ(waiting->field("restNum"), "0");
  EXPECT_EQ(waiting->field("invisibleTime"), "60000");
}

TEST_F(PopMessage, OneMessageWakesOneOfAGroupAndOneOfEach) {
  make_group("h");
  const auto first = ask_pop({{"pollTime", "15000"}});
  const auto second = ask_pop({{"pollTime", "15000"}});
  const auto other = ask_pop({{"pollTime", "15000"}, {"consumerGroup", "h"}});
  send("T", "a");
  EXPECT_EQ(first->code(), 0);
  EXPECT_EQ(other->code(), 0);
  EXPECT_FALSE(second->has_answer());
  send("T", "b");
  EXPECT_EQ(second->code(), 0);
}

TEST_F(PopMessage, WhatOneLeavesWakesTheNext) {
  std::vector<test::AnswerPtr> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(ask_pop({{"pollTime", "15000"}, {"maxMsgNums", "1"}}));
  for (int i = 0; i < 3; ++i) begin(RequestCode::kSendMessage, send_fields("T", i), "a");
  run();
  for (const auto& one : waiting) EXPECT_EQ(one->code(), 0);
}

TEST_F(PopMessage, AMessageThatItsFilterDoesNotWantLeavesItWaiting) {
  const auto waiting = ask_pop({{"pollTime", "15000"}, {"exp", "x"}});
  send("T", "a", {{"TAGS", "y"}});
  EXPECT_FALSE(waiting->has_answer());
  send("T", "b", {{"TAGS", "x"}});
  EXPECT_THAT(bodies_of(messages_in(waiting)), ElementsAre("b"));
}

TEST_F(PopMessage, DoesNotWaitBeyondItsLimits) {
  pop_options.parked_per_key_max = 1;
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  const auto refused = ask_pop({{"pollTime", "15000"}});
  EXPECT_EQ(refused->code(), 209);
  EXPECT_THAT(refused->remark(), HasSubstr("popPollingSize=1"));
  EXPECT_FALSE(ask_pop({{"pollTime", "15000"}, {"queueId", "1"}})->has_answer());
}

TEST_F(PopMessage, AClosedConnectionLeavesTheMessageToOthers) {
  const auto gone = new_peer();
  const auto lost = ask_pop({{"pollTime", "15000"}}, {.over = gone});
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  gone->close();
  send("T", "a");
  EXPECT_TRUE(lost->is_forgotten());
  EXPECT_EQ(waiting->code(), 0);
}

TEST_F(PopMessage, AConnectionThatTakesNoAnswersLeavesTheMessageToOthers) {
  const auto slow = new_peer();
  const auto stuck = ask_pop({{"pollTime", "15000"}}, {.over = slow});
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  slow->take_answers(false);
  send("T", "a");
  EXPECT_EQ(stuck->code(), 210);
  EXPECT_EQ(waiting->code(), 0);
}

TEST_F(PopMessage, WaitsNoLongerWhenItsTopicIsRemoved) {
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  topics.remove("T");
  pop->hold->wake_topic("T");
  run();
  EXPECT_EQ(waiting->code(), 210);
}

// ---- what is refused

TEST_F(PopMessage, RefusesInApachesOrder) {
  EXPECT_EQ(ask_pop({{"bornTime", std::to_string(clock.wall_ms() - 501)}})->code(), 210);
  EXPECT_EQ(ask_pop({{"maxMsgNums", "33"}})->code(), 29);
  EXPECT_EQ(ask_pop({{"topic", "U"}})->code(), 17);
  EXPECT_EQ(ask_pop({{"queueId", "4"}})->code(), 29);
  EXPECT_EQ(ask_pop({{"queueId", "-2"}})->code(), 29);
  EXPECT_EQ(ask_pop({{"exp", " || "}})->code(), 23);
  make_topic("W", 1, [](TopicConfig& topic) { topic.perm = kPermWrite; });
  EXPECT_EQ(ask_pop({{"topic", "W"}})->code(), 16);
  make_group("off", [](GroupConfig& group) { group.consume_enable = false; });
  EXPECT_EQ(ask_pop({{"consumerGroup", "off"}})->code(), 16);
  options.auto_create_groups = false;
  const auto refused = ask_pop({{"consumerGroup", "none"}});
  EXPECT_EQ(refused->code(), 26);
  for (const auto* name : {"popTime", "invisibleTime", "reviveQid", "restNum"}) EXPECT_EQ(refused->field(name), "0");
}

TEST_F(PopMessage, RefusesAnInvisibleTimeOutOfRange) {
  for (const auto* value : {"0", "-1", "259200001"}) {
    const auto refused = ask_pop({{"invisibleTime", value}});
    EXPECT_EQ(refused->code(), 29) << value;
    EXPECT_THAT(refused->remark(), HasSubstr("allowed are 1 to 259200000"));
  }
  for (const auto* value : {"", "x", "9223372036854775808"})
    EXPECT_EQ(ask_pop({{"invisibleTime", value}})->code(), 1) << value;
}

TEST_F(PopMessage, RefusesABatchQueue) {
  make_topic("B", 1, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  EXPECT_THAT(ask_pop({{"topic", "B"}})->remark(), HasSubstr("BatchCQ"));
}

TEST_F(PopMessage, RefusesBeyondTheLimitOfCheckpoints) {
  pop_options.open_max = 1;
  send("T", "a");
  send("T", "b");
  EXPECT_THAT(pop_all({{"maxMsgNums", "1"}}), SizeIs(1));
  EXPECT_THAT(ask_pop()->remark(), HasSubstr("popCkMaxBufferSize=1"));
}

TEST_F(PopMessage, StopsAtTheLimitOfUnacknowledgedMessagesOfAQueue) {
  pop_options.limits_inflight = true;
  pop_options.inflight_max = 2;
  for (int i = 0; i < 3; ++i) send("T", fmt::format("m{}", i));
  const auto popped = pop_all({{"maxMsgNums", "2"}});
  ASSERT_THAT(popped, SizeIs(2));
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  EXPECT_FALSE(waiting->has_answer());
  ack(popped[0]);
  EXPECT_THAT(bodies_of(messages_in(waiting)), ElementsAre("m2"));
}

TEST_F(PopMessage, HandsOutNothingWithoutACheckpoint) {
  send("T", "a");
  flush();
  send("T", "b");
  disk.fail_at(disk.changes() + 1, EIO, 10);
  store->flush_step();
  run();
  ASSERT_FALSE(store->log().read_only_reason().empty());
  EXPECT_EQ(ask_pop()->code(), 14);
  EXPECT_EQ(pop->ledger.open(), 0U);
  EXPECT_EQ(offsets.find("g", "T", 0), 0);
  EXPECT_FALSE(pop->ledger.is_locked({"g", "T", 0}));
}

class PopMessageSync : public test::PopCase {
 protected:
  PopMessageSync() : PopCase("SYNC_FLUSH") {}
};

TEST_F(PopMessageSync, WaitsForTheDiskBeforeItHandsOut) {
  begin(RequestCode::kSendMessage, send_fields("T"), "a");
  run();
  flush();
  const auto answer = ask_pop();
  EXPECT_FALSE(answer->has_answer());
  EXPECT_EQ(offsets.find("g", "T", 0), 0);
  EXPECT_EQ(ask_pop()->code(), 210) << "another pop reads the queue meanwhile";
  const auto waiting = ask_pop({{"pollTime", "15000"}});
  EXPECT_FALSE(waiting->has_answer());
  flush();
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 1);
  EXPECT_FALSE(waiting->has_answer());
}

}  // namespace
}  // namespace tern::broker
