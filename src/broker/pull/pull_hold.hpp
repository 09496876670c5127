#pragma once
// Pulls that wait for a message (long polling).

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/log.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/pull/pending_pull.hpp"
#include "broker/pull/ready_list.hpp"

namespace tern::broker {

/// The broker-wide budget of pulls that wait.
struct HoldLimits {
  std::int64_t pulls = 0;  // parkedPullsMax
  std::int64_t bytes = 0;  // parkedPullsBytesMax
};
enum class Parking : std::uint8_t { kParked, kTooMany, kTooManyBytes };

/// Parks pulls by queue and wakes exactly those that an arrival concerns. All calls from any thread; `resume` runs on
/// the pull's own io thread, with suspension no longer allowed, and returns the bytes that it answered. It is called in
/// portions, one a turn, and not for connections that take no answers: however many pulls one message wakes, what they
/// are given is bounded.
///
/// Over the budget, a pull of a connection that holds its share or more is refused; else the largest holder is dropped.
class PullHold final : public store::ArrivalListener {
 public:
  using Post = std::function<void(std::size_t io_thread, std::function<void()>)>;
  using Resume = std::function<std::int64_t(PendingPull)>;
  PullHold(const Clock& clock, std::size_t io_threads, Post post, Resume resume);

  /// The pull is untouched unless it was parked. If the queue has grown past the pull's offset meanwhile it is resumed
  /// at once.
  Parking park(PendingPull& pull, std::int64_t wait_ms, const HoldLimits& limits);
  /// Counts a pull that waits elsewhere (for the disk) in the budget, until uncount(). Not kParked: it was not counted.
  Parking count(PendingPull& pull, const HoldLimits& limits);
  void uncount(const PendingPull& pull);
  /// Resumes it when its connection takes answers.
  void defer(PendingPull pull);
  void arrived(const store::Arrival& arrival) override;
  void arrived_done() override;
  /// Resumes what has waited long enough, and what has been passed by messages that it did not want. From a tick.
  void expire();
  /// The connection is gone: its pulls are dropped.
  void peer_closed(const remoting::Peer& peer);
  /// Everything that waits on the topic is looked at again (it was deleted, or changed).
  void wake_topic(std::string_view topic);
  /// The broker is stopping: everything that waits is answered.
  void wake_all();
  [[nodiscard]] std::size_t parked() const;
  [[nodiscard]] std::int64_t dropped_for_budget() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  using Id = std::uint64_t;
  struct Parked {
    PendingPull pull;
    std::int64_t deadline_ms = 0;
    bool was_passed = false;
    std::size_t at_queue = 0;  // its place in by_queue_ and in its peer's share
    std::size_t at_peer = 0;
  };
  /// What one connection has waiting, parked or ready.
  struct Share {
    remoting::PeerPtr peer;
    std::vector<Id> parked;
    std::int64_t pulls = 0;
    std::int64_t bytes = 0;
  };
  /// What makes room for a pull, to be let go of without mutex_.
  struct Dropped {
    remoting::PeerPtr peer;
    std::vector<PendingPull> pulls;
    void let_go();
  };
  // mutex_ held:
  Parking admit_within(PendingPull& pull, const HoldLimits& limits, Dropped& dropped);
  void admit(PendingPull& pull);
  void release(const PendingPull& pull);
  void wake(Id id);  // moves it to its io thread's ready list
  PendingPull take(Id id);
  std::vector<PendingPull> remove(std::uint64_t peer_id, std::size_t io_thread);
  [[nodiscard]] const Share* largest(Parking limit) const;
  // mutex_ not held:
  void deliver();
  void run_portion(std::size_t io_thread);

  const Clock& clock_;
  const Post post_;
  const Resume resume_;
  // Of parked_: a hint that spares arrivals the lock. park() exchanges it and then looks at the queue's end; arrived(),
  // after that end has grown, adds nothing to it: of two read-modify-writes the later one sees what was done before the
  // earlier (docs/models/README.md, parked_pull).
  std::atomic<std::size_t> count_{0};
  std::atomic<std::int64_t> dropped_{0};  // connections; relaxed, a number for people
  LogRateLimit drop_lines_;
  mutable std::mutex mutex_;
  Id next_id_ = 1;  // guarded by mutex_, as all below
  std::unordered_map<Id, Parked> parked_;
  std::unordered_map<const store::Queue*, std::vector<Id>> by_queue_;
  std::unordered_map<std::uint64_t, Share> shares_;  // by peer
  std::set<std::pair<std::int64_t, Id>> by_deadline_;
  std::int64_t pulls_ = 0;  // sums over shares_
  std::int64_t bytes_ = 0;
  std::vector<ReadyList> ready_;  // by io thread
  std::vector<char> is_posted_;   // by io thread: a portion is under way
};

}  // namespace tern::broker
