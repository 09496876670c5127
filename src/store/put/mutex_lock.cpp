// The operating system's mutex: sleeps at once, and costs two context switches under contention.
// Guarantees: exclusion; no order among waiters.
// Worst case: critical sections much shorter than a context switch under contention, where the switches are the cost.
// Choose it for long critical sections (large bodies), for many more threads than processors, or for no surprises.

#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

class MutexAppendLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    const bool waited = !mutex_.try_lock();
    if (waited) mutex_.lock();
    acquisitions_.add(1);
    if (waited) waits_.add(1);
  }
  void unlock() noexcept override TERN_RELEASE() { mutex_.unlock(); }
  [[nodiscard]] PutCounters counters() const noexcept override {
    PutCounters counters;
    counters.acquisitions = acquisitions_.get();
    counters.waits = waits_.get();
    counters.mode = "mutex";
    return counters;
  }

 private:
  std::mutex mutex_;  // not tern::Mutex: the capability is the AppendLock itself
  HolderCount acquisitions_;
  HolderCount waits_;
};

}  // namespace

std::unique_ptr<AppendLock> make_mutex_lock(const PutSettings&) {
  return std::make_unique<MutexAppendLock>();
}

}  // namespace tern::store
