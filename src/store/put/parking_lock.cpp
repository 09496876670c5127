// Spins briefly, then sleeps until it is woken (a *retreat*): what most libraries call an adaptive mutex.
// Guarantees: exclusion; no wake-up is lost (ParkingWord). No order: a thread that comes by may overtake the one that
// has just been woken. Worst case: critical sections a little longer than the brief spin, where each waiter pays for
// both; and each release with sleepers is a system call, made after the lock has been let go. Choose it when critical
// sections differ widely, or when processor time counts for more than the last per cent of rate.

#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

/// Spinning may add such a part to what sleeping costs: a few microseconds, a batch of small records, no more.
constexpr int kPartOfContextSwitch = 10;

class ParkingLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    const bool waited = !word_.try_lock(ParkingWord::Taken::kPlain);
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
    counters.spin_limit = brief_spins_;
    counters.mode = "mutex";
    return counters;
  }

 private:
  void wait() noexcept {
    for (int i = 0; i < brief_spins_; ++i) {
      spin_once();
      if (word_.try_lock(ParkingWord::Taken::kPlain)) return;
    }
    do {
      retreats_.fetch_add(1, std::memory_order_relaxed);
    } while (!word_.lock_or_sleep());
  }

  const int brief_spins_ = spins_per_context_switch(spin_ns()) / kPartOfContextSwitch;
  ParkingWord word_;
  alignas(64) HolderCount acquisitions_;
  HolderCount waits_;
  alignas(64) std::atomic<std::int64_t> retreats_{0};  // relaxed, a number
};

}  // namespace

std::unique_ptr<AppendLock> make_parking_lock(const PutSettings&) {
  return std::make_unique<ParkingLock>();
}

}  // namespace tern::store
