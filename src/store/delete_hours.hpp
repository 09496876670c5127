#pragma once
// The hours of deleteWhen.

#include <optional>
#include <set>
#include <string_view>

namespace tern::store {

/// "04", "4;16": local hours from 0 to 23, ';' between, or none; nullopt if it is anything else.
[[nodiscard]] std::optional<std::set<int>> parse_delete_hours(std::string_view text);

}  // namespace tern::store
