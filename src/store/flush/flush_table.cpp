#include "store/flush/flush_table.hpp"

#include <algorithm>

namespace tern::store {
namespace {

const FlushRow kRows[] = {
    {"ASYNC_FLUSH", &make_async_flush, "acknowledged once it is in the log; synced every flushIntervalCommitLog"},
    {"SYNC_FLUSH", &make_sync_flush, "acknowledged once it is on disk; one sync serves all who wait"},
};

}  // namespace

const std::span<const FlushRow> kFlushPolicies = kRows;

const FlushRow* find_flush_policy(std::string_view name) {
  const auto* const found = std::ranges::find(kRows, name, &FlushRow::name);
  return found == std::ranges::end(kRows) ? nullptr : found;
}

}  // namespace tern::store
