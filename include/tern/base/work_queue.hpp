#pragma once
// Work that may block (JSON files, table dumps, key scans), handed to the thread that is there for it.

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "tern/base/wakeup.hpp"

namespace tern {

/// post() from any thread; step() from the blocking thread. Bounded: post() refuses beyond `depth_max`.
class WorkQueue {
 public:
  explicit WorkQueue(std::size_t depth_max = 10'000) : depth_max_(depth_max) {}
  /// False if the queue is full: the caller answers SYSTEM_BUSY.
  [[nodiscard]] bool post(std::function<void()> work);
  /// Runs what is waiting, one after the other; `done` is how many.
  StepResult step();
  Wakeup& wakeup() { return wakeup_; }
  [[nodiscard]] std::size_t depth() const;

 private:
  const std::size_t depth_max_;
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> work_;  // guarded by mutex_
  Wakeup wakeup_;
};

}  // namespace tern
