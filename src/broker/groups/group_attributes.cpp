#include "broker/groups/group_attributes.hpp"

#include "broker/attributes.hpp"

namespace tern::broker {
namespace {

using Kind = AttributeRow::Kind;
constexpr AttributeRow kRows[] = {
    {"priority.factor", Kind::kNumber, true, {}, 0, 100},
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
