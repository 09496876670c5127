#pragma once
#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/offsets/offset_table.hpp"
#include "broker/pop/pop.hpp"
#include "broker/pull/pull_hold.hpp"
#include "broker/registration/nameserver_registration.hpp"
#include "broker/statistics/statistics.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

void update_topic(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                  NameserverRegistration& registration);
void update_topic_list(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                       NameserverRegistration& registration);
void delete_topic(const remoting::Request& request, remoting::Reply reply, TopicTable& topics, OffsetTable& offsets,
                  store::Store& store, PullHold& hold, Pop& pop, WorkQueue& blocking);
protocol::Response get_topic_config(const remoting::Request& request, TopicTable& topics);
protocol::Response get_all_topic_config(const remoting::Request& request, TopicTable& topics);
void get_topic_stats(const remoting::Request& request, remoting::Reply reply, TopicTable& topics, store::Store& store,
                     BrokerIdentity& identity, Statistics& statistics, WorkQueue& blocking);
protocol::Response get_system_topics(const remoting::Request& request, TopicTable& topics, BrokerIdentity& identity);

}  // namespace tern::broker
