#pragma once
// Which consumer of a group gets which queues: what clients compute for themselves, computed once for all. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::broker {

struct AssignedQueue {
  std::string topic;
  std::string broker;
  std::int32_t queue_id = 0;  // -1: all of the broker's
  friend auto operator<=>(const AssignedQueue&, const AssignedQueue&) = default;
};
using AssignedQueues = std::vector<AssignedQueue>;

/// By the strategies that Apache's brokers know: AVG and AVG_BY_CIRCLE. Queues and clients must be sorted. Nothing for
/// a client that is none of them; nullopt: the strategy is not known.
[[nodiscard]] std::optional<AssignedQueues> allocate(std::string_view strategy, std::string_view client,
                                                     const AssignedQueues& queues,
                                                     const std::vector<std::string>& clients);
/// The same for POP, where several clients may have a queue: each has the shares of the next `shares` clients too. All
/// queues of each broker, if that is none or all others.
[[nodiscard]] std::optional<AssignedQueues> allocate_pop(std::string_view strategy, std::string_view client,
                                                         const AssignedQueues& queues,
                                                         const std::vector<std::string>& clients, int shares);

}  // namespace tern::broker
