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
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/clients/client_registry.hpp"

namespace tern::broker {

/// A pull that outlives its turn: parked, or read on a thread that may block.
struct PendingPull {
  remoting::Reply reply;
  remoting::PeerPtr peer;
  std::string group;
  store::QueuePtr queue;
  SubscriptionPtr filter;  // null: everything
  std::int64_t offset = 0;
  int count_max = 32;
  int topic_sys_flag = 0;
  int group_sys_flag = 0;
  std::size_t io_thread = 0;
};

/// Parks pulls by queue and wakes exactly those that an arrival concerns. All calls from any thread; `resume` runs on
/// the pull's own io thread (posted, once per io thread and round), with suspension no longer allowed.
class PullHold final : public store::ArrivalListener {
 public:
  using Post = std::function<void(std::size_t io_thread, std::function<void()>)>;
  using Resume = std::function<void(PendingPull)>;
  PullHold(const Clock& clock, std::size_t io_threads, Post post, Resume resume);

  /// False, with the pull untouched, if `parked_max` are parked already. If the queue has grown past the pull's offset
  /// meanwhile it is resumed at once.
  bool park(PendingPull& pull, std::int64_t wait_ms, std::int64_t parked_max);
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

 private:
  struct Parked {
    PendingPull pull;
    std::int64_t deadline_ms = 0;
    bool was_passed = false;
  };
  using Id = std::uint64_t;
  void wake(Id id);         // mutex_ held: moves it to its io thread's ready list
  PendingPull take(Id id);  // mutex_ held
  void deliver();

  const Clock& clock_;
  const Post post_;
  const Resume resume_;
  std::atomic<std::size_t> count_{0};  // of parked_; a hint that spares arrivals the lock, see arrived()
  mutable std::mutex mutex_;
  Id next_id_ = 1;  // guarded by mutex_, as all below
  std::unordered_map<Id, Parked> parked_;
  std::unordered_map<const store::Queue*, std::vector<Id>> by_queue_;
  std::unordered_map<std::uint64_t, std::vector<Id>> by_peer_;
  std::set<std::pair<std::int64_t, Id>> by_deadline_;
  std::vector<std::vector<PendingPull>> ready_;  // by io thread
  bool any_ready_ = false;
};

}  // namespace tern::broker
