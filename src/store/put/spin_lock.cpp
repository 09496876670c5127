// Spins until it has the lock, and never gives the processor away.
// Guarantees: exclusion; no order among waiters, no bound on how long one of them waits.
// Worst case: a holder that loses its processor. Every other thread then spins through its whole time slice
// (milliseconds), and with more threads than processors that is the normal case: 4-6 times fewer appends than any lock
// that yields (16 threads on 2 cores). Choose it when ioThreads is below the number of processors that nobody else
// uses, and batches are small.

#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

class SpinLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    const bool waited = !word_.try_lock();
    if (waited) {
      do {
        spin_once();
      } while (!word_.try_lock());
      waits_.add(1);
    }
    acquisitions_.add(1);
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }
  [[nodiscard]] PutCounters counters() const noexcept override {
    PutCounters counters;
    counters.acquisitions = acquisitions_.get();
    counters.waits = waits_.get();
    counters.mode = "spin";
    return counters;
  }

 private:
  SpinWord word_;
  // Counted by the holder; on the line of the next holder's work, not on that of the word.
  alignas(64) HolderCount acquisitions_;
  HolderCount waits_;
};

}  // namespace

std::unique_ptr<AppendLock> make_spin_lock(const PutSettings&) {
  return std::make_unique<SpinLock>();
}

}  // namespace tern::store
