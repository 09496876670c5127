#include <gmock/gmock.h>

#include "tern/base/byte_order.hpp"

#include "queue_support.hpp"
#include "store/queue_ext_file.hpp"

namespace tern::store {
namespace {

using test::append_range;
using test::check_range;
using test::entry_of;
using test::open_table;
using test::write_all;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kQueueDirectory = "store/consumequeue/TA/3";
const std::string kExtDirectory = "store/consumequeue_ext/TA/3";

/// One unit as docs/format/consume_queue_ext.md draws it.
std::string unit_bytes(std::int64_t tags, std::int64_t stored, const std::string& bit_map = "") {
  std::string bytes;
  append_be(bytes, static_cast<std::int16_t>(20 + bit_map.size()));
  append_be(bytes, tags);
  append_be(bytes, stored);
  append_be(bytes, static_cast<std::int16_t>(bit_map.size()));
  return bytes + bit_map;
}

std::string entry_bytes(std::int64_t position, std::int32_t size, std::int64_t tags) {
  std::string bytes;
  append_be(bytes, position);
  append_be(bytes, size);
  append_be(bytes, tags);
  return bytes;
}

std::string file_name(const std::string& directory, std::int64_t start) {
  return fmt::format("{}/{:020}", directory, start);
}

std::vector<std::string> names_in(file::Disk& disk, const std::string& directory) {
  std::vector<std::string> names;
  const auto list = disk.list(directory);
  if (!list) return names;
  for (const auto& entry : *list) names.push_back(entry.name);
  return names;
}

class QueueExtTest : public ::testing::Test {
 protected:
  std::unique_ptr<QueueTable> open() {
    auto table = open_table(disk_, options_);
    table->ask_store_times([](LogPosition position) { return 1000 + position.value; });
    return table;
  }
  /// From the files alone, as after another broker has had them.
  std::unique_ptr<QueueTable> reopen() {
    auto table = open();
    EXPECT_TRUE(table->load_from_files());
    return table;
  }
  std::string ext_file(std::int64_t start) { return test::read_text(disk_, file_name(kExtDirectory, start)); }

  test::SimulatedDisk disk_;
  QueueOptions options_ = [] {
    auto options = test::small_queue_options();
    options.writes_ext = true;
    options.ext_file_size_bytes = 4096;
    return options;
  }();
};

TEST(ExtUnit, IsParsedWithItsBitMap) {
  const auto bytes = unit_bytes(-2, 0x0102030405060708, "bits") + "more";
  const auto unit = parse_ext_unit(test::bytes_of(bytes));
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->size, 24);
  EXPECT_EQ(unit->tags_code, -2);
  EXPECT_EQ(unit->store_timestamp, 0x0102030405060708);
  EXPECT_EQ(test::text_of(unit->bit_map), "bits");
}

TEST(ExtUnit, IsRefusedWhereItsLengthsDoNotFit) {
  const auto good = unit_bytes(1, 2, "bits");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_ext_unit(test::bytes_of(good).first(size))) << size;
  }
  for (const int size : {0, -1, 19, 20, 23, 25, 32'767}) {
    auto bytes = good + std::string(40'000, 'x');
    store_be(bytes.data(), static_cast<std::int16_t>(size));
    EXPECT_FALSE(parse_ext_unit(test::bytes_of(bytes))) << size;
  }
  auto bytes = good;
  store_be(bytes.data() + 18, std::int16_t{-4});
  EXPECT_FALSE(parse_ext_unit(test::bytes_of(bytes)));
}

TEST_F(QueueExtTest, IsWrittenByteForByte) {
  const auto table = open();
  const auto queue = table->get_or_create("TA", 3);
  ASSERT_TRUE(queue->append({0}, {{0}, 211, 2598919}));
  ASSERT_TRUE(queue->append({1}, {{211}, 100, -2}));
  write_all(*table);
  EXPECT_EQ(test::read_text(disk_, file_name(kQueueDirectory, 0)).substr(0, 40),
            entry_bytes(0, 211, INT64_MIN) + entry_bytes(211, 100, INT64_MIN + 20));
  const auto ext = ext_file(0);
  ASSERT_EQ(ext.size(), 4096U);
  EXPECT_EQ(ext.substr(0, 40), unit_bytes(2598919, 1000) + unit_bytes(-2, 1211));
  EXPECT_EQ(ext.find_first_not_of('\0', 40), std::string::npos);
}

TEST_F(QueueExtTest, ReadsTheTagsBackFromTheFiles) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 3), 0, 450);
    ASSERT_TRUE(table->flush_all());
  }
  options_.writes_ext = false;  // they are read all the same
  const auto table = reopen();
  EXPECT_EQ(check_range(*table->find("TA", 3), 0, 450), "");
}

TEST_F(QueueExtTest, MarksTheEndOfAFileWhereNoUnitFits) {
  options_.ext_file_size_bytes = 100;  // four units, and four bytes that must be left
  const auto table = open();
  append_range(*table->get_or_create("TA", 3), 0, 6);
  write_all(*table);
  EXPECT_EQ(ext_file(0).substr(60),
            unit_bytes(entry_of(3).tags_code, 1300) + std::string("\xFF\xFF\0\0", 4) + std::string(16, '\0'));
  EXPECT_EQ(ext_file(100).substr(0, 40),
            unit_bytes(entry_of(4).tags_code, 1400) + unit_bytes(entry_of(5).tags_code, 1500));
  EXPECT_EQ(test::read_text(disk_, file_name(kQueueDirectory, 0)).substr(80, 20),
            entry_bytes(400, 100, INT64_MIN + 100));
  table->flush_all();
  EXPECT_EQ(check_range(*reopen()->find("TA", 3), 0, 6), "");
}

// Units of Apache's broker with bit maps, which ours does not write, and entries without an extension between.
TEST_F(QueueExtTest, ReadsUnitsWithBitMaps) {
  ASSERT_TRUE(disk_.make_directories(kQueueDirectory) && disk_.make_directories(kExtDirectory));
  auto units =
      unit_bytes(77, 1, std::string(14, '\x55')) + unit_bytes(-88, 2, std::string(3000, '\xAA')) + unit_bytes(99, 3);
  units.resize(4096, '\0');
  ASSERT_TRUE(test::write_text(disk_, file_name(kExtDirectory, 0), units));
  auto entries = entry_bytes(0, 10, INT64_MIN) + entry_bytes(10, 10, -5) + entry_bytes(20, 10, INT64_MIN + 34) +
                 entry_bytes(30, 10, INT64_MIN + 34 + 3020);
  entries.resize(test::kEntriesPerFile * kQueueEntrySize, '\0');
  ASSERT_TRUE(test::write_text(disk_, file_name(kQueueDirectory, 0), entries));

  const auto table = reopen();
  const auto queue = table->find("TA", 3);
  std::array<QueueEntry, 4> read;
  const auto count = queue->read({0}, read, false);
  ASSERT_TRUE(count && *count == 4);
  EXPECT_EQ(read[0].tags_code, 77);
  EXPECT_EQ(read[1].tags_code, -5);
  EXPECT_EQ(read[2].tags_code, -88);
  EXPECT_EQ(read[3].tags_code, 99);
  // The next one goes behind the last.
  ASSERT_TRUE(queue->append({4}, {{40}, 10, 5}));
  write_all(*table);
  EXPECT_EQ(ext_file(0).substr(34 + 3020 + 20, 20), unit_bytes(5, 1040));
}

TEST_F(QueueExtTest, ContinuesBehindTheLastUnit) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 3), 0, 10);
    ASSERT_TRUE(table->flush_all());
  }
  options_.writes_ext = false;
  {
    const auto table = reopen();
    append_range(*table->find("TA", 3), 10, 300);  // without, over a file's end
    ASSERT_TRUE(table->flush_all());
  }
  options_.writes_ext = true;
  const auto table = reopen();
  append_range(*table->find("TA", 3), 300, 310);
  ASSERT_TRUE(table->flush_all());
  EXPECT_EQ(ext_file(0).substr(200, 20), unit_bytes(entry_of(300).tags_code, 31'000));
  EXPECT_EQ(check_range(*reopen()->find("TA", 3), 0, 310), "");
}

TEST_F(QueueExtTest, OverwritesTheUnitsOfEntriesThatWereCutOff) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 3), 0, 10);
    ASSERT_TRUE(table->flush_all());
  }
  const auto table = reopen();
  ASSERT_TRUE(table->truncate_to({400}));
  const auto queue = table->find("TA", 3);
  ASSERT_TRUE(queue->append({4}, {{400}, 50, 123}));
  ASSERT_TRUE(table->flush_all());
  EXPECT_EQ(ext_file(0).substr(60, 40), unit_bytes(entry_of(3).tags_code, 1300) + unit_bytes(123, 1400));
}

// Addresses that are still in use must never name the units of others.
TEST_F(QueueExtTest, DoesNotReuseTheAddressesOfALostFile) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 3), 0, 10);
    ASSERT_TRUE(table->flush_all());
  }
  ASSERT_TRUE(disk_.remove(file_name(kExtDirectory, 0)));
  const auto table = reopen();
  const auto queue = table->find("TA", 3);
  ASSERT_TRUE(queue->append({10}, {{1000}, 100, 5}));
  ASSERT_TRUE(table->flush_all());
  EXPECT_THAT(names_in(disk_, kExtDirectory), ElementsAre("00000000000000004096"));
  std::array<QueueEntry, 1> entry;
  ASSERT_TRUE(queue->read({9}, entry, false));
  EXPECT_TRUE(is_ext_address(entry[0].tags_code)) << "left as it is: " << entry[0].tags_code;
}

TEST_F(QueueExtTest, NeverBlocksWhenAskedNotTo) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 3), 0, 10);
    ASSERT_TRUE(table->flush_all());
  }
  const auto table = reopen();
  const auto queue = table->find("TA", 3);
  std::array<QueueEntry, 4> entries;
  EXPECT_EQ(queue->read({0}, entries, true).error().code, Errc::kWouldBlock);
  EXPECT_TRUE(queue->read({0}, entries, false));
  const auto count = queue->read({0}, entries, true);
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 4U);
  EXPECT_EQ(entries[3], entry_of(3));
}

TEST_F(QueueExtTest, RefusesASettingThatIsNotTheFilesSize) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 3), 0, 3);
    ASSERT_TRUE(table->flush_all());
  }
  options_.ext_file_size_bytes = 2048;
  std::string problem;
  const auto table = QueueTable::open(disk_, options_, problem);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, make_error_code(Errc::kWrongSegmentSize));
  EXPECT_EQ(problem, file_name(kExtDirectory, 0) + ": it has 4096 bytes, but mappedFileSizeConsumeQueueExt is 2048");
}

// Each file by itself, where the first one that a start looks at is as it should be.
TEST_F(QueueExtTest, WritesEntriesWithoutItIfAFileHasAnotherSize) {
  {
    const auto table = open();
    append_range(*table->get_or_create("TA", 1), 0, 1);
    append_range(*table->get_or_create("TA", 3), 0, 3);
    ASSERT_TRUE(table->flush_all());
  }
  ASSERT_TRUE((*disk_.open(file_name(kExtDirectory, 0), file::OpenMode::kReadWrite))->resize(8192));
  const auto before = ext_file(0);
  {
    const auto table = reopen();
    append_range(*table->find("TA", 3), 3, 6);
    ASSERT_TRUE(table->flush_all());
  }
  EXPECT_EQ(test::read_text(disk_, file_name(kQueueDirectory, 0)).substr(100, 20),
            entry_bytes(500, 100, entry_of(5).tags_code));
  EXPECT_EQ(ext_file(0), before);
  EXPECT_EQ(check_range(*reopen()->find("TA", 3), 0, 6), "");
}

TEST_F(QueueExtTest, FollowsTheQueuesRetention) {
  options_.ext_file_size_bytes = 1004;  // 50 units
  const auto table = open();
  append_range(*table->get_or_create("TA", 3), 0, 450);
  ASSERT_TRUE(table->flush_all());
  ASSERT_EQ(names_in(disk_, kExtDirectory).size(), 9U);
  ASSERT_TRUE(table->forget_before({260 * test::kRecordSize}));
  const auto left = names_in(disk_, kExtDirectory);
  ASSERT_EQ(left.size(), 4U);
  EXPECT_EQ(left.front(), fmt::format("{:020}", 5 * 1004));
  EXPECT_EQ(check_range(*table->find("TA", 3), 260, 450), "");
}

TEST_F(QueueExtTest, GoesWithItsQueue) {
  const auto table = open();
  const auto queue = table->get_or_create("TA", 3);
  append_range(*queue, 0, 10);
  ASSERT_TRUE(table->flush_all());
  ASSERT_TRUE(table->reset(*queue, {100}));
  EXPECT_THAT(names_in(disk_, kExtDirectory), IsEmpty());
  append_range(*queue, 100, 110);
  ASSERT_TRUE(table->flush_all());
  EXPECT_EQ(ext_file(0).substr(0, 20), unit_bytes(entry_of(100).tags_code, 11'000));
  ASSERT_TRUE(table->remove_topic("TA"));
  EXPECT_FALSE(*disk_.exists("store/consumequeue_ext/TA"));
}

// What is synced in the round is there after a power cut: entries and the units that they name.
TEST_F(QueueExtTest, IsSyncedWithItsQueue) {
  ASSERT_TRUE(test::make_store_directory(disk_));
  const auto table = open();
  append_range(*table->get_or_create("TA", 3), 0, 10);
  write_all(*table);
  for (;;) {
    const auto is_done = table->sync_step(1);
    ASSERT_TRUE(is_done);
    if (*is_done) break;
  }
  test::Rng rng(1);
  const auto after = disk_.crash(rng, test::Survival::kNothing);
  const auto found = open_table(*after, options_);
  ASSERT_TRUE(found->load_from_files());
  EXPECT_EQ(check_range(*found->find("TA", 3), 0, 10), "");
}

}  // namespace
}  // namespace tern::store
