#include "tern/base/result.hpp"

#include <cerrno>
#include <future>
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
  const Error broken{std::make_error_code(std::future_errc::broken_promise), 7};
  EXPECT_THAT(broken.text(), testing::MatchesRegex("future: .+ \\(7\\)"));
  EXPECT_THAT((Error{broken.code, 0}.text()), testing::Not(testing::HasSubstr("(")));
}

TEST(Error, IsOnlyTheMessageOfTheSystemForAnErrno) {
  EXPECT_EQ(errno_error(ENOSPC, 4096).text(), "No space left on device");
  EXPECT_EQ(errno_error(ENOSPC).text(), "No space left on device");
}

TEST(Error, IsEqualOnlyWithTheSameCodeAndDetail) {
  EXPECT_EQ(errno_error(EIO, 1), errno_error(EIO, 1));
  EXPECT_NE(errno_error(EIO, 1), errno_error(EIO, 2));
  EXPECT_NE(errno_error(EIO, 1), errno_error(EPERM, 1));
}

TEST(ResultDeathTest, EndsTheProcessWhenTheValueOfAnErrorIsAsked) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)half_of(5).value(), "broken invariant.*Invalid argument");
}

}  // namespace
}  // namespace tern
