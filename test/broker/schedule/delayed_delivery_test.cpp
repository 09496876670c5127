#include "broker/schedule/delayed_delivery.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kProgressPath = "store/config/delayOffset.json";
constexpr int kBudget = 512;

class DelayedDeliveryTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T");
  }
  void send_delayed(std::string_view body, int level = 3) {  // 10 s
    ASSERT_EQ(send("T", body, {{"DELAY", std::to_string(level)}})->code(), 0);
  }
  StepResult step() {
    const auto result = delayed->step(kBudget);
    run();
    return result;
  }
  std::vector<std::string> delivered() { return bodies(stored("T")); }
  std::int64_t saved_offset(int level) { return make_delayed_delivery()->offset(level); }
};

TEST_F(DelayedDeliveryTest, DeliversWhenTheDelayIsOverAndNotBefore) {
  send_delayed("m");
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(9'999);
  EXPECT_LE(step().next_ms, 1);
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(1);
  step();
  EXPECT_THAT(delivered(), ElementsAre("m"));
  step();
  EXPECT_THAT(delivered(), ElementsAre("m")) << "once";
}

TEST_F(DelayedDeliveryTest, LooksAtEachLevelForItself) {
  send_delayed("slow", 3);
  send_delayed("fast", 1);
  clock.advance_ms(1'000);
  step();
  EXPECT_THAT(delivered(), ElementsAre("fast"));
  clock.advance_ms(9'000);
  step();
  EXPECT_THAT(delivered(), ElementsAre("fast", "slow"));
}

TEST_F(DelayedDeliveryTest, DeliversNothingEarlyWhenTheClockGoesBackALittle) {
  send_delayed("before");
  clock.set_wall_ms(clock.wall_ms() - 3'000);
  send_delayed("after");
  step();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(9'999);
  EXPECT_LE(step().next_ms, 1);
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(1);
  step();
  EXPECT_THAT(delivered(), ElementsAre("before", "after"));
}

TEST_F(DelayedDeliveryTest, DeliversADelayLaterThoughTheClockWentBackADay) {
  send_delayed("a");
  send_delayed("b");
  clock.set_wall_ms(clock.wall_ms() - 86'400'000);
  step();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(9'999);
  step();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(1);
  step();
  // The store is not accepting anything while its last record is that far ahead of the clock: the delivery is tried,
  // refused and tried again.
  EXPECT_THAT(delivered(), IsEmpty());
  clock.set_wall_ms(clock.wall_ms() + 86'400'000);
  clock.advance_ms(100);
  step();
  EXPECT_THAT(delivered(), ElementsAre("a", "b"));
}

TEST_F(DelayedDeliveryTest, DeliversTheMessageAsItWasSent) {
  send("T", "m", {{"DELAY", "1"}, {"TAGS", "A"}, {"KEYS", "k"}}, {{"flag", "7"}, {"queueId", "2"}});
  clock.advance_ms(1'000);
  step();
  const auto messages = stored("T", 2);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, "m");
  EXPECT_EQ(messages[0].flag, 7);
  EXPECT_EQ(messages[0].born_timestamp, 1'600'000'000'000);
  EXPECT_EQ(messages[0].born_host, peer->remote_text());
  EXPECT_EQ(messages[0].tags_code, 65);
  EXPECT_EQ(messages[0].properties.at("TAGS"), "A");
  EXPECT_EQ(messages[0].properties.at("KEYS"), "k");
  EXPECT_EQ(messages[0].properties.at("DELAY"), "1") << "stored properties keep it, as Apache's do";
  EXPECT_EQ(messages[0].properties.at("REAL_TOPIC"), "T");
  EXPECT_EQ(messages[0].properties.at("REAL_QID"), "2");
}

TEST_F(DelayedDeliveryTest, DropsAMessageThatNamesNoTopic) {
  message::RecordParts parts;
  parts.topic = message::kScheduleTopic;
  const auto text = test::properties({{"DELAY", "1"}});
  parts.properties = text;
  parts.body = test::bytes_of("lost");
  ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
  run();
  send_delayed("m", 1);
  clock.advance_ms(1'000);
  step();
  EXPECT_THAT(delivered(), ElementsAre("m"));
  EXPECT_EQ(delayed->offset(1), 2);
}

TEST_F(DelayedDeliveryTest, KeepsToItsBudget) {
  for (const char* body : {"a", "b", "c"}) send_delayed(body, 1);
  clock.advance_ms(1'000);
  delayed->step(2);
  run();
  EXPECT_THAT(delivered(), ElementsAre("a", "b"));
  EXPECT_EQ(delayed->offset(1), 2);
  delayed->step(2);
  run();
  EXPECT_THAT(delivered(), ElementsAre("a", "b", "c"));
}

TEST_F(DelayedDeliveryTest, MovesOnlyOnceTheDeliveryIsStored) {
  send_delayed("m", 1);
  clock.advance_ms(1'000);
  delayed->step(kBudget);
  EXPECT_EQ(delayed->offset(1), 0);
  delayed->step(kBudget);
  EXPECT_EQ(posted.size(), 1U) << "one group of a level at a time";
  run();
  EXPECT_EQ(delayed->offset(1), 1);
  EXPECT_THAT(delivered(), ElementsAre("m"));
}

TEST_F(DelayedDeliveryTest, SavesProgressOnlyOnceTheDeliveryIsDurable) {
  send_delayed("m", 1);
  flush();
  clock.advance_ms(1'000);
  step();
  EXPECT_TRUE(delayed->save());
  EXPECT_TRUE(delayed->save());
  EXPECT_EQ(saved_offset(1), 0) << "the delivered message may still be lost";
  flush();
  EXPECT_TRUE(delayed->save());
  EXPECT_EQ(saved_offset(1), 1);
}

TEST_F(DelayedDeliveryTest, SavesTheProgressThatItNotedAndNotWhatFollowed) {
  send_delayed("a", 1);
  clock.advance_ms(1'000);
  step();
  EXPECT_TRUE(delayed->save()) << "notes 1";
  flush();
  send_delayed("b", 1);
  clock.advance_ms(1'000);
  step();
  EXPECT_TRUE(delayed->save());
  EXPECT_EQ(saved_offset(1), 1) << "b is not durable yet";
}

TEST_F(DelayedDeliveryTest, GoesOnWhereItWasSaved) {
  send_delayed("a", 1);
  clock.advance_ms(1'000);
  step();
  flush();
  EXPECT_TRUE(delayed->save());
  EXPECT_TRUE(delayed->save());
  delayed = make_delayed_delivery();
  send_delayed("b", 1);
  clock.advance_ms(1'000);
  step();
  EXPECT_THAT(delivered(), ElementsAre("a", "b"));
}

TEST_F(DelayedDeliveryTest, KeepsOfItsFileWhatItDoesNotRead) {
  ASSERT_TRUE(test::write_text(disk, kProgressPath, R"({"odd":1,"offsetTable":{1:0,99:7}})"));
  delayed = make_delayed_delivery();
  send_delayed("a", 1);
  clock.advance_ms(1'000);
  step();
  flush();
  EXPECT_TRUE(delayed->save());
  EXPECT_TRUE(delayed->save());
  const auto saved = protocol::parse_json(test::read_text(disk, kProgressPath));
  ASSERT_TRUE(saved);
  EXPECT_EQ((*saved)["odd"], 1);
  EXPECT_EQ((*saved)["offsetTable"]["99"], 7) << "a level that messageDelayLevel does not have";
  EXPECT_EQ((*saved)["offsetTable"]["1"], 1);
}

TEST_F(DelayedDeliveryTest, ClampsProgressThatRanAheadOfTheLog) {
  send_delayed("m", 3);
  ASSERT_TRUE(test::write_text(disk, kProgressPath, R"({"offsetTable":{3:9,4:5,99:1,"x":2}})"));
  delayed = make_delayed_delivery();
  EXPECT_EQ(delayed->offset(3), 1);
  EXPECT_EQ(delayed->offset(4), 0) << "there is no such queue";
}

TEST_F(DelayedDeliveryTest, DoesNotLoadAFileThatIsNoTable) {
  ASSERT_TRUE(test::write_text(disk, kProgressPath, R"({"offsetTable":7})"));
  DelayedDelivery broken(clock, *store, *levels, identity, disk, kProgressPath,
                         [](std::size_t, std::function<void(SendStage&)>) {});
  EXPECT_NE(broken.load(), std::nullopt);
}

}  // namespace
}  // namespace tern::broker
