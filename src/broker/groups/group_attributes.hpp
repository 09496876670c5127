#pragma once
#include <optional>
#include <string>

#include "broker/groups/group_table.hpp"

namespace tern::broker {

/// Of a hundred pops of a PRIORITY topic, how many go by it: the attribute priority.factor, 100 if there is none.
[[nodiscard]] int priority_percent(const GroupConfig& group);

/// A request's group comes with changes of its attributes: they become what the group then has. The text names the one
/// that is wrong, in Apache's words. `known`: the group as it is, or nullptr.
std::optional<std::string> change_attributes(const GroupConfig* known, GroupConfig& group);

}  // namespace tern::broker
