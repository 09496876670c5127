#pragma once
#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/identity.hpp"

namespace tern::broker {

void query_message(const remoting::Request& request, remoting::Reply reply, store::Store& store, WorkQueue& blocking,
                   BrokerOptions& options);
void view_message(const remoting::Request& request, remoting::Reply reply, store::Store& store, WorkQueue& blocking);

}  // namespace tern::broker
