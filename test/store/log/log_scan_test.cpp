#include "store/log_scan.hpp"

#include "tern/base/byte_order.hpp"

#include "store/log/log_fixture.hpp"
#include "support/simulated_disk.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kSegmentSize = 4096;

std::string record_at(std::int64_t position, const std::string& body, std::string_view properties = "") {
  return message::encode_record(parts_of(body, "TA", properties), 7, position, 1);
}
std::string blank(std::int32_t size) {
  std::string text;
  append_be(text, size);
  append_be(text, message::kMagicBlank);
  return text;
}

/// A log whose files hold exactly what the test wants.
class LogScan : public ::testing::Test {
 protected:
  void write(std::int64_t segment, std::string content) {
    content.resize(kSegmentSize);
    ASSERT_TRUE(disk_.make_directories("/log"));
    ASSERT_TRUE(test::write_text(disk_, "/log/" + segment_name({segment * kSegmentSize}), content));
  }
  LogPosition end(message::BodyCheck check = message::BodyCheck::kVerifyCrc) {
    test::ManualClock clock;
    const auto options = small_log("/log", kSegmentSize);
    std::string problem;
    auto log = CommitLog::open(disk_, clock, options, problem);
    EXPECT_TRUE(log) << problem;
    found_ = scan_all(**log, check);
    return found_.end;
  }

  test::SimulatedDisk disk_;
  Scanned found_;
};

TEST_F(LogScan, EndsBehindTheLastWholeRecord) {
  const auto one = record_at(0, "one");
  const auto two = record_at(static_cast<std::int64_t>(one.size()), "two");
  write(0, one + two);
  EXPECT_EQ(end().value, static_cast<std::int64_t>(one.size() + two.size()));
  EXPECT_EQ(found_.bodies, (std::vector<std::string>{"one", "two"}));
}

TEST_F(LogScan, GoesOnBehindABlankAndStopsAtOneThatIsTheLast) {
  const auto one = record_at(0, "one");
  const auto rest = static_cast<std::int32_t>(kSegmentSize - static_cast<std::int64_t>(one.size()));
  write(0, one + blank(rest));
  EXPECT_EQ(end().value, static_cast<std::int64_t>(one.size()));
  write(1, "");
  EXPECT_EQ(end().value, kSegmentSize);
  const auto two = record_at(kSegmentSize, "two");
  write(1, two);
  EXPECT_EQ(end().value, kSegmentSize + static_cast<std::int64_t>(two.size()));
  EXPECT_EQ(found_.bodies, (std::vector<std::string>{"one", "two"}));
}

TEST_F(LogScan, StopsAtABlankThatIsNotTheRestOfItsSegment) {
  const auto one = record_at(0, "one");
  write(0, one + blank(100));
  write(1, record_at(kSegmentSize, "two"));
  EXPECT_EQ(end().value, static_cast<std::int64_t>(one.size()));
}

TEST_F(LogScan, StopsAtARecordOfAnotherPosition) {
  write(0, record_at(4096, "from elsewhere"));
  EXPECT_EQ(end().value, 0);
}

TEST_F(LogScan, StopsAtARecordThatLeavesNoRoomForABlank) {
  for (const auto room : {7, 8}) {
    write(0, record_at(0, std::string(static_cast<std::size_t>(kSegmentSize - kBareSize - room), 'b')));
    EXPECT_EQ(end().value, room < 8 ? 0 : kSegmentSize - room) << room;
  }
}

TEST_F(LogScan, StopsAtATornBody) {
  auto torn = record_at(0, "a body that did not arrive whole");
  torn[torn.size() - 20] ^= 1;
  write(0, torn);
  EXPECT_EQ(end().value, 0);
  EXPECT_EQ(end(message::BodyCheck::kSkip).value, static_cast<std::int64_t>(torn.size()));
}

TEST_F(LogScan, StopsAtAZeroByteInTheProperties) {
  auto torn = record_at(0, "body", "k\1v\2x\1yz");
  torn.replace(torn.size() - 2, 2, 2, '\0');
  write(0, torn);
  EXPECT_EQ(end().value, 0);
}

TEST_F(LogScan, ReadsRecordsLargerThanItsBufferAndAcrossItsEdge) {
  // One segment of 16 MiB; reads are of 4 MiB.
  constexpr std::int64_t kLarge = std::int64_t{16} << 20;
  std::string content;
  std::vector<std::size_t> sizes = {std::size_t{3} << 20, std::size_t{3} << 20, std::size_t{6} << 20, 100, 1 << 20};
  for (const auto size : sizes) content += record_at(static_cast<std::int64_t>(content.size()), std::string(size, 's'));
  const auto end = static_cast<std::int64_t>(content.size());
  content.resize(kLarge);
  ASSERT_TRUE(disk_.make_directories("/large"));
  ASSERT_TRUE(test::write_text(disk_, "/large/" + segment_name({0}), content));
  test::ManualClock clock;
  const auto options = small_log("/large", kLarge);
  std::string problem;
  auto log = CommitLog::open(disk_, clock, options, problem);
  ASSERT_TRUE(log) << problem;
  EXPECT_EQ(scan_all(**log).end.value, end);
  EXPECT_EQ(scan_all(**log).bodies.size(), sizes.size());
}

TEST_F(LogScan, StopsWhereTheVisitorSaysAndStartsInTheMiddle) {
  const auto one = record_at(0, "one");
  const auto at_two = static_cast<std::int64_t>(one.size());
  write(0, one + record_at(at_two, "two"));
  test::ManualClock clock;
  const auto options = small_log("/log", kSegmentSize);
  std::string problem;
  auto log = CommitLog::open(disk_, clock, options, problem);
  ASSERT_TRUE(log) << problem;
  const auto stopped = (*log)->scan({0}, message::BodyCheck::kSkip, [](const auto&, auto) { return false; });
  EXPECT_EQ(stopped->value, at_two);
  std::vector<LogPosition> seen;
  ASSERT_TRUE((*log)->scan(*stopped, message::BodyCheck::kSkip, [&](const auto&, auto position) {
    seen.push_back(position);
    return true;
  }));
  EXPECT_EQ(seen, (std::vector<LogPosition>{{at_two}}));
  const auto beyond =
      (*log)->scan({kSegmentSize + 1}, message::BodyCheck::kSkip, [](const auto&, auto) { return true; });
  EXPECT_EQ(beyond.error().code, make_error_code(Errc::kNotFound));
}

TEST_F(LogScan, ReportsAReadErrorAndDoesNotTakeItForTheEnd) {
  write(0, record_at(0, "one"));
  test::ManualClock clock;
  const auto options = small_log("/log", kSegmentSize);
  std::string problem;
  auto log = CommitLog::open(disk_, clock, options, problem);
  ASSERT_TRUE(log) << problem;
  disk_.fail_read_at(disk_.reads() + 1, EIO);
  const auto end = (*log)->scan({0}, message::BodyCheck::kSkip, [](const auto&, auto) { return true; });
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, std::errc::io_error);
}

}  // namespace
}  // namespace tern::store
