#pragma once
// What the parts of server-side assignment share.

#include <functional>
#include <optional>
#include <string>

#include "broker/assignment/allocation.hpp"
#include "broker/assignment/assignment_options.hpp"
#include "broker/assignment/request_modes.hpp"
#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// Finds the queues of a topic that can be read, on all brokers; `done` runs exactly once, on any thread, perhaps at
/// once: with nullopt if the topic has no route, or nobody can be asked.
using FindQueues =
    std::function<void(const std::string& topic, std::function<void(std::optional<AssignedQueues>)> done)>;

/// Constant after construction, but for the modes, which have their own lock.
struct Assignments {
  const AssignmentOptions& options;
  ClientRegistry& clients;
  TopicTable& topics;
  GroupTable& groups;
  RequestModes& modes;
  FindQueues find_queues;
};

/// The readable queues in the body of a route.
[[nodiscard]] std::optional<AssignedQueues> queues_in_route(const std::string& topic, std::string_view body);

}  // namespace tern::broker
