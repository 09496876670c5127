// Crashes at every operation of a writing table. Whatever the moment: what a side file could claim is in the files, and
// after the restart no entry of a lost record is ever seen, not by us and not by a reader who knows the files alone.

#include "queue_support.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

using test::append_range;
using test::check_range;
using test::open_table;
using test::write_all;

constexpr std::int64_t kRound = 130;
constexpr int kRounds = 5;

/// Rounds of append, write, sync; returns how many entries were synced when the scenario ended.
std::int64_t fill(test::SimulatedDisk& disk) {
  std::int64_t synced = 0;
  if (!test::make_store_directory(disk)) return synced;
  const auto table = open_table(disk);
  for (int round = 0; round < kRounds; ++round) {
    for (const auto* topic : {"TA", "TB"}) {
      append_range(*table->get_or_create(topic, 0), round * kRound, (round + 1) * kRound);
    }
    for (int i = 0; i < 10; ++i) {
      const auto step = table->write_step(900);
      if (!step) return synced;
      if (step->next_ms > 0) break;
    }
    while (true) {
      const auto step = table->sync_step(1);
      if (!step) return synced;
      if (*step) break;
    }
    synced = (round + 1) * kRound;
  }
  return synced;
}

std::int64_t end_by_files(test::SimulatedDisk& disk, const char* topic) {
  const auto table = open_table(disk);
  std::string problem;
  EXPECT_TRUE(table->load_from_files(&problem)) << problem;
  const auto queue = table->find(topic, 0);
  return queue ? queue->bounds().max.value : 0;
}

TEST(QueueCrash, WhatWasSyncedIsInTheFiles) {
  const auto tried = test::crash_at_every_operation(fill, [](auto& disk, const auto&, std::int64_t synced) {
    for (const auto* topic : {"TA", "TB"}) {
      const auto table = open_table(disk);
      std::string problem;
      ASSERT_TRUE(table->load_from_files(&problem)) << problem;
      const auto queue = table->find(topic, 0);
      if (synced == 0) continue;
      ASSERT_TRUE(queue);
      ASSERT_GE(queue->bounds().max.value, synced);
      ASSERT_EQ(check_range(*queue, 0, synced), "");
    }
  });
  EXPECT_GT(tried.points, 20);
}

// The log has lost everything that was not synced; other records took its place, at the same positions.
TEST(QueueCrash, EntriesOfLostRecordsNeverComeBack) {
  test::crash_at_every_operation(fill, [](auto& disk, const auto&, std::int64_t synced) {
    {
      const auto table = open_table(disk);
      for (const auto* topic : {"TA", "TB"}) {
        if (synced > 0) {
          const QueuePositions known{{0}, {synced * test::kRecordSize}};
          ASSERT_TRUE(table->restore(topic, 0, {{0}, {synced}}, known));
        }
      }
      ASSERT_TRUE(table->truncate_to({synced * test::kRecordSize}));
      ASSERT_TRUE(table->forget_before({0}));
      // TA gets new records, TB none.
      append_range(*table->get_or_create("TA", 0), synced, synced + 1);
      ASSERT_TRUE(table->flush_all());
    }
    ASSERT_EQ(end_by_files(disk, "TA"), synced + 1);
    if (synced > 0) {
      ASSERT_EQ(end_by_files(disk, "TB"), synced);
    }
    // Some records later.
    const auto table = open_table(disk);
    ASSERT_TRUE(table->load_from_files());
    append_range(*table->get_or_create("TA", 0), synced + 1, synced + 90);
    ASSERT_TRUE(table->flush_all());
    ASSERT_EQ(end_by_files(disk, "TA"), synced + 90);
    const auto again = open_table(disk);
    ASSERT_TRUE(again->load_from_files());
    ASSERT_EQ(check_range(*again->find("TA", 0), 0, synced + 90), "");
  });
}

// Cutting is not atomic for the file's size; a start of ours makes good what a crash in it leaves.
TEST(QueueCrash, ACutMayBeInterruptedAnywhere) {
  const auto scenario = [](test::SimulatedDisk& disk) {
    if (!test::make_store_directory(disk)) return false;
    const auto table = open_table(disk);
    append_range(*table->get_or_create("TA", 0), 0, 350);
    const bool is_flushed = table->flush_all().has_value();
    if (is_flushed && table->truncate_to({220 * test::kRecordSize})) static_cast<void>(table->flush_all());
    return is_flushed;
  };
  test::crash_at_every_operation(scenario, [](auto& disk, const auto& point, bool is_flushed) {
    if (!is_flushed) return;
    {
      const auto table = open_table(disk);
      std::string problem;
      ASSERT_TRUE(table->load_from_files(&problem)) << problem;
      ASSERT_TRUE(table->truncate_to({220 * test::kRecordSize}));
      const auto queue = table->find("TA", 0);
      ASSERT_EQ(queue->bounds().max.value, 220) << point.operation;
      ASSERT_EQ(check_range(*queue, 0, 220), "");
      append_range(*queue, 220, 221);
      ASSERT_TRUE(table->flush_all());
    }
    ASSERT_EQ(end_by_files(disk, "TA"), 221);
  });
}

}  // namespace
}  // namespace tern::store
