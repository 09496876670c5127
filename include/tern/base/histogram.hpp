#pragma once
// Counts of durations (or of anything that is a number) over many orders of magnitude, each kept to a tenth of a
// percent.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tern {

/// A histogram whose buckets grow with the value, as HdrHistogram's with three digits do: below 2,048 every value has a
/// bucket of its own, above it a bucket is at most 1/1,024 of its value wide. Fixed memory (264 KiB), record() neither
/// allocates nor branches on the data. Not shared: one per thread, added up afterwards.
class Histogram {
 public:
  /// What is larger counts as this: 73 minutes in nanoseconds.
  static constexpr std::int64_t kValueMax = (std::int64_t{1} << 42) - 1;

  Histogram();
  /// Negative values count as 0.
  void record(std::int64_t value) noexcept { record(value, 1); }
  void record(std::int64_t value, std::int64_t count) noexcept;
  void add(const Histogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  /// Exact (up to kValueMax); 0 while nothing is counted.
  [[nodiscard]] std::int64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::int64_t max() const noexcept { return max_; }
  [[nodiscard]] double mean() const noexcept;
  /// The smallest value that at least `parts_per_million` of all counted values do not exceed: 500,000 is the median,
  /// 999,900 is p99.99. The bucket's upper end, so what it says is never too good; 0 while nothing is counted.
  [[nodiscard]] std::int64_t value_at(std::int64_t parts_per_million) const noexcept;

  /// Calls visit(largest value of the bucket, count) for every bucket that counts something, upwards.
  template <class Visit>
  void for_each_bucket(Visit&& visit) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] != 0) visit(upper_end(i), counts_[i]);
    }
  }

 private:
  static constexpr int kPrecisionBits = 10;
  [[nodiscard]] static std::size_t bucket_of(std::int64_t value) noexcept;
  [[nodiscard]] static std::int64_t upper_end(std::size_t bucket) noexcept;

  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
  std::int64_t min_ = kValueMax;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace tern
