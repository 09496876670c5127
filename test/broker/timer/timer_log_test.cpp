#include "broker/timer/timer_log.hpp"

#include <gmock/gmock.h>

#include "tern/store/types.hpp"

#include "support/simulated_disk.hpp"

namespace tern::broker {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kFileSize = 1'000;  // 18 units of 52 bytes, and a blank of 64

TimerUnit unit_at(std::int64_t position) {
  TimerUnit unit;
  unit.write_ms = 1'700'000'000'000;
  unit.delay_ms = 1'000;
  unit.position = position;
  unit.size = 200;
  return unit;
}

class TimerLogTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk_.make_directories("store")); }
  std::unique_ptr<TimerLog> open() {
    auto made = std::make_unique<TimerLog>(disk_, "store", kFileSize);
    EXPECT_EQ(made->open(), std::nullopt);
    return made;
  }
  void overwrite(std::int64_t file, std::int64_t at, std::string_view bytes) {
    const auto opened = disk_.open(fmt::format("store/timerlog/{:020}", file), file::OpenMode::kReadWrite);
    ASSERT_TRUE((*opened)->write(at, std::as_bytes(std::span(bytes))));
  }
  test::SimulatedDisk disk_;
};

TEST_F(TimerLogTest, ReadsUnitsBeforeAndAfterTheyAreWritten) {
  auto log = open();
  std::vector<std::int64_t> at;
  for (int i = 0; i < 50; ++i) at.push_back(log->append(unit_at(i)));
  EXPECT_EQ(at[17], 17 * 52);
  EXPECT_EQ(at[18], 1'000) << "the next file";
  const auto check = [&] {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(log->read(at[static_cast<std::size_t>(i)])->position, i);
  };
  check();
  ASSERT_TRUE(log->write(at[30]));
  check();
  EXPECT_EQ(log->unwritten(), log->end() - at[30]);
  ASSERT_TRUE(log->write(log->end()));
  check();
  EXPECT_EQ(log->unwritten(), 0);
  EXPECT_EQ(log->read(log->end()).error().code, store::Errc::kNotFound);
  EXPECT_EQ(log->read(7).error().code, store::Errc::kDamaged);
}

// Apache's: 52 bytes big-endian, and the blank at a file's end.
TEST_F(TimerLogTest, WritesApachesUnits) {
  auto log = open();
  auto unit = unit_at(0x0102030405060708);
  unit.previous = -1;
  unit.magic = TimerUnit::kDefault | TimerUnit::kRoll;
  unit.topic_hash = -2;
  for (int i = 0; i < 19; ++i) log->append(unit);
  ASSERT_TRUE(log->write(log->end()));
  const auto file = disk_.open("store/timerlog/00000000000000000000", file::OpenMode::kRead);
  std::array<char, 1'000> bytes{};
  ASSERT_TRUE((*file)->read(0, std::as_writable_bytes(std::span(bytes))));
  const std::string_view text(bytes.data(), bytes.size());
  using namespace std::string_view_literals;
  EXPECT_EQ(text.substr(0, 52),
            "\0\0\0\x34\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x03\0\0\x01\x8b\xcf\xe5\x68\0\0\0\x03\xe8"
            "\1\2\3\4\5\6\7\x08\0\0\0\xc8\xff\xff\xff\xfe\0\0\0\0\0\0\0\0"sv);
  EXPECT_EQ(text.substr(18 * 52, 16), "\0\0\0\x40\0\0\0\0\0\0\0\0\xcb\xd4\x31\x94"sv);
}

TEST_F(TimerLogTest, CutsWhatIsBehindItsEnd) {
  {
    auto log = open();
    for (int i = 0; i < 50; ++i) log->append(unit_at(i));
    ASSERT_TRUE(log->write(log->end()));
  }
  {
    auto log = open();
    EXPECT_EQ(log->files_end(), 3'000);
    ASSERT_TRUE(log->cut(104));
    EXPECT_EQ(log->append(unit_at(100)), 104);
    ASSERT_TRUE(log->write(log->end()));
  }
  auto log = open();
  EXPECT_EQ(log->read(104)->position, 100);
  EXPECT_EQ(log->next_unit(156), -1);
  EXPECT_EQ(log->next_unit(1'000), -1);
}

TEST_F(TimerLogTest, RemovesFilesWhoseRecordsAreGone) {
  auto log = open();
  for (int i = 0; i < 60; ++i) log->append(unit_at(i));
  ASSERT_TRUE(log->write(log->end()));
  ASSERT_TRUE(log->remove_before(17));
  EXPECT_EQ(log->begin(), 0) << "the last unit's record is there";
  ASSERT_TRUE(log->remove_before(18));
  EXPECT_EQ(log->begin(), 1'000);
  EXPECT_EQ(log->read(0).error().code, store::Errc::kNotFound);
  ASSERT_TRUE(log->remove_before(1'000));
  ASSERT_TRUE(log->remove_before(1'000));
  EXPECT_EQ(log->begin(), 3'000) << "never the one that is written";
}

TEST_F(TimerLogTest, TakesNothingElseForUnits) {
  auto log = open();
  for (int i = 0; i < 5; ++i) log->append(unit_at(i));
  ASSERT_TRUE(log->write(log->end()));
  overwrite(0, 52 + 4, std::string(8, '\x7f'));  // a chain that goes forward
  overwrite(0, 104, std::string(4, '\0'));       // no size
  overwrite(0, 156 + 12, "\x7f");                // no magic
  overwrite(0, 208 + 28, "\xff");                // a negative position
  for (const std::int64_t at : {52, 104, 156, 208}) EXPECT_EQ(log->read(at).error().code, store::Errc::kDamaged) << at;
  EXPECT_TRUE(log->read(0));
}

TEST_F(TimerLogTest, RefusesForeignFiles) {
  ASSERT_TRUE(disk_.make_directories("store/timerlog"));
  ASSERT_TRUE(disk_.open("store/timerlog/notes.txt", file::OpenMode::kCreate));
  TimerLog log(disk_, "store", kFileSize);
  EXPECT_THAT(log.open().value_or(""), HasSubstr("store/timerlog/notes.txt"));
}

TEST_F(TimerLogTest, RefusesAGap) {
  {
    auto log = open();
    for (int i = 0; i < 50; ++i) log->append(unit_at(i));
    ASSERT_TRUE(log->write(log->end()));
  }
  ASSERT_TRUE(disk_.remove("store/timerlog/00000000000000001000"));
  TimerLog log(disk_, "store", kFileSize);
  EXPECT_THAT(log.open().value_or(""), HasSubstr("the file before it, of byte 1000, is missing"));
}

}  // namespace
}  // namespace tern::broker
