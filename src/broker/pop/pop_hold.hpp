#pragma once
// Pops and notifications that wait for a message (long polling).

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/pull/property_filter.hpp"
#include "broker/send/send_stage.hpp"

namespace tern::broker {

/// A request for messages of one queue of a topic, or of all, that outlives its turn.
struct PopRequest {
  enum class Kind : std::uint8_t { kPop, kNotification };
  Kind kind = Kind::kPop;
  remoting::Reply reply;
  remoting::PeerPtr peer;
  std::size_t io_thread = 0;
  std::string group;
  std::string topic;
  std::int32_t queue_id = -1;  // -1: all
  int count_max = 32;
  std::int64_t invisible_ms = 0;
  std::int64_t deadline_ms = 0;  // steady: until then it waits
  bool starts_at_end = false;
  bool is_order = false;
  std::string attempt_id;
  SubscriptionPtr filter;                      // null: everything
  PropertyFilterPtr property_filter;           // null: everything
  std::int64_t own_property_filter_bytes = 0;  // memory of the latter
  /// Memory that waits with it, about.
  [[nodiscard]] std::int64_t bytes() const {
    constexpr std::int64_t kBookkeeping = 768;
    return kBookkeeping + static_cast<std::int64_t>(group.size() + topic.size() + attempt_id.size()) +
           (filter ? filter->bytes() : 0) + own_property_filter_bytes;
  }
};
using PopRequestPtr = std::shared_ptr<PopRequest>;

/// All calls from any thread. `resume` runs on the request's io thread, with `is_expired` if its time is over, or its
/// connection takes no answers: then it is answered that there is nothing; else it may be parked again. `is_ready` says
/// whether there may be a message for it; it is called with no lock held.
///
/// Of the requests of one group that could take a message, one is woken: whoever resumes it calls look_again(), so that
/// what is left wakes the next.
class PopHold final : public store::ArrivalListener {
 public:
  using Post = std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)>;
  using Resume = std::function<void(PopRequestPtr, bool is_expired, SendStage&)>;
  using IsReady = std::function<bool(const PopRequest&)>;
  /// The topics besides its own whose messages a request wants, whatever its filter: retry topics.
  using RetryTopics = std::function<std::vector<std::string>(const PopRequest&)>;
  struct Parts {
    const Clock& clock;
    Post post;
    Resume resume;
    IsReady is_ready;
    RetryTopics retry_topics;
  };
  explicit PopHold(Parts parts) : parts_(std::move(parts)) {}

  struct Limits {
    std::int64_t per_key = 0;  // of one group, topic and queue (or all of them)
    std::int64_t in_all = 0;
    std::int64_t bytes = 0;
  };
  /// False: a limit is reached, and the request is untouched. If there is a message for it by now it is resumed.
  [[nodiscard]] bool park(const PopRequestPtr& request, const Limits& limits);
  void arrived(const store::Arrival& arrival) override;
  void arrived_done() override;
  /// Wakes one request of the group for which there is a message, if any waits.
  void look_again(std::string_view group, std::string_view topic);
  /// The same for each of the group's topics.
  void look_again(std::string_view group);
  /// From a tick.
  void expire();
  void peer_closed(const remoting::Peer& peer);
  /// Everything that waits is answered: the topic has changed, or the broker is stopping.
  void wake_topic(std::string_view topic);
  void wake_all();
  [[nodiscard]] std::int64_t parked(std::string_view group, std::string_view topic, std::int32_t queue_id) const;
  [[nodiscard]] std::size_t parked() const { return count_.load(std::memory_order_relaxed); }

 private:
  using Id = std::uint64_t;
  struct Key {
    std::string group;
    std::string topic;
    std::vector<std::string> topics;  // whose arrivals concern it: the topic, and retry topics
    std::list<Id> waiting;            // oldest first
    std::map<std::int32_t, std::int64_t> by_queue;
  };
  struct Waiting {
    PopRequestPtr request;
    Key* key = nullptr;
    std::list<Id>::iterator place;
  };
  struct Woken {
    PopRequestPtr request;
    bool is_expired = false;
  };
  // mutex_ held:
  Key& key_of(const PopRequest& request);
  PopRequestPtr take(Id id);
  void wake(Id id, bool is_expired) { ready_.push_back({take(id), is_expired}); }
  // mutex_ not held:
  void deliver();

  const Parts parts_;
  // Of waiting_: a hint that spares arrivals the lock. park() exchanges it and then looks at the queues' ends;
  // arrived(), after an end has grown, adds nothing to it: of two read-modify-writes the later one sees what was done
  // before the earlier (docs/models/README.md, parked_pull).
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  Id next_id_ = 1;  // guarded by mutex_, as all below
  std::unordered_map<Id, Waiting> waiting_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Key>, std::less<>> keys_;  // by group and topic
  std::map<std::string, std::set<Key*>, std::less<>> by_topic_;
  std::set<std::pair<std::int64_t, Id>> by_deadline_;
  std::unordered_map<std::uint64_t, std::set<Id>> by_peer_;
  std::int64_t bytes_ = 0;
  std::vector<Woken> ready_;
};

}  // namespace tern::broker
