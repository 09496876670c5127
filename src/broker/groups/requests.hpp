#pragma once
#include "tern/remoting/request.hpp"

#include "broker/groups/group_table.hpp"
#include "broker/locks/queue_locks.hpp"
#include "broker/offsets/offset_table.hpp"

namespace tern::broker {

void update_group(const remoting::Request& request, remoting::Reply reply, GroupTable& groups);
void delete_group(const remoting::Request& request, remoting::Reply reply, GroupTable& groups, OffsetTable& offsets,
                  QueueLocks& locks);
void update_group_list(const remoting::Request& request, remoting::Reply reply, GroupTable& groups);
void update_group_forbidden(const remoting::Request& request, remoting::Reply reply, GroupTable& groups);
protocol::Response get_group_config(const remoting::Request& request, GroupTable& groups);
protocol::Response get_all_group_config(const remoting::Request& request, GroupTable& groups);

}  // namespace tern::broker
