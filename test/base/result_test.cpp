#include "tern/base/result.hpp"

#include <cerrno>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return errno_error(EINVAL, number);
  return number / 2;
}

Status check_halves(int number) {
  const auto half = half_of(number);
  if (!half) return half.error();
  return {};
}

TEST(Result, CarriesAValueOrAnError) {
  ASSERT_TRUE(half_of(4));
  EXPECT_EQ(*half_of(4), 2);
  ASSERT_FALSE(half_of(5));
  EXPECT_EQ(half_of(5).error().code, std::errc::invalid_argument);
  EXPECT_EQ(half_of(5).error().detail, 5);
}

TEST(Result, PassesAnErrorOnToAnotherType) {
  EXPECT_TRUE(check_halves(4));
  EXPECT_EQ(check_halves(5).error(), errno_error(EINVAL, 5));
}

TEST(Error, NamesItsCategoryAndItsDetail) {
  EXPECT_EQ(errno_error(ENOSPC, 4096).text(), "generic: No space left on device (4096)");
  EXPECT_EQ(errno_error(ENOSPC).text(), "generic: No space left on device");
}

TEST(Error, IsEqualOnlyWithTheSameCodeAndDetail) {
  EXPECT_EQ(errno_error(EIO, 1), errno_error(EIO, 1));
  EXPECT_NE(errno_error(EIO, 1), errno_error(EIO, 2));
  EXPECT_NE(errno_error(EIO, 1), errno_error(EPERM, 1));
}

TEST(ResultDeathTest, EndsTheProcessWhenTheValueOfAnErrorIsAsked) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)half_of(5).value(), "broken invariant.*Invalid argument \\(5\\)");
}

}  // namespace
}  // namespace tern
