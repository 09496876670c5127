#pragma once
#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/clients/client_calls.hpp"
#include "broker/consumer_control/offset_reset.hpp"

namespace tern::broker {

void get_consumer_running_info(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                               ClientCalls& calls);
void consume_directly(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                      ClientCalls& calls, TopicTable& topics, GroupTable& groups, BrokerIdentity& identity,
                      store::Store& store, WorkQueue& blocking);
void get_consumer_status(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                         ClientCalls& calls, WorkQueue& blocking);
void reset_offset(const remoting::Request& request, remoting::Reply reply, OffsetReset& reset);

}  // namespace tern::broker
