// Spins k times, then gives the processor away (a *retreat*), and again. After "Beyond the Bottleneck" (FM 2024), which
// found k = 1,000 best on x86 and on ARM; k is spinLockCollisionRetreatOptimalDegree.
// Guarantees: exclusion; no order among waiters. A waiter never sleeps, so it cannot miss being woken.
// Worst case: a holder that loses its processor costs each waiter k spins between two yields; and a waiter that yields
// while nobody else wants to run comes straight back, so that a long critical section keeps all waiters' processors
// busy. Choose it for short critical sections, with as many threads as processors or more.

#include <thread>

#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

class KBackoffLock final : public AppendLock {
 public:
  explicit KBackoffLock(int spin_limit) : spin_limit_(spin_limit) {}

  void lock() noexcept override TERN_ACQUIRE() {
    const bool waited = !word_.try_lock();
    if (waited) {
      wait();
      waits_.add(1);
    }
    acquisitions_.add(1);
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }
  [[nodiscard]] PutCounters counters() const noexcept override {
    PutCounters counters;
    counters.acquisitions = acquisitions_.get();
    counters.waits = waits_.get();
    counters.retreats = retreats_.load(std::memory_order_relaxed);
    counters.spin_limit = spin_limit_;
    counters.mode = "spin";
    return counters;
  }

 private:
  void wait() noexcept {
    for (;;) {
      for (int i = 0; i < spin_limit_; ++i) {
        spin_once();
        if (word_.try_lock()) return;
      }
      // Relaxed, a number; counted by waiters, who have just decided to lose a microsecond.
      retreats_.fetch_add(1, std::memory_order_relaxed);
      std::this_thread::yield();
    }
  }

  const int spin_limit_;
  SpinWord word_;
  alignas(64) HolderCount acquisitions_;
  HolderCount waits_;
  alignas(64) std::atomic<std::int64_t> retreats_{0};  // relaxed, a number
};

}  // namespace

std::unique_ptr<AppendLock> make_k_backoff_lock(const PutSettings& settings) {
  return std::make_unique<KBackoffLock>(settings.spin_limit);
}

}  // namespace tern::store
