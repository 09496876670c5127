#pragma once
// Time is a parameter. Components take a Clock; main gives them the system's, tests a manual one.

#include <cstdint>

namespace tern {

/// Both times from any thread. wall_ms may jump in either direction; steady_ns never goes back.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since the Unix epoch: what the protocol and the disk call time.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
  /// Nanoseconds since an arbitrary start: for deadlines and durations.
  [[nodiscard]] virtual std::int64_t steady_ns() const = 0;
  [[nodiscard]] std::int64_t steady_ms() const { return steady_ns() / 1'000'000; }
};

/// The operating system's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override;
  [[nodiscard]] std::int64_t steady_ns() const override;
};

}  // namespace tern
