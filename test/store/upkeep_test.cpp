// What upkeep does beside a running store: it makes room for dispatch, saves the state, watches the space and removes
// what has expired.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <optional>

#include <gmock/gmock.h>

#include "tern/base/log.hpp"
#include "tern/store/side_file.hpp"

#include "store/store_fixture.hpp"
#include "support/logged_lines.hpp"

namespace tern::store {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kEveryHour = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDiskBytes = 8 << 20;

class UpkeepTest : public ::testing::Test {
 protected:
  test::ManualClock clock_;
  test::SimulatedDisk disk_{{.capacity_bytes = kDiskBytes, .clock = &clock_}};
  StoreOptions options_ = small_store();
};

// The bound is 64 blocks; each queue with an entry takes one.
TEST_F(UpkeepTest, LetsAPausedDispatchGoOn) {
  constexpr int kQueues = 150;
  StoreLife life(disk_, clock_, options_);
  for (int i = 0; i < kQueues; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", i}));
  EXPECT_FALSE(life->dispatch());
  EXPECT_GT(life->dispatch_behind_bytes(), 0);
  EXPECT_LT(life->dispatched_records(), kQueues);
  EXPECT_EQ(life.dispatch_wanted, 0);
  for (int rounds = 0; rounds < 20 && life->dispatch_behind_bytes() > 0; ++rounds) {
    const auto before = life->dispatched_records();
    life->upkeep_step();
    EXPECT_EQ(life.dispatch_wanted, rounds + 1);
    life.dispatch();
    EXPECT_GT(life->dispatched_records(), before);
  }
  EXPECT_EQ(life->dispatch_behind_bytes(), 0);
  for (int i = 0; i < kQueues; ++i) EXPECT_EQ(body_at(*life.store, "TA", i, 0), fmt::format("body {}", i));
}

// Asked again at once, a disk that fails would keep an io thread busy with nothing else.
TEST_F(UpkeepTest, LetsADispatchGoOnThatCouldNotReadTheLog) {
  options_.log.hot_bytes = 0;
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(life.send({fmt::format("body {}", i)}));
    disk_.fail_read_at(disk_.reads() + 1, EIO, 2);
    for (int tries = 0; tries < 2; ++tries) EXPECT_FALSE(life->dispatch());
    EXPECT_GT(life->dispatch_behind_bytes(), 0);
    EXPECT_EQ(life.dispatch_wanted, i);
    life->upkeep_step();
    EXPECT_EQ(life.dispatch_wanted, i + 1);
    life.dispatch();
    EXPECT_EQ(life->dispatch_behind_bytes(), 0);
    EXPECT_EQ(body_at(*life.store, "TA", 0, i), fmt::format("body {}", i));
  }
}

TEST_F(UpkeepTest, DispatchesEverythingWhenAFullStoreStops) {
  constexpr int kQueues = 150;
  {
    StoreLife life(disk_, clock_, options_);
    for (int i = 0; i < kQueues; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", i}));
    ASSERT_TRUE(life.close());
  }
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(life.report.scanned_records, 0);
  for (int i = 0; i < kQueues; ++i) EXPECT_EQ(body_at(*life.store, "TA", i, 0), fmt::format("body {}", i));
}

// A stop must end, whatever the disk does.
TEST_F(UpkeepTest, StopsWithAnErrorIfTheDiskFailsWhileThereIsNoRoom) {
  constexpr int kQueues = 150;
  {
    StoreLife life(disk_, clock_, options_);
    for (int i = 0; i < kQueues; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", i}));
    life.flush();
    life.dispatch();
    disk_.fail_at(disk_.changes() + 1, EIO, 1'000'000);
    EXPECT_FALSE(life.close());
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  for (int i = 0; i < kQueues; ++i) EXPECT_EQ(body_at(*life.store, "TA", i, 0), fmt::format("body {}", i));
}

TEST_F(UpkeepTest, SavesNothingWhileNothingChanges) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"body"}));
  life.save();
  life.upkeep(kRetentionEveryMs);
  const auto changes = disk_.changes();
  for (int i = 0; i < 5; ++i) life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(disk_.changes(), changes);
  ASSERT_TRUE(life.send({"body"}));
  life.save();
  EXPECT_GT(disk_.changes(), changes);
}

// However fast messages arrive: here, all of them before the first second is over.
TEST_F(UpkeepTest, BoundsByBytesWhatAStartAfterAKillReadsAgain) {
  const std::int64_t lag_bytes = options_.index.hash_slots * std::int64_t{4} * 16;
  const auto begun_ms = clock_.steady_ms();
  std::int64_t read_most = 0;
  StoreLife life(disk_, clock_, options_);
  std::int64_t record_size = 0;
  for (int i = 0; i < 400; ++i) {
    const auto before = life->max_position();
    ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", i % 4, fmt::format("key {}", i)}));
    life.flush();
    record_size = std::max(record_size, life->max_position() - before);
    life.dispatch();
    life.upkeep(/*passing_ms=*/0);
    if (i % 7 != 0) continue;
    const auto disk = disk_.kill();
    test::ManualClock later;
    StoreLife next(*disk, later, options_);
    ASSERT_TRUE(next) << next.problem.text;
    ASSERT_TRUE(next.report.used_side_file);
    ASSERT_LT(next.report.scanned_bytes, 2 * lag_bytes + record_size) << i;
    read_most = std::max(read_most, next.report.scanned_bytes);
  }
  EXPECT_LT(clock_.steady_ms() - begun_ms, kUpkeepEveryMs);
  EXPECT_GT(life->max_position(), LogPosition{8 * lag_bytes});
  EXPECT_GT(read_most, lag_bytes / 2) << "saved more often than need be";
}

// Apache's recovery removes an index file whose end is behind the checkpoint's time of the index, and dispatches again
// from the time of the queues: all keys of that file must come from there.
TEST_F(UpkeepTest, TellsApacheToDispatchAgainFromWhereTheUnfinishedIndexFileBegins) {
  const auto checkpoint = [&] { return **load_checkpoint(disk_, "/store/checkpoint"); };
  StoreLife life(disk_, clock_, options_);
  const auto first = clock_.wall_ms();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(life.send({"body", "TA", 0, "key"}));
    clock_.advance_ms(10'000);
  }
  life.save();
  EXPECT_EQ(checkpoint().log_timestamp, first + 20'000);
  EXPECT_EQ(checkpoint().index_timestamp, first + 20'000);
  EXPECT_EQ(checkpoint().queue_timestamp, first - 1) << "of a millisecond that two segments share, the first is needed";
  EXPECT_EQ(checkpoint().queue_position, 0) << "5.5.0 would go by this instead";
  ASSERT_TRUE(life.close());
  EXPECT_GT(checkpoint().queue_position, 0);
  EXPECT_EQ(checkpoint().queue_timestamp, first + 20'000) << "a clean stop leaves nothing to be dispatched";
}

TEST_F(UpkeepTest, GoesOnSavingAfterAFailure) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"first"}));
    life.flush();
    life.dispatch();
    disk_.fail_at(disk_.changes() + 1, ENOSPC, 3);
    life.upkeep();
    life.upkeep();
    life.upkeep();
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_TRUE(life.report.used_side_file);
  EXPECT_EQ(life.report.scanned_records, 0);
}

class RetentionTest : public UpkeepTest {
 protected:
  RetentionTest() {
    options_.delete_when = kEveryHour;
    options_.file_reserved_hours = 1;
  }
  void fill(StoreLife& life, int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", 0, "key"}));
    life.save();
  }
};

TEST_F(RetentionTest, RemovesExpiredSegmentsAndMovesTheQueuesBegin) {
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  const auto last_segment = life->log().segments().size() - 1;
  ASSERT_GE(last_segment, 2);
  life.upkeep(kHourMs / 2);
  EXPECT_EQ(life->min_position(), LogPosition{0});

  life.upkeep(kHourMs);
  const auto min = life->min_position();
  EXPECT_EQ(min.value, life->max_position().value / kSegmentSize * kSegmentSize);
  const auto queue = life->find_queue("TA", 0);
  const auto [first, max] = queue->bounds();
  EXPECT_GT(first.value, 0);
  EXPECT_LT(first.value, 100);
  EXPECT_EQ(max.value, 100);
  std::array<QueueEntry, 1> entry;
  ASSERT_EQ(queue->read(first, entry, false).value(), 1);
  EXPECT_EQ(entry[0].position, min);
  for (auto at = first.value; at < 100; ++at) EXPECT_EQ(body_at(*life.store, *queue, at), fmt::format("body {}", at));
  EXPECT_FALSE(life->record_at({0}));
  EXPECT_EQ(life->offset_by_time(*queue, 0, TimeBoundary::kLower)->value, first.value);
  EXPECT_EQ(life.send({"next"})->queue_offset, QueueOffset{100});
}

TEST_F(RetentionTest, IsKeptByTheNextLife) {
  for (const bool is_clean : {true, false}) {
    SCOPED_TRACE(is_clean);
    test::SimulatedDisk disk({.capacity_bytes = kDiskBytes, .clock = &clock_});
    std::vector<std::string> before;
    {
      StoreLife life(disk, clock_, options_);
      fill(life, 0, 100);
      life.upkeep(2 * kHourMs);
      before = answers_of(*life.store);
      if (is_clean) {
        ASSERT_TRUE(life.close());
      }
    }
    for (const bool removes_state : {false, true}) {
      const auto reopened = disk.kill();
      if (removes_state) remove_tree(*reopened, "/store/tern");
      StoreLife life(*reopened, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      EXPECT_EQ(answers_of(*life.store), before);
    }
  }
}

// What is removed may be what the state's digest was made of: a kill must not cost a scan of the whole log.
TEST_F(RetentionTest, LeavesAStateThatFitsTheLog) {
  {
    StoreLife life(disk_, clock_, options_);
    fill(life, 0, 100);
    life.upkeep(2 * kHourMs);
    ASSERT_GT(life->min_position(), LogPosition{0});
    life.upkeep();
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_TRUE(life.report.used_side_file);
  EXPECT_EQ(life.report.scanned_records, 0);
}

// What ties the state to the log must not go with the segment before.
TEST_F(RetentionTest, DoesNotCostTheStateThatWasSavedBefore) {
  StoreLife life(disk_, clock_, options_);
  for (int i = 0; life->max_position().value < kSegmentSize + 100; ++i) ASSERT_TRUE(life.send({fmt::format("{}", i)}));
  life.save();
  life.upkeep(2 * kHourMs);
  ASSERT_EQ(life->min_position(), LogPosition{kSegmentSize});
  const auto disk = disk_.kill();
  StoreLife again(*disk, clock_, options_);
  ASSERT_TRUE(again) << again.problem.text;
  EXPECT_TRUE(again.report.used_side_file);
}

TEST_F(RetentionTest, WaitsForItsHour) {
  options_.delete_when = "";
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  life.upkeep(10 * kHourMs);
  EXPECT_EQ(life->min_position(), LogPosition{0});
}

/// The process's time zone while it lives, as POSIX writes it: "TST-5:30" is five and a half hours ahead.
class LocalZone {
 public:
  explicit LocalZone(const char* zone) {
    if (const char* const was = std::getenv("TZ")) was_ = was;
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~LocalZone() {
    if (was_)
      ::setenv("TZ", was_->c_str(), 1);
    else
      ::unsetenv("TZ");
    ::tzset();
  }
  LocalZone(const LocalZone&) = delete;
  LocalZone& operator=(const LocalZone&) = delete;

 private:
  std::optional<std::string> was_;
};

TEST_F(RetentionTest, TakesDeleteWhenForLocalHours) {
  const LocalZone zone("TST-5:30");
  constexpr std::int64_t kMidnightMs = 1'767'225'600'000 - 5 * kHourMs - kHourMs / 2;  // 2026-01-01, there
  options_.delete_when = "04;6";
  clock_.set_wall_ms(kMidnightMs);
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 50);
  const auto removes_at = [&](std::int64_t wall_ms) {
    const auto before = life->min_position();
    life.upkeep(wall_ms - clock_.wall_ms());
    return life->min_position() > before;
  };
  EXPECT_FALSE(removes_at(kMidnightMs + 3 * kHourMs));
  EXPECT_FALSE(removes_at(kMidnightMs + 4 * kHourMs - 1));
  EXPECT_TRUE(removes_at(kMidnightMs + 4 * kHourMs + kRetentionEveryMs));
  fill(life, 50, 100);
  EXPECT_FALSE(removes_at(kMidnightMs + 6 * kHourMs - 1));
  EXPECT_TRUE(removes_at(kMidnightMs + 7 * kHourMs - 1));
}

TEST_F(RetentionTest, WaitsForNoHourAboveTheRatioOfUsedSpace) {
  options_.delete_when = "";
  options_.disk_max_used_percent = 50;
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  clock_.advance_ms(2 * kHourMs);
  const auto space = disk_.space("/store");
  const auto used_bytes = space->total_bytes - space->available_bytes;
  disk_.set_capacity(2 * used_bytes + used_bytes / 100);
  life.upkeep(kRetentionEveryMs);
  EXPECT_THAT(life->disk_used_percent(), testing::AllOf(testing::Gt(49), testing::Lt(50)));
  EXPECT_EQ(life->min_position(), LogPosition{0});

  disk_.set_capacity(2 * used_bytes - used_bytes / 100);
  life.upkeep(kRetentionEveryMs);
  EXPECT_GT(life->min_position(), LogPosition{0});
}

TEST_F(RetentionTest, RemovesTheIndexFilesOfWhatIsGone) {
  const auto files = [&] {
    std::vector<std::string> names;
    const auto entries = disk_.list("/store/index");
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  };
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 200);
  clock_.advance_ms(1000);
  fill(life, 200, 400);
  const auto before = files();
  ASSERT_EQ(before.size(), 2U) << "of 255 keys each";
  life.upkeep(2 * kHourMs);
  for (int rounds = 0; rounds < 10; ++rounds) life.upkeep(kRetentionEveryMs);  // ten segments at a time
  EXPECT_EQ(life->min_position().value, life->max_position().value / kSegmentSize * kSegmentSize);
  EXPECT_EQ(files(), std::vector{before.back()});
  const auto found = life->query("TA", "key", 1000, 0, INT64_MAX);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->positions, testing::Not(testing::IsEmpty()));
}

TEST_F(RetentionTest, WaitsForNoHourIfItIsAskedTo) {
  options_.delete_when = "";
  options_.delete_batch_max = 1;
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  life->remove_expired_now();
  life.upkeep();
  EXPECT_EQ(life->min_position(), LogPosition{0}) << "nothing is old enough";
  clock_.advance_ms(2 * kHourMs);
  life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position(), LogPosition{0}) << "that was then";
  const auto last_segment = life->max_position().value / kSegmentSize;
  ASSERT_GE(last_segment, 2);
  life->remove_expired_now();
  life.upkeep();
  EXPECT_EQ(life->min_position(), LogPosition{kSegmentSize});
  life->tidy_queues_now();
  for (std::int64_t i = 0; i < last_segment; ++i) life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position().value, last_segment * kSegmentSize);
  EXPECT_GT(life->find_queue("TA", 0)->bounds().min, QueueOffset{0});
  EXPECT_EQ(body_at(*life.store, "TA", 0, 99), "body 99");
  fill(life, 100, 200);
  clock_.advance_ms(2 * kHourMs);
  life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position().value, last_segment * kSegmentSize) << "what comes later waits for its hour";
}

TEST_F(RetentionTest, RemovesWhatHasNotExpiredWhenTheDiskFillsUp) {
  options_.file_reserved_hours = 72;
  options_.delete_when = "";
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  disk_.set_capacity(disk_.space("/store")->total_bytes - disk_.space("/store")->available_bytes + 1000);
  options_.disk_clean_forcibly_percent.set(85);
  life.upkeep(kRetentionEveryMs);
  EXPECT_GT(life->min_position(), LogPosition{0});
  EXPECT_EQ(life->find_queue("TA", 0)->bounds().max.value, 100);
}

TEST_F(RetentionTest, KeepsWhatHasNotExpiredOnAFullDiskIfToldSo) {
  options_.file_reserved_hours = 72;
  options_.delete_when = "";
  options_.cleans_forcibly = false;
  options_.disk_clean_forcibly_percent = 0;
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position(), LogPosition{0});
  options_.cleans_forcibly.set(true);
  life.upkeep(kRetentionEveryMs);
  EXPECT_GT(life->min_position(), LogPosition{0});
}

TEST_F(RetentionTest, KeepsTheLogWithinItsTotalSizeAtAnyHour) {
  options_.file_reserved_hours = 72;
  options_.delete_when = "";
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  const auto end = life->max_position();
  options_.bytes_max.set(end.value);
  life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position(), LogPosition{0});
  options_.bytes_max.set(end.value - 1);
  life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position(), LogPosition{kSegmentSize});
  options_.bytes_max.set(1);
  life.upkeep(kRetentionEveryMs);
  EXPECT_EQ(life->min_position().value, end.value / kSegmentSize * kSegmentSize) << "the last segment always stays";
  EXPECT_EQ(body_at(*life.store, "TA", 0, 99), "body 99");
}

TEST_F(RetentionTest, RemovesAtMostSoManySegmentsAtATime) {
  options_.delete_batch_max = 1;
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  ASSERT_GE(life->log().segments().size(), 3U);
  clock_.advance_ms(2 * kHourMs);
  for (int round = 1; round <= 2; ++round) {
    life.upkeep(kRetentionEveryMs);
    EXPECT_EQ(life->min_position(), LogPosition{round * kSegmentSize});
  }
}

// A reader that has begun keeps its bytes, whatever happens to the file's name.
TEST_F(RetentionTest, LeavesAPinnedSegmentsBytesToItsReader) {
  options_.log.hot_bytes = kDiskBytes;
  StoreLife life(disk_, clock_, options_);
  fill(life, 0, 100);
  const auto pinned = life->log().hot({0}, 64);
  ASSERT_TRUE(pinned);
  const std::vector<std::byte> before(pinned->bytes.begin(), pinned->bytes.end());
  life.upkeep(2 * kHourMs);
  ASSERT_GT(life->min_position(), LogPosition{0});
  EXPECT_FALSE(life->log().hot({0}, 64));
  EXPECT_TRUE(std::ranges::equal(pinned->bytes, before));
}

TEST_F(RetentionTest, KeepsWhatIsNotDispatched) {
  StoreLife life(disk_, clock_, options_);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i)}));
  life.flush();
  life.upkeep(2 * kHourMs);
  EXPECT_EQ(life->min_position(), LogPosition{0});
  life.dispatch();
  EXPECT_EQ(body_at(*life.store, "TA", 0, 0), "body 0");
}

TEST_F(UpkeepTest, RefusesSendsBelowTheFloorOfFreeBytesAndLiftsThat) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"before"}));
  life.upkeep();
  options_.free_bytes_min.set(kDiskBytes);
  life.upkeep();
  EXPECT_EQ(life.send({"refused"}).error(), Errc::kDiskFull);
  life.dispatch();
  EXPECT_EQ(body_at(*life.store, "TA", 0, 0), "before");
  disk_.set_capacity(3 * kDiskBytes);
  life.upkeep();
  const auto placed = life.send({"after"});
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->queue_offset, QueueOffset{1});
}

TEST_F(UpkeepTest, RefusesSendsAboveTheUsedPercentAndLiftsThat) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"before"}));
  options_.disk_warning_percent.set(0);
  life.upkeep();
  EXPECT_GT(life->disk_used_percent(), 0);
  EXPECT_EQ(life.send({"refused"}).error(), Errc::kDiskFull);
  options_.disk_warning_percent.set(90);
  life.upkeep();
  EXPECT_TRUE(life.send({"after"}));
}

// Whoever watches the log must learn it once, and of which key, and again when it is over.
TEST_F(UpkeepTest, SaysThatSendsAreRefusedForWantOfRoomAndWhenThatIsOver) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"before"}));
  life.upkeep();
  const auto warnings_after = [&](int seconds) {
    const auto before = log_counts().warnings;
    for (int i = 0; i < seconds; ++i) life.upkeep();
    return log_counts().warnings - before;
  };
  const test::LoggedLines lines;
  EXPECT_FALSE(life->log().is_disk_full());

  options_.free_bytes_min.set(kDiskBytes);
  EXPECT_EQ(warnings_after(3), 1U);
  EXPECT_TRUE(life->log().is_disk_full());
  const auto free_bytes = disk_.space("/store")->available_bytes;
  EXPECT_THAT(lines.text(), testing::ContainsRegex(fmt::format(
                                "warning /store: .*{} bytes free, [0-9.]+ % used .*storeFreeBytesMin", free_bytes)));
  EXPECT_THAT(lines.text(), Not(HasSubstr("sends are taken")));

  options_.free_bytes_min.set(0);
  EXPECT_EQ(warnings_after(3), 0U);
  EXPECT_FALSE(life->log().is_disk_full());
  EXPECT_THAT(lines.text(), testing::ContainsRegex("info +/store: .*sends are taken: [0-9]+ bytes free"));

  options_.disk_warning_percent.set(0);
  EXPECT_EQ(warnings_after(3), 1U);
  EXPECT_THAT(lines.text(), HasSubstr("diskSpaceWarningLevelRatio"));
}

}  // namespace
}  // namespace tern::store
