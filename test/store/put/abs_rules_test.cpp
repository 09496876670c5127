// Windows of one second as an adaptive lock would see them, written down; no lock, no thread, no clock.

#include "store/put/abs_rules.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace tern::store {
namespace {

constexpr int kMin = 1000;  // the published limits
constexpr int kMax = 10'000;
constexpr std::int64_t kSecond = 1'000'000'000;

struct Load {
  std::int64_t rate;
  int threads = 4;
};
constexpr Load kLarge{1'000};    // of 100 KB bodies
constexpr Load kSmall{100'000};  // of 2 B bodies

void calm(AbsRules& rules, Load load) {
  rules.end_window({load.rate, 0, 0, load.threads, kSecond});
}
void contended(AbsRules& rules, Load load) {
  rules.end_window({load.rate, load.rate / 2, 0, load.threads, kSecond});
}
void crowded(AbsRules& rules, Load load) {
  rules.end_window({load.rate, load.rate, load.rate / 10, load.threads, kSecond});
}
void between(AbsRules& rules, Load load) {
  rules.end_window({load.rate, 0, load.rate / 640, load.threads, kSecond});
}

/// At the largest k, and beyond: the next window decides whether that pays.
AbsRules trying_to_sleep(Load load) {
  AbsRules rules(kMin, kMax);
  for (int i = 0; i < 6; ++i) crowded(rules, load);
  EXPECT_TRUE(rules.is_sleeping() && rules.is_trial());
  EXPECT_EQ(rules.switches(), 1);
  return rules;
}
AbsRules asleep(Load load) {
  auto rules = trying_to_sleep(load);
  calm(rules, load);
  EXPECT_TRUE(rules.is_sleeping() && !rules.is_trial());
  return rules;
}

/// How many windows until it spins again, at most `most`; -1: it does not.
template <class Window>
int windows_until_spinning(AbsRules& rules, int most, Window window) {
  for (int i = 1; i <= most; ++i) {
    window(rules);
    if (!rules.is_sleeping()) return i;
  }
  return -1;
}

TEST(AbsRules, DoubleTheLimitThenAddAThousandThenSleep) {
  AbsRules rules(kMin, kMax);
  std::vector<int> limits{rules.spin_limit()};
  while (!rules.is_sleeping()) {
    crowded(rules, kSmall);
    limits.push_back(rules.spin_limit());
  }
  EXPECT_EQ(limits, (std::vector<int>{1000, 2000, 4000, 8000, 9000, 10'000, 10'000}));
}

TEST(AbsRules, LowerTheLimitByAThousandWhereRetreatsAreSeldom) {
  AbsRules rules(kMin, kMax);
  for (int i = 0; i < 3; ++i) crowded(rules, kSmall);
  std::vector<int> limits{rules.spin_limit()};
  for (int i = 0; i < 8; ++i) calm(rules, kSmall), limits.push_back(rules.spin_limit());
  EXPECT_EQ(limits, (std::vector<int>{8000, 7000, 6000, 5000, 4000, 3000, 2000, 1000, 1000}));
  EXPECT_EQ(rules.switches(), 0);
}

TEST(AbsRules, KeepTheLimitBetweenTheThresholds) {
  AbsRules rules(kMin, kMax);
  crowded(rules, kSmall);
  for (int i = 0; i < 10; ++i) between(rules, kSmall);
  EXPECT_EQ(rules.spin_limit(), 2000);
}

TEST(AbsRules, HoldTheThresholdsExactly) {
  AbsRules rules(kMin, kMax);
  rules.end_window({320 * 1000 + 1, 0, 1000, 4, kSecond});
  EXPECT_EQ(rules.spin_limit(), 1000);
  rules.end_window({320 * 1000, 0, 1000, 4, kSecond});
  EXPECT_EQ(rules.spin_limit(), 2000);
  rules.end_window({1280 * 100 - 1, 0, 100, 4, kSecond});
  EXPECT_EQ(rules.spin_limit(), 2000);
  rules.end_window({1280 * 100, 0, 100, 4, kSecond});
  EXPECT_EQ(rules.spin_limit(), 1000);
}

TEST(AbsRules, LearnNothingFromAWindowWithoutAcquisitions) {
  auto rules = asleep(kSmall);
  for (int i = 0; i < 100; ++i) rules.end_window({0, 0, 0, 0, kSecond});
  EXPECT_TRUE(rules.is_sleeping());
}

TEST(AbsRules, SpinAgainWhenTheLoadFalls) {
  auto rules = asleep(kSmall);
  calm(rules, kSmall);  // the reference
  calm(rules, {81'000});
  EXPECT_TRUE(rules.is_sleeping());
  calm(rules, {80'000});
  EXPECT_FALSE(rules.is_sleeping());
  EXPECT_EQ(rules.spin_limit(), kMax);
}

TEST(AbsRules, SpinAgainWhenThreadsLeave) {
  auto rules = asleep({100'000, 64});
  calm(rules, {100'000, 64});
  calm(rules, {100'000, 1});
  EXPECT_FALSE(rules.is_sleeping());
}

// 100 KB bodies give way to 2 B bodies: the rate is a hundred times what it was, and will never be less than it was.
TEST(AbsRules, SpinAgainWhenBodiesBecomeSmall) {
  auto rules = asleep(kLarge);
  calm(rules, kLarge);
  EXPECT_EQ(windows_until_spinning(rules, 3, [](auto& r) { calm(r, kSmall); }), 1);
  for (int i = 0; i < 10; ++i) calm(rules, kSmall);
  EXPECT_EQ(rules.spin_limit(), kMin);
  EXPECT_EQ(rules.switches(), 2);
}

// The same, with the change falling into the window of the trial: it shows nothing about sleeping.
TEST(AbsRules, SpinAgainWhenTheTrialWasOfAnotherLoad) {
  auto rules = trying_to_sleep(kLarge);
  EXPECT_EQ(windows_until_spinning(rules, 20, [](auto& r) { calm(r, kSmall); }), 1);
  for (int i = 0; i < 100; ++i) calm(rules, kSmall);
  EXPECT_FALSE(rules.is_sleeping());
}

// Whoever yields at the largest k, and is faster than those who sleep, goes on; sleeping is tried again, ever more
// seldom.
TEST(AbsRules, KeepSpinningWhereSleepingIsSlower) {
  auto rules = trying_to_sleep(kLarge);
  std::vector<int> spun{0};
  for (int i = 0; i < 7; ++i) {
    crowded(rules, {kLarge.rate * 94 / 100});
    ASSERT_FALSE(rules.is_sleeping());
    EXPECT_EQ(rules.spin_limit(), kMax);
    for (spun.push_back(0); !rules.is_sleeping(); ++spun.back()) crowded(rules, kLarge);
  }
  EXPECT_EQ(spun, (std::vector<int>{0, 17, 33, 65, 129, 129, 129, 129}));
}

TEST(AbsRules, KeepSleepingWhereItIsAsFast) {
  auto rules = trying_to_sleep(kLarge);
  calm(rules, {kLarge.rate * 95 / 100});
  EXPECT_TRUE(rules.is_sleeping());
}

// Nobody retreats, and yet it may be faster if those who meet another sleep.
TEST(AbsRules, TrySleepingUnderContention) {
  AbsRules rules(kMin, kMax);
  contended(rules, kSmall);
  contended(rules, kSmall);
  EXPECT_FALSE(rules.is_sleeping());
  contended(rules, kSmall);
  EXPECT_TRUE(rules.is_sleeping());
  calm(rules, {kSmall.rate * 110 / 100});
  for (int i = 0; i < 7; ++i) calm(rules, {kSmall.rate * 110 / 100});
  EXPECT_TRUE(rules.is_sleeping());
}

TEST(AbsRules, SleepUnderContentionOnlyIfItPays) {
  AbsRules rules(kMin, kMax);
  std::vector<int> spun;
  for (int i = 0; i < 7; ++i) {
    for (spun.push_back(0); !rules.is_sleeping(); ++spun.back()) contended(rules, kSmall);
    calm(rules, {kSmall.rate * 109 / 100});
    ASSERT_FALSE(rules.is_sleeping());
  }
  EXPECT_EQ(spun, (std::vector<int>{3, 17, 33, 65, 129, 129, 129}));
}

TEST(AbsRules, NeverSleepWithoutContention) {
  AbsRules rules(kMin, kMax);
  for (int i = 0; i < 1000; ++i) rules.end_window({kSmall.rate, kSmall.rate / 17, 0, kSmall.threads, kSecond});
  EXPECT_EQ(rules.switches(), 0);
}

TEST(AbsRules, ReturnToSpinningWhereItIsFasterThoughCrowded) {
  auto rules = asleep(kLarge);
  windows_until_spinning(rules, 20, [](auto& r) { calm(r, kLarge); });
  for (int i = 0; i < 2; ++i) crowded(rules, {kLarge.rate * 111 / 100});
  EXPECT_FALSE(rules.is_sleeping());
}

TEST(AbsRules, TakeTheRateOfALongWindowByTime) {
  auto rules = asleep(kSmall);
  calm(rules, kSmall);
  rules.end_window({kSmall.rate * 10, 0, 0, kSmall.threads, 10 * kSecond});
  EXPECT_TRUE(rules.is_sleeping());
}

TEST(AbsRules, TryEverMoreSeldomWhereSpinningKeepsFailing) {
  auto rules = asleep(kLarge);
  std::vector<int> slept;
  for (int i = 0; i < 7; ++i) {
    slept.push_back(windows_until_spinning(rules, 1000, [](auto& r) { calm(r, kLarge); }));
    crowded(rules, kLarge);
    ASSERT_TRUE(rules.is_sleeping());
  }
  EXPECT_EQ(slept, (std::vector<int>{9, 17, 33, 65, 129, 129, 129}));
}

// However a load jumps about, the wrong mode gets one window in 17 once it has shown to be wrong.
TEST(AbsRules, DoNotFlapUnderALoadThatJumps) {
  auto rules = asleep(kLarge);
  int spinning = 0;
  constexpr int kWindows = 2000;
  for (int i = 0; i < kWindows; ++i) {
    if (!rules.is_sleeping()) ++spinning;
    crowded(rules, i % 2 == 0 ? kLarge : kSmall);
  }
  EXPECT_LE(spinning, kWindows / 17 + 5);
  EXPECT_GE(spinning, 1);
}

TEST(AbsRules, ForgetFailuresAfterAReturnThatLasts) {
  auto rules = asleep(kLarge);
  for (int i = 0; i < 5; ++i) {
    windows_until_spinning(rules, 1000, [](auto& r) { calm(r, kLarge); });
    crowded(rules, kLarge);
  }
  windows_until_spinning(rules, 1000, [](auto& r) { calm(r, kLarge); });
  calm(rules, kLarge);
  while (!rules.is_sleeping()) crowded(rules, kLarge);
  calm(rules, kLarge);
  EXPECT_EQ(windows_until_spinning(rules, 1000, [](auto& r) { calm(r, kLarge); }), 9);
}

TEST(AbsRules, WorkWithASingleLimit) {
  AbsRules rules(1, 1);
  for (int i = 0; i < 3; ++i) crowded(rules, kSmall);
  EXPECT_TRUE(rules.is_sleeping());
  EXPECT_EQ(rules.spin_limit(), 1);
}

}  // namespace
}  // namespace tern::store
