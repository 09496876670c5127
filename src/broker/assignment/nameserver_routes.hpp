#pragma once
#include "broker/assignment/assignments.hpp"
#include "broker/identity.hpp"
#include "broker/registration/nameserver_registration.hpp"

namespace tern::broker {

/// Asks the nameservers each time: a route that is remembered here would be older than the clients' own. A broker that
/// has no nameservers answers for its own queues.
[[nodiscard]] FindQueues nameserver_routes(NameserverRegistration& nameservers, TopicTable& topics,
                                           const BrokerIdentity& identity);

}  // namespace tern::broker
