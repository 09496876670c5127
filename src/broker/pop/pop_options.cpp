#include "broker/pop/pop_options.hpp"

#include <climits>

namespace tern::broker {

std::span<const OptionRow<PopOptions>> pop_option_rows() {
  using O = PopOptions;
  static const OptionRow<O> kRows[] = {
      {"reviveQueueNum", &O::revive_queues, "8", range(1, 128),
       "Queues of the topic that holds checkpoints and acknowledgements of POP."},
      {"reviveInterval", &O::revive_interval_ms, "1000", range(1, 3'600'000),
       "Milliseconds between looks for messages whose invisible time has passed, at most."},
      {"popCkMaxBufferSize", &O::open_max, "200000", range(1, 10'000'000),
       "Most checkpoints, of up to 32 messages of one queue each, that may wait for acknowledgements at a time; beyond "
       "it pops are answered SYSTEM_BUSY."},
      {"popPollingSize", &O::parked_per_key_max, "1024", range(0, INT_MAX),
       "Most pops of one group and topic, and of one queue or of all, that may wait for messages at a time."},
      {"maxPopPollingSize", &O::parked_max, "100000", range(0, INT_MAX),
       "Most pops that may wait for messages at a time."},
      {"popFromRetryProbability", &O::from_retry_percent, "20", range(0, 100),
       "How many pops of a hundred look at the messages to be retried first; the others look at them last."},
      {"popFromRetryProbabilityForPriority", &O::from_retry_percent_by_priority, "0", range(0, 100),
       "The same for pops that go by priority."},
      {"priorityOrderAsc", &O::highest_queue_first, "true", anything(),
       "Whether a pop that goes by priority, of a topic with message.type=PRIORITY, takes from the queue with the "
       "highest number first; false: from queue 0. A group's attribute priority.factor says how many pops of a "
       "hundred do so."},
      {"useSeparateRetryQueue", &O::has_retry_queues, "false", anything(),
       "Whether messages that come again to a pop stand in a retry queue of the number of the queue that they came "
       "from, and so keep their priority; false: all in queue 0."},
      {"enableRetryTopicV2", &O::retries_to_v2, "false", anything(),
       "Whether messages that come again stand in %RETRY%group+topic, not in %RETRY%group_topic. Pops read both."},
      {"initPopOffsetByCheckMsgInMem", &O::starts_at_zero_in_memory, "true", anything(),
       "Whether a new group that wants to start at the end starts at 0 if a queue's first message is young."},
      {"popResponseReturnActualRetryTopic", &O::names_retry_topic, "false", anything(),
       "Whether messages that come again carry the name of their retry topic, not of the topic that was asked for."},
      {"enablePopMessageThreshold", &O::limits_inflight, "false", anything(),
       "Whether popInflightMessageThreshold counts."},
      {"popInflightMessageThreshold", &O::inflight_max, "10000", range(1, 1'000'000'000),
       "Messages of a queue that a group has not acknowledged, at which it gets no more of that queue."},
  };
  return kRows;
}

}  // namespace tern::broker
