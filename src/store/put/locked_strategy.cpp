#include "store/put/locked_strategy.hpp"

namespace tern::store {

LockedStrategy::LockedStrategy(std::string_view name, std::unique_ptr<AppendLock> lock, LogTail& tail)
    : name_(name), lock_(std::move(lock)), tail_(tail) {}

void LockedStrategy::append(AppendBatch& batch) noexcept {
  const auto now_ms = tail_.now_ms();
  LogTail::Outcome outcome;
  {
    const AppendLockGuard guard(*lock_);
    tail_.append_role.assert_held();
    outcome = tail_.append(batch, now_ms);
  }
  tail_.settle(outcome);
}

}  // namespace tern::store
