#include "broker/clients/client_registry.hpp"

#include <algorithm>
#include <mutex>

#include "tern/base/java_hash.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kSilentMsMax = 120'000;

// As Java's trim: what is not above a blank goes. Bytes of a multi-byte character are above it, whatever the sign of
// char.
bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

struct ClientRegistry::Group {
  ConsumeType type = ConsumeType::kPassively;
  MessageModel model = MessageModel::kClustering;
  int consume_from = 0;
  std::map<std::uint64_t, ClientInfo> members;  // by peer id
  std::map<std::string, SubscriptionPtr, std::less<>> subscriptions;
};

std::optional<Subscription> parse_subscription(std::string_view topic, std::string_view expression,
                                               std::string_view expression_type) {
  if (expression.size() > kExpressionBytesMax) return std::nullopt;
  Subscription subscription;
  subscription.topic = topic;
  if (!expression_type.empty()) subscription.expression_type = expression_type;
  if (!expression.empty()) subscription.expression = expression;
  if (subscription.expression_type != "TAG" || trim(expression).empty() || expression == "*") return subscription;
  for (std::string_view rest = expression;;) {
    const auto split = rest.find("||");
    const auto tag = trim(rest.substr(0, split));
    if (!tag.empty()) {
      subscription.tags.emplace_back(tag);
      subscription.codes.insert(java_hash(tag));
    }
    if (split == std::string_view::npos) break;
    rest.remove_prefix(split + 2);
  }
  if (subscription.tags.empty()) return std::nullopt;
  return subscription;
}

bool ClientRegistry::consumer_heartbeat(const ClientInfo& client, const ConsumerHeartbeat& heartbeat) {
  const bool changed = take_heartbeat(client, heartbeat);
  if (listener_ != nullptr && !heartbeat.keeps_subscriptions)
    listener_->subscribed(heartbeat.group, heartbeat.subscriptions);
  return changed;
}

bool ClientRegistry::take_heartbeat(const ClientInfo& client, const ConsumerHeartbeat& heartbeat) {
  const std::unique_lock lock(mutex_);
  auto& slot = consumers_[heartbeat.group];
  if (!slot) slot = std::make_shared<Group>();
  auto& group = *slot;
  group.type = heartbeat.type;
  group.model = heartbeat.model;
  group.consume_from = heartbeat.consume_from;
  bool changed = false;
  if (const auto [member, is_new] = group.members.insert_or_assign(client.peer->id(), client); is_new) changed = true;
  if (heartbeat.keeps_subscriptions) return changed;
  for (const auto& wanted : heartbeat.subscriptions) {
    auto& known = group.subscriptions[wanted.topic];
    if (!known) changed = true;
    if (!known || wanted.version > known->version) known = std::make_shared<const Subscription>(wanted);
  }
  for (auto known = group.subscriptions.begin(); known != group.subscriptions.end();) {
    const bool is_wanted = std::any_of(heartbeat.subscriptions.begin(), heartbeat.subscriptions.end(),
                                       [&](const auto& wanted) { return wanted.topic == known->first; });
    if (is_wanted) {
      ++known;
    } else {
      known = group.subscriptions.erase(known);
      changed = true;
    }
  }
  return changed;
}

void ClientRegistry::producer_heartbeat(const ClientInfo& client, std::string_view group) {
  const std::unique_lock lock(mutex_);
  const auto found = producers_.find(group);
  auto& members = found != producers_.end() ? found->second : producers_[std::string(group)];
  const auto [member, is_new] = members.try_emplace(client.peer->id(), client);
  if (is_new) return link_producer(client);
  if (member->second.client_id != client.client_id) {
    unlink_producer(member->second);
    link_producer(client);
  }
  member->second = client;
}

void ClientRegistry::link_producer(const ClientInfo& client) {
  auto& link = producer_links_[client.client_id][client.peer->id()];
  link.peer = client.peer;
  ++link.groups;
}

void ClientRegistry::unlink_producer(const ClientInfo& client) {
  const auto links = producer_links_.find(client.client_id);
  if (links == producer_links_.end()) return;
  const auto link = links->second.find(client.peer->id());
  if (link == links->second.end() || --link->second.groups > 0) return;
  links->second.erase(link);
  if (links->second.empty()) producer_links_.erase(links);
}

bool ClientRegistry::unregister_consumer(std::string_view group, std::string_view, const remoting::Peer& peer) {
  {
    const std::unique_lock lock(mutex_);
    const auto found = consumers_.find(group);
    if (found == consumers_.end() || found->second->members.erase(peer.id()) == 0) return false;
    if (!found->second->members.empty()) return true;
    consumers_.erase(found);
    fingerprints_.erase(std::string(group));
  }
  if (listener_ != nullptr) listener_->group_gone(group);
  return true;
}

void ClientRegistry::unregister_producer(std::string_view group, const remoting::Peer& peer) {
  const std::unique_lock lock(mutex_);
  const auto found = producers_.find(group);
  if (found == producers_.end()) return;
  const auto member = found->second.find(peer.id());
  if (member == found->second.end()) return;
  unlink_producer(member->second);
  found->second.erase(member);
  if (found->second.empty()) producers_.erase(found);
}

std::vector<std::string> ClientRegistry::peer_closed(const remoting::Peer& peer) {
  std::vector<std::string> changed, gone;
  {
    const std::unique_lock lock(mutex_);
    for (auto group = consumers_.begin(); group != consumers_.end();) {
      if (group->second->members.erase(peer.id()) > 0) changed.push_back(group->first);
      if (group->second->members.empty()) {
        gone.push_back(group->first);
        fingerprints_.erase(group->first);
        group = consumers_.erase(group);
      } else {
        ++group;
      }
    }
    for (auto group = producers_.begin(); group != producers_.end();) {
      if (const auto member = group->second.find(peer.id()); member != group->second.end()) {
        unlink_producer(member->second);
        group->second.erase(member);
      }
      group = group->second.empty() ? producers_.erase(group) : std::next(group);
    }
  }
  if (listener_ != nullptr) {
    for (const auto& group : gone) listener_->group_gone(group);
  }
  return changed;
}

std::vector<std::string> ClientRegistry::expire() {
  const std::int64_t oldest = clock_.steady_ms() - kSilentMsMax;
  std::vector<remoting::PeerPtr> silent;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [name, group] : consumers_) {
      for (const auto& [id, client] : group->members) {
        if (client.last_heartbeat_ms < oldest) silent.push_back(client.peer);
      }
    }
    for (const auto& [name, members] : producers_) {
      for (const auto& [id, client] : members) {
        if (client.last_heartbeat_ms < oldest) silent.push_back(client.peer);
      }
    }
  }
  std::vector<std::string> changed;
  for (const auto& peer : silent) {
    const auto groups = peer_closed(*peer);
    changed.insert(changed.end(), groups.begin(), groups.end());
    peer->close();
  }
  return changed;
}

SubscriptionPtr ClientRegistry::find_subscription(std::string_view group, std::string_view topic) const {
  const std::shared_lock lock(mutex_);
  const auto found = consumers_.find(group);
  if (found == consumers_.end()) return nullptr;
  const auto subscription = found->second->subscriptions.find(topic);
  return subscription == found->second->subscriptions.end() ? nullptr : subscription->second;
}

std::optional<ClientRegistry::GroupInfo> ClientRegistry::consumer_group(std::string_view group) const {
  const std::shared_lock lock(mutex_);
  const auto found = consumers_.find(group);
  if (found == consumers_.end()) return std::nullopt;
  GroupInfo info{found->first, found->second->type, found->second->model, found->second->consume_from, {}, {}};
  for (const auto& [id, client] : found->second->members) info.members.push_back(client);
  for (const auto& [topic, subscription] : found->second->subscriptions) info.subscriptions.push_back(subscription);
  return info;
}

std::optional<MessageModel> ClientRegistry::model_of(std::string_view group) const {
  const std::shared_lock lock(mutex_);
  const auto found = consumers_.find(group);
  if (found == consumers_.end()) return std::nullopt;
  return found->second->model;
}

std::vector<std::string> ClientRegistry::groups_subscribed_to(std::string_view topic) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, group] : consumers_) {
    if (group->subscriptions.contains(topic)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ClientRegistry::consumer_groups() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, group] : consumers_) names.push_back(name);
  return names;
}

std::vector<ClientInfo> ClientRegistry::producers(std::string_view group) const {
  const std::shared_lock lock(mutex_);
  std::vector<ClientInfo> clients;
  if (const auto found = producers_.find(group); found != producers_.end()) {
    for (const auto& [id, client] : found->second) clients.push_back(client);
  }
  return clients;
}

remoting::PeerPtr ClientRegistry::producer_behind(std::string_view group, std::uint64_t peer_id) const {
  constexpr std::size_t kTriesMax = 16;
  const std::shared_lock lock(mutex_);
  const auto found = producers_.find(group);
  if (found == producers_.end()) return nullptr;
  const auto& members = found->second;
  auto next = members.upper_bound(peer_id);
  for (std::size_t tries = std::min(members.size(), kTriesMax); tries > 0; --tries, ++next) {
    if (next == members.end()) next = members.begin();
    const auto& peer = next->second.peer;
    if (peer->is_open() && peer->takes_answers()) return peer;
  }
  return nullptr;
}

remoting::PeerPtr ClientRegistry::find_producer(std::string_view client_id) const {
  const std::shared_lock lock(mutex_);
  const auto links = producer_links_.find(client_id);
  if (links == producer_links_.end()) return nullptr;
  for (auto link = links->second.rbegin(); link != links->second.rend(); ++link) {
    if (link->second.peer->is_open()) return link->second.peer;
  }
  return nullptr;
}

std::optional<ClientInfo> ClientRegistry::find_consumer(std::string_view group, std::string_view client_id) const {
  const std::shared_lock lock(mutex_);
  const auto found = consumers_.find(group);
  if (found == consumers_.end()) return std::nullopt;
  const auto& members = found->second->members;
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->second.client_id == client_id) return member->second;
  }
  return std::nullopt;
}

std::map<std::string, std::vector<ClientInfo>> ClientRegistry::all_producers() const {
  const std::shared_lock lock(mutex_);
  std::map<std::string, std::vector<ClientInfo>> all;
  for (const auto& [name, members] : producers_) {
    for (const auto& [id, client] : members) all[name].push_back(client);
  }
  return all;
}

std::vector<remoting::PeerPtr> ClientRegistry::members(std::string_view group) const {
  const std::shared_lock lock(mutex_);
  std::vector<remoting::PeerPtr> peers;
  if (const auto found = consumers_.find(group); found != consumers_.end()) {
    for (const auto& [id, client] : found->second->members) peers.push_back(client.peer);
  }
  return peers;
}

bool ClientRegistry::knows_subscriptions(std::string_view group) const {
  const std::shared_lock lock(mutex_);
  const auto found = consumers_.find(group);
  return found != consumers_.end() && !found->second->subscriptions.empty();
}

bool ClientRegistry::exchange_fingerprint(std::string_view group, std::int32_t fingerprint, bool& was_stored) {
  const std::unique_lock lock(mutex_);
  const auto [stored, is_new] = fingerprints_.try_emplace(std::string(group), fingerprint);
  was_stored = !is_new;
  const bool differs = stored->second != fingerprint;
  stored->second = fingerprint;
  return differs;
}

}  // namespace tern::broker
