#include "broker/schedule/delay_levels.hpp"

#include <gtest/gtest.h>

#include "broker/broker_fixture.hpp"
#include "broker/identity.hpp"

namespace tern::broker {
namespace {

DelayLevels levels_of(std::string_view text) {
  std::string problem;
  auto levels = DelayLevels::parse(text, problem);
  EXPECT_TRUE(levels) << problem;
  return *levels;
}

TEST(DelayLevels, CountFromOneInTheOrderOfTheTable) {
  const auto levels = levels_of("1s 5m 2h 1d");
  EXPECT_EQ(levels.count(), 4);
  EXPECT_EQ(levels.delay_ms(1), 1000);
  EXPECT_EQ(levels.delay_ms(2), 300'000);
  EXPECT_EQ(levels.delay_ms(3), 7'200'000);
  EXPECT_EQ(levels.delay_ms(4), 86'400'000);
}

TEST(DelayLevels, AreEighteenByDefault) {
  BrokerOptions options;
  OptionSet settings;
  settings.add("Broker", broker_option_rows(), options);
  const auto levels = levels_of(options.delay_levels);
  EXPECT_EQ(levels.count(), 18);
  EXPECT_EQ(levels.delay_ms(3), 10'000);
  EXPECT_EQ(levels.delay_ms(18), 7'200'000);
}

TEST(DelayLevels, TakeSeveralBlanksBetweenThem) {
  EXPECT_EQ(levels_of(" 1s  2s ").count(), 2);
}

TEST(DelayLevels, CapALevelAboveTheLast) {
  const auto levels = levels_of("1s 2s");
  EXPECT_EQ(levels.capped(1), 1);
  EXPECT_EQ(levels.capped(3), 2);
  EXPECT_EQ(levels.capped(INT64_MAX), 2);
}

TEST(DelayLevels, NameTheWordThatIsNoDelay) {
  for (const char* word : {"5", "s", "5x", "-1s", "1.5s", "99999999999999999999s", "100000001d", "1ss"}) {
    std::string problem;
    EXPECT_FALSE(DelayLevels::parse(std::string("1s ") + word, problem)) << word;
    EXPECT_NE(problem.find('"' + std::string(word) + '"'), std::string::npos) << problem;
  }
}

TEST(DelayLevels, MustNotBeNone) {
  std::string problem;
  EXPECT_FALSE(DelayLevels::parse("  ", problem));
  EXPECT_NE(problem.find("messageDelayLevel"), std::string::npos) << problem;
}

TEST(DelayLevels, MakeTheDueTimeOfAMessageItsTagField) {
  const auto levels = levels_of("1s 5s");
  EXPECT_EQ(levels.tags_code(test::properties({{"DELAY", "2"}, {"TAGS", "A"}}), 1000), 6000);
  EXPECT_EQ(levels.tags_code(test::properties({{"DELAY", "9"}}), 1000), 6000) << "capped";
}

TEST(DelayLevels, LeaveTheTagHashToAMessageWithoutALevel) {
  const auto levels = levels_of("1s");
  EXPECT_EQ(levels.tags_code(test::properties({{"TAGS", "A"}}), 1000), 65);
  EXPECT_EQ(levels.tags_code(test::properties({{"DELAY", "0"}, {"TAGS", "A"}}), 1000), 65);
  EXPECT_EQ(levels.tags_code(test::properties({{"DELAY", "-1"}, {"TAGS", "A"}}), 1000), 65);
}

}  // namespace
}  // namespace tern::broker
