#pragma once
// The settings of POP consumption.

#include <cstdint>
#include <span>

#include "tern/base/options.hpp"

namespace tern::broker {

struct PopOptions {
  int revive_queues = 8;                          // reviveQueueNum
  Live<std::int64_t> revive_interval_ms = 1'000;  // reviveInterval
  Live<int> open_max = 200'000;                   // popCkMaxBufferSize: checkpoints in memory
  Live<int> parked_per_key_max = 1'024;           // popPollingSize
  Live<std::int64_t> parked_max = 100'000;        // maxPopPollingSize
  Live<int> from_retry_percent = 20;              // popFromRetryProbability
  Live<int> from_retry_percent_by_priority = 0;   // popFromRetryProbabilityForPriority
  Live<bool> highest_queue_first = true;          // priorityOrderAsc
  Live<bool> has_retry_queues = false;            // useSeparateRetryQueue
  Live<bool> retries_to_v2 = false;               // enableRetryTopicV2
  Live<bool> starts_at_zero_in_memory = true;     // initPopOffsetByCheckMsgInMem
  Live<bool> names_retry_topic = false;           // popResponseReturnActualRetryTopic
  Live<bool> limits_inflight = false;             // enablePopMessageThreshold
  Live<std::int64_t> inflight_max = 10'000;       // popInflightMessageThreshold
};
std::span<const OptionRow<PopOptions>> pop_option_rows();

}  // namespace tern::broker
