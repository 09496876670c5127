// Queues whose entries stand for several messages each. The model is a list of (first offset, count, position): what a
// reader gets for every offset follows from it.
#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "queue_support.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kPerFile = 20;
constexpr const char* kFile = "store/batchconsumequeue/TB/0/00000000000000000000";

QueueOptions batch_options() {
  auto options = test::small_queue_options();
  options.batch_directory = "store/batchconsumequeue";
  options.batch_file_size_bytes = kPerFile * kBatchEntrySize;
  return options;
}

std::unique_ptr<QueueTable> open_batches(file::Disk& disk) {
  std::string problem;
  auto table = QueueTable::open(disk, batch_options(), problem, [](std::string_view topic) {
    return std::optional(topic.starts_with("TB") ? QueueKind::kBatch : QueueKind::kSimple);
  });
  EXPECT_TRUE(table) << problem;
  return std::move(*table);
}

/// The n-th record of a queue: n % 5 + 1 messages, at n * 100.
std::int32_t count_of(std::int64_t n) {
  return static_cast<std::int32_t>(n % 5 + 1);
}
std::int64_t base_of(std::int64_t n) {
  return n / 5 * 15 + (n % 5) * (n % 5 + 1) / 2;
}
QueueEntry batch_of(std::int64_t n) {
  return {{n * test::kRecordSize}, test::kRecordSize, n * 7 - 3, count_of(n), 0, 1'000 + n};
}

void append_batches(Queue& queue, std::int64_t from, std::int64_t to) {
  for (std::int64_t n = from; n < to; ++n) {
    const auto status = queue.append({base_of(n)}, batch_of(n));
    ASSERT_TRUE(status) << n << ": " << status.error().text();
  }
}

/// Empty if every offset of records [from, to) finds its record, by single looks and by reading on.
std::string check_batches(const Queue& queue, std::int64_t from, std::int64_t to) {
  std::array<QueueEntry, 7> entries;
  for (std::int64_t n = from; n < to; ++n) {
    for (std::int64_t offset = base_of(n); offset < base_of(n + 1); ++offset) {
      const auto count = queue.read({offset}, entries, false);
      if (!count || *count == 0) return fmt::format("{}: {}", offset, count ? "nothing" : count.error().text());
      auto at = offset;
      for (std::size_t i = 0; i < *count; ++i) {
        const auto number = n + static_cast<std::int64_t>(i);
        const auto rest = base_of(number + 1) - at;
        if (entries[i].base != at || entries[i].count != rest || entries[i].position.value != number * 100 ||
            entries[i].store_timestamp != 1'000 + number || entries[i].tags_code != number * 7 - 3) {
          return fmt::format("{} of {}: {} +{} at {}", i, offset, entries[i].base, entries[i].count,
                             entries[i].position);
        }
        at += rest;
      }
      const auto begin = queue.begin_of({offset});
      if (!begin || begin->value != base_of(n)) return fmt::format("{} begins elsewhere", offset);
    }
  }
  return {};
}

class BatchQueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(test::make_store_directory(disk_));
    table_ = open_batches(disk_);
    queue_ = table_->get_or_create("TB", 0);
  }
  /// Another life, which looks at the files alone.
  void load() {
    queue_.reset();
    table_ = open_batches(disk_);
    std::string problem;
    ASSERT_TRUE(table_->load_from_files(&problem)) << problem;
    queue_ = table_->find("TB", 0);
    ASSERT_TRUE(queue_);
  }

  test::SimulatedDisk disk_;
  std::unique_ptr<QueueTable> table_;
  QueuePtr queue_;
};

TEST_F(BatchQueueTest, FindsTheRecordOfEveryOffsetInMemoryAndInFiles) {
  EXPECT_EQ(queue_->kind(), QueueKind::kBatch);
  append_batches(*queue_, 0, 130);
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(130)));
  EXPECT_EQ(check_batches(*queue_, 0, 130), "");
  ASSERT_TRUE(table_->flush_all());
  load();
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(130)));
  EXPECT_EQ(check_batches(*queue_, 0, 130), "");
  append_batches(*queue_, 130, 140);
  EXPECT_EQ(check_batches(*queue_, 0, 140), "");
  std::array<QueueEntry, 1> none;
  EXPECT_EQ(queue_->read({base_of(140)}, none, false).value(), 0U);
  EXPECT_EQ(queue_->read({-1}, none, false).value(), 0U);
}

// docs/format/batch_consume_queue.md; the second entry, byte by byte.
TEST_F(BatchQueueTest, WritesApachesBytes) {
  append_batches(*queue_, 0, 2);
  ASSERT_TRUE(table_->flush_all());
  const auto file = test::read_text(disk_, kFile);
  ASSERT_EQ(file.size(), static_cast<std::size_t>(kPerFile * kBatchEntrySize));
  const std::string expected(
      "\0\0\0\0\0\0\0\x64"
      "\0\0\0\x64"
      "\0\0\0\0\0\0\0\x04"
      "\0\0\0\0\0\0\x03\xE9"
      "\0\0\0\0\0\0\0\x01"
      "\0\x02"
      "\xFF\xFF\xFF\xFF"
      "\0\0\0\0",
      46);
  EXPECT_EQ(file.substr(46, 46), expected);
  EXPECT_EQ(file.find_first_not_of('\0', 92), std::string::npos);
}

TEST_F(BatchQueueTest, IgnoresWhatItHasAndRefusesGaps) {
  append_batches(*queue_, 0, 10);
  append_batches(*queue_, 3, 12);
  EXPECT_EQ(check_batches(*queue_, 0, 12), "");
  EXPECT_FALSE(queue_->append({base_of(12) + 1}, batch_of(12)));
  EXPECT_FALSE(queue_->append({base_of(12)}, {{5'000}, 100, 0, 0}));
  EXPECT_FALSE(queue_->append({base_of(12)}, {{5'000}, 100, 0, 32'768}));
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(12)));
}

TEST_F(BatchQueueTest, BeginsWhereItsFirstRecordDoes) {
  ASSERT_TRUE(queue_->append({1'000'000}, batch_of(4)));
  EXPECT_EQ(test::bounds_text(*queue_), "1000000-1000005");
  ASSERT_TRUE(table_->flush_all());
  load();
  EXPECT_EQ(test::bounds_text(*queue_), "1000000-1000005");
}

// The topic was removed and made again: its offsets restart, further behind in the log.
TEST_F(BatchQueueTest, BeginsAnewWithALowerOffsetBehindItsEnd) {
  append_batches(*queue_, 0, 50);
  ASSERT_TRUE(table_->flush_all());
  auto entry = batch_of(4);
  entry.position = {50'000};
  ASSERT_TRUE(queue_->append({0}, entry));
  EXPECT_EQ(test::bounds_text(*queue_), "0-5");
  ASSERT_TRUE(table_->flush_all());
  load();
  EXPECT_EQ(test::bounds_text(*queue_), "0-5");
  EXPECT_EQ(disk_.list("store/batchconsumequeue/TB/0").value().size(), 1U);
}

TEST_F(BatchQueueTest, GoesOnFromASideFilesWord) {
  append_batches(*queue_, 0, 61);
  ASSERT_TRUE(table_->flush_all());
  const auto entries = queue_->entries_of(queue_->bounds()).value();
  ASSERT_TRUE(entries);
  EXPECT_EQ(std::pair(entries->begin, entries->end), std::pair(std::int64_t{0}, std::int64_t{61}));
  // What dispatch added after the word is not in it.
  const auto earlier = queue_->entries_of({{0}, {base_of(44)}}).value();
  EXPECT_EQ(earlier->end, 44);
  EXPECT_FALSE(queue_->entries_of({{0}, {base_of(44) + 1}}));

  table_ = open_batches(disk_);
  ASSERT_TRUE(table_->restore("TB", 0, {{0}, {base_of(44)}}, {{0}, {4'400}}, earlier));
  queue_ = table_->find("TB", 0);
  EXPECT_EQ(check_batches(*queue_, 0, 44), "");
  append_batches(*queue_, 44, 46);
  ASSERT_TRUE(table_->flush_all());
  load();
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(46)));
  EXPECT_EQ(check_batches(*queue_, 0, 46), "");
  EXPECT_FALSE(table_->restore("TB", 1, {{0}, {7}}, {}, EntryRange{0, 0}));
  EXPECT_FALSE(table_->restore("TB", 1, {{0}, {7}}));
}

TEST_F(BatchQueueTest, ForgetsWhatTheLogHasLost) {
  append_batches(*queue_, 0, 61);
  ASSERT_TRUE(table_->flush_all());
  ASSERT_TRUE(table_->truncate_to({4'350}));
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(43)));
  append_batches(*queue_, 43, 50);
  EXPECT_EQ(check_batches(*queue_, 0, 50), "");
  ASSERT_TRUE(table_->cut(*queue_, {base_of(20)}));
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(20)));
  ASSERT_TRUE(table_->cut(*queue_, {base_of(20) - 1}));  // in the middle of a batch, which goes
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("0-{}", base_of(19)));
  ASSERT_TRUE(table_->truncate_to({0}));
  EXPECT_EQ(test::bounds_text(*queue_), "0-0");
  ASSERT_TRUE(table_->reset(*queue_, {77}));
  EXPECT_EQ(test::bounds_text(*queue_), "77-77");
}

TEST_F(BatchQueueTest, MinFollowsTheLogAndFilesGo) {
  append_batches(*queue_, 0, 61);
  ASSERT_TRUE(table_->flush_all());
  ASSERT_TRUE(table_->forget_before({2'500}));
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("{}-{}", base_of(25), base_of(61)));
  EXPECT_EQ(check_batches(*queue_, 25, 61), "");
  EXPECT_FALSE(disk_.exists(kFile).value());
  ASSERT_TRUE(table_->forget_before({6'100}));
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("{0}-{0}", base_of(61)));
  append_batches(*queue_, 61, 63);
  EXPECT_EQ(test::bounds_text(*queue_), fmt::format("{}-{}", base_of(61), base_of(63)));
  EXPECT_EQ(check_batches(*queue_, 61, 63), "");
  ASSERT_TRUE(table_->flush_all());
  load();
  ASSERT_TRUE(table_->forget_before({6'100}));
  EXPECT_EQ(check_batches(*queue_, 61, 63), "");
}

TEST_F(BatchQueueTest, StandsBesideSimpleQueuesAndGoesWithItsTopic) {
  const auto simple = table_->get_or_create("TA", 0);
  EXPECT_EQ(simple->kind(), QueueKind::kSimple);
  test::append_range(*simple, 0, 300);
  append_batches(*queue_, 0, 61);
  append_batches(*table_->get_or_create("TB", 3), 0, 5);
  EXPECT_EQ(table_->all().size(), 3U);
  EXPECT_EQ(table_->of_topic("TB").size(), 2U);
  ASSERT_TRUE(table_->flush_all());
  ASSERT_TRUE(table_->remove_topic("TB"));
  EXPECT_TRUE(queue_->is_deleted());
  EXPECT_EQ(table_->find("TB", 0), nullptr);
  EXPECT_FALSE(disk_.exists("store/batchconsumequeue/TB").value());
  const auto again = table_->get_or_create("TB", 0);
  EXPECT_FALSE(again->is_deleted());
  append_batches(*again, 0, 3);
  EXPECT_EQ(check_batches(*again, 0, 3), "");
  EXPECT_EQ(test::check_range(*simple, 0, 300), "");
}

TEST(BatchQueueSync, NoRoundEndsAfterAFailure) {
  for (int failing = 1; failing <= 6; ++failing) {
    test::SimulatedDisk disk;
    const auto table = open_batches(disk);
    const auto simple = table->get_or_create("TA", 0);
    test::append_range(*simple, 0, 10);
    append_batches(*table->get_or_create("TB", 0), 0, 10);
    test::write_all(*table);
    disk.fail_at(disk.changes() + failing, EIO);
    for (int round = 1; round < 5; ++round) {
      const auto synced = table->sync_step(1);
      EXPECT_FALSE(synced && *synced) << failing << ", round " << round;
      test::append_range(*simple, 10 * round, 10 * round + 10);
      test::write_all(*table);
    }
  }
}

TEST_F(BatchQueueTest, IsBuiltAnewWhenItsEntriesContradictEachOther) {
  append_batches(*queue_, 0, 30);
  ASSERT_TRUE(table_->flush_all());
  const auto file = disk_.open(kFile, file::OpenMode::kReadWrite);
  const std::string far("\x7F\0\0\0\0\0\0\0", 8);
  ASSERT_TRUE((*file)->write(28, test::bytes_of(far)));  // the first entry's base
  ASSERT_TRUE((*file)->sync());
  load();
  EXPECT_EQ(test::bounds_text(*queue_), "0-0");
  append_batches(*queue_, 0, 31);
  EXPECT_EQ(check_batches(*queue_, 0, 31), "");
}

// Random appends, losses, retention, restarts from files or from a side file's word, against the model.
TEST_F(BatchQueueTest, BehavesAsItsModel) {
  const std::uint32_t seed = 20'261'126;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::int64_t first = 0;
  std::int64_t next = 0;
  const auto upto = [&](std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, std::max<std::int64_t>(0, limit))(random);
  };
  for (int i = 0; i < 400; ++i) {
    switch (upto(6)) {
      case 0: {
        const auto entries = queue_->entries_of(queue_->bounds()).value();
        const auto bounds = queue_->bounds();
        const auto positions = queue_->positions();
        ASSERT_TRUE(table_->flush_all());
        table_ = open_batches(disk_);
        ASSERT_TRUE(table_->restore("TB", 0, bounds, positions, entries));
        queue_ = table_->find("TB", 0);
        break;
      }
      case 1:
        if (next == first) break;  // an empty queue's end is not in its files
        ASSERT_TRUE(table_->flush_all());
        ASSERT_NO_FATAL_FAILURE(load());
        ASSERT_TRUE(table_->forget_before({first * 100}));
        break;
      case 2:
        next = first + upto(next - first);
        ASSERT_TRUE(table_->truncate_to({next * 100}));
        break;
      case 3:
        first = std::min(next, first + upto(30));
        ASSERT_TRUE(table_->forget_before({first * 100}));
        break;
      default: {
        const auto more = upto(30);
        append_batches(*queue_, next, next + more);
        next += more;
        ASSERT_TRUE(table_->write_step(500));
      }
    }
    ASSERT_EQ(queue_->bounds().min.value, base_of(first)) << i;
    ASSERT_EQ(queue_->bounds().max.value, base_of(next)) << i;
    ASSERT_EQ(check_batches(*queue_, first, next), "") << i;
  }
}

// Whatever the moment of the crash: what was synced is in the files, and lost entries never come back.
TEST(BatchQueueCrash, HoldsWhatWasSyncedAndNothingThatWasLost) {
  const auto fill = [](test::SimulatedDisk& disk) {
    std::int64_t synced = 0;
    if (!test::make_store_directory(disk)) return synced;
    const auto table = open_batches(disk);
    for (std::int64_t round = 1; round <= 4; ++round) {
      append_batches(*table->get_or_create("TB", 0), (round - 1) * 17, round * 17);
      for (int i = 0; i < 20; ++i) {
        const auto step = table->write_step(300);
        if (!step) return synced;
        if (step->next_ms > 0) break;
      }
      for (;;) {
        const auto step = table->sync_step(1);
        if (!step) return synced;
        if (*step) break;
      }
      synced = round * 17;
    }
    return synced;
  };
  const auto tried = test::crash_at_every_operation(fill, [](auto& disk, const auto&, std::int64_t synced) {
    {
      const auto table = open_batches(disk);
      std::string problem;
      ASSERT_TRUE(table->load_from_files(&problem)) << problem;
      const auto queue = table->find("TB", 0);
      if (synced > 0) {
        ASSERT_TRUE(queue);
        ASSERT_GE(queue->bounds().max.value, base_of(synced));
        ASSERT_EQ(check_batches(*queue, 0, synced), "");
      }
    }
    {
      const auto table = open_batches(disk);
      if (synced > 0) {
        ASSERT_TRUE(table->restore("TB", 0, {{0}, {base_of(synced)}}, {{0}, {synced * 100}}, EntryRange{0, synced}));
      }
      append_batches(*table->get_or_create("TB", 0), synced, synced + 1);
      ASSERT_TRUE(table->flush_all());
    }
    const auto table = open_batches(disk);
    ASSERT_TRUE(table->load_from_files());
    const auto queue = table->find("TB", 0);
    ASSERT_EQ(queue->bounds().max.value, base_of(synced + 1));
    ASSERT_EQ(check_batches(*queue, 0, synced + 1), "");
  });
  EXPECT_GT(tried.points, 20);
}

}  // namespace
}  // namespace tern::store
