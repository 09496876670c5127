#pragma once
// Work that may block (JSON files, table dumps, key scans), handed to the thread that is there for it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>

#include "tern/base/clock.hpp"
#include "tern/base/options.hpp"
#include "tern/base/wakeup.hpp"

namespace tern {

/// post() from any thread; step() from the blocking thread. Bounded: post() refuses beyond `depth_max`, and work that
/// has waited for too long is told so instead of being done.
class WorkQueue {
 public:
  struct Limits {
    std::size_t depth_max = 10'000;
    std::string_view depth_key = "depth_max";         // the setting that a refusal names
    const Clock* clock = nullptr;                     // null: nothing is ever late
    const Live<std::int64_t>* wait_ms_max = nullptr;  // read again for each piece of work
  };
  struct Lateness {
    std::int64_t waited_ms = 0;
    std::size_t depth = 0;  // how many wait behind it
  };
  using Work = std::function<void()>;
  using Late = std::function<void(const Lateness&)>;

  WorkQueue() : WorkQueue(Limits{}) {}
  explicit WorkQueue(const Limits& limits) : limits_(limits) {}

  /// False if the queue is full: the caller answers SYSTEM_BUSY. With `late`, that runs instead of `work` if its turn
  /// comes later than the limit; without, the work is done whenever its turn comes.
  [[nodiscard]] bool post(Work work, Late late = {});
  /// Runs what is waiting, one after the other, at most kStepMax; `done` is how many.
  StepResult step();
  Wakeup& wakeup() { return wakeup_; }
  [[nodiscard]] std::size_t depth() const;
  [[nodiscard]] const Limits& limits() const { return limits_; }

  static constexpr std::size_t kStepMax = 64;

 private:
  struct Item {
    Work work;
    Late late;
    std::int64_t since_ms = 0;
  };
  [[nodiscard]] std::int64_t now_ms() const { return limits_.clock != nullptr ? limits_.clock->steady_ms() : 0; }

  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<Item> items_;  // guarded by mutex_
  Wakeup wakeup_;
};

}  // namespace tern
