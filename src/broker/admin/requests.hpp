#pragma once
#include "tern/base/runtime_config.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/admin/broker_status.hpp"
#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/schedule/delayed_delivery.hpp"
#include "broker/statistics/statistics.hpp"
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
                       Statistics& statistics, WorkQueue& blocking);
protocol::Response query_topic_consumers(const remoting::Request& request, ClientRegistry& clients,
                                         OffsetTable& offsets);
protocol::Response query_topics_of_consumer(const remoting::Request& request, OffsetTable& offsets,
                                            BrokerIdentity& identity);

protocol::Response get_all_producers(const remoting::Request& request, ClientRegistry& clients, Clock& clock);
protocol::Response query_subscription(const remoting::Request& request, ClientRegistry& clients);
[[nodiscard]] protocol::Json to_json(const Subscription& subscription);
void query_consume_time_span(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                             OffsetTable& offsets, store::Store& store, BrokerIdentity& identity, Clock& clock,
                             WorkQueue& blocking);
void get_broker_consume_stats(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                              GroupTable& groups, OffsetTable& offsets, ClientRegistry& clients, store::Store& store,
                              BrokerIdentity& identity, Statistics& statistics, WorkQueue& blocking);
void query_consume_queue(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                         store::Store& store, WorkQueue& blocking);
void get_all_consumer_offsets(const remoting::Request& request, remoting::Reply reply, OffsetTable& offsets,
                              WorkQueue& blocking);
void get_all_delay_offsets(const remoting::Request& request, remoting::Reply reply, DelayedDelivery& delayed,
                           WorkQueue& blocking);
protocol::Response delete_expired_log(const remoting::Request& request, store::Store& store);
protocol::Response clean_expired_queues(const remoting::Request& request, store::Store& store);
void clean_unused_topics(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                         store::Store& store, WorkQueue& blocking);

}  // namespace tern::broker
