#include "broker/offsets/offset_table.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "tern/base/log.hpp"

#include "broker/metadata_table.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

// One data version for so many commits, as Apache's consumerOffsetUpdateVersionStep.
constexpr std::int64_t kCommitsPerVersion = 500;

// Looked up with views, without building "topic@group".
struct Key {
  std::string topic;
  std::string group;
};
struct KeyView {
  std::string_view topic;
  std::string_view group;
};
struct KeyLess {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    const int order = std::string_view(a.topic).compare(std::string_view(b.topic));
    return order != 0 ? order < 0 : std::string_view(a.group) < std::string_view(b.group);
  }
};

}  // namespace

struct OffsetTable::Shard {
  using Table = std::map<Key, std::map<std::int32_t, std::int64_t>, KeyLess>;
  mutable std::mutex mutex;
  Table committed;  // guarded by mutex, as the two below
  Table pulled;
  Table reset;
  struct Counts {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
  };
  std::map<Key, Counts, KeyLess> given;
  std::atomic<std::int64_t> commits{0};  // relaxed, a number

  static std::optional<std::int64_t> find(const Table& table, std::string_view group, std::string_view topic,
                                          std::int32_t queue_id) {
    const auto queues = table.find(KeyView{topic, group});
    if (queues == table.end()) return std::nullopt;
    const auto offset = queues->second.find(queue_id);
    if (offset == queues->second.end()) return std::nullopt;
    return offset->second;
  }
  static void put(Table& table, std::string_view group, std::string_view topic, std::int32_t queue_id,
                  std::int64_t offset) {
    auto queues = table.find(KeyView{topic, group});
    if (queues == table.end())
      queues = table.emplace(Key{std::string(topic), std::string(group)}, std::map<std::int32_t, std::int64_t>{}).first;
    queues->second[queue_id] = offset;
  }
};

OffsetTable::OffsetTable(file::Disk& disk, std::string path)
    : file_(disk, std::move(path)), shards_(std::make_unique<Shard[]>(kShards)) {}
OffsetTable::~OffsetTable() = default;

OffsetTable::Shard& OffsetTable::shard(std::string_view group, std::string_view topic) const {
  const auto hash = std::hash<std::string_view>{}(group) * 31 + std::hash<std::string_view>{}(topic);
  return shards_[hash % kShards];
}

std::optional<std::string> OffsetTable::load() {
  const auto read = [&](const Json* table, bool is_pulled) {
    if (table == nullptr) return;
    for (const auto& [key, queues] : table->items()) {
      const auto split = key.find('@');
      if (split == std::string::npos || !queues.is_object()) continue;
      const auto topic = std::string_view(key).substr(0, split);
      const auto group = std::string_view(key).substr(split + 1);
      auto& place = shard(group, topic);
      const std::lock_guard lock(place.mutex);
      for (const auto& [queue, offset] : queues.items()) {
        std::int32_t queue_id = -1;
        const auto [end, error] = std::from_chars(queue.data(), queue.data() + queue.size(), queue_id);
        if (error != std::errc{} || !offset.is_number_integer()) continue;
        Shard::put(is_pulled ? place.pulled : place.committed, group, topic, queue_id, offset.get<std::int64_t>());
      }
    }
  };
  return load_table(file_, "offsetTable", false, [&](const Json* json) {
    if (json == nullptr) return;
    if (const auto* version = protocol::object_member(*json, "dataVersion"))
      version_ = data_version_from_json(*version);
    others_ = members_besides(*json, {"dataVersion", "groupTopicMap", "offsetTable", "pullOffsetTable"});
    read(protocol::object_member(*json, "offsetTable"), false);
    read(protocol::object_member(*json, "pullOffsetTable"), true);
  });
}

int OffsetTable::clamp(const std::function<std::int64_t(std::string_view, std::int32_t)>& queue_end) {
  constexpr int kLoggedMax = 20;
  int clamped = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (auto* table : {&shards_[i].committed, &shards_[i].pulled}) {
      for (auto& [key, queues] : *table) {
        for (auto& [queue_id, offset] : queues) {
          const auto end = queue_end(key.topic, queue_id);
          if (offset <= end) continue;
          if (++clamped <= kLoggedMax) {
            log_warning("group {}: its offset {} in {}#{} is beyond the queue's end {} and set to it", key.group,
                        offset, key.topic, queue_id, end);
          }
          offset = end;
        }
      }
    }
  }
  if (clamped > kLoggedMax) log_warning("{} offsets of groups were beyond their queues' ends in all", clamped);
  return clamped;
}

std::optional<std::int64_t> OffsetTable::find(std::string_view group, std::string_view topic,
                                              std::int32_t queue_id) const {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  return Shard::find(place.committed, group, topic, queue_id);
}

void OffsetTable::commit(std::string_view group, std::string_view topic, std::int32_t queue_id, std::int64_t offset) {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  if (!place.reset.empty() && Shard::find(place.reset, group, topic, queue_id)) return;
  Shard::put(place.committed, group, topic, queue_id, offset);
  place.commits.fetch_add(1, std::memory_order_relaxed);
}

void OffsetTable::pulled(std::string_view group, std::string_view topic, std::int32_t queue_id,
                         std::int64_t next_offset, std::int64_t messages, std::int64_t bytes) {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  Shard::put(place.pulled, group, topic, queue_id, next_offset);
  if (messages == 0) return;
  auto counts = place.given.find(KeyView{topic, group});
  if (counts == place.given.end())
    counts = place.given.emplace(Key{std::string(topic), std::string(group)}, Shard::Counts{}).first;
  counts->second.messages += messages;
  counts->second.bytes += bytes;
}

std::vector<OffsetTable::Given> OffsetTable::given() const {
  std::vector<Given> all;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& [key, counts] : shards_[i].given)
      all.push_back({key.topic, key.group, counts.messages, counts.bytes});
  }
  return all;
}

std::optional<std::int64_t> OffsetTable::find_pulled(std::string_view group, std::string_view topic,
                                                     std::int32_t queue_id) const {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  return Shard::find(place.pulled, group, topic, queue_id);
}

void OffsetTable::set_reset(std::string_view group, std::string_view topic, std::int32_t queue_id,
                            std::int64_t offset) {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  Shard::put(place.reset, group, topic, queue_id, offset);
  Shard::put(place.committed, group, topic, queue_id, offset);
  place.commits.fetch_add(1, std::memory_order_relaxed);
}

std::optional<std::int64_t> OffsetTable::peek_reset(std::string_view group, std::string_view topic,
                                                    std::int32_t queue_id) const {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  if (place.reset.empty()) return std::nullopt;
  return Shard::find(place.reset, group, topic, queue_id);
}

std::optional<std::int64_t> OffsetTable::take_reset(std::string_view group, std::string_view topic,
                                                    std::int32_t queue_id) {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  if (place.reset.empty()) return std::nullopt;
  const auto queues = place.reset.find(KeyView{topic, group});
  if (queues == place.reset.end()) return std::nullopt;
  const auto offset = queues->second.find(queue_id);
  if (offset == queues->second.end()) return std::nullopt;
  const std::int64_t value = offset->second;
  queues->second.erase(offset);
  if (queues->second.empty()) place.reset.erase(queues);
  return value;
}

std::set<std::string> OffsetTable::topics_of(std::string_view group) const {
  std::set<std::string> topics;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& [key, queues] : shards_[i].committed) {
      if (key.group == group) topics.insert(key.topic);
    }
  }
  return topics;
}

std::set<std::string> OffsetTable::groups_of(std::string_view topic) const {
  std::set<std::string> groups;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& [key, queues] : shards_[i].committed) {
      if (key.topic == topic) groups.insert(key.group);
    }
  }
  return groups;
}

std::map<std::int32_t, std::int64_t> OffsetTable::all(std::string_view group, std::string_view topic) const {
  auto& place = shard(group, topic);
  const std::lock_guard lock(place.mutex);
  const auto queues = place.committed.find(KeyView{topic, group});
  return queues == place.committed.end() ? std::map<std::int32_t, std::int64_t>{} : queues->second;
}

void OffsetTable::clone(std::string_view from, std::string_view to, std::string_view topic) {
  auto offsets = all(from, topic);
  if (offsets.empty()) return;
  auto& place = shard(to, topic);
  const std::lock_guard lock(place.mutex);
  place.committed.insert_or_assign(Key{std::string(topic), std::string(to)}, std::move(offsets));
  place.commits.fetch_add(1, std::memory_order_relaxed);
}

std::map<std::string, std::map<std::int32_t, std::int64_t>> OffsetTable::of_topic(std::string_view topic) const {
  std::map<std::string, std::map<std::int32_t, std::int64_t>> groups;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& [key, queues] : shards_[i].committed) {
      if (key.topic == topic) groups[key.group] = queues;
    }
  }
  return groups;
}

void OffsetTable::remove_topic(std::string_view topic) {
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (auto* table : {&shards_[i].committed, &shards_[i].pulled, &shards_[i].reset}) {
      std::erase_if(*table, [&](const auto& entry) { return entry.first.topic == topic; });
    }
    std::erase_if(shards_[i].given, [&](const auto& entry) { return entry.first.topic == topic; });
    shards_[i].commits.fetch_add(1, std::memory_order_relaxed);
  }
}

void OffsetTable::remove_group(std::string_view group) {
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (auto* table : {&shards_[i].committed, &shards_[i].pulled, &shards_[i].reset}) {
      std::erase_if(*table, [&](const auto& entry) { return entry.first.group == group; });
    }
    std::erase_if(shards_[i].given, [&](const auto& entry) { return entry.first.group == group; });
    shards_[i].commits.fetch_add(1, std::memory_order_relaxed);
  }
}

std::map<std::pair<std::string, std::int32_t>, std::int64_t> OffsetTable::largest() const {
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> largest;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (const auto& [key, queues] : shards_[i].committed) {
      for (const auto& [queue_id, offset] : queues) {
        auto& most = largest[{key.topic, queue_id}];
        most = std::max(most, offset);
      }
    }
  }
  return largest;
}

std::int64_t OffsetTable::commits() const {
  std::int64_t commits = 0;
  for (std::size_t i = 0; i < kShards; ++i) commits += shards_[i].commits.load(std::memory_order_relaxed);
  return commits;
}

Json OffsetTable::to_json() const {
  auto committed = Json::object();
  auto pulled = Json::object();
  auto topics = Json::object();
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    const auto add = [](const Shard::Table& from, Json& to) {
      for (const auto& [key, queues] : from) {
        auto& offsets = to[key.topic + "@" + key.group];
        offsets = Json::object();
        for (const auto& [queue_id, offset] : queues) offsets[std::to_string(queue_id)] = offset;
      }
    };
    add(shards_[i].committed, committed);
    add(shards_[i].pulled, pulled);
    for (const auto& [key, queues] : shards_[i].committed) topics[key.group].push_back(key.topic);
  }
  const std::lock_guard lock(save_mutex_);
  return {{"dataVersion", broker::to_json(version_)},
          {"groupTopicMap", std::move(topics)},
          {"offsetTable", std::move(committed)},
          {"pullOffsetTable", std::move(pulled)}};
}

Status OffsetTable::save(std::int64_t now_ms) {
  const std::int64_t commits_now = commits();
  {
    const std::lock_guard lock(save_mutex_);
    if (commits_now == saved_commits_) return {};
    if (commits_now / kCommitsPerVersion != saved_commits_ / kCommitsPerVersion) version_.bump(now_ms);
  }
  auto json = to_json();
  {
    const std::lock_guard lock(save_mutex_);
    for (const auto& [name, value] : others_.items()) json.emplace(name, value);
  }
  const auto status = file_.save(protocol::write_pretty_json(json, {"offsetTable", "pullOffsetTable"}));
  const std::lock_guard lock(save_mutex_);
  if (status) saved_commits_ = commits_now;
  return status;
}

}  // namespace tern::broker
