#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tern::store {

/// What is wrong with the content of an identity file, with its line.
[[nodiscard]] std::optional<std::string> identity_problem(std::string_view text);

}  // namespace tern::store
