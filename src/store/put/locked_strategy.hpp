#pragma once
// Place and copy under a lock. The lock is what differs.

#include <memory>
#include <string_view>

#include "tern/store/put_strategy.hpp"

#include "store/log_tail.hpp"
#include "store/put/put_table.hpp"
#include "store/put/tail_owner.hpp"
#include "store/put/timed_guard.hpp"

namespace tern::store {

class LockedStrategy final : public PutStrategy {
 public:
  /// `name` must outlive it: it is the row's.
  LockedStrategy(std::string_view name, std::unique_ptr<AppendLock> lock, LogTail& tail, TailOwner& owner,
                 const Clock& clock);
  bool append(AppendBatch& batch) noexcept override;
  void hand_over(PutStrategy& next) noexcept override;
  [[nodiscard]] PutCounters counters() const noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

 private:
  // Constant after construction. What lock_ protects is tail_.append(), and with it every Queue::next_offset.
  const std::string_view name_;
  const std::unique_ptr<AppendLock> lock_;
  LogTail& tail_;
  TailOwner& owner_;
  LockTimes times_;
};

/// For rows: `&locked<make_mutex_lock>`.
template <std::unique_ptr<AppendLock> (*make_lock)(const PutSettings&)>
std::unique_ptr<PutStrategy> locked(std::string_view name, LogTail& tail, TailOwner& owner,
                                    const PutSettings& settings) {
  return std::make_unique<LockedStrategy>(name, make_lock(settings), tail, owner, settings.clock);
}

// The locks, one file each.
std::unique_ptr<AppendLock> make_mutex_lock(const PutSettings& settings);
std::unique_ptr<AppendLock> make_spin_lock(const PutSettings& settings);
std::unique_ptr<AppendLock> make_k_backoff_lock(const PutSettings& settings);
std::unique_ptr<AppendLock> make_parking_lock(const PutSettings& settings);
std::unique_ptr<AppendLock> make_abs_lock(const PutSettings& settings);

/// The strategy that is not a lock around everything (reserve.cpp).
std::unique_ptr<PutStrategy> make_reserve(std::string_view name, LogTail& tail, TailOwner& owner,
                                          const PutSettings& settings);

}  // namespace tern::store
