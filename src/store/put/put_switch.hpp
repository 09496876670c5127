#pragma once
// The strategy in use, and its change while appends go on (putMessageLock at run time).

#include <map>
#include <memory>
#include <string_view>

#include "tern/base/thread_annotations.hpp"
#include "tern/store/put_strategy.hpp"

#include "store/put/put_table.hpp"
#include "store/put/tail_owner.hpp"

namespace tern::store {

/// Owned by CommitLog; outlives every append. See TailOwner for why a change is safe.
class PutSwitch {
 public:
  /// `tail` and the clock in `settings` must outlive it.
  PutSwitch(const PutRow& first, LogTail& tail, const PutSettings& settings);

  /// PutStrategy::append() of whichever has the tail. Any io thread.
  void append(AppendBatch& batch) noexcept;
  /// Returns when the row's strategy has the tail: after the append that is inside now, and under `reserve` after all
  /// that have been placed. Appends go on meanwhile, each under one of the two. Any thread but one that is inside
  /// append().
  void change_to(const PutRow& row);

  [[nodiscard]] std::string_view name() const noexcept { return owner_.get()->name(); }
  /// Limit and mode are those of the strategy in use; the numbers are of all that have been, so they never go back.
  [[nodiscard]] PutCounters counters() const;

 private:
  PutStrategy& made(const PutRow& row) TERN_REQUIRES(mutex_);

  LogTail& tail_;
  const PutSettings settings_;
  TailOwner owner_;
  mutable Mutex mutex_;  // one change at a time
  // By name; none is destroyed before the log, see TailOwner.
  std::map<std::string_view, std::unique_ptr<PutStrategy>> made_ TERN_GUARDED_BY(mutex_);
  std::int64_t changes_ TERN_GUARDED_BY(mutex_) = 0;
};

}  // namespace tern::store
