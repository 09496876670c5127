#include "tern/base/check.hpp"

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Check, PassesWhatHolds) {
  int evaluated = 0;
  TERN_CHECK(++evaluated == 1);
  TERN_CHECK(true, "never formatted: {}", ++evaluated);
  EXPECT_EQ(evaluated, 1) << "the condition is evaluated once, the values only for the message";
}

TEST(CheckDeathTest, EndsTheProcessWithPlaceConditionAndValues) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int position = 7;
  EXPECT_DEATH(TERN_CHECK(position < 5, "position {}", position),
               "check_test.cpp:[0-9]+: broken invariant: position < 5: position 7");
}

TEST(CheckDeathTest, NeedsNoMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const bool holds = false;
  EXPECT_DEATH(TERN_CHECK(holds), "broken invariant: holds");
}

}  // namespace
}  // namespace tern
