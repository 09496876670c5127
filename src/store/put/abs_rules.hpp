#pragma once
// The rules by which the adaptive lock (abs) changes its mind, without the lock: windows in, a spin limit or "sleep"
// out.

#include <cstdint>

namespace tern::store {

/// What happened between two looks at the clock, about a second apart; a trial of the other mode takes a quarter.
struct AbsWindow {
  std::int64_t acquisitions = 0;
  std::int64_t waits = 0;     // acquisitions that found the lock taken
  std::int64_t retreats = 0;  // waits that gave the processor away after the full number of spins
  int threads = 0;            // distinct ones that had the lock
  std::int64_t elapsed_ns = 1;
};

/// Owned by whoever holds the lock. Published rules ("adaptive back-off spin"), in terms of the lower limit k_min =
/// 1,000 and the upper k_max = 10,000:
///   spinning   retreats/acquisitions >= 1/320    double k; + k_min where doubling would pass k_max; at k_max: sleep
///              retreats/acquisitions <= 1/1280   k - k_min, not below k_min
///   sleeping   load (rate x threads) at 80 % of what it was, or less: spin again
/// Ours differ in four points.
///   1. The limits are time: k_max is what a context switch costs in spins of this machine, k_min a tenth.
///   2. Each change of mode is a trial of one short window, kept if the rate shows that it pays. Retreats alone do not:
///      on few processors waiters that yield may be better than any that sleep, and where nobody retreats threads that
///      sleep may still be faster, because the one that runs meets nobody (2 B bodies, 4 threads on 2 cores: half as
///      fast again). So sleeping is also tried where the lock is merely contended. A rate that became three times what
///      it was, or a third, is of another load, and shows nothing.
///   3. The load that a later one is compared with is that of the first whole window *in the mode*. The last one before
///      it, which the published rule takes, was served by the other lock: the change of lock alone may look like a
///      change of load.
///   4. Sleeping ends when the load changes shape in either direction (80 % or less, 125 % or more: when bodies of 100
///      KB give way to bodies of 2 B the rate rises, and would never fall), and, whatever the load does, after a while:
///      what spinning would cost now is only known from spinning.
/// A trial that does not pay ends after its one window. Each failure in a row doubles how long the next has to wait: 1
/// to 16 windows after a change of shape, 8 to 128 without. So at worst a quarter of a window in 17 is spent in the
/// wrong mode.
class AbsRules {
 public:
  /// 1 <= k_min <= k_max.
  AbsRules(int k_min, int k_max);

  /// The window is over. Without acquisitions it says nothing and changes nothing.
  void end_window(const AbsWindow& window);

  [[nodiscard]] bool is_sleeping() const { return is_sleeping_; }
  /// The next window decides whether the mode stays: a short one, since it may be the wrong mode.
  [[nodiscard]] bool is_trial() const { return is_trial_; }
  /// The k of the next window; while sleeping, the one that spinning will begin with.
  [[nodiscard]] int spin_limit() const { return k_; }
  [[nodiscard]] int spin_limit_min() const { return k_min_; }
  [[nodiscard]] int spin_limit_max() const { return k_max_; }
  /// Between spinning and sleeping, both ways counted.
  [[nodiscard]] std::int64_t switches() const { return switches_; }

 private:
  [[nodiscard]] bool wants_to_sleep(const AbsWindow& window);
  [[nodiscard]] bool trial_pays(const AbsWindow& window) const;
  [[nodiscard]] bool may_try(double load, int windows_unchanged) const;
  void begin_trial(double rate);

  const int k_min_;
  const int k_max_;
  int k_;
  bool is_sleeping_ = false;
  bool is_trial_ = false;     // the mode has had no whole window yet
  double rate_before_ = 0;    // of the trial: the rate in the other mode
  bool was_crowded_ = false;  // of the trial of sleeping: it was retreats that asked for it
  int failed_trials_ = 0;     // in a row, at most kFailuresMax
  int windows_in_mode_ = 0;
  double load_at_first_ = 0;  // of the first whole window in the mode
  std::int64_t switches_ = 0;
};

}  // namespace tern::store
