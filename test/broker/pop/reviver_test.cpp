#include "broker/pop/reviver.hpp"

#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::kInvisibleMs;
using test::Popped;
using test::SimulatedDisk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReviverCase : public test::PopCase {};

TEST_F(ReviverCase, BringsBackWhatIsNotAcknowledged) {
  send("T", "a", {{"TAGS", "x"}, {"KEYS", "k"}});
  const auto first = pop_all();
  ASSERT_THAT(first, SizeIs(1));
  pass(kInvisibleMs - 1);
  EXPECT_EQ(ask_pop()->code(), 210);
  pass(1);
  const auto answer = ask_pop();
  const auto second = messages_in(answer);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].body, "a");
  EXPECT_EQ(second[0].reconsume_times, 1);
  EXPECT_EQ(second[0].topic, "%RETRY%g_T");
  EXPECT_EQ(second[0].properties.at("TAGS"), "x");
  EXPECT_EQ(second[0].properties.at("KEYS"), "k");
  EXPECT_EQ(second[0].properties.at("UNIQ_KEY"), first[0].properties.at("UNIQ_KEY"));
  EXPECT_EQ(second[0].properties.at("1ST_POP_TIME"), std::to_string(parse_receipt(first[0].receipt)->pop_time));
  EXPECT_EQ(messages_of(answer->body())[0].topic, "T") << "clients see the topic that they asked for";
  EXPECT_EQ(answer->field("msgOffsetInfo"), "1 0 0");
}

TEST_F(ReviverCase, KeepsTheQueueOfWhatComesAgainIfToldTo) {
  pop_options.has_retry_queues = true;
  make_topic("P", 4, [](auto& topic) { topic.attributes["message.type"] = "PRIORITY"; });
  for (const auto* priority : {"0", "2"}) send("P", priority, {{"_SYS_MSG_PRIORITY_", priority}});
  EXPECT_THAT(pop_all({{"topic", "P"}}), SizeIs(2));
  pass(kInvisibleMs);
  const auto again = pop_all({{"topic", "P"}});
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].body, "2") << "the higher one first";
  EXPECT_EQ(again[0].queue_id, 2);
  EXPECT_EQ(again[1].queue_id, 0);
  for (const auto& one : again) EXPECT_EQ(ack(one, {{"topic", "%RETRY%g_P"}})->code(), 0);
  pass(kInvisibleMs);
  EXPECT_THAT(pop_all({{"topic", "P"}}), IsEmpty());
}

TEST_F(ReviverCase, ARetryKeepsItsFirstTimeAndCounts) {
  send("T", "a");
  const auto first = pop_all();
  pass(kInvisibleMs);
  pop_all();
  pass(kInvisibleMs);
  const auto third = pop_all();
  ASSERT_THAT(third, SizeIs(1));
  EXPECT_EQ(third[0].reconsume_times, 2);
  EXPECT_EQ(third[0].topic, "%RETRY%g_T") << "of a retry topic it comes to the same topic";
  EXPECT_EQ(third[0].properties.at("1ST_POP_TIME"), std::to_string(parse_receipt(first[0].receipt)->pop_time));
}

TEST_F(ReviverCase, RetriesToVersion2AndReadsBoth) {
  send("T", "a");
  pop_all();
  pass(kInvisibleMs);  // to version 1
  pop_options.retries_to_v2 = true;
  send("T", "b");
  EXPECT_THAT(bodies_of(pop_all({{"maxMsgNums", "1"}, {"queueId", "0"}})), SizeIs(1));
  EXPECT_THAT(pop_all(), SizeIs(1));
  pass(kInvisibleMs);
  EXPECT_EQ(records("%RETRY%g+T"), 1U);
  std::vector<std::string> seen;
  for (int i = 0; i < 2; ++i) {
    const auto answer = ask_pop();
    EXPECT_EQ(split(answer->field("startOffsetInfo"), ';').size(), 1U) << "one retry topic in a response";
    for (const auto& one : messages_in(answer)) seen.push_back(one.body);
  }
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre("a", "b"));
}

TEST_F(ReviverCase, NamesTheRetryTopicIfAsked) {
  pop_options.names_retry_topic = true;
  send("T", "a");
  pop_all();
  pass(kInvisibleMs);
  const auto second = pop_all();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].topic, "%RETRY%g_T");
  EXPECT_EQ(ack(second[0])->code(), 0);
  pass(kInvisibleMs);
  EXPECT_THAT(pop_all(), IsEmpty());
}

TEST_F(ReviverCase, AMessageThatWasDelayedIsNotDelayedOnceMore) {
  send("T", "a", {{"DELAY", "1"}});
  clock.advance_ms(1'000);
  delayed->step(10);
  run();
  ASSERT_THAT(pop_all(), SizeIs(1));
  pass(kInvisibleMs);
  const auto second = pop_all();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_FALSE(second[0].properties.contains("DELAY"));
}

TEST_F(ReviverCase, WakesWhoWaits) {
  send("T", "a");
  pop_all();
  const auto waiting = ask_pop({{"pollTime", "100000"}});
  pass(kInvisibleMs);
  EXPECT_THAT(messages_in(waiting), SizeIs(1));
}

TEST_F(ReviverCase, IsNotMovedByTheWallClock) {
  send("T", "a");
  pop_all();
  const auto noon = clock.wall_ms();
  store_options.log.accepts_clock_behind = true;
  clock.set_wall_ms(noon + 10 * kInvisibleMs);
  revive();
  EXPECT_EQ(records("%RETRY%g_T"), 0U) << "it jumped ahead";
  clock.set_wall_ms(noon - 10 * kInvisibleMs);
  revive();
  EXPECT_EQ(records("%RETRY%g_T"), 0U);
  pass(kInvisibleMs - 1);
  EXPECT_EQ(records("%RETRY%g_T"), 0U);
  revive();
  EXPECT_EQ(records("%RETRY%g_T"), 0U) << "it stands still";
  pass(1);
  EXPECT_EQ(records("%RETRY%g_T"), 1U) << "it went back";
}

TEST_F(ReviverCase, DropsWhatItsTopicOrGroupDoesNotWantAnyMore) {
  send("T", "a");
  pop_all();
  groups.remove("g");
  pass(kInvisibleMs);
  EXPECT_EQ(records("%RETRY%g_T"), 0U);
  EXPECT_EQ(pop->ledger.open(), 0U);
}

TEST_F(ReviverCase, BringsNothingBackOfATopicThatIsThereAnew) {
  send("T", "a");
  pop_all();
  ASSERT_TRUE(store->remove_topic("T"));
  send("T", "another");
  pass(kInvisibleMs);
  EXPECT_EQ(records("%RETRY%g_T"), 0U);
}

TEST_F(ReviverCase, AFullGroupOfPropertiesStillComesAgain) {
  const std::string value(32'600, 'v');
  send("T", "a", {{"k", value}});
  ASSERT_THAT(pop_all(), SizeIs(1));
  pass(kInvisibleMs);
  const auto answer = ask_pop();
  const auto second = messages_of(answer->body());
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].properties.at("k"), value);
}

TEST_F(ReviverCase, TriesAgainWhatCannotBeRead) {
  send("T", "a");
  pop_all();
  clock.advance_ms(kInvisibleMs);
  disk.fail_read_at(disk.reads() + 1, EIO, 1);
  revive();
  clock.advance_ms(1'000);
  revive();
  EXPECT_EQ(records("%RETRY%g_T"), 1U);
  EXPECT_EQ(pop->ledger.open(), 0U);
}

// ---- progress

TEST_F(ReviverCase, ProgressWaitsForTheDiskAndForOpenCheckpoints) {
  pop_options.revive_queues = 1;
  send("T", "a");
  const auto first = pop_all();
  send("T", "b");
  const auto second = pop_all();
  ack(second[0]);
  const auto progress = [&] { return offsets.find(kReviveGroup, "rmq_sys_REVIVE_LOG_c", 0); };
  flush();
  revive();
  EXPECT_EQ(progress(), std::nullopt) << "the first record is still needed";
  ack(first[0]);
  revive();
  EXPECT_EQ(progress(), std::nullopt) << "the acknowledgement is not on the disk";
  flush();
  revive();
  EXPECT_EQ(progress(), 3) << "the last record that is done";
}

// ---- what comes through Apache's timer

TEST_F(ReviverCase, TakesRecordsThatComeByThemselves) {
  send("T", "a");
  send("T", "b");
  offsets.commit("g", "T", 0, 2);
  const auto arrive = [&](const ReviveText& text) {
    auto properties = text.properties;
    message::PropertyWriter(properties).add("TIMER_OUT_MS", std::int64_t{1});
    message::RecordParts parts;
    parts.topic = "rmq_sys_REVIVE_LOG_c";
    parts.queue_id = 5;
    parts.body = std::as_bytes(std::span(text.body));
    parts.properties = properties;
    ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
    run();
  };
  const auto pop_time = clock.wall_ms() - 5'000;
  arrive(checkpoint_text({"T", "g", "b", 0, 0, {0, 1}, 0, pop_time, 5'000}, pop_time));
  revive();
  EXPECT_EQ(pop->ledger.open_messages({"g", "T", 0}), 2);
  EXPECT_EQ(records("%RETRY%g_T"), 0U) << "its acknowledgements come later";
  arrive(acknowledgement_text({"T", "g", "b", 0, 0, pop_time, {1}}, pop_time));
  pass(3'000);
  EXPECT_THAT(bodies_of(pop_all()), ElementsAre("a"));
}

// ---- restarts

class Node final : public test::PopCase {
 public:
  Node(SimulatedDisk& on, std::int64_t wall_ms) : PopCase("ASYNC_FLUSH", &on) {
    clock.set_wall_ms(wall_ms);
    SetUp();
  }
  void TestBody() override {}
  using PopCase::ack;
  using PopCase::bodies_of;
  using PopCase::change;
  using PopCase::changed;
  using PopCase::clock;
  using PopCase::flush;
  using PopCase::offsets;
  using PopCase::pass;
  using PopCase::pop;
  using PopCase::pop_all;
  using PopCase::records;
  using PopCase::revive;
  using PopCase::reviver;
  using PopCase::send;
  void save_offsets() {
    reviver->mark_offsets();
    EXPECT_TRUE(offsets.save(clock.wall_ms()));
  }
  void close() {
    EXPECT_TRUE(store->close());
    reviver->settle_progress();
    EXPECT_TRUE(offsets.save(clock.wall_ms()));
  }
};

constexpr std::int64_t kNoon = 1'700'000'000'000;

TEST(ReviverRestart, AKillForgetsNothing) {
  SimulatedDisk disk;
  std::unique_ptr<SimulatedDisk> after;
  std::vector<Popped> popped;
  {
    Node node(disk, kNoon);
    for (int i = 0; i < 4; ++i) node.send("T", fmt::format("m{}", i));
    popped = node.pop_all({{"maxMsgNums", "3"}});
    ASSERT_THAT(popped, SizeIs(3));
    node.ack(popped[1]);
    after = disk.kill();
  }
  Node node(*after, kNoon + 10'000);
  EXPECT_EQ(node.pop->ledger.open_messages({"g", "T", 0}), 2);
  EXPECT_THAT(Node::bodies_of(node.pop_all()), ElementsAre("m3")) << "the offset had moved on";
  node.ack(popped[0]);
  node.pass(kInvisibleMs - 10'000 - 1);
  EXPECT_EQ(node.records("%RETRY%g_T"), 0U);
  node.pass(1);
  EXPECT_THAT(Node::bodies_of(node.pop_all()), ElementsAre("m2"));
}

TEST(ReviverRestart, WhatWasRevivedIsNotRevivedAgain) {
  SimulatedDisk disk;
  std::unique_ptr<SimulatedDisk> after;
  {
    Node node(disk, kNoon);
    node.send("T", "a");
    node.pop_all();
    node.pass(kInvisibleMs);
    ASSERT_EQ(node.records("%RETRY%g_T"), 1U);
    after = disk.kill();
  }
  Node node(*after, kNoon + 2 * kInvisibleMs);
  node.pass(kInvisibleMs);
  EXPECT_EQ(node.records("%RETRY%g_T"), 1U);
  EXPECT_THAT(node.pop_all(), SizeIs(1));
}

TEST(ReviverRestart, AClockThatWentBackHoldsNothingUpForLongerThanItsTime) {
  SimulatedDisk disk;
  std::unique_ptr<SimulatedDisk> after;
  {
    Node node(disk, kNoon);
    node.send("T", "a");
    node.pop_all();
    after = disk.kill();
  }
  Node node(*after, kNoon - 3'000);
  node.pass(kInvisibleMs - 1);
  EXPECT_EQ(node.records("%RETRY%g_T"), 0U);
  node.pass(1);
  EXPECT_EQ(node.records("%RETRY%g_T"), 1U);
}

TEST(ReviverRestart, ACleanStopLeavesOffsetsAndProgressBehind) {
  SimulatedDisk disk;
  {
    Node node(disk, kNoon);
    node.send("T", "a");
    node.ack(node.pop_all().at(0));
    node.close();
  }
  Node node(disk, kNoon + 1'000);
  EXPECT_EQ(node.pop->ledger.open(), 0U);
  EXPECT_THAT(node.pop_all(), IsEmpty());
  EXPECT_EQ(node.offsets.find("g", "T", 0), 1);
}

// The message is there: it comes again once its entry is whole.
TEST(ReviverRestart, ADamagedEntryDoesNotSettleItsMessage) {
  SimulatedDisk disk;
  {
    Node node(disk, kNoon);
    node.send("T", "a");
    ASSERT_THAT(node.pop_all(), SizeIs(1));
    node.close();
  }
  const auto flip = [&](std::int64_t at) {
    const auto file = disk.open("store/consumequeue/T/0/00000000000000000000", file::OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    auto byte = test::read_text(**file, at, 1);
    byte[0] = static_cast<char>(byte[0] ^ 0x10);
    ASSERT_TRUE((*file)->write(at, test::bytes_of(byte)));
  };
  constexpr std::int64_t kHighByteOfPosition = 2;
  flip(kHighByteOfPosition);
  Node node(disk, kNoon);
  node.pass(kInvisibleMs);
  EXPECT_EQ(node.records("%RETRY%g_T"), 0U);
  EXPECT_EQ(node.pop->ledger.open_messages({"g", "T", 0}), 1);
  flip(kHighByteOfPosition);
  node.pass(1'000);
  EXPECT_EQ(node.records("%RETRY%g_T"), 1U);
  EXPECT_THAT(Node::bodies_of(node.pop_all()), ElementsAre("a"));
}

TEST(ReviverRestart, AnOffsetThatWasResetAndSavedStaysSoAfterAKill) {
  SimulatedDisk disk;
  std::unique_ptr<SimulatedDisk> after;
  {
    Node node(disk, kNoon);
    node.send("T", "a");
    node.pop_all();
    node.offsets.commit("g", "T", 0, 0);
    node.save_offsets();
    after = disk.kill();
  }
  Node node(*after, kNoon + 1'000);
  EXPECT_EQ(node.offsets.find("g", "T", 0), 0);
  EXPECT_THAT(node.pop_all(), SizeIs(1));
}

TEST(ReviverRestart, OffsetsOfApachesBrokerAreNotMovedOn) {
  SimulatedDisk disk;
  {
    Node node(disk, kNoon);
    node.send("T", "a");
    node.pop_all({{"queueId", "0"}});
    node.offsets.commit("g", "T", 0, 0);
    for (int i = 0; i < 8; ++i) {
      node.offsets.commit(kReviveGroup, "rmq_sys_REVIVE_LOG_c", i, -1);  // Apache's has no mark of ours
    }
    node.flush();
    EXPECT_TRUE(node.offsets.save(kNoon));
  }
  const auto after = disk.kill();
  Node node(*after, kNoon + 1'000);
  EXPECT_EQ(node.offsets.find("g", "T", 0), 0);
}

}  // namespace
}  // namespace tern::broker
