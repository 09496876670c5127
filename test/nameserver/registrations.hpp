#pragma once
// Brokers as the tests make them up: cluster "c", topics with four queues that may be read and written.

#include <initializer_list>
#include <string>

#include "nameserver/route_table.hpp"

namespace tern::test {

inline nameserver::QueueData four_queues(std::int32_t perm = 6) {
  return {4, 4, perm, 0};
}

inline nameserver::Registration registration(const std::string& broker, std::int64_t id, const std::string& address,
                                             std::initializer_list<std::string> topics, std::int64_t counter = 1) {
  nameserver::Registration made;
  made.name = {"c", broker, address, id};
  made.ha_address = address + "/ha";
  made.topics.version = {0, 1000, counter};
  for (const auto& topic : topics) made.topics.queues.emplace_back(topic, four_queues());
  return made;
}

inline nameserver::Registration with_acting_master(nameserver::Registration made) {
  made.enable_acting_master = true;
  return made;
}

/// Options with their defaults.
struct DefaultOptions {
  DefaultOptions() { settings.add("Nameserver", nameserver::nameserver_option_rows(), options); }
  nameserver::NameserverOptions options;
  OptionSet settings;
};

}  // namespace tern::test
