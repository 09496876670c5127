#pragma once
#include "tern/store/store.hpp"

#include "broker/offsets/offset_table.hpp"
#include "broker/pull/pull_message.hpp"
#include "broker/statistics/statistics.hpp"

namespace tern::broker {

/// What the broker counts. Messages of a topic are told by where its queues end; those of a group by what pulls gave.
[[nodiscard]] std::vector<Statistics::Reading> read_counters(store::Store& store, const OffsetTable& offsets,
                                                             const PullCounters& pulls, std::string_view cluster);

}  // namespace tern::broker
