// The operating system's mutex: parks at once, and costs two context switches under contention.

#include <atomic>

#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

class MutexAppendLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    const bool waited = !mutex_.try_lock();
    if (waited) mutex_.lock();
    // Only the holder stores; others read the numbers, relaxed.
    acquisitions_.store(acquisitions_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (waited) waits_.store(waits_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void unlock() noexcept override TERN_RELEASE() { mutex_.unlock(); }
  [[nodiscard]] PutCounters counters() const noexcept override {
    PutCounters counters;
    counters.acquisitions = acquisitions_.load(std::memory_order_relaxed);
    counters.waits = waits_.load(std::memory_order_relaxed);
    return counters;
  }

 private:
  std::mutex mutex_;  // not tern::Mutex: the capability is the AppendLock itself
  std::atomic<std::int64_t> acquisitions_{0};
  std::atomic<std::int64_t> waits_{0};
};

}  // namespace

std::unique_ptr<AppendLock> make_mutex_lock() {
  return std::make_unique<MutexAppendLock>();
}

}  // namespace tern::store
