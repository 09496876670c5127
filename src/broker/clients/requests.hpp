#pragma once
#include "tern/remoting/request.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

protocol::Response heart_beat(const remoting::Request& request, ClientRegistry& clients, GroupTable& groups,
                              TopicTable& topics, BrokerOptions& options, Clock& clock);
protocol::Response unregister_client(const remoting::Request& request, ClientRegistry& clients, GroupTable& groups,
                                     BrokerOptions& options);
protocol::Response get_consumer_list(const remoting::Request& request, ClientRegistry& clients);

/// NOTIFY_CONSUMER_IDS_CHANGED (40) to every member: they rebalance at once.
void notify_members(const ClientRegistry& clients, std::string_view group);

}  // namespace tern::broker
