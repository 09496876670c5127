// Reserves a place in a few instructions under a lock, copies outside of it beside the others, and publishes in log
// order.
//
// Guarantees: records of a queue stand in the order of their offsets; published never covers a byte that is not in
// place, so no hole can be seen. A crash may leave one behind published, before records that were copied: the record in
// front of them has no size and no magic, so that recovery ends the log there, and nobody behind had been answered.
// Nobody waits for his turn to publish: an append that is done marks it and leaves, and who completes the prefix
// publishes for him. So an append may return before its records are published; answers wait for Watermarks::published.
// Worst case: a thread that loses its processor while copying holds back the publication (not the appends) of all
// behind it, for a time slice. If 4,096 appends are under way behind it, new ones yield until it has gone on. Choose it
// for several io threads with bodies whose copying counts (1 KB and more); not where the tail of the latency does.

#include <thread>

#include "tern/base/check.hpp"

#include "store/put/locked_strategy.hpp"
#include "store/put/publication.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kAppendsUnderWay = 4096;

class Reserve final : public PutStrategy {
 public:
  Reserve(std::string_view name, LogTail& tail, TailOwner& owner, const PutSettings& settings)
      : name_(name), tail_(tail), owner_(owner), lock_(make_k_backoff_lock(settings)), times_(settings.clock) {}

  bool append(AppendBatch& batch) noexcept override {
    if (batch.pending_groups().empty()) return wait_for_earlier();
    LogTail::Placed placed;
    LogTail::Outcome outcome;
    std::uint64_t ticket = 0;
    preemption_point();
    for (const auto now_ms = tail_.now_ms();;) {
      const auto tried = place(batch, now_ms, placed, outcome, ticket);
      if (tried == Tried::kNotOwner) return false;
      if (tried == Tried::kPlaced) break;
      std::this_thread::yield();
    }
    if (placed.groups > 0) {
      preemption_point();
      tail_.copy(batch, placed);
      outcome.published_others =
          publication_.finish(ticket, placed.end, [this](LogPosition to) { tail_.publish_at_least(to); });
    }
    tail_.settle(outcome);
    return true;
  }
  void hand_over(PutStrategy& next) noexcept override {
    const TimedGuard guard(*lock_, times_);
    TERN_CHECK(owner_.is(*this), "{} does not have the tail", name_);
    // No ticket is drawn while the lock is held. Who copies does not need it, and publishes all the same.
    while (publication_.next() < publication_.drawn()) std::this_thread::yield();
    owner_.give_to(next);
    preemption_point();
  }
  [[nodiscard]] PutCounters counters() const noexcept override {
    auto counters = lock_->counters();
    times_.show(counters);
    return counters;
  }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

 private:
  enum class Tried : std::uint8_t { kPlaced, kRingIsFull, kNotOwner };

  Tried place(AppendBatch& batch, std::int64_t now_ms, LogTail::Placed& placed, LogTail::Outcome& outcome,
              std::uint64_t& ticket) noexcept {
    const TimedGuard guard(*lock_, times_);
    if (!owner_.is(*this)) return Tried::kNotOwner;
    if (!publication_.has_room()) return Tried::kRingIsFull;
    tail_.append_role.assert_held();
    outcome = tail_.place(batch, now_ms, placed);
    if (placed.groups > 0) ticket = publication_.draw();
    return Tried::kPlaced;
  }
  /// For who closes the log; nobody else appends an empty batch.
  bool wait_for_earlier() noexcept {
    std::uint64_t drawn = 0;
    {
      const TimedGuard guard(*lock_, times_);
      if (!owner_.is(*this)) return false;
      drawn = publication_.drawn();
    }
    while (publication_.next() < drawn) std::this_thread::yield();
    return true;
  }

  // Constant after construction. What lock_ protects is tail_.place(), and with it every Queue::next_offset.
  const std::string_view name_;
  LogTail& tail_;
  TailOwner& owner_;
  const std::unique_ptr<AppendLock> lock_;
  LockTimes times_;
  Publication<kAppendsUnderWay> publication_;
};

}  // namespace

std::unique_ptr<PutStrategy> make_reserve(std::string_view name, LogTail& tail, TailOwner& owner,
                                          const PutSettings& settings) {
  return std::make_unique<Reserve>(name, tail, owner, settings);
}

}  // namespace tern::store
