#pragma once
// Who is connected: producers and consumers by group, with what each consumer group subscribes to.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/remoting/peer.hpp"

namespace tern::broker {

enum class ConsumeType : std::uint8_t { kActively, kPassively, kPop };
enum class MessageModel : std::uint8_t { kBroadcasting, kClustering };

inline constexpr std::size_t kExpressionBytesMax = 32 << 10;  // of a subscription: thousands of tags

struct Subscription {
  std::string topic;
  std::string expression = "*";  // subString
  std::string expression_type = "TAG";
  std::vector<std::string> tags;
  std::set<std::int32_t> codes;  // hashes of the tags; empty: every message
  std::int64_t version = 0;      // subVersion
  bool class_filter_mode = false;
  [[nodiscard]] bool matches(std::int64_t tags_code) const {
    return codes.empty() || codes.contains(static_cast<std::int32_t>(tags_code));
  }
  /// Memory that it takes, about.
  [[nodiscard]] std::int64_t bytes() const {
    constexpr std::size_t kPerCode = 40, kPerTag = sizeof(std::string);
    return static_cast<std::int64_t>(sizeof(Subscription) + topic.size() + 2 * expression.size() +
                                     kPerTag * tags.size() + kPerCode * codes.size());
  }
};
using SubscriptionPtr = std::shared_ptr<const Subscription>;
/// "TagA || TagB", "*" or empty: as clients do, the parts trimmed and hashed. nullopt if it cannot be parsed (SQL92 is
/// kept as text), or is longer than kExpressionBytesMax.
std::optional<Subscription> parse_subscription(std::string_view topic, std::string_view expression,
                                               std::string_view expression_type);

struct ClientInfo {
  std::string client_id;
  remoting::PeerPtr peer;
  std::int32_t language = 0;
  std::int32_t version = 0;
  std::int64_t last_heartbeat_ms = 0;  // steady
};

struct ConsumerHeartbeat {
  std::string group;
  ConsumeType type = ConsumeType::kPassively;
  MessageModel model = MessageModel::kClustering;
  int consume_from = 0;  // ordinal of ConsumeFromWhere
  std::vector<Subscription> subscriptions;
  bool keeps_subscriptions = false;  // withoutSub: the stored set stays
};

/// Told what groups subscribe to, on the thread that brings the news, with no lock held.
class SubscriptionListener {
 public:
  virtual ~SubscriptionListener() = default;
  /// A heartbeat of the group said so: all of its subscriptions, changed or not.
  virtual void subscribed(std::string_view group, const std::vector<Subscription>& subscriptions) = 0;
  /// Its last member has left.
  virtual void group_gone(std::string_view group) = 0;
};

/// All calls from any thread.
class ClientRegistry {
 public:
  explicit ClientRegistry(const Clock& clock) : clock_(clock) {}
  /// Before serving; it outlives the registry's last call.
  void tell(SubscriptionListener& listener) { listener_ = &listener; }

  /// True if the group's members or topics changed: its members are to be notified (unless broadcasting).
  bool consumer_heartbeat(const ClientInfo& client, const ConsumerHeartbeat& heartbeat);
  void producer_heartbeat(const ClientInfo& client, std::string_view group);
  bool unregister_consumer(std::string_view group, std::string_view client_id, const remoting::Peer& peer);
  void unregister_producer(std::string_view group, const remoting::Peer& peer);

  /// The connection is gone, or (expire) has not been heard of for 120 s. The groups whose members changed.
  std::vector<std::string> peer_closed(const remoting::Peer& peer);
  std::vector<std::string> expire();

  [[nodiscard]] SubscriptionPtr find_subscription(std::string_view group, std::string_view topic) const;
  struct GroupInfo {
    std::string group;
    ConsumeType type = ConsumeType::kPassively;
    MessageModel model = MessageModel::kClustering;
    int consume_from = 0;
    std::vector<ClientInfo> members;
    std::vector<SubscriptionPtr> subscriptions;
  };
  [[nodiscard]] std::optional<GroupInfo> consumer_group(std::string_view group) const;
  [[nodiscard]] std::optional<MessageModel> model_of(std::string_view group) const;
  [[nodiscard]] std::vector<std::string> groups_subscribed_to(std::string_view topic) const;
  [[nodiscard]] std::vector<std::string> consumer_groups() const;
  [[nodiscard]] std::vector<ClientInfo> producers(std::string_view group) const;
  /// A producer of the group whose connection takes requests now, each in its turn: the first behind the one with this
  /// id. nullptr if there is none among the next few.
  [[nodiscard]] remoting::PeerPtr producer_behind(std::string_view group, std::uint64_t peer_id) const;
  [[nodiscard]] std::map<std::string, std::vector<ClientInfo>> all_producers() const;
  /// The newest open connection of the producer with this id, whatever its groups; nullptr if there is none.
  [[nodiscard]] remoting::PeerPtr find_producer(std::string_view client_id) const;
  /// The member of the group with this id; of several, the one that connected last.
  [[nodiscard]] std::optional<ClientInfo> find_consumer(std::string_view group, std::string_view client_id) const;
  [[nodiscard]] std::vector<remoting::PeerPtr> members(std::string_view group) const;

  /// Heartbeat fingerprints (v2), one per group: true if the stored one differed; stores the new one.
  bool exchange_fingerprint(std::string_view group, std::int32_t fingerprint, bool& was_stored);
  /// False: nobody has said yet what the group subscribes to (it was gone in between, or the broker was restarted).
  [[nodiscard]] bool knows_subscriptions(std::string_view group) const;

 private:
  struct Group;
  bool take_heartbeat(const ClientInfo& client, const ConsumerHeartbeat& heartbeat);
  // Both with mutex_ held: a producer has come to a group, or left it.
  void link_producer(const ClientInfo& client);
  void unlink_producer(const ClientInfo& client);
  const Clock& clock_;
  SubscriptionListener* listener_ = nullptr;  // constant while serving
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<Group>, std::less<>> consumers_;               // guarded by mutex_
  std::map<std::string, std::map<std::uint64_t, ClientInfo>, std::less<>> producers_;  // guarded by mutex_
  struct ProducerLink {
    remoting::PeerPtr peer;
    int groups = 0;  // that it produces for, over this connection
  };
  // By client id and peer id. Guarded by mutex_.
  std::map<std::string, std::map<std::uint64_t, ProducerLink>, std::less<>> producer_links_;
  std::map<std::string, std::int32_t, std::less<>> fingerprints_;  // guarded by mutex_
};

}  // namespace tern::broker
