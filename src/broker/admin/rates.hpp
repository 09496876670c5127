#pragma once
// Rates and day totals of a counter that only grows, as brokerStatus shows them.

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace tern::broker {

/// note() from one thread, the rest from any.
class Rates {
 public:
  /// `day` changes at local midnight. Keeps a sample every ten seconds, for ten minutes.
  void note(std::int64_t steady_ms, std::int64_t count, int day);
  /// "12.5 11.0 9.8": per second over the last 10 s, 1 min and 10 min; two blanks until there are two samples.
  [[nodiscard]] std::string text() const;
  /// The first of these alone; "0.0" until then.
  [[nodiscard]] std::string newest() const;
  /// What the counter stood at at the beginning of today, and of yesterday.
  [[nodiscard]] std::int64_t this_morning() const;
  [[nodiscard]] std::int64_t yesterday_morning() const;

 private:
  struct Sample {
    std::int64_t at_ms = 0;
    std::int64_t count = 0;
  };
  mutable std::mutex mutex_;
  std::deque<Sample> samples_;  // guarded by mutex_, as all below
  int day_ = -1;
  std::int64_t this_morning_ = 0;
  std::int64_t yesterday_morning_ = 0;
};

}  // namespace tern::broker
