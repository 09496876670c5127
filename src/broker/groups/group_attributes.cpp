#include "broker/groups/group_attributes.hpp"

#include <algorithm>
#include <charconv>

#include "broker/attributes.hpp"

namespace tern::broker {
namespace {

using Kind = AttributeRow::Kind;
constexpr std::string_view kPriorityFactor = "priority.factor";
constexpr int kPercentMax = 100;
constexpr AttributeRow kRows[] = {
    {kPriorityFactor, Kind::kNumber, true, {}, 0, kPercentMax},
    // Kept for whoever serves light topics.
    {"lite.bind.topic", Kind::kText},
    {"lite.sub.model", Kind::kWords, true, "Shared|Exclusive"},
    {"lite.sub.reset.offset.exclusive", Kind::kWords, true, "true|false"},
    {"lite.sub.reset.offset.unsubscribe", Kind::kWords, true, "true|false"},
    {"lite.sub.client.quota", Kind::kNumber},
    {"lite.sub.client.max.event.cnt", Kind::kNumber, true, {}, 10},
    {"lite.sub.wildcard", Kind::kText},
};

}  // namespace

int priority_percent(const GroupConfig& group) {
  const auto* attributes = protocol::object_member(group.others, "attributes");
  if (attributes == nullptr) return kPercentMax;
  const auto text = protocol::string_member(*attributes, kPriorityFactor);
  int percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  return error == std::errc{} && end == text.data() + text.size() ? std::clamp(percent, 0, kPercentMax) : kPercentMax;
}

std::optional<std::string> change_attributes(const GroupConfig* known, GroupConfig& group) {
  std::map<std::string, std::string> attributes;
  if (const auto* old = known != nullptr ? protocol::object_member(known->others, "attributes") : nullptr) {
    for (const auto& [key, value] : old->items()) attributes[key] = protocol::string_member(*old, key);
  }
  AttributeChanges changes;
  if (const auto* asked = protocol::object_member(group.others, "attributes")) {
    for (const auto& [key, value] : asked->items()) changes.emplace_back(key, protocol::string_member(*asked, key));
  }
  if (auto problem = alter_attributes(kRows, changes, known == nullptr, attributes)) return problem;
  group.others["attributes"] = attributes;
  return std::nullopt;
}

}  // namespace tern::broker
