#include "nameserver/route_table.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

namespace tern::nameserver {
namespace {

// Its route tells brokers who they are among themselves, so it must show the ids as they are.
constexpr std::string_view kSyncMemberTopicPrefix = "rmq_sys_SYNC_BROKER_MEMBER_";

template <class T>
bool assign(T& to, const T& value) {
  if (to == value) return false;
  to = value;
  return true;
}

bool has_master(const BrokerData& data) {
  return data.addresses.contains(kMasterId);
}

// While nobody is master, the smallest id stands in for it, once it has given up writing.
void show_acting_masters(TopicRoute& route) {
  for (auto& [name, data] : route.brokers) {
    if (data.addresses.empty() || has_master(data) || !data.enable_acting_master) continue;
    const auto queues = route.queues.find(name);
    if (queues == route.queues.end() || (queues->second.perm & kPermWrite) != 0) continue;
    auto smallest = data.addresses.extract(data.addresses.begin());
    smallest.key() = kMasterId;
    data.addresses.insert(std::move(smallest));
  }
}

}  // namespace

const RouteTable::LiveBroker* RouteTable::find_live(std::string_view cluster, std::string_view address) const {
  const auto found = live_.find(Address{cluster, address});
  return found == live_.end() ? nullptr : &found->second;
}

Registered RouteTable::register_broker(const Registration& registration, remoting::PeerPtr peer, std::int64_t now_ms) {
  const auto& name = registration.name;
  const MutexLock lock(lock_);
  Registered result;
  if (!has_room(registration)) {
    result.outcome = Registered::Outcome::kFull;
    return result;
  }

  bool is_changed = clusters_[name.cluster].insert(name.broker).second;
  const auto [at, is_first_of_name] = brokers_.try_emplace(name.broker);
  auto& data = at->second;
  if (is_first_of_name) data.cluster = name.cluster;
  is_changed |= is_first_of_name;
  is_changed |= assign(data.enable_acting_master, registration.enable_acting_master.value_or(false));
  is_changed |= assign(data.zone, registration.zone);

  const bool is_minimum_change = !data.addresses.empty() && name.id < data.addresses.begin()->first;
  // A broker that has switched its role: one address has one id.
  is_changed |= std::erase_if(data.addresses, [&](const auto& entry) {
                  return entry.first != name.id && entry.second == name.address;
                }) > 0;

  const auto held = data.addresses.find(name.id);
  if (held != data.addresses.end() && held->second != name.address) {
    const auto* holder = find_live(name.cluster, held->second);
    if (holder != nullptr && holder->version.state_version > registration.topics.version.state_version) {
      live_.erase(Address{name.cluster, name.address});
      if (is_changed) changed();
      result.outcome = Registered::Outcome::kStale;
      return result;
    }
  }
  // One topic alone is an update of a broker that we have not heard of yet: its other topics would be missing.
  if (held == data.addresses.end() && registration.topics.queues.size() == 1) {
    if (is_changed) changed();
    result.outcome = Registered::Outcome::kRefused;
    return result;
  }

  const bool is_first = held == data.addresses.end();
  is_changed |= assign(data.addresses[name.id], name.address);
  if (is_changed) changed();

  const bool is_master = name.id == kMasterId;
  const bool is_prime_slave =
      !is_master && registration.enable_acting_master.has_value() && name.id == data.addresses.begin()->first;
  if (is_master || is_prime_slave) take_topics(registration, data, is_first);

  result.is_new =
      live_
          .insert_or_assign(Address{name.cluster, name.address},
                            LiveBroker{name.broker, name.id, now_ms, registration.timeout_ms.value_or(kBrokerTimeoutMs),
                                       registration.topics.version, std::move(peer), registration.ha_address})
          .second;
  if (!is_master && has_master(data)) {
    const auto& master_address = data.addresses.at(kMasterId);
    if (const auto* master = find_live(name.cluster, master_address)) {
      result.master_address = master_address;
      result.master_ha_address = master->ha_address;
    }
  }
  if (is_minimum_change) {
    result.minimum_change = MinimumChange{name.broker, data.addresses, std::nullopt, registration.ha_address};
  }
  return result;
}

bool RouteTable::has_room(const Registration& registration) const {
  if (brokers_.size() >= kBrokerNamesMax && !brokers_.contains(registration.name.broker)) return false;
  const auto& topics = registration.topics.queues;
  if (topics_.size() + topics.size() <= kTopicsMax) return true;
  std::size_t count = topics_.size();
  for (const auto& [topic, queues] : topics) count += topics_.contains(topic) ? 0 : 1;
  return count <= kTopicsMax;
}

void RouteTable::take_topics(const Registration& registration, const BrokerData& data, bool is_first) {
  const auto& name = registration.name;
  const auto* known = find_live(name.cluster, name.address);
  const bool is_news = is_first || known == nullptr || known->version != registration.topics.version;
  const bool is_acting = name.id != kMasterId && data.enable_acting_master;
  bool is_changed = false;

  if (options_.delete_absent_topics && registration.topics.mappings.empty()) drop_absent_topics(registration);
  for (const auto& [topic, queues] : registration.topics.queues) {
    auto& table = topics_[topic].queues;
    const auto entry = table.find(name.broker);
    // What an administrator has changed here since (the write permission) stays until the broker has news.
    if (!is_news && entry != table.end()) continue;
    auto taken = queues;
    if (is_acting) taken.perm &= ~kPermWrite;
    if (entry == table.end()) {
      table.emplace(name.broker, taken);
      is_changed = true;
    } else {
      is_changed |= assign(entry->second, taken);
    }
  }
  if (is_news) {
    for (const auto& mapping : registration.topics.mappings) {
      const auto topic = topics_.find(mapping.topic);
      if (topic != topics_.end()) is_changed |= assign(topic->second.mappings[mapping.broker], mapping.info);
    }
  }
  if (is_changed) changed();
}

void RouteTable::drop_absent_topics(const Registration& registration) {
  std::unordered_set<std::string_view> present;
  for (const auto& [topic, queues] : registration.topics.queues) present.insert(topic);
  bool is_changed = false;
  for (auto topic = topics_.begin(); topic != topics_.end();) {
    if (!present.contains(topic->first)) is_changed |= topic->second.queues.erase(registration.name.broker) > 0;
    topic = topic->second.queues.empty() ? topics_.erase(topic) : std::next(topic);
  }
  if (is_changed) changed();
}

void RouteTable::refresh(std::string_view cluster, std::string_view address, std::int64_t now_ms) {
  const MutexLock lock(lock_);
  const auto found = live_.find(Address{cluster, address});
  if (found != live_.end()) found->second.refreshed_ms = now_ms;
}

std::optional<DataVersion> RouteTable::data_version(std::string_view cluster, std::string_view address) const {
  const MutexLock lock(lock_);
  const auto* live = find_live(cluster, address);
  return live == nullptr ? std::nullopt : std::optional(live->version);
}

Removal RouteTable::unregister(const BrokerName& name) {
  const MutexLock lock(lock_);
  return remove(std::span(&name, 1));
}

Removal RouteTable::remove_peer(std::uint64_t peer_id) {
  const MutexLock lock(lock_);
  std::vector<BrokerName> gone;
  for (const auto& [address, live] : live_) {
    if (live.peer && live.peer->id() == peer_id) gone.push_back({address.first, live.broker, address.second, live.id});
  }
  return remove(gone);
}

Removal RouteTable::expire(std::int64_t now_ms) {
  const MutexLock lock(lock_);
  std::set<std::uint64_t> silent_peers;
  const auto is_silent = [now_ms](const LiveBroker& live) { return now_ms - live.refreshed_ms > live.timeout_ms; };
  for (const auto& [address, live] : live_) {
    if (live.peer && is_silent(live)) silent_peers.insert(live.peer->id());
  }
  std::vector<BrokerName> gone;
  for (const auto& [address, live] : live_) {
    if (is_silent(live) || (live.peer && silent_peers.contains(live.peer->id()))) {
      gone.push_back({address.first, live.broker, address.second, live.id});
    }
  }
  return remove(gone);
}

Removal RouteTable::remove(std::span<const BrokerName> names) {
  Removal removal;
  std::set<std::string> reduced;  // broker names that have addresses left
  for (const auto& name : names) {
    if (const auto live = live_.find(Address{name.cluster, name.address}); live != live_.end()) {
      if (live->second.peer) removal.peers.push_back(live->second.peer);
      live_.erase(live);
    }
    const auto broker = brokers_.find(name.broker);
    if (broker == brokers_.end()) continue;
    auto& addresses = broker->second.addresses;
    const bool was_smallest = !addresses.empty() && addresses.begin()->first == name.id;
    const bool was_there = std::erase_if(addresses, [&](const auto& at) { return at.second == name.address; }) > 0;
    if (was_there) removal.brokers.push_back(name);
    if (!was_there && !addresses.empty()) continue;
    changed();
    if (!addresses.empty()) {
      reduced.insert(name.broker);
      if (was_smallest) removal.minimum_changes.push_back({name.broker, addresses, name.address, std::nullopt});
      continue;
    }
    brokers_.erase(broker);
    reduced.erase(name.broker);
    std::erase_if(removal.minimum_changes, [&](const auto& change) { return change.broker == name.broker; });
    if (const auto cluster = clusters_.find(name.cluster); cluster != clusters_.end()) {
      cluster->second.erase(name.broker);
      if (cluster->second.empty()) clusters_.erase(cluster);
    }
    drop_queues(name.broker);
  }
  for (const auto& name : reduced) {
    const auto& data = brokers_.find(name)->second;
    if (!data.enable_acting_master || has_master(data)) continue;
    for (auto& [topic, entry] : topics_) {
      if (const auto queues = entry.queues.find(name); queues != entry.queues.end()) queues->second.perm &= ~kPermWrite;
    }
  }
  return removal;
}

void RouteTable::drop_queues(std::string_view broker) {
  for (auto topic = topics_.begin(); topic != topics_.end();) {
    auto& queues = topic->second.queues;
    if (const auto entry = queues.find(broker); entry != queues.end()) queues.erase(entry);
    topic = queues.empty() ? topics_.erase(topic) : std::next(topic);
  }
}

std::optional<TopicRoute> RouteTable::route(std::string_view topic) const {
  const MutexLock lock(lock_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return std::nullopt;
  TopicRoute route{{}, found->second.queues, found->second.mappings, version()};
  for (const auto& [broker, queues] : route.queues) {
    if (const auto data = brokers_.find(broker); data != brokers_.end()) route.brokers.emplace(broker, data->second);
  }
  if (route.brokers.empty()) return std::nullopt;
  if (options_.support_acting_master && !topic.starts_with(kSyncMemberTopicPrefix)) show_acting_masters(route);
  return route;
}

std::uint64_t RouteTable::version() const noexcept {
  // The option changes answers too, and may change at run time.
  return version_.load(std::memory_order_acquire) * 2 + (options_.support_acting_master ? 1 : 0);
}

RouteTable::Clusters RouteTable::clusters() const {
  const MutexLock lock(lock_);
  return {brokers_, clusters_};
}

std::map<std::int64_t, std::string> RouteTable::addresses_of(std::string_view broker) const {
  const MutexLock lock(lock_);
  const auto found = brokers_.find(broker);
  return found == brokers_.end() ? std::map<std::int64_t, std::string>{} : found->second.addresses;
}

std::vector<std::string> RouteTable::topics() const {
  const MutexLock lock(lock_);
  std::vector<std::string> names;
  names.reserve(topics_.size());
  for (const auto& [topic, entry] : topics_) names.push_back(topic);
  return names;
}

std::vector<std::string> RouteTable::topics_of_cluster(std::string_view cluster) const {
  const MutexLock lock(lock_);
  const auto members = clusters_.find(cluster);
  if (members == clusters_.end()) return {};
  std::vector<std::string> names;
  for (const auto& [topic, entry] : topics_) {
    const auto& queues = entry.queues;
    if (std::ranges::any_of(queues, [&](const auto& at) { return members->second.contains(at.first); })) {
      names.push_back(topic);
    }
  }
  return names;
}

std::vector<std::string> RouteTable::topics_with(const std::function<bool(std::int32_t topic_sys_flag)>& wanted) const {
  const MutexLock lock(lock_);
  std::vector<std::string> names;
  for (const auto& [topic, entry] : topics_) {
    if (!entry.queues.empty() && wanted(entry.queues.begin()->second.topic_sys_flag)) names.push_back(topic);
  }
  return names;
}

int RouteTable::change_permissions(std::string_view broker, const std::function<int(int perm)>& change) {
  const MutexLock lock(lock_);
  int touched = 0;
  for (auto& [topic, entry] : topics_) {
    const auto queues = entry.queues.find(broker);
    if (queues == entry.queues.end()) continue;
    queues->second.perm = change(queues->second.perm);
    ++touched;
  }
  if (touched > 0) changed();
  return touched;
}

void RouteTable::remove_topic(std::string_view topic) {
  const MutexLock lock(lock_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  topics_.erase(found);
  changed();
}

void RouteTable::remove_topic_of_cluster(std::string_view topic, std::string_view cluster) {
  const MutexLock lock(lock_);
  const auto found = topics_.find(topic);
  const auto members = clusters_.find(cluster);
  if (found == topics_.end() || members == clusters_.end()) return;
  auto& queues = found->second.queues;
  if (std::erase_if(queues, [&](const auto& at) { return members->second.contains(at.first); }) == 0) return;
  if (queues.empty()) topics_.erase(found);
  changed();
}

std::optional<std::string> RouteTable::add_topic(std::string_view topic,
                                                 std::span<const std::pair<std::string, QueueData>> queues) {
  const MutexLock lock(lock_);
  if (topics_.size() >= kTopicsMax && !topics_.contains(topic)) return fmt::format("{} topics are known", kTopicsMax);
  std::optional<std::string> left_out;
  for (const auto& [broker, data] : queues) {
    if (!brokers_.contains(broker)) {
      if (!left_out) left_out = fmt::format("broker {} is not known", broker);
      continue;
    }
    topics_[std::string(topic)].queues.insert_or_assign(broker, data);
    changed();
  }
  return left_out;
}

}  // namespace tern::nameserver
