// A store that is opened while the disk has no room: it is read, it refuses sends, and takes them again once there is
// room, all by itself.

#include <algorithm>
#include <cerrno>

#include "store/store_fixture.hpp"

namespace tern::store {
namespace {

class FullDisk : public OnSimulatedDisk<::testing::TestWithParam<bool>> {
 protected:
  /// Whether the life before was killed.
  static bool was_killed() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(AfterAStopOrAKill, FullDisk, ::testing::Bool());

TEST_P(FullDisk, IsReadUntilThereIsRoom) {
  constexpr int kRecords = 100;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < kRecords / 2; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", 0, "key"}));
    life.save();
    // After a kill the start has entries to add.
    for (int i = kRecords / 2; i < kRecords; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", 0, "key"}));
    if (!was_killed()) {
      life.dispatch();
      ASSERT_TRUE(life.close());
    }
  }
  const auto disk = disk_.kill();
  disk->set_capacity(4096);  // so that what the start frees is no room either
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  const auto has_abort = disk->exists("/store/abort");
  EXPECT_TRUE(has_abort && *has_abort) << "a crash from here on would pass for a clean stop";
  const auto expect_all_readable = [&](const char* when) {
    EXPECT_EQ(bounds_of(*life.store, "TA", 0), fmt::format("0-{}", kRecords)) << when;
    for (int i = 0; i < kRecords; ++i) {
      ASSERT_EQ(body_at(*life.store, "TA", 0, i), fmt::format("body {}", i)) << when;
    }
    const auto found = life->query("TA", "key", kRecords, 0, INT64_MAX);
    ASSERT_TRUE(found) << when;
    EXPECT_EQ(found->positions.size(), kRecords) << when;
  };
  ASSERT_NO_FATAL_FAILURE(expect_all_readable("just opened"));
  const auto end = life->max_position();
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_EQ(life.send({std::string(kSegmentSize / 2, 'x')}).error(), Errc::kDiskFull);
    life.upkeep();
    life->segments_step();
    life.flush();
  }
  EXPECT_EQ(life->max_position(), end);
  ASSERT_NO_FATAL_FAILURE(expect_all_readable("refusing"));

  disk->set_capacity(std::int64_t{1} << 30);
  for (int steps = 0; steps < 3; ++steps) {
    life.upkeep();
    life->segments_step();
  }
  const auto placed = life.send({"after", "TA", 0, "key"});
  ASSERT_TRUE(placed) << make_error_code(placed.error()).message();
  EXPECT_EQ(placed->queue_offset, QueueOffset{kRecords});
  life.save();
  test::Rng random(1);
  const auto cut = disk->crash(random, test::Survival::kNothing);
  StoreLife next(*cut, clock_, options_);
  ASSERT_TRUE(next) << next.problem.text;
  EXPECT_EQ(body_at(*next.store, "TA", 0, kRecords), "after");
}

// The file that tells the next start of a crash finds no room: until it does, nothing may be stored that only such a
// start would look for.
TEST_P(FullDisk, TakesNothingBeforeItsAbortFileIsThere) {
  constexpr int kRecords = 20;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < kRecords; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", 0, "key"}));
    life.save();
    if (!was_killed()) {
      ASSERT_TRUE(life.close());
    }
  }
  int tried = 0;
  int tried_without_file = 0;
  std::int64_t operation = 1;
  for (bool has_failed = true; has_failed; ++operation) {
    SCOPED_TRACE(fmt::format("full from operation {} on", operation));
    const auto disk = disk_.kill();
    disk->fail_at(operation, ENOSPC, 1'000'000);
    StoreLife life(*disk, clock_, options_);
    has_failed = disk->changes() >= operation;
    if (!life || !std::ranges::any_of(life.report.warnings, [](const std::string& warning) {
          return warning.starts_with("/store/abort cannot be written, the disk is full");
        })) {
      continue;
    }
    ++tried;
    const auto log_before = files_in(*disk, "/store/commitlog");
    for (int tries = 0; tries < 3; ++tries) {
      EXPECT_EQ(life.send({"refused"}).error(), Errc::kDiskFull);
      life.upkeep();
      life->segments_step();
      life.flush();
    }
    EXPECT_EQ(files_in(*disk, "/store/commitlog"), log_before);
    // It may have been made, but not durably.
    const bool is_there = *disk->exists("/store/abort");
    EXPECT_TRUE(is_there || !was_killed());
    if (!is_there) ++tried_without_file;
    for (int i = 0; i < kRecords; ++i) EXPECT_EQ(body_at(*life.store, "TA", 0, i), fmt::format("body {}", i));
    const auto answers = answers_of(*life.store, {"key"});
    {
      const auto copy = disk->kill();
      StoreLife next(*copy, clock_, options_);
      ASSERT_TRUE(next) << next.problem.text;
      EXPECT_EQ(next.report.was_clean, !is_there);
      EXPECT_EQ(answers_of(*next.store, {"key"}), answers);
    }

    disk->fail_at(INT64_MAX, ENOSPC);  // never again
    for (int steps = 0; steps < 3; ++steps) {
      life.upkeep();
      life->segments_step();
    }
    const auto placed = life.send({"after"});
    ASSERT_TRUE(placed) << make_error_code(placed.error()).message();
    EXPECT_EQ(placed->queue_offset, QueueOffset{kRecords});
    life.flush();
    test::Rng random(1);
    for (const auto& left : {disk->kill(), disk->crash(random, test::Survival::kNothing)}) {
      StoreLife next(*left, clock_, options_);
      ASSERT_TRUE(next) << next.problem.text;
      EXPECT_FALSE(next.report.was_clean);
      EXPECT_EQ(body_at(*next.store, "TA", 0, kRecords), "after");
    }
  }
  EXPECT_GT(tried, 0);
  EXPECT_EQ(tried_without_file > 0, !was_killed());
}

}  // namespace
}  // namespace tern::store
