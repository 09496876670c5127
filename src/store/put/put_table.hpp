#pragma once
// The put strategies that `putMessageLock` may name: one row each.

#include <memory>
#include <span>
#include <string_view>

#include "tern/store/put_strategy.hpp"

namespace tern::store {

struct PutRow {
  std::string_view name;
  std::unique_ptr<PutStrategy> (*make)(std::string_view name, LogTail& tail);
  std::string_view meaning;
};
extern const std::span<const PutRow> kPutStrategies;
/// nullptr: no such name.
[[nodiscard]] const PutRow* find_put_strategy(std::string_view name);

}  // namespace tern::store
