#include "store/put/put_table.hpp"

#include <algorithm>

#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

const PutRow kRows[] = {
    {"mutex", &locked<make_mutex_lock>, &make_mutex_lock, "sleeps at once; long critical sections, few surprises"},
    {"spin", &locked<make_spin_lock>, &make_spin_lock, "never yields; only with fewer threads than processors"},
    {"kBackoff", &locked<make_k_backoff_lock>, &make_k_backoff_lock, "spins k times, then yields"},
    {"parking", &locked<make_parking_lock>, &make_parking_lock, "spins briefly, then sleeps"},
    {"abs", &locked<make_abs_lock>, &make_abs_lock, "adapts k to the load, and sleeps where spinning does not pay"},
    {"reserve", &make_reserve, nullptr, "places in a few instructions, copies in parallel, publishes in order"},
};

}  // namespace

const std::span<const PutRow> kPutStrategies = kRows;

const PutRow* find_put_strategy(std::string_view name) {
  const auto* const found = std::ranges::find(kRows, name, &PutRow::name);
  return found == std::ranges::end(kRows) ? nullptr : found;
}

std::string put_strategy_names() {
  std::string names;
  for (const auto& row : kRows) names.append(names.empty() ? "" : ", ").append(row.name);
  return names;
}

}  // namespace tern::store
