#include "store/put/abs_rules.hpp"

#include <algorithm>
#include <utility>

#include "tern/base/check.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kTooManyPerRetreat = 320;  // a retreat in so many acquisitions, or in fewer: spin longer
constexpr std::int64_t kSeldomPerRetreat = 1280;  // in so many, or in more: spin less
constexpr double kLoadFell = 0.80;
constexpr double kLoadRose = 1.25;
constexpr int kFailuresMax = 4;
constexpr int kTrialAfterWindows = 8;

double load_of(const AbsWindow& window) {
  const auto seconds = static_cast<double>(std::max<std::int64_t>(1, window.elapsed_ns)) / 1e9;
  return static_cast<double>(window.acquisitions) / seconds * window.threads;
}

}  // namespace

AbsRules::AbsRules(int k_min, int k_max) : k_min_(k_min), k_max_(k_max), k_(k_min) {
  TERN_CHECK(k_min >= 1 && k_min <= k_max, "{} to {}", k_min, k_max);
}

void AbsRules::end_window(const AbsWindow& window) {
  if (window.acquisitions == 0) return;
  if (is_sleeping_) {
    end_sleeping_window(window);
  } else {
    end_spinning_window(window);
  }
}

void AbsRules::end_spinning_window(const AbsWindow& window) {
  const bool was_trial = std::exchange(is_trial_, false);
  const bool too_many = window.retreats > 0 && window.retreats * kTooManyPerRetreat >= window.acquisitions;
  if (too_many && k_ == k_max_) {
    failed_returns_ = was_trial ? std::min(failed_returns_ + 1, kFailuresMax) : 0;
    switch_over();
    return;
  }
  if (was_trial) failed_returns_ = 0;
  if (too_many) {
    k_ = k_ <= k_max_ / 2 ? k_ * 2 : std::min(k_ + k_min_, k_max_);
  } else if (window.retreats * kSeldomPerRetreat <= window.acquisitions) {
    k_ = std::max(k_ - k_min_, k_min_);
  }
}

void AbsRules::end_sleeping_window(const AbsWindow& window) {
  const double load = load_of(window);
  if (++windows_asleep_ == 1) {
    load_asleep_ = load;
    return;
  }
  const int patience = 1 << failed_returns_;
  const bool changed = load <= load_asleep_ * kLoadFell || load >= load_asleep_ * kLoadRose;
  if ((changed && windows_asleep_ > patience) || windows_asleep_ > kTrialAfterWindows * patience) switch_over();
}

void AbsRules::switch_over() {
  is_sleeping_ = !is_sleeping_;
  is_trial_ = !is_sleeping_;
  windows_asleep_ = 0;
  ++switches_;
}

}  // namespace tern::store
