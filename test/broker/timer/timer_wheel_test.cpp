#include "broker/timer/timer_wheel.hpp"

#include <gmock/gmock.h>

#include "support/simulated_disk.hpp"

namespace tern::broker {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kSlots = 1'000;

class TimerWheelTest : public ::testing::Test {
 protected:
  void write(TimerWheel& from) {
    if (!file_) {
      file_ = *disk_.open("wheel", file::OpenMode::kCreate);
      EXPECT_TRUE(file_->resize(from.file_size()));
    }
    for (const auto& page : from.take_changed())
      EXPECT_TRUE(file_->write(page.position, std::as_bytes(std::span(page.bytes))));
  }
  std::vector<TimerWheel::Stored> read(const TimerWheel& by, std::int64_t damaged_expected = 0) {
    std::int64_t damaged = 0;
    const auto stored = by.read(*file_, damaged);
    EXPECT_EQ(damaged, damaged_expected);
    return *stored;
  }

  test::SimulatedDisk disk_;
  std::unique_ptr<file::File> file_;
  TimerWheel wheel_{kSlots, 100};
};

TEST_F(TimerWheelTest, FindsTheEarliestSlot) {
  EXPECT_EQ(wheel_.first(), std::nullopt);
  wheel_.add(5'000, 104, false);
  wheel_.add(3'000, 52, false);
  wheel_.add(3'000, 156, true);
  EXPECT_EQ(wheel_.first(), 3'000);
  EXPECT_EQ(wheel_.find(3'000)->first, 52);
  EXPECT_EQ(wheel_.find(3'000)->last, 156);
  EXPECT_EQ(wheel_.count(), 1) << "one that cancels is one less";
  wheel_.clear(3'000);
  EXPECT_EQ(wheel_.first(), 5'000);
  EXPECT_EQ(wheel_.find(3'000), nullptr);
}

TEST_F(TimerWheelTest, HoldsOneOfTwoTimesWithOnePlace) {
  wheel_.add(5'000, 0, false);
  EXPECT_FALSE(wheel_.can_hold(5'000 + kSlots * 100));
  EXPECT_TRUE(wheel_.can_hold(5'000));
  EXPECT_TRUE(wheel_.can_hold(5'100));
  wheel_.clear(5'000);
  EXPECT_TRUE(wheel_.can_hold(5'000 + kSlots * 100));
}

TEST_F(TimerWheelTest, ComesBackFromItsFile) {
  wheel_.add(1'700'000'000'000, 52, false);
  wheel_.add(1'700'000'000'000, 104, false);
  wheel_.add(1'700'000'050'000, 156, false);
  write(wheel_);
  wheel_.clear(1'700'000'050'000);
  write(wheel_);
  const auto stored = read(wheel_);
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(stored[0].slot_ms, 1'700'000'000'000);
  EXPECT_EQ(stored[0].slot.first, 52);
  EXPECT_EQ(stored[0].slot.last, 104);
  EXPECT_EQ(stored[0].slot.count, 2);
}

// Read by Apache's broker: big-endian time / precision, first, last, count, 0.
TEST_F(TimerWheelTest, WritesApachesSlots) {
  wheel_.add(1'700'000'000'000, 52, false);
  wheel_.add(1'700'000'000'000, 104, false);
  write(wheel_);
  std::array<std::byte, 32> bytes{};
  ASSERT_TRUE(file_->read(17'000'000'000 % kSlots * 32, bytes));
  const std::array<std::uint8_t, 32> expected{0, 0, 0, 3, 0xf5, 0x47, 0x6a, 0,   0, 0, 0, 0, 0, 0, 0, 52,
                                              0, 0, 0, 0, 0,    0,    0,    104, 0, 0, 0, 2, 0, 0, 0, 0};
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(static_cast<int>(bytes[i]), expected[i]) << i;
}

TEST_F(TimerWheelTest, CountsSlotsThatContradictThemselves) {
  wheel_.add(1'700'000'000'000, 52, false);
  write(wheel_);
  std::array<std::byte, 32> bytes{};
  ASSERT_TRUE(file_->read(17'000'000'000 % kSlots * 32, bytes));
  ASSERT_TRUE(file_->write(32 * 7, bytes));  // it belongs elsewhere
  bytes.fill(std::byte{0x7f});
  ASSERT_TRUE(file_->write(32 * 9, bytes));
  EXPECT_THAT(read(wheel_, 2), SizeIs(1));
}

TEST_F(TimerWheelTest, WritesOnlyWhatHasChanged) {
  wheel_.add(5'000, 0, false);
  wheel_.add(5'100, 52, false);
  EXPECT_THAT(wheel_.take_changed(), SizeIs(1));
  EXPECT_THAT(wheel_.take_changed(), IsEmpty());
  wheel_.clear_all();
  EXPECT_THAT(wheel_.take_changed(), SizeIs(8));
}

}  // namespace
}  // namespace tern::broker
