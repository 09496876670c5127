#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// Applies "+key=value,-key" of a create or update request to `attributes`. The text names the entry that is wrong, in
/// Apache's words. `is_new`: only '+' entries, and immutable keys may be set.
std::optional<std::string> change_attributes(std::string_view changes, bool is_new,
                                             std::map<std::string, std::string>& attributes);

}  // namespace tern::broker
