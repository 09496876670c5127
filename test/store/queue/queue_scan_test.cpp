#include "store/queue_scan.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include <gtest/gtest.h>

namespace tern::store {
namespace {

constexpr std::int64_t kMin = 40;
constexpr std::int64_t kEntries = 1000;  // more than are read at a time
constexpr std::int32_t kSize = 100;

/// Offsets [kMin, kMin + kEntries), whose records of kSize bytes stand one behind the other; and what is wrong with it.
class FakeQueue final : public Queue {
 public:
  [[nodiscard]] const std::string& topic() const noexcept override { return topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return 0; }
  [[nodiscard]] bool is_deleted() const noexcept override { return false; }
  Status append(QueueOffset /*offset*/, const QueueEntry& /*entry*/) override { return errno_error(EROFS); }
  [[nodiscard]] QueueBounds bounds() const noexcept override { return {{kMin}, {kMin + kEntries}}; }
  [[nodiscard]] QueuePositions positions() const noexcept override { return known; }
  Result<std::size_t> read(QueueOffset from, std::span<QueueEntry> to, bool /*no_wait*/) const override {
    if (from.value < gone_below) return errno_error(ENOENT);
    if (from.value == broken_at) return errno_error(EIO);
    // As at the border of two files.
    const auto count = std::min<std::size_t>({to.size(), static_cast<std::size_t>(kMin + kEntries - from.value), 100});
    for (std::size_t i = 0; i < count; ++i) {
      const auto offset = from.value + static_cast<std::int64_t>(i);
      to[i] = offset < first_real ? QueueEntry{{0}, kPrefillSize, 0} : QueueEntry{position_of(offset), kSize, 0};
    }
    return count;
  }
  static LogPosition position_of(std::int64_t offset) { return {5000 + (offset - kMin) * kSize}; }

  QueuePositions known;
  std::int64_t gone_below = 0;
  std::int64_t broken_at = -1;
  std::int64_t first_real = 0;

 private:
  const std::string topic_ = "T";
};

TEST(QueueScan, FindsTheLastEntryThatEndsInTheLog) {
  const FakeQueue queue;
  for (const std::int64_t kept : {kEntries, kEntries - 1, kEntries - 256, kEntries - 257, std::int64_t{1}}) {
    SCOPED_TRACE(kept);
    const auto end = FakeQueue::position_of(kMin + kept);
    // A record that the end cuts is none.
    for (const auto log_end : {end, end + (kSize - 1)}) {
      const auto cut = find_cut(queue, log_end);
      ASSERT_TRUE(cut);
      EXPECT_EQ(cut->max, QueueOffset{kMin + kept});
      EXPECT_EQ(cut->end, end);
    }
  }
  const auto none = find_cut(queue, LogPosition{5000 + kSize - 1});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->max, QueueOffset{kMin});
  EXPECT_EQ(none->end, LogPosition{-1});
}

TEST(QueueScan, FindsTheFirstEntryInTheLog) {
  const FakeQueue queue;
  for (const std::int64_t gone : {std::int64_t{0}, std::int64_t{1}, std::int64_t{300}, kEntries - 1}) {
    SCOPED_TRACE(gone);
    const auto first = FakeQueue::position_of(kMin + gone);
    const auto begin = find_begin(queue, queue.bounds(), first);
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->min, QueueOffset{kMin + gone});
    EXPECT_EQ(begin->first, first);
  }
  const auto none = find_begin(queue, queue.bounds(), FakeQueue::position_of(kMin + kEntries));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->min, QueueOffset{kMin + kEntries});
  EXPECT_EQ(none->first, LogPosition{-1});
}

TEST(QueueScan, AsksNoFileOfAQueueThatIsKnownToEndBefore) {
  FakeQueue queue;
  queue.known = {{5000}, {6000}};
  queue.gone_below = kMin + kEntries;
  const auto begin = find_begin(queue, queue.bounds(), LogPosition{6000});
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->min, QueueOffset{kMin + kEntries});
}

TEST(QueueScan, TakesPrefilledEntriesAndMissingFilesForGone) {
  FakeQueue queue;
  queue.first_real = kMin + 70;
  queue.gone_below = kMin + 20;
  const auto begin = find_begin(queue, queue.bounds(), LogPosition{0});
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->min, QueueOffset{kMin + 70});
  EXPECT_EQ(begin->first, FakeQueue::position_of(kMin + 70));
}

TEST(QueueScan, TellsWhatCannotBeRead) {
  FakeQueue queue;
  queue.broken_at = kMin;
  EXPECT_EQ(find_begin(queue, queue.bounds(), LogPosition{9000}).error().code, std::errc::io_error);
  queue.broken_at = kMin + kEntries - 256;
  EXPECT_EQ(find_cut(queue, LogPosition{0}).error().code, std::errc::io_error);
}

}  // namespace
}  // namespace tern::store
