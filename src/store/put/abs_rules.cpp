#include "store/put/abs_rules.hpp"

#include <algorithm>
#include <utility>

#include "tern/base/check.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kTooManyPerRetreat = 320;  // a retreat in so many acquisitions, or in fewer: spin longer
constexpr std::int64_t kSeldomPerRetreat = 1280;  // in so many, or in more: spin less
constexpr std::int64_t kContendedPerWait = 16;    // a wait in so many acquisitions, or in fewer
constexpr double kLoadFell = 0.80;
constexpr double kLoadRose = 1.25;
constexpr double kAsFast = 0.95;    // windows differ by so much without a reason
constexpr double kFaster = 1.10;    // what a change to the dearer or the less proven mode has to bring
constexpr double kOtherLoad = 3.0;  // no change of lock alone does that
constexpr int kFailuresMax = 4;
constexpr int kTrialAfterWindows = 8;
constexpr int kFirstTrialAfterWindows = 2;

double rate_of(const AbsWindow& window) {
  const auto seconds = static_cast<double>(std::max<std::int64_t>(1, window.elapsed_ns)) / 1e9;
  return static_cast<double>(window.acquisitions) / seconds;
}

double load_of(const AbsWindow& window) {
  return rate_of(window) * window.threads;
}

bool is_crowded(const AbsWindow& window) {
  return window.retreats > 0 && window.retreats * kTooManyPerRetreat >= window.acquisitions;
}

}  // namespace

AbsRules::AbsRules(int k_min, int k_max) : k_min_(k_min), k_max_(k_max), k_(k_min) {
  TERN_CHECK(k_min >= 1 && k_min <= k_max, "{} to {}", k_min, k_max);
}

void AbsRules::end_window(const AbsWindow& window) {
  if (window.acquisitions == 0) return;
  if (std::exchange(is_trial_, false)) {
    if (!trial_pays(window)) {
      failed_trials_ = std::min(failed_trials_ + 1, kFailuresMax);
      is_sleeping_ = !is_sleeping_;
      ++switches_;
      windows_in_mode_ = 0;
      return;
    }
    failed_trials_ = 0;
    windows_in_mode_ = 0;
    return;  // it was short: not all threads may have come
  }
  const double load = load_of(window);
  if (++windows_in_mode_ == 1) load_at_first_ = load;
  const bool wants_other = is_sleeping_ ? may_try(load, kTrialAfterWindows) : wants_to_sleep(window);
  if (wants_other) begin_trial(rate_of(window));
}

// k follows the retreats; then whether it is time to try sleeping.
bool AbsRules::wants_to_sleep(const AbsWindow& window) {
  was_crowded_ = is_crowded(window) && k_ == k_max_;
  if (is_crowded(window) && !was_crowded_) {
    k_ = k_ <= k_max_ / 2 ? k_ * 2 : std::min(k_ + k_min_, k_max_);
    return false;
  }
  if (window.retreats * kSeldomPerRetreat <= window.acquisitions) k_ = std::max(k_ - k_min_, k_min_);
  return (was_crowded_ || window.waits * kContendedPerWait >= window.acquisitions) &&
         may_try(load_of(window), failed_trials_ == 0 ? kFirstTrialAfterWindows : kTrialAfterWindows);
}

bool AbsRules::may_try(double load, int windows_unchanged) const {
  const int patience = 1 << failed_trials_;
  const bool changed = load <= load_at_first_ * kLoadFell || load >= load_at_first_ * kLoadRose;
  return windows_in_mode_ > (changed ? 1 : windows_unchanged) * patience;
}

bool AbsRules::trial_pays(const AbsWindow& window) const {
  const double ratio = rate_of(window) / rate_before_;
  if (ratio >= kOtherLoad || ratio <= 1 / kOtherLoad) return false;
  // At the same rate, whoever sleeps leaves the processor to others, unless nobody has to wait for long.
  const bool is_cheaper = is_sleeping_ ? was_crowded_ : !is_crowded(window);
  return ratio >= (is_cheaper ? kAsFast : kFaster);
}

void AbsRules::begin_trial(double rate) {
  is_sleeping_ = !is_sleeping_;
  is_trial_ = true;
  rate_before_ = rate;
  ++switches_;
}

}  // namespace tern::store
