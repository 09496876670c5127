#pragma once
// How a step function sleeps and is woken. One thread waits; any thread notifies.

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tern {

/// Remembers one notification, so that a notify() between "nothing to do" and wait() is never lost: the thread takes
/// its ticket before it looks for work.
///   for (;;) { auto ticket = wakeup.ticket(); if (step() == 0) wakeup.wait(ticket, longest_ms); }
class Wakeup {
 public:
  using Ticket = std::uint64_t;

  [[nodiscard]] Ticket ticket() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  void notify() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_one();
  }
  /// Returns once notify() has been called after `seen` was taken, or after `longest_ms` of real time.
  void wait(Ticket seen, std::int64_t longest_ms);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

/// What a step function did: how much, and when it wants to run again at the latest (milliseconds from now).
struct StepResult {
  std::int64_t done = 0;
  std::int64_t next_ms = 1000;
  std::int64_t pause_us = 0;  // above 0: instead, in so many microseconds, and a notification does not shorten it
};

}  // namespace tern
