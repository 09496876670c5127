#include "broker/offsets/offset_table.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr const char* kOffsetsPath = "store/config/consumerOffset.json";

class OffsetTableTest : public test::BrokerFixture {
 protected:
  std::unique_ptr<OffsetTable> load_again() {
    auto again = std::make_unique<OffsetTable>(disk, kOffsetsPath);
    EXPECT_EQ(again->load(), std::nullopt);
    return again;
  }
  test::AnswerPtr query(const std::string& topic, const test::Fields& changes = {}) {
    return ask(RequestCode::kQueryConsumerOffset,
               test::with({{"consumerGroup", "g"}, {"topic", topic}, {"queueId", "0"}}, changes));
  }
  test::AnswerPtr update(const test::Fields& changes) {
    return ask(RequestCode::kUpdateConsumerOffset,
               test::with({{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "5"}}, changes));
  }
};

TEST_F(OffsetTableTest, KeepsWhatWasCommittedLast) {
  EXPECT_EQ(offsets.find("g", "T", 0), std::nullopt);
  offsets.commit("g", "T", 0, 9);
  offsets.commit("g", "T", 0, 4);
  offsets.commit("g", "T", 1, 7);
  offsets.commit("h", "T", 0, 8);
  EXPECT_EQ(offsets.find("g", "T", 0), 4);
  EXPECT_THAT(offsets.all("g", "T"), ElementsAre(Pair(0, 4), Pair(1, 7)));
  EXPECT_THAT(offsets.largest(), ElementsAre(Pair(Pair("T", 0), 8), Pair(Pair("T", 1), 7)));
  EXPECT_THAT(offsets.groups_of("T"), ElementsAre("g", "h"));
  EXPECT_THAT(offsets.topics_of("g"), ElementsAre("T"));
}

TEST_F(OffsetTableTest, IsTheSameAfterARestart) {
  offsets.commit("g", "T", 3, 9);
  offsets.pulled("g", "T", 3, 11);
  ASSERT_TRUE(offsets.save(1));
  EXPECT_THAT(test::read_text(disk, kOffsetsPath), HasSubstr("3:9"))
      << "queue ids stand unquoted, as Apache's brokers write them";
  const auto again = load_again();
  EXPECT_EQ(again->find("g", "T", 3), 9);
  EXPECT_EQ(again->find_pulled("g", "T", 3), 11);
}

TEST_F(OffsetTableTest, KeepsOfItsFileWhatItDoesNotRead) {
  ASSERT_TRUE(test::write_text(disk, kOffsetsPath, R"({"dataVersion":{"counter":7},"odd":{"a":[1]},
    "groupTopicMap":{"gone":["T"]},"offsetTable":{"T@g":{0:5}}})"));
  auto table = load_again();
  table->commit("g", "T", 0, 6);
  ASSERT_TRUE(table->save(1));
  const auto saved = protocol::parse_json(test::read_text(disk, kOffsetsPath));
  ASSERT_TRUE(saved);
  EXPECT_EQ((*saved)["odd"]["a"], protocol::Json::array({1}));
  EXPECT_EQ((*saved)["groupTopicMap"], (protocol::Json{{"g", {"T"}}})) << "derived";
  EXPECT_EQ((*saved)["offsetTable"]["T@g"]["0"], 6);
}

TEST_F(OffsetTableTest, IsNotWrittenAgainWithoutACommit) {
  offsets.commit("g", "T", 0, 1);
  ASSERT_TRUE(offsets.save(1));
  const auto changes = disk.changes();
  offsets.pulled("g", "T", 0, 2);
  ASSERT_TRUE(offsets.save(2));
  EXPECT_EQ(disk.changes(), changes);
}

TEST_F(OffsetTableTest, IsWrittenAgainAfterASaveThatFailed) {
  offsets.commit("g", "T", 0, 1);
  disk.fail_at(disk.changes() + 1, EIO);
  EXPECT_FALSE(offsets.save(1));
  EXPECT_TRUE(offsets.save(2));
  EXPECT_EQ(load_again()->find("g", "T", 0), 1);
}

TEST_F(OffsetTableTest, ClampsWhatIsBeyondTheEndOfAQueue) {
  offsets.commit("g", "T", 0, 9);
  offsets.commit("g", "T", 1, 9);
  offsets.commit("g", "U", 0, 9);
  offsets.pulled("g", "T", 0, 9);
  const auto clamped = offsets.clamp([](std::string_view topic, std::int32_t queue_id) -> std::int64_t {
    if (topic != "T") return 0;
    return queue_id == 0 ? 5 : 9;
  });
  EXPECT_EQ(clamped, 3);
  EXPECT_EQ(offsets.find("g", "T", 0), 5);
  EXPECT_EQ(offsets.find_pulled("g", "T", 0), 5);
  EXPECT_EQ(offsets.find("g", "T", 1), 9);
  EXPECT_EQ(offsets.find("g", "U", 0), 0);
}

TEST_F(OffsetTableTest, IgnoresCommitsUntilAResetHasBeenTaken) {
  offsets.commit("g", "T", 0, 9);
  offsets.set_reset("g", "T", 0, 2);
  offsets.commit("g", "T", 0, 10);
  EXPECT_EQ(offsets.find("g", "T", 0), 2);
  EXPECT_EQ(offsets.peek_reset("g", "T", 0), 2);
  EXPECT_EQ(offsets.take_reset("g", "T", 0), 2);
  EXPECT_EQ(offsets.take_reset("g", "T", 0), std::nullopt);
  offsets.commit("g", "T", 0, 10);
  EXPECT_EQ(offsets.find("g", "T", 0), 10);
}

TEST_F(OffsetTableTest, ForgetsTopicsAndGroups) {
  offsets.commit("g", "T", 0, 1);
  offsets.commit("g", "U", 0, 1);
  offsets.commit("h", "T", 0, 1);
  offsets.remove_topic("T");
  EXPECT_THAT(offsets.topics_of("g"), ElementsAre("U"));
  EXPECT_THAT(offsets.topics_of("h"), IsEmpty());
  offsets.remove_group("g");
  EXPECT_THAT(offsets.topics_of("g"), IsEmpty());
}

TEST_F(OffsetTableTest, AnswersAQueryWithWhatIsStored) {
  offsets.commit("g", "T", 0, 5);
  const auto found = query("T");
  EXPECT_EQ(found->code(), 0);
  EXPECT_EQ(found->field("offset"), "5");
  EXPECT_EQ(groups.find("g"), nullptr) << "a query creates nothing";
}

TEST_F(OffsetTableTest, AnswersAQueryWithAResetFirst) {
  offsets.set_reset("g", "T", 0, 2);
  EXPECT_EQ(query("T")->field("offset"), "2");
}

TEST_F(OffsetTableTest, TakesANegativeOffsetForNone) {
  offsets.commit("g", "T", 0, -1);
  EXPECT_EQ(query("T")->code(), 22);
}

TEST_F(OffsetTableTest, StartsANewGroupAtZeroWhileTheFirstMessageIsInMemory) {
  make_topic("T");
  const auto empty = query("T");
  EXPECT_EQ(empty->code(), 22);
  EXPECT_EQ(empty->remark(), "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first");
  EXPECT_EQ(query("unknown")->code(), 22);
  send("T");
  EXPECT_EQ(query("T")->code(), 0);
  EXPECT_EQ(query("T")->field("offset"), "0");
  EXPECT_EQ(query("T", {{"queueId", "1"}})->code(), 22) << "an empty queue";
  EXPECT_EQ(query("T", {{"queueId", "77"}})->code(), 22) << "an unknown queue";
}

TEST_F(OffsetTableTest, DoesNotStartAtZeroIfAskedNotTo) {
  make_topic("T");
  send("T");
  const auto none = query("T", {{"setZeroIfNotFound", "false"}});
  EXPECT_EQ(none->code(), 22);
  EXPECT_EQ(none->remark(), "Not found, do not set to zero, maybe this group boot first");
}

TEST_F(OffsetTableTest, StoresAnUpdateAsItIs) {
  make_topic("T");
  make_group("g");
  EXPECT_EQ(update({})->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 5);
  EXPECT_EQ(update({{"commitOffset", "3"}})->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), 3) << "smaller values overwrite";
  EXPECT_EQ(update({{"commitOffset", "-4"}})->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 0), -4);
  EXPECT_EQ(update({{"queueId", "99"}})->code(), 0);
  EXPECT_EQ(offsets.find("g", "T", 99), 5) << "queue ids beyond the topic are stored";
}

TEST_F(OffsetTableTest, RefusesAnUpdateInApachesOrder) {
  EXPECT_EQ(update({{"-queueId", ""}})->code(), 26);
  EXPECT_TRUE(update({})->remark().starts_with("Group g not exist!"));
  EXPECT_EQ(groups.find("g"), nullptr) << "no group is created here";
  make_group("g");
  EXPECT_EQ(update({{"-queueId", ""}})->code(), 17);
  EXPECT_EQ(update({})->remark(), "Topic T not exist!");
  make_topic("T");
  const auto no_queue = update({{"-queueId", ""}, {"-commitOffset", ""}});
  EXPECT_EQ(no_queue->code(), 29);
  EXPECT_EQ(no_queue->remark(), "QueueId is null, topic is T");
  const auto no_offset = update({{"-commitOffset", ""}});
  EXPECT_EQ(no_offset->code(), 29);
  EXPECT_EQ(no_offset->remark(), "Offset is null, topic is T");
}

TEST_F(OffsetTableTest, IgnoresAnUpdateWhileAResetIsPending) {
  make_topic("T");
  make_group("g");
  offsets.set_reset("g", "T", 0, 2);
  const auto ignored = update({});
  EXPECT_EQ(ignored->code(), 0);
  EXPECT_THAT(ignored->remark(), StartsWith("Offset has been previously reset"));
  EXPECT_EQ(offsets.find("g", "T", 0), 2);
}

TEST_F(OffsetTableTest, AnswersNothingToAOneWayUpdate) {
  make_topic("T");
  make_group("g");
  const auto silent =
      ask(RequestCode::kUpdateConsumerOffset,
          {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "5"}}, {}, {.is_one_way = true});
  EXPECT_FALSE(silent->has_answer());
  EXPECT_EQ(offsets.find("g", "T", 0), 5);
}

TEST_F(OffsetTableTest, KnowsTheBoundsOfAQueue) {
  make_topic("T");
  send("T");
  send("T");
  const test::Fields queue{{"topic", "T"}, {"queueId", "0"}};
  const test::Fields unknown{{"topic", "nowhere"}, {"queueId", "0"}};
  EXPECT_EQ(ask(RequestCode::kGetMaxOffset, queue)->field("offset"), "2");
  EXPECT_EQ(ask(RequestCode::kGetMinOffset, queue)->field("offset"), "0");
  EXPECT_EQ(ask(RequestCode::kGetEarliestMessageStoreTime, queue)->field("timestamp"), std::to_string(clock.wall_ms()));
  EXPECT_EQ(ask(RequestCode::kGetMaxOffset, unknown)->field("offset"), "0");
  EXPECT_EQ(ask(RequestCode::kGetMinOffset, unknown)->field("offset"), "0");
  EXPECT_EQ(ask(RequestCode::kGetEarliestMessageStoreTime, unknown)->field("timestamp"), "-1");
}

TEST_F(OffsetTableTest, FindsAnOffsetByTime) {
  make_topic("T");
  const auto begin = clock.wall_ms();
  send("T");
  clock.advance_ms(100);
  send("T");
  send("T");
  const auto search = [&](std::int64_t time, const std::string& boundary) {
    return ask(RequestCode::kSearchOffsetByTimestamp,
               {{"topic", "T"}, {"queueId", "0"}, {"timestamp", std::to_string(time)}, {"boundaryType", boundary}})
        ->field("offset");
  };
  EXPECT_EQ(search(begin + 100, "LOWER"), "1");
  EXPECT_EQ(search(begin + 100, "upper"), "2");
  EXPECT_EQ(search(begin + 100, "odd"), "1");
  EXPECT_EQ(search(begin - 1, "LOWER"), "0");
  EXPECT_EQ(search(begin + 101, "LOWER"), "3");
}

}  // namespace
}  // namespace tern::broker
