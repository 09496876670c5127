#pragma once
// What brokers say of themselves: clusters, brokers, topics, and when each broker was last heard of. Nothing here is
// kept over a restart; a broker says it again within 30 seconds.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/nameserver/options.hpp"
#include "tern/protocol/json.hpp"
#include "tern/remoting/peer.hpp"

namespace tern::nameserver {

inline constexpr std::int64_t kMasterId = 0;
inline constexpr int kPermRead = 4;
inline constexpr int kPermWrite = 2;
inline constexpr std::int64_t kBrokerTimeoutMs = 120'000;  // of a broker that names none

/// What brokers together may make this process hold; beyond it, registrations of new names are refused.
inline constexpr std::size_t kBrokerNamesMax = 10'000;
inline constexpr std::size_t kTopicsMax = 1'000'000;

/// Tells two states of a broker's topics apart. Equal only if all three are.
struct DataVersion {
  std::int64_t state_version = 0;
  std::int64_t timestamp = 0;
  std::int64_t counter = 0;
  friend bool operator==(const DataVersion&, const DataVersion&) = default;
};

/// A topic's queues at one broker name.
struct QueueData {
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
  std::int32_t perm = 0;
  std::int32_t topic_sys_flag = 0;
  friend bool operator==(const QueueData&, const QueueData&) = default;
};

/// All brokers of one name: a master and its slaves.
struct BrokerData {
  std::string cluster;
  std::map<std::int64_t, std::string> addresses;  // id -> "host:port"
  bool enable_acting_master = false;
  std::optional<std::string> zone;
  friend bool operator==(const BrokerData&, const BrokerData&) = default;
};

using QueueTable = std::map<std::string, QueueData, std::less<>>;         // by broker name
using MappingTable = std::map<std::string, protocol::Json, std::less<>>;  // TopicQueueMappingInfo by broker name
using BrokerTable = std::map<std::string, BrokerData, std::less<>>;       // by broker name
using ClusterTable = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;

/// The topics of a registration body.
struct RegisteredTopics {
  DataVersion version;
  std::vector<std::pair<std::string, QueueData>> queues;  // by topic
  struct Mapping {
    std::string topic;
    std::string broker;
    protocol::Json info;  // a TopicQueueMappingInfo, passed on as it came
  };
  std::vector<Mapping> mappings;  // static topics only
};

/// One broker process.
struct BrokerName {
  std::string cluster;
  std::string broker;
  std::string address;
  std::int64_t id = kMasterId;
  friend bool operator==(const BrokerName&, const BrokerName&) = default;
};

struct Registration {
  BrokerName name;
  std::string ha_address;
  std::optional<std::string> zone;
  std::optional<std::int64_t> timeout_ms;
  std::optional<bool> enable_acting_master;  // absent: a broker that knows nothing of acting masters
  RegisteredTopics topics;
};

/// The smallest id of a broker name is another one now. What the brokers concerned are told.
struct MinimumChange {
  std::string broker;
  std::map<std::int64_t, std::string> addresses;  // all that are left
  std::optional<std::string> offline_address;     // who left; absent when somebody came
  std::optional<std::string> ha_address;          // of who came
};

struct Registered {
  enum class Outcome : std::uint8_t {
    kAccepted,
    kStale,    // another address holds this id with a newer state: nothing was changed
    kRefused,  // a single topic, before the broker's first whole registration
    kFull,     // kBrokerNamesMax or kTopicsMax is reached
  };
  Outcome outcome = Outcome::kAccepted;
  bool is_new = false;                        // was not alive before
  std::optional<std::string> master_address;  // for slaves, if their master is alive
  std::optional<std::string> master_ha_address;
  std::optional<MinimumChange> minimum_change;
};

/// What a removal did.
struct Removal {
  std::vector<BrokerName> brokers;
  std::vector<remoting::PeerPtr> peers;  // over which they were registered
  std::vector<MinimumChange> minimum_changes;
};

/// The route of one topic, as it was at `version`.
struct TopicRoute {
  BrokerTable brokers;
  QueueTable queues;
  MappingTable mappings;
  std::uint64_t version = 0;
};

/// The tables and their rules. All calls from any thread; each is one step to all others. Times are steady
/// milliseconds. Routes that are asked for often do not come here each time: see RouteBodies.
class RouteTable {
 public:
  explicit RouteTable(const NameserverOptions& options) : options_(options) {}

  Registered register_broker(const Registration& registration, remoting::PeerPtr peer, std::int64_t now_ms);
  /// The broker is alive. Unknown brokers stay unknown.
  void refresh(std::string_view cluster, std::string_view address, std::int64_t now_ms);
  /// Of the last registration; nullopt if the broker is not alive.
  [[nodiscard]] std::optional<DataVersion> data_version(std::string_view cluster, std::string_view address) const;

  Removal unregister(const BrokerName& name);
  /// All brokers that registered over this connection.
  Removal remove_peer(std::uint64_t peer_id);
  /// All brokers not heard of for longer than their timeout, and those that share a connection with one of them.
  Removal expire(std::int64_t now_ms);

  /// nullopt: no broker that is alive has the topic. With acting masters shown, if the options say so.
  [[nodiscard]] std::optional<TopicRoute> route(std::string_view topic) const;
  /// Grows whenever an answer of route() might have become another one.
  [[nodiscard]] std::uint64_t version() const noexcept;

  struct Clusters {
    BrokerTable brokers;
    ClusterTable clusters;
  };
  [[nodiscard]] Clusters clusters() const;
  [[nodiscard]] std::map<std::int64_t, std::string> addresses_of(std::string_view broker) const;
  [[nodiscard]] std::vector<std::string> topics() const;
  [[nodiscard]] std::vector<std::string> topics_of_cluster(std::string_view cluster) const;
  [[nodiscard]] std::vector<std::string> topics_with(
      const std::function<bool(std::int32_t topic_sys_flag)>& wanted) const;

  /// `change` gets the permission of each topic at the broker and returns the new one. Returns the number of topics.
  int change_permissions(std::string_view broker, const std::function<int(int perm)>& change);
  void remove_topic(std::string_view topic);
  void remove_topic_of_cluster(std::string_view topic, std::string_view cluster);
  /// Adds or replaces queue data of brokers that are known. Returns why something was left out.
  std::optional<std::string> add_topic(std::string_view topic,
                                       std::span<const std::pair<std::string, QueueData>> queues);

 private:
  struct Topic {
    QueueTable queues;
    // Stays when its broker goes, as long as the topic has queues elsewhere: clients of a static topic need to know
    // where its queues would be.
    MappingTable mappings;
  };
  using TopicTable = std::map<std::string, Topic, std::less<>>;
  struct LiveBroker {
    std::string broker;
    std::int64_t id = kMasterId;
    std::int64_t refreshed_ms = 0;
    std::int64_t timeout_ms = 0;
    DataVersion version;
    remoting::PeerPtr peer;
    std::string ha_address;
  };
  using Address = std::pair<std::string, std::string>;  // cluster, "host:port"

  [[nodiscard]] const LiveBroker* find_live(std::string_view cluster, std::string_view address) const
      TERN_REQUIRES(lock_);
  [[nodiscard]] bool has_room(const Registration& registration) const TERN_REQUIRES(lock_);
  void take_topics(const Registration& registration, const BrokerData& data, bool is_first) TERN_REQUIRES(lock_);
  void drop_absent_topics(const Registration& registration) TERN_REQUIRES(lock_);
  Removal remove(std::span<const BrokerName> names) TERN_REQUIRES(lock_);
  void drop_queues(std::string_view broker) TERN_REQUIRES(lock_);
  void changed() TERN_REQUIRES(lock_) { version_.fetch_add(1, std::memory_order_release); }

  const NameserverOptions& options_;
  mutable Mutex lock_;
  ClusterTable clusters_ TERN_GUARDED_BY(lock_);
  BrokerTable brokers_ TERN_GUARDED_BY(lock_);
  TopicTable topics_ TERN_GUARDED_BY(lock_);
  std::map<Address, LiveBroker> live_ TERN_GUARDED_BY(lock_);
  // Written under lock_ while the tables change. A reader that sees a new value finds the new tables under lock_; one
  // that still sees the old value gives the answer that was right when it asked. Release in changed(), acquire in
  // version().
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace tern::nameserver
