#pragma once
// Holds an append lock, and measures now and then how long it was waited for and held.

#include <atomic>
#include <cstdint>

#include "tern/base/clock.hpp"
#include "tern/store/put_strategy.hpp"

namespace tern::store {

/// Of one acquisition in kTimedOneIn, which leaves a nanosecond of the three looks at the clock. Any thread; relaxed,
/// numbers for people.
class LockTimes {
 public:
  explicit LockTimes(const Clock& clock) : clock_(clock) {}

  static constexpr unsigned kTimedOneIn = 64;
  /// Whether this acquisition of the calling thread is one to be timed.
  static bool is_turn() noexcept {
    thread_local unsigned turn = 0;
    return ++turn % kTimedOneIn == 0;
  }
  [[nodiscard]] std::int64_t now_ns() const noexcept { return clock_.steady_ns(); }
  void add(std::int64_t waited_ns, std::int64_t held_ns) noexcept {
    waited_ns_.fetch_add(waited_ns, std::memory_order_relaxed);
    held_ns_.fetch_add(held_ns, std::memory_order_relaxed);
    timed_.fetch_add(1, std::memory_order_relaxed);
  }
  void show(PutCounters& counters) const noexcept {
    counters.timed = timed_.load(std::memory_order_relaxed);
    counters.waited_ns = waited_ns_.load(std::memory_order_relaxed);
    counters.held_ns = held_ns_.load(std::memory_order_relaxed);
  }

 private:
  const Clock& clock_;
  alignas(64) std::atomic<std::int64_t> timed_{0};
  std::atomic<std::int64_t> waited_ns_{0};
  std::atomic<std::int64_t> held_ns_{0};
};

class TERN_SCOPED_CAPABILITY TimedGuard {
 public:
  TimedGuard(AppendLock& lock, LockTimes& times) noexcept TERN_ACQUIRE(lock) : lock_(lock), times_(times) {
    const auto asked_ns = is_timed_ ? times_.now_ns() : 0;
    lock_.lock();
    if (!is_timed_) return;
    taken_ns_ = times_.now_ns();
    waited_ns_ = taken_ns_ - asked_ns;
  }
  ~TimedGuard() TERN_RELEASE() {
    const auto held_ns = is_timed_ ? times_.now_ns() - taken_ns_ : 0;
    lock_.unlock();
    if (is_timed_) times_.add(waited_ns_, held_ns);
  }
  TimedGuard(const TimedGuard&) = delete;
  TimedGuard& operator=(const TimedGuard&) = delete;

 private:
  AppendLock& lock_;
  LockTimes& times_;
  const bool is_timed_ = LockTimes::is_turn();
  std::int64_t taken_ns_ = 0;
  std::int64_t waited_ns_ = 0;
};

}  // namespace tern::store
