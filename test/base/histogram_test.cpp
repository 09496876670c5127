#include "tern/base/histogram.hpp"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(Histogram, SaysNothingOfNothing) {
  const Histogram none;
  EXPECT_EQ(none.count(), 0);
  EXPECT_EQ(none.min(), 0);
  EXPECT_EQ(none.max(), 0);
  EXPECT_EQ(none.value_at(500'000), 0);
  EXPECT_EQ(none.mean(), 0);
}

TEST(Histogram, KeepsSmallValuesExactly) {
  Histogram histogram;
  for (std::int64_t value = 1; value <= 2047; ++value) histogram.record(value);
  EXPECT_EQ(histogram.value_at(500'000), 1024);
  EXPECT_EQ(histogram.value_at(1'000'000), 2047);
  EXPECT_EQ(histogram.value_at(0), 1);
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_DOUBLE_EQ(histogram.mean(), 1024);
}

TEST(Histogram, RanksWithoutRoundingErrors) {
  Histogram histogram;
  histogram.record(1, 9'999);
  histogram.record(1'000);
  // 99.99 % of 10,000 are 9,999: the outlier is not among them.
  EXPECT_EQ(histogram.value_at(999'900), 1);
  EXPECT_EQ(histogram.value_at(999'901), 1'000);
}

TEST(Histogram, IsNeverTooGoodAndAtMostATenthOfAPercentOff) {
  for (std::int64_t value = 1; value < Histogram::kValueMax; value = value * 3 / 2 + 1) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(Histogram::kValueMax);  // so that the maximum does not make the answer exact
    const auto said = histogram.value_at(500'000);
    EXPECT_GE(said, value);
    EXPECT_LE(said - value, value / 1'024);
  }
}

// Every octave must continue where the one below it ends: a bucket's upper end, recorded, is its own bucket, and the
// next value is in the next one.
TEST(Histogram, LeavesNoGapBetweenBuckets) {
  Histogram histogram;
  std::int64_t value = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> buckets;
  for (int i = 0; i < 5'000; ++i) {
    Histogram one;
    one.record(value);
    one.for_each_bucket([&](std::int64_t upper, std::int64_t) { value = upper + 1; });
    histogram.record(value - 1);
  }
  histogram.for_each_bucket([&](std::int64_t upper, std::int64_t count) { buckets.emplace_back(upper, count); });
  ASSERT_EQ(buckets.size(), 5'000U);
  EXPECT_TRUE(std::all_of(buckets.begin(), buckets.end(), [](const auto& bucket) { return bucket.second == 1; }));
  EXPECT_EQ(buckets.back().first, value - 1);
}

TEST(Histogram, AgreesWithASortedList) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> durations(10, 2);
  Histogram histogram;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 100'000; ++i) {
    all.push_back(static_cast<std::int64_t>(durations(random)));
    histogram.record(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const std::int64_t parts : {500'000, 900'000, 990'000, 999'000, 999'900, 1'000'000}) {
    const auto exact = all[static_cast<std::size_t>(parts / 10 - 1)];
    EXPECT_GE(histogram.value_at(parts), exact) << parts;
    EXPECT_LE(histogram.value_at(parts), exact + exact / 1'000) << parts;
  }
}

TEST(Histogram, ClampsWhatDoesNotFit) {
  Histogram histogram;
  histogram.record(-5);
  histogram.record(Histogram::kValueMax + 1);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), Histogram::kValueMax);
  EXPECT_EQ(histogram.count(), 2);
}

TEST(Histogram, AddsUpAndForgets) {
  Histogram a;
  Histogram b;
  a.record(10);
  b.record(3'000'000, 3);
  a.add(b);
  EXPECT_EQ(a.count(), 4);
  EXPECT_EQ(a.min(), 10);
  EXPECT_EQ(a.max(), 3'000'000);
  EXPECT_EQ(a.value_at(1'000'000), 3'000'000);
  a.clear();
  EXPECT_EQ(a.count(), 0);
  EXPECT_EQ(a.value_at(1'000'000), 0);
  EXPECT_EQ(a.min(), 0);
}

}  // namespace
}  // namespace tern
