#pragma once
// Runs a step function on a thread of its own until stopped. Components offer steps; only main owns threads.

#include <atomic>
#include <functional>
#include <thread>

#include "tern/base/wakeup.hpp"

namespace tern::daemon {

/// step() until it has nothing to do, then sleep until woken or until it wants to run again. stop() lets the step under
/// way finish; the destructor stops too.
class StepThread {
 public:
  StepThread(Wakeup& wakeup, std::function<StepResult()> step)
      : wakeup_(wakeup), thread_([this, step = std::move(step)] {
          // Acquire: pairs with stop(), so that what was done before it is seen.
          while (!stopping_.load(std::memory_order_acquire)) {
            const auto ticket = wakeup_.ticket();
            const auto result = step();
            if (result.done == 0 && !stopping_.load(std::memory_order_acquire)) wakeup_.wait(ticket, result.next_ms);
          }
        }) {}
  ~StepThread() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    stopping_.store(true, std::memory_order_release);
    wakeup_.notify();
    thread_.join();
  }

 private:
  Wakeup& wakeup_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tern::daemon
