#pragma once
#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

protocol::Response query_consumer_offset(const remoting::Request& request, OffsetTable& offsets, store::Store& store);
protocol::Response update_consumer_offset(const remoting::Request& request, OffsetTable& offsets, GroupTable& groups,
                                          TopicTable& topics);
protocol::Response clone_offset(const remoting::Request& request, OffsetTable& offsets, TopicTable& topics,
                                ClientRegistry& clients);
protocol::Response query_correction_offset(const remoting::Request& request, OffsetTable& offsets, store::Store& store);
protocol::Response get_max_offset(const remoting::Request& request, store::Store& store);
protocol::Response get_min_offset(const remoting::Request& request, store::Store& store);
void search_offset_by_time(const remoting::Request& request, remoting::Reply reply, store::Store& store,
                           WorkQueue& blocking);
void get_earliest_store_time(const remoting::Request& request, remoting::Reply reply, store::Store& store,
                             WorkQueue& blocking);

}  // namespace tern::broker
