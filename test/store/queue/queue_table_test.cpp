#include <array>
#include <cerrno>

#include "tern/base/byte_order.hpp"
#include "tern/store/queue.hpp"

#include "queue_support.hpp"

namespace tern::store {
namespace {

using test::append_range;
using test::bounds_text;
using test::check_range;
using test::entry_of;
using test::kEntriesPerFile;
using test::open_table;
using test::write_all;

const std::string kDirectory = "store/consumequeue/TA/3";

std::string file_name(std::int64_t entry) {
  return fmt::format("{}/{:020}", kDirectory, entry * kQueueEntrySize);
}

std::string entry_bytes(std::int64_t position, std::int32_t size, std::int64_t tags) {
  std::string bytes;
  append_be(bytes, position);
  append_be(bytes, size);
  append_be(bytes, tags);
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

TEST(QueueTable, WritesFilesByteForByteAsApache) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  ASSERT_TRUE(queue->append({0}, {{0x0102030405060708}, 0x0A0B0C0D, -2}));
  ASSERT_TRUE(queue->append({1}, {{0x010203040F111315}, 1, 2}));
  write_all(*table);
  const auto content = test::read_text(disk, file_name(0));
  ASSERT_EQ(content.size(), static_cast<std::size_t>(kEntriesPerFile * kQueueEntrySize));
  EXPECT_EQ(hex(content.substr(0, 40)),
            "01020304050607080a0b0c0dfffffffffffffffe"
            "010203040f111315000000010000000000000002");
  EXPECT_EQ(content.find_first_not_of('\0', 40), std::string::npos);
}

TEST(QueueTable, RoundsTheFileSizeUp) {
  test::SimulatedDisk disk;
  auto options = test::small_queue_options();
  options.file_size_bytes = 4001;
  const auto table = open_table(disk, options);
  append_range(*table->get_or_create("TA", 3), 0, 1);
  write_all(*table);
  EXPECT_EQ(test::read_text(disk, file_name(0)).size(), 4020U);
}

TEST(QueueTable, PrefillsTheFileOfAQueueThatBeginsLater) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 450, 460);
  EXPECT_EQ(bounds_text(*queue), "450-460");
  write_all(*table);
  const auto list = disk.list(kDirectory);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().name, "00000000000000008000");
  const auto content = test::read_text(disk, file_name(400));
  for (std::size_t i = 0; i < 50; ++i) ASSERT_EQ(content.substr(i * 20, 20), entry_bytes(0, 0x7FFFFFFF, 0)) << i;
  EXPECT_EQ(content.substr(50 * 20, 20), entry_bytes(45000, 100, 450 * 7 - 3));

  const auto again = open_table(disk);
  ASSERT_TRUE(again->load_from_files());
  const auto loaded = again->find("TA", 3);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(bounds_text(*loaded), "400-460");
  ASSERT_TRUE(again->forget_before({0}));
  EXPECT_EQ(bounds_text(*loaded), "450-460");
  EXPECT_EQ(check_range(*loaded, 450, 460), "");
}

TEST(QueueTable, ReadsAcrossMemoryAndFiles) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  for (std::int64_t n = 0; n < 10'000; n += 500) {
    append_range(*queue, n, n + 500);
    EXPECT_EQ(check_range(*queue, 0, n + 500), "");
    write_all(*table);
    EXPECT_EQ(check_range(*queue, 0, n + 500), "");
  }
  std::array<QueueEntry, 4> entries;
  EXPECT_EQ(*queue->read({10'000}, entries, false), 0U);
  EXPECT_EQ(*queue->read({-1}, entries, false), 0U);
  EXPECT_EQ(*queue->read({9'998}, entries, true), 2U);
}

TEST(QueueTable, IgnoresWhatItHasAndRefusesGaps) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 10);
  ASSERT_TRUE(queue->append({4}, {{1}, 1, 1}));
  EXPECT_EQ(check_range(*queue, 0, 10), "");
  const auto gap = queue->append({11}, entry_of(11));
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().code, Errc::kDamaged);
  EXPECT_EQ(gap.error().detail, 11);
  EXPECT_EQ(bounds_text(*queue), "0-10");
}

TEST(QueueTable, RefusesEntriesThatNoReaderWouldTake) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  EXPECT_FALSE(table->get_or_create("TA", 3)->append({0}, {{0}, 0, 0}));
  EXPECT_FALSE(table->get_or_create("TA", 3)->append({0}, {{-1}, 5, 0}));
  EXPECT_FALSE(table->get_or_create("../TA", 3)->append({0}, entry_of(0)));
  EXPECT_FALSE(table->get_or_create("..", 3)->append({0}, entry_of(0)));
  EXPECT_FALSE(table->get_or_create("", 3)->append({0}, entry_of(0)));
  EXPECT_FALSE(table->get_or_create("TA", -1)->append({0}, entry_of(0)));
}

TEST(QueueTable, NeverBlocksWhenAskedNotTo) {
  test::SimulatedDisk disk;
  auto options = test::small_queue_options();
  options.memory_bytes_max = 0;  // the smallest there is
  const auto table = open_table(disk, options);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 1000);
  write_all(*table);
  const auto loaded_table = open_table(disk, options);
  ASSERT_TRUE(loaded_table->restore("TA", 3, {{0}, {1000}}));
  const auto loaded = loaded_table->find("TA", 3);
  std::array<QueueEntry, 4> entries;
  const auto reads = disk.reads();
  auto count = loaded->read({5}, entries, true);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, Errc::kWouldBlock) << "its file is not open";
  EXPECT_EQ(disk.reads(), reads);
  EXPECT_EQ(*loaded->read({5}, entries, false), 4U);
  EXPECT_EQ(*loaded->read({5}, entries, true), 4U);
  EXPECT_EQ(entries[3], entry_of(8));
  disk.set_cold(true);
  count = loaded->read({5}, entries, true);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, Errc::kWouldBlock);
}

TEST(QueueTable, FindsTheEndInTheFiles) {
  for (const std::int64_t end : {1, 199, 200, 201, 400, 650, 1000}) {
    test::SimulatedDisk disk;
    const auto table = open_table(disk);
    append_range(*table->get_or_create("TA", 3), 0, end);
    write_all(*table);
    const auto again = open_table(disk);
    ASSERT_TRUE(again->load_from_files());
    const auto queue = again->find("TA", 3);
    ASSERT_TRUE(queue);
    EXPECT_EQ(bounds_text(*queue), fmt::format("0-{}", end));
    EXPECT_EQ(check_range(*queue, 0, end), "");
    append_range(*queue, end, end + 300);
    write_all(*again);
    EXPECT_EQ(check_range(*queue, 0, end + 300), "");
  }
}

TEST(QueueTable, SkipsWhatIsNoQueueAndRemovesAnEmptyLastFile) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  append_range(*table->get_or_create("TA", 3), 0, 200);
  write_all(*table);
  ASSERT_TRUE(disk.make_directories("store/consumequeue/TA/x1"));
  ASSERT_TRUE(disk.make_directories("store/consumequeue/TA/03"));
  ASSERT_TRUE(disk.make_directories("store/consumequeue/TB"));
  ASSERT_TRUE(test::write_text(disk, "store/consumequeue/TA/note", "x"));
  ASSERT_TRUE(test::write_text(disk, kDirectory + "/note", "x"));
  ASSERT_TRUE(test::write_text(disk, file_name(200), ""));
  const auto again = open_table(disk);
  ASSERT_TRUE(again->load_from_files());
  ASSERT_EQ(again->all().size(), 1U);
  EXPECT_EQ(bounds_text(*again->all()[0]), "0-200");
  EXPECT_FALSE(*disk.exists(file_name(200)));
}

TEST(QueueTable, NamesAFileOfAnotherSize) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  append_range(*table->get_or_create("TA", 3), 0, 1);
  write_all(*table);
  auto options = test::small_queue_options();
  options.file_size_bytes = 6000;
  const auto again = open_table(disk, options);
  std::string problem;
  const auto status = again->load_from_files(&problem);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kWrongSegmentSize);
  EXPECT_EQ(status.error().detail, 4000);
  EXPECT_NE(problem.find(file_name(0)), std::string::npos) << problem;
  EXPECT_NE(problem.find("4000"), std::string::npos) << problem;
  EXPECT_NE(problem.find("6000"), std::string::npos) << problem;
}

TEST(QueueTable, RestoresAndTruncatesWithoutAskingTheDisk) {
  test::SimulatedDisk disk;
  {
    const auto table = open_table(disk);
    for (int i = 0; i < 20; ++i) append_range(*table->get_or_create("TA", i), 0, 300);
    ASSERT_TRUE(table->flush_all());
  }
  const auto table = open_table(disk);
  const auto reads = disk.reads();
  const auto changes = disk.changes();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(table->restore("TA", i, {{100}, {300}}, {{100 * 100}, {300 * 100}}));
  }
  ASSERT_TRUE(table->truncate_to({300 * 100}));
  ASSERT_TRUE(table->forget_before({100 * 100}));
  EXPECT_EQ(disk.reads(), reads);
  EXPECT_EQ(disk.changes(), changes);
  EXPECT_EQ(check_range(*table->find("TA", 7), 100, 300), "");
}

TEST(QueueTable, TruncatesByPositionAndZeroesTheFiles) {
  for (const bool knows_positions : {false, true}) {
    for (const std::int64_t end : {0, 1, 150, 199, 200, 201, 399, 400, 650, 700}) {
      test::SimulatedDisk disk;
      {
        const auto table = open_table(disk);
        append_range(*table->get_or_create("TA", 3), 0, 700);
        ASSERT_TRUE(table->flush_all());
      }
      auto table = open_table(disk);
      const QueuePositions positions = knows_positions ? QueuePositions{{0}, {700 * 100}} : QueuePositions{};
      ASSERT_TRUE(table->restore("TA", 3, {{0}, {700}}, positions));
      ASSERT_TRUE(table->truncate_to({end * 100}));
      auto queue = table->find("TA", 3);
      EXPECT_EQ(bounds_text(*queue), fmt::format("0-{}", end));
      EXPECT_EQ(check_range(*queue, 0, end), "");
      append_range(*queue, end, end + 1);
      write_all(*table);
      table = open_table(disk);
      ASSERT_TRUE(table->load_from_files());
      queue = table->find("TA", 3);
      ASSERT_TRUE(queue);
      EXPECT_EQ(bounds_text(*queue), fmt::format("0-{}", end + 1));
    }
  }
}

TEST(QueueTable, TruncatesWhatIsInMemoryAlone) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 100);
  write_all(*table);
  append_range(*queue, 100, 400);
  ASSERT_TRUE(table->truncate_to({250 * 100}));
  EXPECT_EQ(bounds_text(*queue), "0-250");
  append_range(*queue, 250, 500);
  write_all(*table);
  EXPECT_EQ(check_range(*queue, 0, 500), "");
}

TEST(QueueTable, CutsAtAnOffset) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 500);
  write_all(*table);
  append_range(*queue, 500, 600);
  for (const std::int64_t end : {600, 550, 450, 400, 399}) {
    ASSERT_TRUE(table->cut(*queue, {end}));
    EXPECT_EQ(bounds_text(*queue), fmt::format("0-{}", end));
    EXPECT_EQ(check_range(*queue, 0, end), "");
  }
  append_range(*queue, 399, 402);
  ASSERT_TRUE(table->flush_all());
  const auto again = open_table(disk);
  ASSERT_TRUE(again->load_from_files());
  EXPECT_EQ(bounds_text(*again->find("TA", 3)), "0-402");
}

TEST(QueueTable, CutsARecordThatReachesPastTheEnd) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 10);
  ASSERT_TRUE(table->truncate_to({10 * 100 - 1}));
  EXPECT_EQ(bounds_text(*queue), "0-9");
}

TEST(QueueTable, ForgetsByPositionAndKeepsTheLastFile) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 700);
  write_all(*table);
  ASSERT_TRUE(table->forget_before({450 * 100 - 5}));
  EXPECT_EQ(bounds_text(*queue), "450-700");
  EXPECT_FALSE(*disk.exists(file_name(200)));
  EXPECT_TRUE(*disk.exists(file_name(400)));
  EXPECT_EQ(queue->positions().first, LogPosition{45'000});
  std::array<QueueEntry, 2> entries;
  EXPECT_EQ(*queue->read({449}, entries, false), 0U);
  ASSERT_TRUE(table->forget_before({700 * 100}));
  EXPECT_EQ(bounds_text(*queue), "700-700");
  EXPECT_FALSE(*disk.exists(file_name(400)));
  EXPECT_TRUE(*disk.exists(file_name(600)));
  append_range(*queue, 700, 710);
  EXPECT_EQ(bounds_text(*queue), "700-710");
  EXPECT_EQ(queue->positions().first, LogPosition{70'000});
  write_all(*table);
  const auto again = open_table(disk);
  ASSERT_TRUE(again->load_from_files());
  EXPECT_EQ(bounds_text(*again->find("TA", 3)), "600-710");
}

TEST(QueueTable, BeginsAnewBehindAGapWhenNothingIsLeft) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 300);
  write_all(*table);
  ASSERT_TRUE(table->forget_before({300 * 100}));
  append_range(*queue, 350, 360);
  EXPECT_EQ(bounds_text(*queue), "350-360");
  write_all(*table);
  const auto again = open_table(disk);
  ASSERT_TRUE(again->load_from_files());
  ASSERT_TRUE(again->forget_before({300 * 100}));
  EXPECT_EQ(bounds_text(*again->find("TA", 3)), "350-360");
  EXPECT_EQ(check_range(*again->find("TA", 3), 350, 360), "");
}

TEST(QueueTable, ResetRemovesTheFiles) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 700);
  write_all(*table);
  append_range(*queue, 700, 800);
  ASSERT_TRUE(table->reset(*queue, {30}));
  EXPECT_EQ(bounds_text(*queue), "30-30");
  EXPECT_TRUE(disk.list(kDirectory)->empty());
  append_range(*queue, 30, 50);
  EXPECT_EQ(check_range(*queue, 30, 50), "");
  ASSERT_TRUE(table->flush_all());
  EXPECT_EQ(test::read_text(disk, file_name(0)).substr(29 * 20, 20), entry_bytes(0, 0x7FFFFFFF, 0));
}

TEST(QueueTable, PausesDispatchAtTheMemoryBoundAndDrains) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  std::int64_t next = 0;
  for (int round = 0; round < 5; ++round) {
    for (; !table->is_memory_full(); ++next) {
      for (int id = 0; id < 4; ++id) append_range(*table->get_or_create("TA", id), next, next + 1);
    }
    EXPECT_LT(next * 4 * kQueueEntrySize, (round + 1) * (64 << 10) + 8192);
    const auto step = table->write_step(1000);
    ASSERT_TRUE(step);
    EXPECT_GT(step->done, 0);
    EXPECT_EQ(step->next_ms, 0) << "the budget was too small";
    write_all(*table);
    EXPECT_FALSE(table->is_memory_full());
  }
  for (int id = 0; id < 4; ++id) EXPECT_EQ(check_range(*table->find("TA", id), 0, next), "") << id;
}

TEST(QueueTable, DropsTheBlocksOfQueuesThatFellSilent) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  for (int id = 0; id < 1000; ++id) {
    append_range(*table->get_or_create("TA", id), 0, 1);
    if (table->is_memory_full()) write_all(*table);
    ASSERT_FALSE(table->is_memory_full()) << id;
  }
  write_all(*table);
  for (int id = 0; id < 1000; ++id) ASSERT_EQ(check_range(*table->find("TA", id), 0, 1), "") << id;
}

TEST(QueueTable, RemovesATopicWithItsDirectories) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  for (int id = 0; id < 3; ++id) append_range(*table->get_or_create("TA", id), 0, 300);
  append_range(*table->get_or_create("TB", 0), 0, 10);
  write_all(*table);
  append_range(*table->get_or_create("TA", 1), 300, 310);
  const auto held = table->find("TA", 1);
  ASSERT_TRUE(table->remove_topic("TA"));
  EXPECT_TRUE(held->is_deleted());
  EXPECT_TRUE(held->append({310}, entry_of(310)));
  std::array<QueueEntry, 2> entries;
  EXPECT_EQ(*held->read({305}, entries, false), 0U);
  EXPECT_EQ(table->find("TA", 1), nullptr);
  EXPECT_TRUE(table->of_topic("TA").empty());
  EXPECT_FALSE(*disk.exists("store/consumequeue/TA"));
  ASSERT_TRUE(table->sync_step(100));
  const auto next = table->get_or_create("TA", 1);
  EXPECT_NE(next, held);
  EXPECT_EQ(bounds_text(*next), "0-0");
  append_range(*next, 310, 320);
  ASSERT_TRUE(table->flush_all());
  EXPECT_EQ(bounds_text(*next), "310-320");
  EXPECT_EQ(check_range(*next, 310, 320), "");
  EXPECT_EQ(table->all().size(), 2U);
}

TEST(QueueTable, AFailedWriteIsRepeated) {
  for (int operation = 1; operation < 20; ++operation) {
    test::SimulatedDisk disk;
    const auto table = open_table(disk);
    append_range(*table->get_or_create("TA", 3), 0, 300);
    append_range(*table->get_or_create("TB", 3), 0, 300);
    disk.fail_at(operation, ENOSPC);
    bool failed = false;
    for (int i = 0; i < 5; ++i) failed |= !table->write_step(1 << 20);
    if (!failed) return;
    ASSERT_TRUE(table->flush_all()) << operation;
    const auto again = open_table(disk);
    ASSERT_TRUE(again->load_from_files()) << operation;
    EXPECT_EQ(check_range(*again->find("TA", 3), 0, 300), "") << operation;
    EXPECT_EQ(check_range(*again->find("TB", 3), 0, 300), "") << operation;
  }
}

TEST(QueueTable, AFailedSyncIsNeverForgiven) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  append_range(*table->get_or_create("TA", 3), 0, 300);
  write_all(*table);
  disk.fail_at(disk.changes() + 1, EIO);
  ASSERT_FALSE(table->sync_step(10));
  ASSERT_FALSE(table->sync_step(10));
  append_range(*table->get_or_create("TA", 3), 300, 310);
  EXPECT_FALSE(table->flush_all());
}

TEST(QueueTable, SyncsInSlicesAndEndsUnderLoad) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  for (int id = 0; id < 10; ++id) append_range(*table->get_or_create("TA", id), 0, 1);
  write_all(*table);
  int calls = 0;
  for (bool is_done = false; !is_done; ++calls) {
    ASSERT_LT(calls, 10);
    for (int id = 0; id < 10; ++id) append_range(*table->get_or_create("TA", id), calls + 1, calls + 2);
    write_all(*table);
    const auto step = table->sync_step(4);
    ASSERT_TRUE(step);
    is_done = *step;
  }
  EXPECT_EQ(calls, 3);
}

TEST(QueueTable, KeepsNoMoreDescriptorsThanAllowed) {
  test::SimulatedDisk disk;
  auto options = test::small_queue_options();
  options.open_files_max = 16;
  const auto table = open_table(disk, options);
  for (int id = 0; id < 100; ++id) append_range(*table->get_or_create("TA", id), 0, 250);
  write_all(*table);
  for (int id = 0; id < 100; ++id) ASSERT_EQ(check_range(*table->find("TA", id), 0, 250), "");
  ASSERT_TRUE(table->flush_all());
}

TEST(QueueTable, SaysSoIfAFileIsDamaged) {
  test::SimulatedDisk disk;
  {
    const auto table = open_table(disk);
    append_range(*table->get_or_create("TA", 3), 0, 100);
    ASSERT_TRUE(table->flush_all());
  }
  ASSERT_TRUE(
      (*disk.open(file_name(0), file::OpenMode::kReadWrite))->write(50 * 20, test::bytes_of(std::string(20, '\0'))));
  const auto table = open_table(disk);
  ASSERT_TRUE(table->restore("TA", 3, {{0}, {100}}));
  std::array<QueueEntry, 100> entries;
  EXPECT_EQ(table->find("TA", 3)->read({0}, entries, false).value(), 50U) << "what stands before it";
  EXPECT_EQ(check_range(*table->find("TA", 3), 51, 100), "") << "and behind it";
  const auto count = table->find("TA", 3)->read({50}, entries, false);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, Errc::kDamaged);
  EXPECT_EQ(count.error().detail, 50);
}

TEST(QueueTable, BeginsWhereItWritesIfItsFileIsGone) {
  test::SimulatedDisk disk;
  const auto table = open_table(disk);
  ASSERT_TRUE(table->restore("TA", 3, {{0}, {100}}));
  const auto queue = table->find("TA", 3);
  append_range(*queue, 100, 110);
  write_all(*table);
  EXPECT_EQ(bounds_text(*queue), "100-110");
  EXPECT_EQ(check_range(*queue, 100, 110), "");
}

}  // namespace
}  // namespace tern::store
