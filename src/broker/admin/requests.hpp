#pragma once
#include "tern/base/runtime_config.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/admin/broker_status.hpp"
#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

class NameserverRegistration;

void get_runtime_info(const remoting::Request& request, remoting::Reply reply, BrokerStatus& status,
                      WorkQueue& blocking);
void get_broker_config(const remoting::Request& request, remoting::Reply reply, RuntimeConfig& settings,
                       TopicTable& topics, WorkQueue& blocking);
void update_broker_config(const remoting::Request& request, remoting::Reply reply, RuntimeConfig& settings,
                          BrokerOptions& options, TopicTable& topics, NameserverRegistration& registration,
                          store::Store& store, WorkQueue& blocking);
protocol::Response get_consumer_connections(const remoting::Request& request, ClientRegistry& clients);
protocol::Response get_producer_connections(const remoting::Request& request, ClientRegistry& clients);
void get_consume_stats(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                       OffsetTable& offsets, ClientRegistry& clients, store::Store& store, BrokerIdentity& identity,
                       WorkQueue& blocking);
protocol::Response query_topic_consumers(const remoting::Request& request, ClientRegistry& clients,
                                         OffsetTable& offsets);
protocol::Response query_topics_of_consumer(const remoting::Request& request, OffsetTable& offsets,
                                            BrokerIdentity& identity);

}  // namespace tern::broker
