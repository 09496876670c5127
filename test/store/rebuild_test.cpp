// Openings that read all of the log, and those that are cut off in it: what the log itself cannot tell must not get
// lost.

#include <gmock/gmock.h>

#include "store/store_fixture.hpp"

namespace tern::store {
namespace {

using ::testing::EndsWith;

constexpr const char* kEveryHour = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
constexpr std::int64_t kTwoHoursMs = 2 * 3'600'000;

class Rebuild : public OnSimulatedDisk<> {
 protected:
  Rebuild() {
    options_.delete_when = kEveryHour;
    options_.file_reserved_hours = 1;
  }
  /// TB#1 has had five records, TA#0 a hundred.
  void send_some(StoreLife& life) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(life.send({"emptied", "TB", 1}));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", 0}));
  }

  /// Durably, as an operator would.
  static void remove_state(test::SimulatedDisk& disk) {
    ASSERT_TRUE(disk.remove("/store/tern/state") && disk.sync_directory("/store/tern"));
  }
};

// Retention takes the last records of TB#1 after the state was saved. Then the queue files go, and the start that
// builds them anew is cut off, and so on.
TEST_F(Rebuild, KnowsTheEndOfAnEmptiedQueueHoweverOftenItIsCutOff) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_NO_FATAL_FAILURE(send_some(life));
    life.save();
    disk_.fail_at(disk_.changes() + 4, EIO, 1000);  // the round that would save the new bounds
    life.upkeep(kTwoHoursMs);
  }
  const auto before = disk_.kill();
  for (const auto& [path, bytes] : files_in(*before, "/store/consumequeue")) {
    ASSERT_TRUE(before->remove(path) && before->sync_directory(path.substr(0, path.rfind('/'))));
  }
  bool is_completed = false;
  for (std::int64_t operation = 1; !is_completed; ++operation) {
    SCOPED_TRACE(fmt::format("operation {}", operation));
    const auto disk = before->kill();
    disk->crash_at(operation);
    {
      StoreLife life(*disk, clock_, options_);
    }
    is_completed = !disk->crashed();
    test::Rng random(static_cast<std::uint64_t>(operation));
    for (const bool is_power_cut : {false, true}) {
      const auto next = is_power_cut ? disk->crash(random) : disk->kill();
      StoreLife life(*next, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      EXPECT_THAT(bounds_of(*life.store, "TB", 1), EndsWith("-5"));
      EXPECT_THAT(bounds_of(*life.store, "TA", 0), EndsWith("-100"));
      EXPECT_EQ(life.send({"next", "TB", 1})->queue_offset, QueueOffset{5});
      life.dispatch();
      EXPECT_EQ(body_at(*life.store, "TB", 1, 5), "next");
    }
  }
}

// A start does not read through messages without keys for nothing; but the checkpoint tells that there were keys.
TEST_F(Rebuild, MakesARemovedIndexAnewWhoseFirstKeyStandsFarBehindTheBegin) {
  options_.log = small_log("/store/commitlog", 1 << 20);
  options_.log.prepare_ahead_bytes = 4 << 20;
  for (const bool is_clean : {true, false}) {
    SCOPED_TRACE(is_clean);
    test::SimulatedDisk disk({.clock = &clock_});
    {
      StoreLife life(disk, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      for (int i = 0; i < 10; ++i) ASSERT_TRUE(life.send({std::string(900 << 10, 'x')}));
      ASSERT_TRUE(life.send({"wanted", "TA", 0, "key"}));
      for (int seconds = 0; seconds < 12; ++seconds) life.save();
      if (is_clean) {
        ASSERT_TRUE(life.close());
      }
    }
    const auto next = disk.kill();
    remove_tree(*next, "/store/index");
    StoreLife life(*next, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    const auto found = life->query("TA", "key", 64, 0, INT64_MAX);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->positions.size(), 1U);
  }
}

// The checkpoint vouches for the first record. Behind it the segment was filled up and the next one begun, and both
// must be on the disk once the store is open.
TEST_F(Rebuild, SyncsTheBlankInFrontOfTheFirstRecordThatMayBeUnsynced) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"first"}));
    life.flush();
    life.dispatch();
    clock_.advance_ms(10'000);
    ASSERT_TRUE(life.send({"lost"}));
    life.upkeep();  // the state tells the time of what is not on the disk
  }
  test::Rng random(1);
  const auto cut = disk_.crash(random, test::Survival::kNothing);
  {
    StoreLife life(*cut, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_EQ(bodies_of(*life.store), (std::vector<std::string>{"first"}));
    life.save();
    ASSERT_TRUE(life.send({std::string(kSegmentSize - 150, 'x')}));
    ASSERT_GT(life->max_position(), LogPosition{kSegmentSize});
  }
  const auto killed = cut->kill();
  ASSERT_NO_FATAL_FAILURE(remove_state(*killed));
  {
    StoreLife life(*killed, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_EQ(bodies_of(*life.store).size(), 2U);
  }
  const auto disk = killed->crash(random, test::Survival::kNothing);
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bodies_of(*life.store).size(), 2U);
}

// The checkpoint's record is damaged, and young enough to have been lost in a buffer of Apache's; the clock is set
// back, so the next record is older than the checkpoint, and not on the disk.
TEST_F(Rebuild, BelievesACheckpointWhoseRecordIsLostOnlySoFar) {
  const std::string in_next_segment(kSegmentSize - 150, 'x');
  LogPosition lost;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"first"}));
    life.save();
    clock_.advance_ms(1000);
    lost = life.send({"lost"})->position;
    life.save();
  }
  ASSERT_NO_FATAL_FAILURE(flip_byte(disk_, lost + message::offset_of::body(false, false)));
  const auto killed = disk_.kill();
  ASSERT_NO_FATAL_FAILURE(remove_state(*killed));
  clock_.set_wall_ms(clock_.wall_ms() - 1500);
  {
    StoreLife life(*killed, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_EQ(bodies_of(*life.store), (std::vector<std::string>{"first"}));
    ASSERT_TRUE(life.send({"second"}));
    clock_.advance_ms(60'000);
    ASSERT_TRUE(life.send({in_next_segment}));
  }
  const auto again = killed->kill();
  {
    StoreLife life(*again, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
  }
  test::Rng random(1);
  const auto disk = again->crash(random, test::Survival::kNothing);
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bodies_of(*life.store), (std::vector<std::string>{"first", "second", in_next_segment}));
}

// The state cannot be saved, so nothing would say where TB#1 ended.
TEST_F(Rebuild, RemovesNoSegmentThatTheSavedStateDoesNotCover) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_NO_FATAL_FAILURE(send_some(life));
    life.flush();
    life.dispatch();
    // Nothing else fails: segments could be removed.
    ASSERT_TRUE(disk_.make_directories("/store/tern/state.tmp"));
    for (int i = 0; i < 3; ++i) life.upkeep(kTwoHoursMs);
    EXPECT_EQ(life->min_position(), LogPosition{0});
    ASSERT_TRUE(disk_.remove_directory("/store/tern/state.tmp"));
    for (int i = 0; i < 3; ++i) life.upkeep(kTwoHoursMs);
    EXPECT_GT(life->min_position(), LogPosition{0});
  }
  test::Rng random(1);
  const auto disk = disk_.crash(random, test::Survival::kNothing);
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_THAT(bounds_of(*life.store, "TB", 1), EndsWith("-5"));
}

// A clean stop, then our state is gone, and the power goes while the queues are built anew: what is half built must not
// pass for the files of the clean stop.
TEST_F(Rebuild, CountsAsACrashFromItsBeginning) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_NO_FATAL_FAILURE(send_some(life));
    life.dispatch();
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/tern");
  const auto before = files_in(disk_, "/store");
  ASSERT_FALSE(before.contains("/store/abort"));
  bool is_completed = false;
  for (std::int64_t operation = 1; !is_completed; ++operation) {
    const auto disk = disk_.kill();
    disk->crash_at(operation);
    {
      StoreLife life(*disk, clock_, options_);
    }
    is_completed = !disk->crashed();
    auto after = files_in(*disk->kill(), "/store");
    const bool has_abort = after.contains("/store/abort");
    std::erase_if(after, [](const auto& file) { return file.first.find("/consumequeue/") == std::string::npos; });
    auto queues = before;
    std::erase_if(queues, [](const auto& file) { return file.first.find("/consumequeue/") == std::string::npos; });
    EXPECT_TRUE(has_abort || after == queues) << "operation " << operation;
  }
}

// A power cut has taken the record, and the queue never got another one: its file still holds the entry. Later records
// stand where it stood.
TEST_F(Rebuild, CutsEntriesOfQueuesThatTheLogKnowsNothingOf) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"kept"}));
    life.flush();
    ASSERT_TRUE(life.send({"lost", "TB", 1}));
    life.dispatch();
    life->upkeep_step();
  }
  const auto disk = disk_.kill();
  const auto log = disk->open("/store/commitlog/" + segment_name({0}), file::OpenMode::kReadWrite);
  const auto bytes = test::read_text(**log, 0, kSegmentSize);
  const auto lost = static_cast<std::int64_t>(bytes.find("lost")) - 88;
  ASSERT_TRUE((*log)->write(lost, std::vector<std::byte>(200)));
  ASSERT_FALSE(test::read_text(*disk, "/store/consumequeue/TB/1/00000000000000000000").empty());
  {
    StoreLife life(*disk, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(life.send({fmt::format("another {}", i)}));
    life.flush();
  }
  const auto later = disk->kill();
  remove_tree(*later, "/store/tern");
  // As it was before the first of these starts.
  ASSERT_TRUE(later->make_directories("/store/consumequeue/TB/1"));
  ASSERT_TRUE(test::write_text(*later, "/store/consumequeue/TB/1/00000000000000000000",
                               test::read_text(disk_, "/store/consumequeue/TB/1/00000000000000000000")));
  StoreLife life(*later, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bounds_of(*life.store, "TB", 1), "0-0");
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-4");
}

// The first of a queue's files has lost its size in a power cut, the one behind it has not.
TEST_F(Rebuild, GoesOnWithoutAQueueFileThatHasLostItsSize) {
  options_.queues.file_size_bytes = 4 * kQueueEntrySize;
  {
    StoreLife life(disk_, clock_, options_);
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i)}));
    life.save();
  }
  const auto disk = disk_.kill();
  remove_tree(*disk, "/store/tern");
  const auto file = disk->open("/store/consumequeue/TA/0/00000000000000000000", file::OpenMode::kReadWrite);
  ASSERT_TRUE(file && (*file)->resize(0));
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-6");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(body_at(*life.store, "TA", 0, i), fmt::format("body {}", i));
}

// Retention has left the newest segment alone, which is empty; the start that gives it its size again is cut off.
TEST_F(Rebuild, GoesOnWhereTheLogEndedIfItsOnlySegmentHasLostItsSize) {
  for (const auto* name : {"00000000000000000000", "00000000000000004096"}) {
    test::SimulatedDisk disk({.clock = &clock_});
    ASSERT_TRUE(disk.make_directories("/store/commitlog"));
    ASSERT_TRUE(disk.open(std::string("/store/commitlog/") + name, file::OpenMode::kCreate));
    StoreLife life(disk, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(fmt::format("{:020}", life->max_position()), name);
    EXPECT_EQ(fmt::format("{:020}", life.send({"body"})->position), name);
  }
}

// What was sent before the removal comes back if the saved state does not know of it: then by key, too.
TEST_F(Rebuild, FindsARemovedTopicByKeyIfItIsBack) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"0", "TA", 0, "a"}));
    life.save();
    ASSERT_TRUE(life.send({"1", "TB", 0, "b"}));
    ASSERT_TRUE(life.send({"2", "TA", 0, "a"}));
    ASSERT_TRUE(life->remove_topic("TB"));
    life.dispatch();
    life->upkeep_step();  // the keys are in their file; nothing is saved
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(body_at(*life.store, "TB", 0, 0), "1");
  EXPECT_EQ(life->query("TB", "b", 64, 0, INT64_MAX)->positions.size(), 1U);
  EXPECT_EQ(life->query("TA", "a", 64, 0, INT64_MAX)->positions.size(), 2U);
}

// Without our state, Apache's checkpoint says what is on the disk: with asynchronous flush that is not all there is.
TEST_F(Rebuild, WritesAgainWhatTheCheckpointDoesNotCover) {
  options_.log.flush_least_pages = 1000;
  options_.log.flush_thorough_interval_ms = 3'600'000;
  std::size_t count = 0;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < 20; ++i, ++count) {
      ASSERT_TRUE(life.send({fmt::format("body {}", i)}));
      life.dispatch();
      life.upkeep(5000);
    }
    ASSERT_LT(life->log().watermarks().durable(), life->max_position());
    ASSERT_TRUE(life->remove_topic("TB"));  // so that the state is saved
    life.upkeep(5000);
  }
  const auto killed = disk_.kill();
  remove_tree(*killed, "/store/tern");
  {
    StoreLife life(*killed, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_EQ(bodies_of(*life.store).size(), count);
  }
  test::Rng random(1);
  const auto cut = killed->crash(random, test::Survival::kNothing);
  StoreLife life(*cut, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bodies_of(*life.store).size(), count);
}

}  // namespace
}  // namespace tern::store
