#include "store/put/locked_strategy.hpp"

#include "tern/base/check.hpp"
#include "tern/base/preemption.hpp"

namespace tern::store {

LockedStrategy::LockedStrategy(std::string_view name, std::unique_ptr<AppendLock> lock, LogTail& tail, TailOwner& owner,
                               const Clock& clock)
    : name_(name), lock_(std::move(lock)), tail_(tail), owner_(owner), times_(clock) {}

bool LockedStrategy::append(AppendBatch& batch) noexcept {
  const auto now_ms = tail_.now_ms();
  LogTail::Outcome outcome;
  preemption_point();
  {
    const TimedGuard guard(*lock_, times_);
    if (!owner_.is(*this)) return false;
    preemption_point();
    tail_.append_role.assert_held();
    outcome = tail_.append(batch, now_ms);
  }
  tail_.settle(outcome);
  return true;
}

void LockedStrategy::hand_over(PutStrategy& next) noexcept {
  const TimedGuard guard(*lock_, times_);
  TERN_CHECK(owner_.is(*this), "{} does not have the tail", name_);
  preemption_point();
  owner_.give_to(next);
  preemption_point();
}

PutCounters LockedStrategy::counters() const noexcept {
  auto counters = lock_->counters();
  times_.show(counters);
  return counters;
}

}  // namespace tern::store
