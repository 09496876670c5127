#include "broker/topics/topic_table.hpp"

#include <algorithm>
#include <mutex>

#include "tern/base/log.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/metadata_table.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

constexpr int kQueuesMax = 65'536;  // of one topic: what a careless request cannot exceed

std::string perm_text(int perm) {
  return {(perm & kPermRead) != 0 ? 'R' : '-', (perm & kPermWrite) != 0 ? 'W' : '-',
          (perm & kPermInherit) != 0 ? 'X' : '-'};
}

}  // namespace

std::string TopicConfig::text() const {
  std::string attribute_text;
  for (const auto& [key, value] : attributes)
    attribute_text += fmt::format("{}{}={}", attribute_text.empty() ? "" : ", ", key, value);
  return fmt::format(
      "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType={}, topicSysFlag={}, "
      "order={}, "
      "attributes={{{}}}]",
      name, read_queues, write_queues, perm_text(perm), is_multi_tag ? "MULTI_TAG" : "SINGLE_TAG", sys_flag, is_order,
      attribute_text);
}

store::QueueKind queue_kind(const TopicConfig& topic) {
  const auto type = topic.attributes.find("queue.type");
  return type != topic.attributes.end() && type->second == "BatchCQ" ? store::QueueKind::kBatch
                                                                     : store::QueueKind::kSimple;
}

Json to_json(const TopicConfig& topic) {
  Json json = topic.others;
  json["attributes"] = topic.attributes.empty() ? Json::object() : Json(topic.attributes);
  json["order"] = topic.is_order;
  json["perm"] = topic.perm;
  json["readQueueNums"] = topic.read_queues;
  json["topicFilterType"] = topic.is_multi_tag ? "MULTI_TAG" : "SINGLE_TAG";
  json["topicName"] = topic.name;
  json["topicSysFlag"] = topic.sys_flag;
  json["writeQueueNums"] = topic.write_queues;
  return json;
}

std::optional<TopicConfig> topic_from_json(std::string_view name, const Json& json) {
  if (!json.is_object()) return std::nullopt;
  TopicConfig topic;
  topic.name = protocol::string_member(json, "topicName", name);
  topic.read_queues =
      static_cast<int>(std::clamp<std::int64_t>(protocol::int_member(json, "readQueueNums", 16), 0, kQueuesMax));
  topic.write_queues =
      static_cast<int>(std::clamp<std::int64_t>(protocol::int_member(json, "writeQueueNums", 16), 0, kQueuesMax));
  topic.perm = static_cast<int>(protocol::int_member(json, "perm", kPermRead | kPermWrite));
  const auto type = protocol::string_member(json, "topicFilterType", "SINGLE_TAG");
  topic.is_multi_tag = type == "MULTI_TAG" || type == "1";
  topic.sys_flag = static_cast<int>(protocol::int_member(json, "topicSysFlag"));
  topic.is_order = protocol::bool_member(json, "order");
  if (const auto* attributes = protocol::object_member(json, "attributes")) {
    for (const auto& [key, value] : attributes->items()) {
      if (value.is_string()) {
        topic.attributes[key] = value.get<std::string>();
      } else if (value.is_number() || value.is_boolean()) {
        topic.attributes[key] = value.dump();  // Apache's reader takes the text of any value too
      }
    }
  }
  if (topic.name.empty()) return std::nullopt;
  topic.others = members_besides(json, {"attributes", "order", "perm", "readQueueNums", "topicFilterType", "topicName",
                                        "topicSysFlag", "writeQueueNums"});
  return topic;
}

TopicTable::TopicTable(const BrokerOptions& options, const BrokerIdentity& identity, file::Disk& disk, std::string path,
                       const Clock& clock, WorkQueue& blocking)
    : options_(options),
      identity_(identity),
      file_(disk, std::move(path)),
      clock_(clock),
      saves_(blocking, file_.path(), [this] { return save(); }) {}

std::optional<std::string> TopicTable::load(bool has_log) {
  const std::unique_lock lock(mutex_);
  const auto add = [&](std::string_view name, int queues, int perm) {
    TopicConfig topic;
    topic.name = name;
    topic.read_queues = topic.write_queues = queues;
    topic.perm = perm;
    topics_[topic.name] = std::make_shared<const TopicConfig>(topic);
  };
  constexpr int kReadWrite = kPermRead | kPermWrite;
  constexpr int kTemplate = kReadWrite | kPermInherit;
  add("SELF_TEST_TOPIC", 1, kReadWrite);
  if (options_.auto_create_topics) add(message::kAutoCreateTopic, options_.default_topic_queues, kTemplate);
  add("BenchmarkTest", 1024, kReadWrite);
  add(identity_.cluster, 16, options_.cluster_topic_enable ? kTemplate : kPermInherit);
  add(identity_.name, 1, options_.broker_topic_enable ? kTemplate : kPermInherit);
  add("OFFSET_MOVED_EVENT", 1, kReadWrite);
  add(message::kScheduleTopic, 18, kReadWrite);
  if (options_.trace_topic_enable) add(options_.trace_topic, 1, kReadWrite);
  add(identity_.cluster + "_REPLY_TOPIC", 1, kReadWrite);
  add("rmq_sys_REVIVE_LOG_" + identity_.cluster, 8, kReadWrite);
  add("rmq_sys_SYNC_BROKER_MEMBER_" + identity_.name, 1, kPermInherit);
  add(message::kTransactionHalfTopic, 1, kReadWrite);
  add(message::kTransactionOpTopic, 1, kReadWrite);
  add("rmq_sys_wheel_timer", 1, kReadWrite);

  auto problem = load_table(file_, "topicConfigTable", has_log, [&](const Json* json) {
    if (json == nullptr) return;
    was_found_ = true;
    if (const auto* version = protocol::object_member(*json, "dataVersion"))
      version_ = data_version_from_json(*version);
    others_ = members_besides(*json, {"dataVersion", "topicConfigTable"});
    for (const auto& [name, value] : protocol::object_member(*json, "topicConfigTable")->items()) {
      auto topic = topic_from_json(name, value);
      if (!topic) {
        log_warning("{}: the entry of topic {} is not understood; it is kept as it is", file_.path(), name);
        unread_topics_[name] = value;
        continue;
      }
      topics_[name] = std::make_shared<const TopicConfig>(std::move(*topic));
    }
  });
  // Without auto-creation the template may be left from earlier: it passes nothing on.
  if (const auto found = topics_.find(message::kAutoCreateTopic);
      found != topics_.end() && !options_.auto_create_topics) {
    TopicConfig closed = *found->second;
    closed.perm = kReadWrite;
    found->second = std::make_shared<const TopicConfig>(std::move(closed));
  }
  return problem;
}

TopicPtr TopicTable::find(std::string_view topic) const {
  const std::shared_lock lock(mutex_);
  const auto found = topics_.find(topic);
  return found == topics_.end() ? nullptr : found->second;
}

std::vector<TopicPtr> TopicTable::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<TopicPtr> all;
  all.reserve(topics_.size());
  for (const auto& [name, topic] : topics_) all.push_back(topic);
  return all;
}

DataVersion TopicTable::version() const {
  const std::shared_lock lock(mutex_);
  return version_;
}

bool TopicTable::is_system(std::string_view topic) const {
  return message::is_system_topic(topic) || topic == identity_.cluster || topic == identity_.name ||
         topic == identity_.cluster + "_REPLY_TOPIC";
}

void TopicTable::changed(TopicPtr topic, Saved saved) {
  saves_.request(std::move(saved));
  if (topic && listener_) listener_(*topic);
}

bool TopicTable::put(TopicConfig topic, Saved saved) {
  auto shared = std::make_shared<const TopicConfig>(std::move(topic));
  {
    const std::unique_lock lock(mutex_);
    auto& slot = topics_[shared->name];
    if (slot && *slot == *shared) {
      if (!saved) return false;
      saved({});
      return false;
    }
    slot = shared;
    version_.bump(clock_.wall_ms());
  }
  changed(std::move(shared), std::move(saved));
  return true;
}

TopicPtr TopicTable::create_from_default(std::string_view topic, std::string_view default_topic, int queues,
                                         int sys_flag) {
  TopicPtr created;
  {
    const std::unique_lock lock(mutex_);
    if (const auto found = topics_.find(topic); found != topics_.end()) return found->second;
    const auto found = topics_.find(default_topic);
    if (found == topics_.end() || (found->second->perm & kPermInherit) == 0) return nullptr;
    TopicConfig config;
    config.name = topic;
    config.read_queues = config.write_queues = std::max(0, std::min(queues, found->second->write_queues));
    config.perm = found->second->perm & ~kPermInherit;
    config.is_multi_tag = found->second->is_multi_tag;
    config.sys_flag = sys_flag;
    created = std::make_shared<const TopicConfig>(std::move(config));
    topics_[created->name] = created;
    version_.bump(clock_.wall_ms());
  }
  log_info("topic {} is created on its first send, after {}", created->name, default_topic);
  changed(created, {});
  return created;
}

TopicPtr TopicTable::ensure(std::string_view topic, int queues, int sys_flag, bool is_order) {
  if (auto existing = find(topic)) return existing;
  TopicPtr created;
  {
    const std::unique_lock lock(mutex_);
    if (const auto found = topics_.find(topic); found != topics_.end()) return found->second;
    TopicConfig config;
    config.name = topic;
    config.read_queues = config.write_queues = queues;
    config.sys_flag = sys_flag;
    config.is_order = is_order;
    created = std::make_shared<const TopicConfig>(std::move(config));
    topics_[created->name] = created;
    version_.bump(clock_.wall_ms());
  }
  changed(created, {});
  return created;
}

void TopicTable::ensure_queue(std::string_view topic, int queue_id, store::QueueKind kind) {
  const auto existing = find(topic);
  if (existing && queue_id < std::max(existing->read_queues, existing->write_queues)) return;
  // A '+' is illegal but for the broker itself, in retry topics of POP.
  std::string checked(topic);
  if (message::is_retry_topic(topic)) std::replace(checked.begin(), checked.end(), '+', '_');
  if (message::topic_problem(checked) || queue_id < 0 || queue_id >= kQueuesMax) return;
  TopicConfig config;
  if (existing) config = *existing;
  config.name = topic;
  if (!existing) config.read_queues = config.write_queues = 1;
  if (!existing && kind == store::QueueKind::kBatch) config.attributes["queue.type"] = "BatchCQ";
  config.read_queues = std::max(config.read_queues, queue_id + 1);
  config.write_queues = std::max(config.write_queues, queue_id + 1);
  log_warning("the log holds messages of {}#{}, which topics.json does not know: registered again", topic, queue_id);
  put(std::move(config));
}

bool TopicTable::remove(std::string_view topic, Saved saved) {
  {
    const std::unique_lock lock(mutex_);
    const auto found = topics_.find(topic);
    if (found == topics_.end()) {
      if (saved) saved({});
      return false;
    }
    topics_.erase(found);
    version_.bump(clock_.wall_ms());
  }
  changed(nullptr, std::move(saved));
  return true;
}

void TopicTable::set_order_topics(const std::vector<std::string>& topics) {
  bool any = false;
  {
    const std::unique_lock lock(mutex_);
    for (const auto& name : topics) {
      const auto found = topics_.find(name);
      if (found == topics_.end() || found->second->is_order) continue;
      TopicConfig config = *found->second;
      config.is_order = true;
      found->second = std::make_shared<const TopicConfig>(std::move(config));
      any = true;
    }
    if (any) version_.bump(clock_.wall_ms());
  }
  if (any) changed(nullptr, {});
}

void TopicTable::bump() {
  {
    const std::unique_lock lock(mutex_);
    version_.bump(clock_.wall_ms());
  }
  changed(nullptr, {});
}

Json TopicTable::to_json() const {
  const std::shared_lock lock(mutex_);
  return to_json_locked();
}

Json TopicTable::to_json_locked() const {
  auto table = Json::object();
  for (const auto& [name, topic] : topics_) table[name] = broker::to_json(*topic);
  return {{"dataVersion", broker::to_json(version_)}, {"topicConfigTable", std::move(table)}};
}

Status TopicTable::save() {
  Json json;
  {
    const std::shared_lock lock(mutex_);
    json = to_json_locked();
    for (const auto& [name, value] : unread_topics_.items()) json["topicConfigTable"].emplace(name, value);
    for (const auto& [name, value] : others_.items()) json.emplace(name, value);
  }
  return file_.save(protocol::write_pretty_json(json));
}

}  // namespace tern::broker
