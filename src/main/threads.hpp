#pragma once
// The threads of a daemon. Components offer steps; only main owns threads, and each has a name that top and debuggers
// show.

#include <atomic>
#include <chrono>
#include <functional>
#include <pthread.h>
#include <string>
#include <sys/prctl.h>
#include <thread>
#include <vector>

#include "tern/base/wakeup.hpp"
#include "tern/remoting/server.hpp"

namespace tern::daemon {

/// At most 15 characters; a longer name is not taken.
inline void name_this_thread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

/// Each serves connections until the network is stopped, and is then to be joined.
inline std::vector<std::thread> start_io_threads(remoting::Network& network) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < network.io_threads(); ++i) {
    threads.emplace_back([&network, i] {
      name_this_thread("io-" + std::to_string(i));
      network.run(i);
    });
  }
  return threads;
}

/// What a sleep may take longer; Linux makes it 50 us, as long as some pauses.
inline constexpr unsigned long kTimerSlackNs = 1000;

/// step() until it has nothing to do, then sleep until woken or until it wants to run again. stop() lets the step under
/// way finish; the destructor stops too.
class StepThread {
 public:
  StepThread(std::string name, Wakeup& wakeup, std::function<StepResult()> step)
      : wakeup_(wakeup), thread_([this, name = std::move(name), step = std::move(step)] {
          name_this_thread(name);
          ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
          // Acquire: pairs with stop(), so that what was done before it is seen.
          while (!stopping_.load(std::memory_order_acquire)) {
            const auto ticket = wakeup_.ticket();
            const auto result = step();
            if (result.pause_us > 0) {
              std::this_thread::sleep_for(std::chrono::microseconds(result.pause_us));
            } else if (result.done == 0 && !stopping_.load(std::memory_order_acquire)) {
              wakeup_.wait(ticket, result.next_ms);
            }
          }
        }) {}
  ~StepThread() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    stopping_.store(true, std::memory_order_release);  // pairs with the acquire above
    wakeup_.notify();
    thread_.join();
  }

 private:
  Wakeup& wakeup_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tern::daemon
