#pragma once
// The put strategies that `putMessageLock` may name: one row each.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tern/base/clock.hpp"
#include "tern/store/put_strategy.hpp"

#include "store/put/tail_owner.hpp"

namespace tern::store {

/// What a strategy is made with. The clock must outlive it.
struct PutSettings {
  const Clock& clock;
  int spin_limit = 1000;            // k: spinLockCollisionRetreatOptimalDegree
  bool spin_limit_was_set = false;  // by the settings file: then an adaptive lock takes it literally
};

struct PutRow {
  std::string_view name;
  /// `name` (the row's), `tail`, `owner` and the clock must outlive it.
  std::unique_ptr<PutStrategy> (*make)(std::string_view name, LogTail& tail, TailOwner& owner,
                                       const PutSettings& settings);
  /// The lock inside, for who wants to test or measure it alone; nullptr if there is none.
  std::unique_ptr<AppendLock> (*make_lock)(const PutSettings& settings);
  std::string_view meaning;
};
extern const std::span<const PutRow> kPutStrategies;
/// nullptr: no such name.
[[nodiscard]] const PutRow* find_put_strategy(std::string_view name);
/// For people: "mutex, spin, ...".
[[nodiscard]] std::string put_strategy_names();

}  // namespace tern::store
