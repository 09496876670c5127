// The adaptive back-off spin lock: spins k times and yields, like kBackoff, with a k that follows the load; where even
// the largest k yields too often, its waiters sleep instead, until the load has changed (abs_rules.hpp).
//
// Guarantees: exclusion, in every mode and while it changes; no wake-up is lost; no order among waiters.
// How the switch is safe: there is one word, and no second lock to switch to. The mode only says how a waiter waits, so
// a waiter that has read an old mode waits one round the old way. (The published implementation has two locks and a
// flag: a thread that has read the flag but not yet taken the old lock gets in beside one that took the new.
// docs/models has both.) Worst case: a load that changes shape every few seconds. Each change costs up to 6 windows of
// a second until k has grown to its limit, and 1 to 16 until a trial of the other mode (8 to 128 where the load stays
// as it is); what is lost meanwhile is the difference between kBackoff and a sleeping lock. Choose it when the load is
// not known, or changes: it stays near the better of kBackoff and mutex without being told.

#include <bit>
#include <thread>

#include "tern/base/clock.hpp"

#include "store/put/abs_rules.hpp"
#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kWindowNs = 1'000'000'000;
constexpr std::int64_t kTrialNs = kWindowNs / 4;
constexpr std::int64_t kAcquisitionsPerLook = 64;  // at the clock, which costs 20-30 ns: under half a nanosecond each
constexpr int kSleepAtOnce = 0;                    // as a spin limit

/// A bit of its own for each of the first 64 threads that take a lock; later ones share, which only makes them fewer.
std::uint64_t bit_of_this_thread() noexcept {
  static std::atomic<unsigned> next{0};  // relaxed: only the number has to differ
  thread_local const std::uint64_t bit = std::uint64_t{1} << (next.fetch_add(1, std::memory_order_relaxed) % 64);
  return bit;
}

AbsRules rules_for(const PutSettings& settings) {
  // Given by Apache's key, the limits are what was published for that key's default: k to 10 k.
  if (settings.spin_limit_was_set) return {settings.spin_limit, settings.spin_limit * 10};
  const int k_max = spins_per_context_switch(spin_ns());
  return {k_max / 10, k_max};
}

class AbsLock final : public AppendLock {
 public:
  explicit AbsLock(const PutSettings& settings)
      : clock_(settings.clock), rules_(rules_for(settings)), window_start_ns_(clock_.steady_ns()) {
    spin_limit_.store(rules_.spin_limit(), std::memory_order_relaxed);
    shown_spin_limit_.store(rules_.spin_limit(), std::memory_order_relaxed);
  }

  void lock() noexcept override TERN_ACQUIRE() {
    const bool waited = !word_.try_lock(ParkingWord::Taken::kPlain);
    if (waited) {
      wait();
      waits_.add(1);
    }
    acquisitions_.add(1);
    threads_ |= bit_of_this_thread();
    if (acquisitions_.get() % kAcquisitionsPerLook == 0) look_at_clock();
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }

  [[nodiscard]] PutCounters counters() const noexcept override {
    PutCounters counters;
    counters.acquisitions = acquisitions_.get();
    counters.waits = waits_.get();
    counters.retreats = retreats_.load(std::memory_order_relaxed);
    counters.switches = switches_.get();
    counters.spin_limit = shown_spin_limit_.load(std::memory_order_relaxed);
    counters.mode = spin_limit_.load(std::memory_order_relaxed) == kSleepAtOnce ? "mutex" : "spin";
    return counters;
  }

 private:
  void wait() noexcept {
    auto as = ParkingWord::Taken::kPlain;
    for (;;) {
      // Relaxed: a waiter that reads an old limit waits one more round in the old way.
      const int limit = spin_limit_.load(std::memory_order_relaxed);
      preemption_point();
      if (limit == kSleepAtOnce) {
        if (word_.lock_or_sleep()) return;
        as = ParkingWord::Taken::kAwaited;  // others may sleep still: see ParkingWord
        continue;
      }
      for (int i = 0; i < limit; ++i) {
        spin_once();
        if (word_.try_lock(as)) return;
      }
      retreats_.fetch_add(1, std::memory_order_relaxed);
      std::this_thread::yield();
    }
  }

  // By the holder.
  void look_at_clock() noexcept {
    const auto now_ns = clock_.steady_ns();
    if (now_ns - window_start_ns_ < (rules_.is_trial() ? kTrialNs : kWindowNs)) return;
    const auto acquisitions = acquisitions_.get();
    const auto waits = waits_.get();
    const auto retreats = retreats_.load(std::memory_order_relaxed);
    const auto switches_before = rules_.switches();
    rules_.end_window({acquisitions - window_acquisitions_, waits - window_waits_, retreats - window_retreats_,
                       std::popcount(threads_), now_ns - window_start_ns_});
    window_start_ns_ = now_ns;
    window_acquisitions_ = acquisitions;
    window_waits_ = waits;
    window_retreats_ = retreats;
    threads_ = 0;
    switches_.add(rules_.switches() - switches_before);
    shown_spin_limit_.store(rules_.spin_limit(), std::memory_order_relaxed);
    spin_limit_.store(rules_.is_sleeping() ? kSleepAtOnce : rules_.spin_limit(), std::memory_order_relaxed);
  }

  const Clock& clock_;
  ParkingWord word_;

  // The holder's.
  alignas(64) HolderCount acquisitions_;
  HolderCount waits_;
  HolderCount switches_;
  std::uint64_t threads_ = 0;
  AbsRules rules_;
  std::int64_t window_start_ns_;
  std::int64_t window_acquisitions_ = 0;
  std::int64_t window_waits_ = 0;
  std::int64_t window_retreats_ = 0;
  std::atomic<std::int64_t> shown_spin_limit_{0};  // relaxed, for people: k also while sleeping

  // The waiters'. Stored by the holder when a window ends, loaded by waiters, both relaxed: see wait().
  alignas(64) std::atomic<int> spin_limit_{0};
  alignas(64) std::atomic<std::int64_t> retreats_{0};  // relaxed, a number
};

}  // namespace

std::unique_ptr<AppendLock> make_abs_lock(const PutSettings& settings) {
  return std::make_unique<AbsLock>(settings);
}

}  // namespace tern::store
