#include "broker/topics/topic_table.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

constexpr const char* kTopicsPath = "config/topics.json";

class TopicTableTest : public ::testing::Test {
 protected:
  TopicTableTest() {
    settings.add("Broker", broker_option_rows(), options);
    EXPECT_TRUE(disk.make_directories("config"));
  }
  std::unique_ptr<TopicTable> make() {
    return std::make_unique<TopicTable>(options, identity, disk, kTopicsPath, clock, blocking);
  }
  std::unique_ptr<TopicTable> make_loaded() {
    auto made = make();
    EXPECT_EQ(made->load(false), std::nullopt);
    return made;
  }
  static TopicConfig topic(const std::string& name, int queues = 4, int perm = 6) {
    TopicConfig made;
    made.name = name;
    made.read_queues = made.write_queues = queues;
    made.perm = perm;
    return made;
  }
  static std::string shape(const TopicPtr& topic) {
    return topic ? fmt::format("{}/{}/{}", topic->read_queues, topic->write_queues, topic->perm) : "none";
  }

  BrokerOptions options;
  OptionSet settings;
  BrokerIdentity identity{"c", "b", 0, {}, {}, {}};
  test::SimulatedDisk disk;
  test::ManualClock clock;
  WorkQueue blocking;
};

TEST_F(TopicTableTest, HoldsTheTopicsThatEveryBrokerHas) {
  const auto table = make_loaded();
  EXPECT_EQ(shape(table->find("TBW102")), "8/8/7");
  EXPECT_EQ(shape(table->find("SELF_TEST_TOPIC")), "1/1/6");
  EXPECT_EQ(shape(table->find("BenchmarkTest")), "1024/1024/6");
  EXPECT_EQ(shape(table->find("c")), "16/16/7");
  EXPECT_EQ(shape(table->find("b")), "1/1/7");
  EXPECT_EQ(shape(table->find("SCHEDULE_TOPIC_XXXX")), "18/18/6");
  EXPECT_EQ(shape(table->find("c_REPLY_TOPIC")), "1/1/6");
  EXPECT_EQ(shape(table->find("rmq_sys_SYNC_BROKER_MEMBER_b")), "1/1/1");
  EXPECT_EQ(shape(table->find("RMQ_SYS_TRACE_TOPIC")), "none");
  for (const char* name : {"TBW102", "c", "b", "c_REPLY_TOPIC", "rmq_sys_anything"})
    EXPECT_TRUE(table->is_system(name)) << name;
  EXPECT_FALSE(table->is_system("T"));
}

TEST_F(TopicTableTest, LeavesOutWhatTheOptionsTurnOff) {
  options.auto_create_topics = false;
  options.cluster_topic_enable = false;
  options.broker_topic_enable = false;
  options.trace_topic_enable = true;
  const auto table = make_loaded();
  EXPECT_EQ(shape(table->find("TBW102")), "none");
  EXPECT_EQ(shape(table->find("c")), "16/16/1");
  EXPECT_EQ(shape(table->find("b")), "1/1/1");
  EXPECT_EQ(shape(table->find("RMQ_SYS_TRACE_TOPIC")), "1/1/6");
}

TEST_F(TopicTableTest, CreatesATopicAfterATemplateWithTheFewerOfBothCounts) {
  const auto table = make_loaded();
  EXPECT_EQ(shape(table->create_from_default("T", "TBW102", 4, 0)), "4/4/6");
  EXPECT_EQ(shape(table->create_from_default("U", "TBW102", 100, kTopicUnit)), "8/8/6");
  EXPECT_EQ(table->find("U")->sys_flag, kTopicUnit);
  EXPECT_EQ(shape(table->create_from_default("V", "TBW102", -3, 0)), "0/0/6");
  EXPECT_EQ(shape(table->create_from_default("W", "c", 4, 0)), "4/4/6");
}

TEST_F(TopicTableTest, CreatesNothingAfterATopicThatPassesNothingOn) {
  const auto table = make_loaded();
  EXPECT_EQ(table->create_from_default("T", "BenchmarkTest", 4, 0), nullptr);
  EXPECT_EQ(table->create_from_default("T", "nowhere", 4, 0), nullptr);
  EXPECT_EQ(table->find("T"), nullptr);
}

TEST_F(TopicTableTest, TakesTheInheritBitFromATemplateThatWasLeftFromEarlier) {
  EXPECT_TRUE(make_loaded()->save());
  options.auto_create_topics = false;
  const auto table = make_loaded();
  EXPECT_EQ(shape(table->find("TBW102")), "8/8/6");
  EXPECT_EQ(table->create_from_default("T", "TBW102", 4, 0), nullptr);
}

TEST_F(TopicTableTest, IsSavedByTheBlockingThreadAfterEachChange) {
  auto table = make_loaded();
  int saved = 0;
  table->put(topic("T", 3), [&](Status status) { saved += status ? 1 : 100; });
  EXPECT_EQ(saved, 0);
  blocking.step();
  EXPECT_EQ(saved, 1);
  const auto again = make_loaded();
  EXPECT_EQ(shape(again->find("T")), "3/3/6");
  EXPECT_EQ(again->version(), table->version());
}

// What newer brokers, or other programs, wrote and we do not read comes back as it was.
TEST_F(TopicTableTest, KeepsWhatItDoesNotRead) {
  ASSERT_TRUE(test::write_text(disk, kTopicsPath, R"({
    "dataVersion":{"counter":7,"stateVersion":2,"timestamp":3},
    "odd":[1],
    "topicConfigTable":{
      "T":{"attributes":{"reserve.time":5,"queue.type":"SimpleCQ"},"newer":{"a":1},"perm":6,"readQueueNums":3,"topicName":"T","writeQueueNums":3},
      "U":"?"}})"));
  const auto table = make_loaded();
  EXPECT_EQ(table->find("T")->attributes.at("reserve.time"), "5");
  table->ensure_queue("T", 5, store::QueueKind::kSimple);
  blocking.step();
  const auto saved = protocol::parse_json(test::read_text(disk, kTopicsPath));
  ASSERT_TRUE(saved);
  EXPECT_EQ((*saved)["odd"], protocol::Json::array({1}));
  EXPECT_EQ((*saved)["topicConfigTable"]["T"]["newer"]["a"], 1);
  EXPECT_EQ((*saved)["topicConfigTable"]["T"]["writeQueueNums"], 6);
  EXPECT_EQ((*saved)["topicConfigTable"]["U"], "?");
  EXPECT_EQ((*saved)["dataVersion"]["counter"], 8);
  EXPECT_EQ((*saved)["dataVersion"]["stateVersion"], 2);
}

TEST_F(TopicTableTest, TellsWhyAChangeCouldNotBeSaved) {
  const auto table = make_loaded();
  std::optional<Status> outcome;
  disk.fail_at(disk.changes() + 1, EIO, 100);
  table->put(topic("T"), [&](Status status) { outcome = status; });
  blocking.step();
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(*outcome);
}

TEST_F(TopicTableTest, BumpsItsVersionOnlyForRealChanges) {
  const auto table = make_loaded();
  const auto before = table->version().counter;
  EXPECT_TRUE(table->put(topic("T")));
  EXPECT_EQ(table->version().counter, before + 1);
  EXPECT_EQ(table->version().timestamp, clock.wall_ms());
  EXPECT_FALSE(table->put(topic("T")));
  table->ensure("T", 9, 0, false);
  EXPECT_EQ(table->version().counter, before + 1);
  EXPECT_TRUE(table->remove("T"));
  EXPECT_FALSE(table->remove("T"));
  EXPECT_EQ(table->version().counter, before + 2);
}

TEST_F(TopicTableTest, TellsTheListenerWhichTopicChanged) {
  const auto table = make_loaded();
  std::vector<std::string> changed;
  table->on_change([&](const TopicConfig& config) { changed.push_back(config.name); });
  table->put(topic("T"));
  table->ensure("%RETRY%g", 1, 0, false);
  table->create_from_default("U", "TBW102", 4, 0);
  EXPECT_THAT(changed, ::testing::ElementsAre("T", "%RETRY%g", "U"));
}

TEST_F(TopicTableTest, GivesATopicOfBatchQueuesItsAttributeBack) {
  const auto table = make_loaded();
  table->ensure_queue("B", 0, store::QueueKind::kBatch);
  EXPECT_EQ(queue_kind(*table->find("B")), store::QueueKind::kBatch);
  EXPECT_EQ(table->find("B")->attributes.at("queue.type"), "BatchCQ");
}

TEST_F(TopicTableTest, GivesATopicBackThatTheLogKnows) {
  const auto table = make_loaded();
  table->ensure_queue("T", 2, store::QueueKind::kSimple);
  EXPECT_EQ(shape(table->find("T")), "3/3/6");
  table->ensure_queue("T", 1, store::QueueKind::kSimple);
  EXPECT_EQ(shape(table->find("T")), "3/3/6");
  table->ensure_queue("../../x", 0, store::QueueKind::kSimple);
  EXPECT_EQ(table->find("../../x"), nullptr);
  table->ensure_queue("T", -1, store::QueueKind::kSimple);
  table->ensure_queue("T", 1 << 30, store::QueueKind::kSimple);
  EXPECT_EQ(shape(table->find("T")), "3/3/6");
}

// From its first record on, a store without the file counts as damaged: so the file comes first, and only then.
TEST_F(TopicTableTest, SavesItsFileOnlyOfANewStore) {
  auto table = make_loaded();
  ASSERT_TRUE(table->save_first());
  EXPECT_EQ(make()->load(true), std::nullopt);
  const auto changes = disk.changes();
  table = make();
  ASSERT_EQ(table->load(true), std::nullopt);
  ASSERT_TRUE(table->save_first());
  EXPECT_EQ(disk.changes(), changes);
}

TEST_F(TopicTableTest, MarksOrderTopics) {
  const auto table = make_loaded();
  table->put(topic("T"));
  table->set_order_topics({"T", "unknown"});
  EXPECT_TRUE(table->find("T")->is_order);
  EXPECT_EQ(table->find("unknown"), nullptr);
}

TEST_F(TopicTableTest, DescribesATopicAsApachesRemarksDo) {
  EXPECT_EQ(topic("T").text(),
            "TopicConfig [topicName=T, readQueueNums=4, writeQueueNums=4, perm=RW-, topicFilterType=SINGLE_TAG, "
            "topicSysFlag=0, order=false, attributes={}]");
}

TEST_F(TopicTableTest, DoesNotLoadAFileThatIsDamagedWithItsBackup) {
  ASSERT_TRUE(test::write_text(disk, kTopicsPath, "{\"topicConfigTable\":{"));
  ASSERT_TRUE(test::write_text(disk, std::string(kTopicsPath) + ".bak", "{}"));
  EXPECT_THAT(make()->load(false), Optional(HasSubstr("topics.json")));
}

TEST_F(TopicTableTest, LoadsTheBackupOfAFileThatIsDamaged) {
  ASSERT_TRUE(test::write_text(disk, kTopicsPath, "{"));
  ASSERT_TRUE(test::write_text(
      disk, std::string(kTopicsPath) + ".bak",
      R"({"dataVersion":{"counter":3},"topicConfigTable":{"T":{"readQueueNums":5,"writeQueueNums":5,"perm":6}}})"));
  const auto table = make_loaded();
  EXPECT_EQ(shape(table->find("T")), "5/5/6");
  EXPECT_EQ(table->version().counter, 3);
}

TEST_F(TopicTableTest, DoesNotStartEmptyOnAStoreThatHasMessages) {
  EXPECT_THAT(make()->load(true), Optional(HasSubstr("missing")));
  EXPECT_EQ(make()->load(false), std::nullopt);
}

TEST_F(TopicTableTest, LetsTheFileWinOverTheTopicsOfEveryBroker) {
  ASSERT_TRUE(test::write_text(disk, kTopicsPath,
                               R"({"topicConfigTable":{"c":{"readQueueNums":2,"writeQueueNums":2,"perm":4}, "x":7}})"));
  const auto table = make_loaded();
  EXPECT_EQ(shape(table->find("c")), "2/2/4");
  EXPECT_EQ(table->find("x"), nullptr) << "an entry that is no object is left out";
}

}  // namespace
}  // namespace tern::broker
