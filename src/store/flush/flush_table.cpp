#include "store/flush/flush_table.hpp"

#include <algorithm>

namespace tern::store {
namespace {

constexpr std::string_view kAsync = "ASYNC_FLUSH";
constexpr std::string_view kRealTime = "ASYNC_FLUSH_REAL_TIME";

const FlushRow kRows[] = {
    {kAsync, &make_async_flush, "acknowledged once it is in the log; synced every flushIntervalCommitLog"},
    {kRealTime, &make_real_time_flush, "acknowledged once it is in the log; synced as soon as enough is pending"},
    {"SYNC_FLUSH", &make_sync_flush, "acknowledged once it is on disk; one sync serves all who wait"},
};

}  // namespace

const std::span<const FlushRow> kFlushPolicies = kRows;

const FlushRow* find_flush_policy(std::string_view name) {
  const auto* const found = std::ranges::find(kRows, name, &FlushRow::name);
  return found == std::ranges::end(kRows) ? nullptr : found;
}

std::string_view chosen_flush_policy(const LogOptions& options) {
  return options.flush_policy == kAsync && !options.flush_timed ? kRealTime : std::string_view(options.flush_policy);
}

}  // namespace tern::store
