#include "broker/timer/timer_metrics.hpp"

#include <algorithm>

namespace tern::broker {

void TimerMetrics::add(std::string_view topic, std::int64_t count, std::int64_t now_ms) {
  auto found = counts_.find(topic);
  if (found == counts_.end()) {
    if (counts_.size() >= kTopicsMax) return;
    found = counts_.emplace(std::string(topic), Count{}).first;
  }
  found->second.count = std::max<std::int64_t>(0, found->second.count + count);
  found->second.at_ms = now_ms;
}

std::int64_t TimerMetrics::count(std::string_view topic) const {
  const auto found = counts_.find(topic);
  return found == counts_.end() ? 0 : found->second.count;
}

protocol::Json TimerMetrics::to_json() const {
  auto counts = protocol::Json::object();
  for (const auto& [topic, count] : counts_) counts[topic] = {{"count", count.count}, {"timeStamp", count.at_ms}};
  return {{"dataVersion", broker::to_json(version_)}, {"timingCount", std::move(counts)}};
}

void TimerMetrics::from_json(const protocol::Json& json) {
  if (const auto* version = protocol::object_member(json, "dataVersion")) version_ = data_version_from_json(*version);
  const auto* const counts = protocol::object_member(json, "timingCount");
  if (counts == nullptr) return;
  for (const auto& [topic, value] : counts->items()) {
    if (!value.is_object() || counts_.size() >= kTopicsMax) continue;
    counts_[topic] = {std::max<std::int64_t>(0, protocol::int_member(value, "count")),
                      protocol::int_member(value, "timeStamp")};
  }
}

}  // namespace tern::broker
