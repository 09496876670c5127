#pragma once
// The unit of choice on the put path.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tern/base/thread_annotations.hpp"
#include "tern/store/append_batch.hpp"

namespace tern::store {

class LogTail;

/// What a strategy knows about itself, for brokerStatus and metrics.
struct PutCounters {
  std::int64_t acquisitions = 0;
  std::int64_t waits = 0;       // acquisitions that did not succeed at once
  std::int64_t retreats = 0;    // how often a waiter gave its processor away after spinning
  std::int64_t switches = 0;    // of an adaptive lock, between spinning and sleeping
  std::int64_t changes = 0;     // of strategy: how often the tail changed hands
  std::int64_t timed = 0;       // acquisitions whose times were taken, one in 64 of each thread...
  std::int64_t waited_ns = 0;   // ...how long they waited, all together...
  std::int64_t held_ns = 0;     // ...and how long they held the lock
  std::int64_t spin_limit = 0;  // k, now; 0: it does not spin, or does nothing else
  std::string_view mode;        // how waiters wait now: "spin" or "mutex"
  // Of the machine, whichever strategy it is.
  double spin_ns = 0;                         // what one spin costs...
  std::int64_t spins_per_context_switch = 0;  // ...and how many are worth it: k of an adaptive lock goes up to there
};

/// Puts a batch of prepared records at the tail of the commit log. Chosen by name (`putMessageLock`) from the rows of
/// src/store/put/put_table.hpp. One at a time has the tail; which one may change while appends go on
/// (src/store/put/tail_owner.hpp), so that callers go through CommitLog::append().
///
/// append() gives each pending record a placement (log position, queue offset, store time) or an error; one refused
/// group leaves the others alone. When it returns, placements are final, and copied, but with `reserve` perhaps not yet
/// published: only Watermarks::published says so (CommitLog::on_published tells when to look again). Any io thread;
/// never enters the file system: groups that do not fit the prepared tail get kNotReady, and so does every group behind
/// them in the batch; they stay pending (AppendBatch). Order: two records of one queue are placed in the order of their
/// batches' placement; within a batch, in its order.
/// False: another strategy has the tail by now, and nothing was done.
/// An append() that begins after the log became read-only places nothing; an empty batch may be appended to wait for
/// all appends that began before.
class PutStrategy {
 public:
  virtual ~PutStrategy() = default;
  [[nodiscard]] virtual bool append(AppendBatch& batch) noexcept = 0;
  /// By who has seen to it that this strategy has the tail and that nobody else changes that: gives it to `next` at a
  /// moment when nobody is inside and all that was placed is published. Any thread; may wait for appends under way.
  virtual void hand_over(PutStrategy& next) noexcept = 0;
  [[nodiscard]] virtual PutCounters counters() const noexcept { return {}; }
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

/// The lock inside the locked strategies. Itself a capability, so that GUARDED_BY holds whichever is plugged in.
class TERN_CAPABILITY("append lock") AppendLock {
 public:
  virtual ~AppendLock() = default;
  virtual void lock() noexcept TERN_ACQUIRE() = 0;
  virtual void unlock() noexcept TERN_RELEASE() = 0;
  [[nodiscard]] virtual PutCounters counters() const noexcept { return {}; }
};

}  // namespace tern::store
