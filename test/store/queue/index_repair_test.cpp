// What a power cut leaves of the key index, made whole when it is opened; the power may go while that is done, and
// again.

#include <gtest/gtest.h>

#include "tern/store/key_index.hpp"

#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace tern::store {
namespace {

constexpr int kSynced = 37;
constexpr int kKeys = 60;

class IndexRepair : public ::testing::Test {
 protected:
  std::unique_ptr<KeyIndex> open(test::SimulatedDisk& disk, LogPosition synced_to = {-1}) {
    std::string problem;
    auto index = KeyIndex::open(disk, clock_, options_, true, 0, problem, synced_to);
    return index ? std::move(*index) : nullptr;
  }
  static LogPosition position(int key) { return {100 + key * 100}; }
  static std::string name(int key) { return fmt::format("k{}", key); }
  static void add(KeyIndex& index, int from, int to) {
    for (int i = from; i < to; ++i) {
      const IndexKey key{key_hash("T", name(i)), position(i), 1'700'000'000'000 + i};
      index.add({&key, 1});
    }
  }
  static bool write_all(KeyIndex& index) {
    for (;;) {
      const auto wrote = index.write_step(1000);
      if (!wrote) return false;
      if (*wrote == 0) return true;
    }
  }
  /// "" or the first of keys [0, end) that is not found where it was put, or found elsewhere.
  static std::string look(KeyIndex& index, int end) {
    for (int i = 0; i < end; ++i) {
      const auto found = index.query("T", name(i), 64, 0, INT64_MAX);
      if (!found) return found.error().text();
      if (found->positions != std::vector<LogPosition>{position(i)})
        return fmt::format("{}: {} positions", name(i), found->positions.size());
    }
    return {};
  }
  /// Keys [0, kSynced) synced, the rest written.
  void live(test::SimulatedDisk& disk) {
    ASSERT_TRUE(disk.make_directories("/store") && disk.sync_directory("/"));
    const auto index = open(disk);
    ASSERT_TRUE(index);
    add(*index, 0, kSynced);
    ASSERT_TRUE(write_all(*index) && index->sync());
    add(*index, kSynced, kKeys);
    ASSERT_TRUE(write_all(*index));
  }

  test::ManualClock clock_;
  IndexOptions options_{"/store/index", true, 16, 100, 1 << 18};
};

TEST_F(IndexRepair, LosesNoSyncedKeyHoweverOftenItIsCutOff) {
  for (const std::int64_t entries_max : {100, 30}) {  // one file, or a torn one behind a whole one
    options_.entries_max = entries_max;
    test::SimulatedDisk first({.clock = &clock_});
    ASSERT_NO_FATAL_FAILURE(live(first));
    std::int64_t repairs = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      test::Rng random(seed);
      auto disk = first.crash(random);
      for (int start = 0; start < 3; ++start) {  // each is cut off, if it takes that long
        disk->crash_at(disk->changes() + 1 + static_cast<std::int64_t>(random() % 20));
        if (const auto index = open(*disk, position(kSynced)); index && !disk->crashed()) {
          ASSERT_EQ(look(*index, kSynced), "") << "seed " << seed << ", start " << start;
          repairs += index->extents().empty() || index->extents().back().last < position(kKeys - 1) ? 1 : 0;
          add(*index, kSynced, kKeys);
          static_cast<void>(write_all(*index));
        }
        disk = disk->crash(random);
      }
      const auto index = open(*disk, position(kSynced));
      ASSERT_TRUE(index) << "seed " << seed;
      ASSERT_EQ(look(*index, kSynced), "") << "seed " << seed;
      add(*index, kSynced, kKeys);
      ASSERT_TRUE(write_all(*index));
      ASSERT_EQ(look(*index, kKeys), "") << "seed " << seed;
    }
    EXPECT_GT(repairs, 100);
  }
}

// The newest file has lost its header: the one before it must be looked at all the same.
TEST_F(IndexRepair, ForgetsWhatPointsPastTheLogInEveryFile) {
  options_.entries_max = 30;
  test::SimulatedDisk disk({.clock = &clock_});
  ASSERT_NO_FATAL_FAILURE(live(disk));
  const auto entries = disk.list("/store/index");
  ASSERT_EQ(entries->size(), 3U);
  const auto newest = disk.open("/store/index/" + entries->back().name, file::OpenMode::kReadWrite);
  ASSERT_TRUE((*newest)->write(0, std::vector<std::byte>(40)));
  const auto index = open(disk);
  ASSERT_TRUE(index && index->truncate_to(position(20)));
  EXPECT_EQ(look(*index, 20), "");
  for (int i = 20; i < kKeys; ++i) {
    EXPECT_TRUE(index->query("T", name(i), 64, 0, INT64_MAX)->positions.empty()) << i;
  }
  add(*index, 20, kKeys);
  ASSERT_TRUE(write_all(*index));
  EXPECT_EQ(look(*index, kKeys), "");
}

// Without a word of ours a file counts if it ends before Apache's checkpoint. Its header may be older than the rest.
TEST_F(IndexRepair, RemovesATornFileThatTheCheckpointCovers) {
  test::SimulatedDisk disk({.clock = &clock_});
  ASSERT_NO_FATAL_FAILURE(live(disk));
  const auto path = "/store/index/" + disk.list("/store/index")->front().name;
  for (const bool is_torn : {false, true}) {
    const auto file = disk.open(path, file::OpenMode::kReadWrite);
    if (is_torn) {
      ASSERT_TRUE((*file)->write(40, std::vector<std::byte>(16)));  // the first slots
    }
    std::string problem;
    const auto index = KeyIndex::open(disk, clock_, options_, false, INT64_MAX, problem);
    ASSERT_TRUE(index) << problem;
    EXPECT_EQ((*index)->extents().empty(), is_torn);
  }
}

}  // namespace
}  // namespace tern::store
