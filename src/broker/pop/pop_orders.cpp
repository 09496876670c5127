#include "broker/pop/pop_orders.hpp"

#include <algorithm>
#include <charconv>

#include "broker/metadata_table.hpp"
#include "broker/pop/receipt.hpp"

namespace tern::broker {

using protocol::int_member;
using protocol::Json;

PopOrders::Message* PopOrders::Block::find(std::int64_t offset) {
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [offset](const Message& message) { return message.offset == offset; });
  return found == messages.end() ? nullptr : &*found;
}

void PopOrders::wait(const Key& key, Block& block) {
  by_free_.erase({block.free_ms, key});
  block.free_ms = 0;
  for (const auto& message : block.messages) {
    if (!message.is_acknowledged) block.free_ms = std::max(block.free_ms, message.visible_ms);
  }
  by_free_.emplace(block.free_ms, key);
  is_changed_ = true;
}

bool PopOrders::is_blocked(const PopQueueName& name, std::string_view attempt_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(key_of(name));
  if (found == blocks_.end()) return false;
  if (!attempt_id.empty() && found->second.attempt_id == attempt_id) return false;
  return clock_.steady_ms() < found->second.free_ms;
}

PopOrders::Handed PopOrders::hand_out(const PopQueueName& name, std::string_view attempt_id, std::int64_t pop_time,
                                      std::int64_t invisible_ms, const std::vector<std::int64_t>& offsets) {
  const std::lock_guard lock(mutex_);
  const auto key = key_of(name);
  auto& block = blocks_[key];
  by_free_.erase({block.free_ms, key});
  auto before = std::exchange(block, {});
  const bool is_same_attempt = !attempt_id.empty() && before.attempt_id == attempt_id;
  block.attempt_id = attempt_id;
  block.pop_time = pop_time;
  block.invisible_ms = invisible_ms;
  block.handed_wall = clock_.wall_ms();
  Handed handed;
  for (const auto offset : offsets) {
    if (block.messages.size() == kCheckpointMessagesMax) break;
    Message message{offset, false, 0, clock_.steady_ms() + invisible_ms, 0};
    if (const auto* known = before.find(offset)) {
      message.is_acknowledged = known->is_acknowledged;
      message.attempts = known->attempts + (is_same_attempt ? 0 : 1);
    }
    if (!message.is_acknowledged) {
      handed.offsets.push_back(offset);
      if (message.attempts > 0) handed.attempts[offset] = message.attempts;
    }
    block.messages.push_back(message);
  }
  wait(key, block);
  return handed;
}

std::optional<std::int64_t> PopOrders::acknowledge(const PopQueueName& name, std::int64_t offset,
                                                   std::int64_t pop_time) {
  const std::lock_guard lock(mutex_);
  const auto key = key_of(name);
  const auto found = blocks_.find(key);
  if (found == blocks_.end() || found->second.pop_time != pop_time) return std::nullopt;
  auto& block = found->second;
  auto* const message = block.find(offset);
  if (message == nullptr) return std::nullopt;
  message->is_acknowledged = true;
  for (const auto& one : block.messages) {
    if (one.is_acknowledged) continue;
    wait(key, block);
    return one.offset;
  }
  const std::int64_t next = block.messages.back().offset + 1;
  by_free_.erase({block.free_ms, key});
  blocks_.erase(found);
  is_changed_ = true;
  return next;
}

bool PopOrders::change(const PopQueueName& name, std::int64_t offset, std::int64_t pop_time,
                       std::int64_t invisible_ms) {
  const std::lock_guard lock(mutex_);
  const auto key = key_of(name);
  const auto found = blocks_.find(key);
  if (found == blocks_.end() || found->second.pop_time != pop_time) return false;
  auto* const message = found->second.find(offset);
  if (message == nullptr || message->is_acknowledged) return false;
  message->visible_ms = clock_.steady_ms() + invisible_ms;
  message->visible_wall = clock_.wall_ms() + invisible_ms;
  wait(key, found->second);
  return true;
}

std::vector<std::pair<std::string, std::string>> PopOrders::take_free() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::string>> free;
  const std::int64_t now = clock_.steady_ms();
  while (!by_free_.empty() && by_free_.begin()->first <= now) {
    const auto& [topic, group, queue_id] = by_free_.begin()->second;
    free.emplace_back(group, topic);
    by_free_.erase(by_free_.begin());
  }
  return free;
}

std::optional<std::int64_t> PopOrders::next_free() const {
  const std::lock_guard lock(mutex_);
  if (by_free_.empty()) return std::nullopt;
  return std::max<std::int64_t>(by_free_.begin()->first - clock_.steady_ms(), 0);
}

void PopOrders::remove_topic(std::string_view topic) {
  const std::lock_guard lock(mutex_);
  const auto is_of_topic = [&](const Key& key) { return std::get<0>(key) == topic; };
  is_changed_ |= std::erase_if(blocks_, [&](const auto& entry) { return is_of_topic(entry.first); }) > 0;
  std::erase_if(by_free_, [&](const auto& entry) { return is_of_topic(entry.second); });
}

void PopOrders::forget(const PopQueueName& name) {
  const std::lock_guard lock(mutex_);
  const auto key = key_of(name);
  const auto found = blocks_.find(key);
  if (found == blocks_.end()) return;
  by_free_.erase({found->second.free_ms, key});
  blocks_.erase(found);
  is_changed_ = true;
}

// ---- the file

void PopOrders::read(const std::string& topic, const std::string& group, std::int32_t queue_id, const Json& json) {
  const auto* offsets = protocol::array_member(json, "o");
  if (offsets == nullptr || offsets->empty()) return;
  const Json none = Json::object();
  const auto map_of = [&](std::string_view name) -> const Json& {
    const auto* map = protocol::object_member(json, name);
    return map == nullptr ? none : *map;
  };
  Block block;
  block.attempt_id = protocol::string_member(json, "a");
  constexpr std::int64_t kLargest = INT64_MAX / 4;  // of times and offsets
  block.pop_time = std::clamp<std::int64_t>(int_member(json, "popTime"), 0, kLargest);
  block.invisible_ms = std::clamp<std::int64_t>(int_member(json, "i"), 0, kInvisibleMsMax);
  block.handed_wall = int_member(json, "l");
  const auto acknowledged = static_cast<std::uint64_t>(int_member(json, "cm"));
  const std::int64_t now = clock_.wall_ms();
  std::int64_t first = 0;
  for (std::size_t i = 0; i < std::min(offsets->size(), kCheckpointMessagesMax); ++i) {
    if (!(*offsets)[i].is_number_integer()) return;
    const auto number = (*offsets)[i].get<std::int64_t>();
    if (number < 0 || number > kLargest) return;
    if (i == 0) first = number;
    Message message;
    message.offset = i == 0 ? number : first + number;
    const auto name = std::to_string(message.offset);
    message.is_acknowledged = (acknowledged >> i & 1) != 0;
    message.attempts = static_cast<int>(std::clamp<std::int64_t>(int_member(map_of("oc"), name), 0, INT32_MAX - 1));
    message.visible_wall = int_member(map_of("ot"), name);
    // By the wall clock, which may have gone back meanwhile: never later than the longest time there is.
    const std::int64_t passed_ms = std::clamp<std::int64_t>(now - block.pop_time, 0, kInvisibleMsMax);
    const std::int64_t left_ms = message.visible_wall > 0
                                     ? std::clamp<std::int64_t>(message.visible_wall, now, now + kInvisibleMsMax) - now
                                     : std::max<std::int64_t>(block.invisible_ms - passed_ms, 0);
    message.visible_ms = clock_.steady_ms() + left_ms;
    block.messages.push_back(message);
  }
  const Key key{topic, group, queue_id};
  wait(key, blocks_[key] = std::move(block));
}

std::optional<std::string> PopOrders::load() {
  return load_table(file_, "table", false, [&](const Json* json) {
    if (json == nullptr) return;
    const std::lock_guard lock(mutex_);
    others_ = members_besides(*json, {"table", "orderInfoCount"});
    for (const auto& [name, queues] : protocol::object_member(*json, "table")->items()) {
      const auto split = name.find('@');
      if (split == std::string::npos || !queues.is_object()) continue;
      for (const auto& [queue, value] : queues.items()) {
        std::int32_t queue_id = -1;
        const auto [end, error] = std::from_chars(queue.data(), queue.data() + queue.size(), queue_id);
        const bool is_number = error == std::errc{} && end == queue.data() + queue.size();
        if (is_number && queue_id >= 0 && value.is_object())
          read(name.substr(0, split), name.substr(split + 1), queue_id, value);
      }
    }
    is_changed_ = false;
  });
}

Json PopOrders::to_json_locked() const {
  auto table = Json::object();
  for (const auto& [key, block] : blocks_) {
    const auto& [topic, group, queue_id] = key;
    auto offsets = Json::array();
    auto attempts = Json::object();
    auto visible = Json::object();
    std::uint64_t acknowledged = 0;
    for (std::size_t i = 0; i < block.messages.size(); ++i) {
      const auto& message = block.messages[i];
      offsets.push_back(i == 0 ? message.offset : message.offset - block.messages[0].offset);
      if (message.is_acknowledged) acknowledged |= std::uint64_t{1} << i;
      if (message.attempts > 0) attempts[std::to_string(message.offset)] = message.attempts;
      if (message.visible_wall > 0) visible[std::to_string(message.offset)] = message.visible_wall;
    }
    Json entry = {{"cm", acknowledged},       {"i", block.invisible_ms},   {"l", block.handed_wall},
                  {"o", std::move(offsets)},  {"oc", std::move(attempts)}, {"ot", std::move(visible)},
                  {"popTime", block.pop_time}};
    if (!block.attempt_id.empty()) entry["a"] = block.attempt_id;
    table[topic + "@" + group][std::to_string(queue_id)] = std::move(entry);
  }
  return {{"table", std::move(table)}};
}

Status PopOrders::save() {
  Json json;
  {
    const std::lock_guard lock(mutex_);
    if (!is_changed_) return {};
    is_changed_ = false;
    json = to_json_locked();
    for (const auto& [name, value] : others_.items()) json.emplace(name, value);
  }
  auto status = file_.save(protocol::write_pretty_json(json, {"table", "oc", "ot"}));
  if (!status) {
    const std::lock_guard lock(mutex_);
    is_changed_ = true;
  }
  return status;
}

}  // namespace tern::broker
