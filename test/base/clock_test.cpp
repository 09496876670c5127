#include "tern/base/clock.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace tern {
namespace {

TEST(SystemClock, TellsMillisecondsSinceTheEpoch) {
  constexpr std::int64_t kStartOf2020 = 1'577'836'800'000;
  constexpr std::int64_t kStartOf2200 = 7'258'118'400'000;
  const std::int64_t now = SystemClock().wall_ms();
  EXPECT_GT(now, kStartOf2020);
  EXPECT_LT(now, kStartOf2200);
}

TEST(SystemClock, NeverGoesBackOnItsSteadySide) {
  const SystemClock clock;
  std::int64_t last = clock.steady_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = clock.steady_ns();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ManualClock, MovesOnlyWhenTold) {
  test::ManualClock clock(5000);
  const std::int64_t start = clock.steady_ms();
  EXPECT_EQ(clock.wall_ms(), 5000);
  clock.advance_ms(250);
  EXPECT_EQ(clock.wall_ms(), 5250);
  EXPECT_EQ(clock.steady_ms(), start + 250);
  clock.advance_ns(999'999);
  EXPECT_EQ(clock.steady_ms(), start + 250);
}

TEST(ManualClock, KeepsItsSteadySideWhenTheTimeIsSet) {
  test::ManualClock clock;
  const std::int64_t start = clock.steady_ns();
  clock.set_wall_ms(1);
  EXPECT_EQ(clock.wall_ms(), 1);
  EXPECT_EQ(clock.steady_ns(), start);
}

}  // namespace
}  // namespace tern
