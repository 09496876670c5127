#include "store/put/put_switch.hpp"

#include "store/put/spin.hpp"

namespace tern::store {

PutSwitch::PutSwitch(const PutRow& first, LogTail& tail, const PutSettings& settings)
    : tail_(tail), settings_(settings) {
  const MutexLock lock(mutex_);
  owner_.give_to(made(first));
}

void PutSwitch::append(AppendBatch& batch) noexcept {
  while (!owner_.get()->append(batch)) {
  }
}

void PutSwitch::change_to(const PutRow& row) {
  const MutexLock lock(mutex_);
  auto& next = made(row);
  auto& now = *owner_.get();
  if (&next == &now) return;
  now.hand_over(next);
  ++changes_;
}

PutCounters PutSwitch::counters() const {
  const MutexLock lock(mutex_);
  auto sum = owner_.get()->counters();
  for (const auto& [name, strategy] : made_) {
    if (owner_.is(*strategy)) continue;
    const auto former = strategy->counters();
    sum.acquisitions += former.acquisitions;
    sum.waits += former.waits;
    sum.retreats += former.retreats;
    sum.switches += former.switches;
    sum.timed += former.timed;
    sum.waited_ns += former.waited_ns;
    sum.held_ns += former.held_ns;
  }
  sum.changes = changes_;
  sum.spin_ns = spin_ns();
  sum.spins_per_context_switch = spins_per_context_switch(sum.spin_ns);
  return sum;
}

PutStrategy& PutSwitch::made(const PutRow& row) {
  auto& strategy = made_[row.name];
  if (!strategy) strategy = row.make(row.name, tail_, owner_, settings_);
  return *strategy;
}

}  // namespace tern::store
