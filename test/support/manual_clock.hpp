#pragma once
// A clock that moves only when the test says so.

#include <atomic>
#include <cstdint>

#include "tern/base/clock.hpp"

namespace tern::test {

/// Starts at a fixed moment, 2023-11-14 22:13:20 UTC, unless told otherwise. Any thread may read and move it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms = 1'700'000'000'000) : wall_ms_(wall_ms) {}

  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_.load(); }
  [[nodiscard]] std::int64_t steady_ns() const override { return steady_ns_.load(); }

  /// Time passes: both clocks move.
  void advance_ms(std::int64_t by) {
    wall_ms_ += by;
    steady_ns_ += by * 1'000'000;
  }
  /// Too short a time for the wall clock's milliseconds.
  void advance_ns(std::int64_t by) { steady_ns_ += by; }
  /// Somebody sets the machine's time, in either direction; no time passes.
  void set_wall_ms(std::int64_t to) { wall_ms_ = to; }

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> steady_ns_{1'000'000'000};
};

}  // namespace tern::test
