#include "broker/assignment/request_modes.hpp"

#include <algorithm>

#include <climits>

#include "broker/metadata_table.hpp"

namespace tern::broker {

using protocol::Json;

std::optional<std::string> RequestModes::load() {
  return load_table(file_, "messageRequestModeMap", false, [&](const Json* json) {
    if (json == nullptr) return;
    const std::lock_guard lock(mutex_);
    others_ = members_besides(*json, {"messageRequestModeMap"});
    for (const auto& [topic, groups] : protocol::object_member(*json, "messageRequestModeMap")->items()) {
      if (!groups.is_object()) continue;
      for (const auto& [group, value] : groups.items()) {
        const auto shares = std::clamp<std::int64_t>(protocol::int_member(value, "popShareQueueNum"), INT_MIN, INT_MAX);
        modes_[topic][group] = {protocol::string_member(value, "mode") == "POP", static_cast<int>(shares)};
      }
    }
  });
}

std::optional<RequestModes::Mode> RequestModes::find(std::string_view topic, std::string_view group) const {
  const std::lock_guard lock(mutex_);
  const auto groups = modes_.find(topic);
  if (groups == modes_.end()) return std::nullopt;
  const auto mode = groups->second.find(group);
  return mode == groups->second.end() ? std::nullopt : std::optional(mode->second);
}

void RequestModes::set(const std::string& topic, const std::string& group, Mode mode, TableSave::Saved saved) {
  {
    const std::lock_guard lock(mutex_);
    modes_[topic][group] = mode;
  }
  saves_.request(std::move(saved));
}

Json RequestModes::to_json() const {
  const std::lock_guard lock(mutex_);
  auto table = Json::object();
  for (const auto& [topic, groups] : modes_) {
    for (const auto& [group, mode] : groups) {
      table[topic][group] = {{"consumerGroup", group},
                             {"mode", mode.is_pop ? "POP" : "PULL"},
                             {"popShareQueueNum", mode.shares},
                             {"topic", topic}};
    }
  }
  return {{"messageRequestModeMap", std::move(table)}};
}

Status RequestModes::save() {
  auto json = to_json();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, value] : others_.items()) json.emplace(name, value);
  }
  return file_.save(protocol::write_pretty_json(json));
}

}  // namespace tern::broker
