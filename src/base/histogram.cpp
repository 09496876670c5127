#include "tern/base/histogram.hpp"

#include <algorithm>
#include <bit>

namespace tern {

// Bucket i < 2^11 is the value i. Above, a value keeps its top 11 bits: e = bits dropped, and the bucket is
// e * 2^10 + (value >> e), so that each octave continues where the one below ended.
std::size_t Histogram::bucket_of(std::int64_t value) noexcept {
  const auto v = static_cast<std::uint64_t>(value);
  const auto bits = static_cast<int>(std::bit_width(v));
  const int dropped = std::max(bits - (kPrecisionBits + 1), 0);
  return (static_cast<std::size_t>(dropped) << kPrecisionBits) + static_cast<std::size_t>(v >> dropped);
}

std::int64_t Histogram::upper_end(std::size_t bucket) noexcept {
  const std::size_t octave = bucket >> kPrecisionBits;
  const std::size_t dropped = octave == 0 ? 0 : octave - 1;
  const auto kept = static_cast<std::int64_t>(bucket - (dropped << kPrecisionBits));
  return ((kept + 1) << dropped) - 1;
}

Histogram::Histogram() : counts_(bucket_of(kValueMax) + 1) {}

void Histogram::record(std::int64_t value, std::int64_t count) noexcept {
  const auto kept = std::clamp<std::int64_t>(value, 0, kValueMax);
  counts_[bucket_of(kept)] += count;
  count_ += count;
  min_ = std::min(min_, kept);
  max_ = std::max(max_, kept);
  sum_ += static_cast<double>(kept) * static_cast<double>(count);
}

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  min_ = kValueMax;
  max_ = 0;
  sum_ = 0;
}

double Histogram::mean() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::int64_t Histogram::value_at(std::int64_t parts_per_million) const noexcept {
  constexpr std::int64_t kMillion = 1'000'000;
  if (count_ == 0) return 0;
  const auto parts = std::clamp<std::int64_t>(parts_per_million, 0, kMillion);
  // ceil(count * parts / million), in two steps that do not overflow.
  const std::int64_t rest = (count_ % kMillion) * parts;
  const std::int64_t rank = std::max<std::int64_t>((count_ / kMillion) * parts + (rest + kMillion - 1) / kMillion, 1);
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(upper_end(i), max_);
  }
  return max_;
}

}  // namespace tern
