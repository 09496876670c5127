#include "store/put/put_table.hpp"

#include <algorithm>

#include "store/put/locked_strategy.hpp"

namespace tern::store {
namespace {

const PutRow kRows[] = {
    {"mutex", &locked<make_mutex_lock>, "parks at once; long critical sections, few surprises"},
};

}  // namespace

const std::span<const PutRow> kPutStrategies = kRows;

const PutRow* find_put_strategy(std::string_view name) {
  const auto* const found = std::ranges::find(kRows, name, &PutRow::name);
  return found == std::ranges::end(kRows) ? nullptr : found;
}

}  // namespace tern::store
