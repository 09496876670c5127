#include "store/log_tail.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "store/log/log_fixture.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kSize = 64 << 10;

class Memory final : public file::MappedWindow {
 public:
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] std::int64_t file_position() const noexcept override { return 0; }
  void commit(std::size_t, std::size_t) noexcept override {}
  Status populate(std::size_t, std::size_t) override { return {}; }

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kSize);
};

class LogTailTest : public ::testing::Test {
 protected:
  LogTailTest() {
    tail_.append_role.assert_held();
    watermarks_.start({0}, false);
    tail_.start({0}, {0}, 0);
    tail_.offer({{0}, &memory_, memory_.bytes().data()});
    tail_.prepare({kSize});
  }
  /// The error of one record whose sender had read this time before he waited for the lock.
  std::optional<Errc> append_with(std::int64_t now_ms) {
    tail_.append_role.assert_held();
    AppendBatch batch;
    batch.begin_group();
    EXPECT_TRUE(batch.stage(parts_of("m"), std::make_shared<OffsetsOnly>()));
    tail_.append(batch, now_ms);
    return batch.records().front().error;
  }

  test::ManualClock clock_;
  Live<bool> accepts_clock_behind_ = false;
  Memory memory_;
  Watermarks watermarks_;
  Wakeup wakeup_;
  LogTail tail_{clock_, watermarks_, wakeup_, wakeup_, {kSize, kSize, false, accepts_clock_behind_}};
};

TEST_F(LogTailTest, TakesWhoWaitedForTheLockLongerThanTheClockMayBeBehind) {
  const auto before_the_wait = clock_.wall_ms();
  clock_.advance_ms(kClockBehindMaxMs + 1);
  EXPECT_EQ(append_with(clock_.wall_ms()), std::nullopt);
  EXPECT_EQ(append_with(before_the_wait), std::nullopt);
}

TEST_F(LogTailTest, RefusesWhileTheClockItselfIsBehind) {
  EXPECT_EQ(append_with(clock_.wall_ms() + kClockBehindMaxMs + 1), std::nullopt);
  EXPECT_EQ(append_with(clock_.wall_ms()), Errc::kClockBehind);
  clock_.advance_ms(1);
  EXPECT_EQ(append_with(clock_.wall_ms()), std::nullopt);
}

// Nothing but the prepared position stands between who makes room and who uses it.
TEST_F(LogTailTest, AppendsToASegmentAsSoonAsItIsPrepared) {
  Memory memory;
  const auto append = [&] { return append_with(clock_.wall_ms()); };
  while (append() != Errc::kNotReady) {
  }
  std::atomic<bool> has_appended{false};
  std::thread preparing([&] {
    std::ranges::fill(memory.bytes(), std::byte{});
    tail_.offer({{kSize}, &memory, memory.bytes().data()});
    tail_.prepare({2 * kSize});
    while (!has_appended.load(std::memory_order_relaxed)) std::this_thread::yield();
  });
  while (append() == Errc::kNotReady) std::this_thread::yield();
  has_appended.store(true, std::memory_order_relaxed);
  preparing.join();
  EXPECT_EQ(message::peek_record(memory.bytes())->magic, message::kMagicV1);
}

}  // namespace
}  // namespace tern::store
