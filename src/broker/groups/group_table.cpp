#include "broker/groups/group_table.hpp"

#include <limits>
#include <mutex>

#include "tern/base/log.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/metadata_table.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

// Groups that every broker has.
constexpr std::string_view kBuiltIn[] = {"TOOLS_CONSUMER",     "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP",
                                         "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PULL",    "CID_ONSAPI_PERMISSION",
                                         "CID_ONSAPI_OWNER",   "CID_RMQ_SYS_TRANS"};
constexpr std::int64_t kForbidPull = kPermRead;  // bit of the forbidden table

// Whether a number is one that the member can hold, or is left out. Text counts as the number that it spells.
template <class T>
bool read_number(const Json& json, std::string_view name, T& to) {
  const auto member = json.find(name);
  if (member == json.end() || member->is_null()) return true;
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();  // what a text or a number that is none becomes
  const auto value = protocol::int_member(json, name, kMin);
  if (member->is_number_float() && member->get<double>() != static_cast<double>(value)) return false;
  if (value == kMin || value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  to = static_cast<T>(value);
  return true;
}

}  // namespace

Json to_json(const GroupConfig& group) {
  Json json = group.others;
  if (!json.contains("attributes")) json["attributes"] = Json::object();
  if (!json.contains("groupRetryPolicy")) json["groupRetryPolicy"] = {{"type", "CUSTOMIZED"}};
  json["brokerId"] = group.broker_id;
  json["consumeBroadcastEnable"] = group.consume_broadcast_enable;
  json["consumeEnable"] = group.consume_enable;
  json["consumeFromMinEnable"] = group.consume_from_min_enable;
  json["consumeMessageOrderly"] = group.consume_message_orderly;
  json["consumeTimeoutMinute"] = group.consume_timeout_minutes;
  json["groupName"] = group.name;
  json["groupSysFlag"] = group.sys_flag;
  json["notifyConsumerIdsChangedEnable"] = group.notify_consumer_ids_changed_enable;
  json["retryMaxTimes"] = group.retry_max_times;
  json["retryQueueNums"] = group.retry_queues;
  json["whichBrokerWhenConsumeSlowly"] = group.which_broker_when_consume_slowly;
  return json;
}

std::optional<GroupConfig> group_from_json(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  GroupConfig group;
  group.others = json;
  group.name = protocol::string_member(json, "groupName");
  if (group.name.empty()) return std::nullopt;
  group.consume_broadcast_enable = protocol::bool_member(json, "consumeBroadcastEnable", true);
  group.consume_enable = protocol::bool_member(json, "consumeEnable", true);
  group.consume_from_min_enable = protocol::bool_member(json, "consumeFromMinEnable", true);
  group.consume_message_orderly = protocol::bool_member(json, "consumeMessageOrderly", false);
  group.notify_consumer_ids_changed_enable = protocol::bool_member(json, "notifyConsumerIdsChangedEnable", true);
  const bool are_numbers = read_number(json, "brokerId", group.broker_id) &&
                           read_number(json, "consumeTimeoutMinute", group.consume_timeout_minutes) &&
                           read_number(json, "groupSysFlag", group.sys_flag) &&
                           read_number(json, "retryMaxTimes", group.retry_max_times) &&
                           read_number(json, "retryQueueNums", group.retry_queues) &&
                           read_number(json, "whichBrokerWhenConsumeSlowly", group.which_broker_when_consume_slowly);
  if (!are_numbers) return std::nullopt;
  return group;
}

GroupTable::GroupTable(const BrokerOptions& options, file::Disk& disk, std::string path, const Clock& clock,
                       WorkQueue& blocking)
    : options_(options),
      file_(disk, std::move(path)),
      clock_(clock),
      saves_(blocking, file_.path(), [this] { return save(); }) {}

std::optional<std::string> GroupTable::load() {
  const std::unique_lock lock(mutex_);
  for (const auto name : kBuiltIn) {
    GroupConfig group;
    group.name = name;
    groups_[group.name] = std::make_shared<const GroupConfig>(group);
  }
  return load_table(file_, "subscriptionGroupTable", false, [&](const Json* json) {
    if (json == nullptr) return;
    if (const auto* version = protocol::object_member(*json, "dataVersion"))
      version_ = data_version_from_json(*version);
    others_ = members_besides(*json, {"dataVersion", "subscriptionGroupTable", "forbiddenTable"});
    for (const auto& [name, value] : protocol::object_member(*json, "subscriptionGroupTable")->items()) {
      if (auto group = group_from_json(value)) {
        groups_[name] = std::make_shared<const GroupConfig>(std::move(*group));
      } else {
        log_warning("{}: the entry of group {} is not understood; it is kept as it is", file_.path(), name);
        unread_groups_[name] = value;
      }
    }
    if (const auto* forbidden = protocol::object_member(*json, "forbiddenTable")) {
      for (const auto& [group, topics] : forbidden->items()) {
        if (!topics.is_object()) continue;
        for (const auto& [topic, bits] : topics.items()) {
          if (bits.is_number_integer()) forbidden_[group][topic] = bits.get<std::int64_t>();
        }
      }
    }
  });
}

GroupPtr GroupTable::find(std::string_view group) const {
  const std::shared_lock lock(mutex_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second;
}

GroupPtr GroupTable::find_or_create(std::string_view group) {
  if (auto existing = find(group)) return existing;
  if (message::group_problem(group) || (!options_.auto_create_groups && !message::is_system_group(group)))
    return nullptr;
  const std::unique_lock lock(mutex_);
  auto& slot = groups_[std::string(group)];
  if (slot) return slot;
  GroupConfig config;
  config.name = group;
  slot = std::make_shared<const GroupConfig>(std::move(config));
  changed({});
  return slot;
}

std::vector<GroupPtr> GroupTable::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<GroupPtr> all;
  for (const auto& [name, group] : groups_) all.push_back(group);
  return all;
}

void GroupTable::changed(Saved saved) {
  version_.bump(clock_.wall_ms());
  saves_.request(std::move(saved));
}

void GroupTable::put(GroupConfig group, Saved saved) {
  const std::unique_lock lock(mutex_);
  auto shared = std::make_shared<const GroupConfig>(std::move(group));
  groups_[shared->name] = shared;
  changed(std::move(saved));
}

bool GroupTable::remove(std::string_view group, Saved saved) {
  const std::unique_lock lock(mutex_);
  const auto found = groups_.find(group);
  const bool existed = found != groups_.end();
  if (existed) groups_.erase(found);
  if (const auto rule = forbidden_.find(group); rule != forbidden_.end()) forbidden_.erase(rule);
  changed(std::move(saved));
  return existed;
}

bool GroupTable::is_forbidden(std::string_view group, std::string_view topic) const {
  const std::shared_lock lock(mutex_);
  const auto topics = forbidden_.find(group);
  if (topics == forbidden_.end()) return false;
  const auto bits = topics->second.find(topic);
  return bits != topics->second.end() && (bits->second & kForbidPull) != 0;
}

void GroupTable::set_forbidden(std::string_view group, std::string_view topic, bool is_forbidden, Saved saved) {
  const std::unique_lock lock(mutex_);
  auto& topics = forbidden_[std::string(group)];
  auto& bits = topics[std::string(topic)];
  bits = is_forbidden ? (bits | kForbidPull) : (bits & ~kForbidPull);
  if (bits == 0) topics.erase(topics.find(topic));
  if (topics.empty()) forbidden_.erase(forbidden_.find(group));
  changed(std::move(saved));
}

DataVersion GroupTable::version() const {
  const std::shared_lock lock(mutex_);
  return version_;
}

Json GroupTable::to_json() const {
  const std::shared_lock lock(mutex_);
  return to_json_locked();
}

Json GroupTable::to_json_locked() const {
  auto table = Json::object();
  for (const auto& [name, group] : groups_) table[name] = broker::to_json(*group);
  auto forbidden = Json::object();
  for (const auto& [group, topics] : forbidden_) {
    for (const auto& [topic, bits] : topics) forbidden[group][topic] = bits;
  }
  return {{"dataVersion", broker::to_json(version_)},
          {"forbiddenTable", std::move(forbidden)},
          {"subscriptionGroupTable", std::move(table)}};
}

Status GroupTable::save() {
  Json json;
  {
    const std::shared_lock lock(mutex_);
    json = to_json_locked();
    for (const auto& [name, value] : unread_groups_.items()) json["subscriptionGroupTable"].emplace(name, value);
    for (const auto& [name, value] : others_.items()) json.emplace(name, value);
  }
  return file_.save(protocol::write_pretty_json(json));
}

}  // namespace tern::broker
