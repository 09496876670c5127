#pragma once
#include "tern/remoting/request.hpp"

#include "broker/locks/queue_locks.hpp"

namespace tern::broker {

protocol::Response lock_batch(const remoting::Request& request, QueueLocks& locks);
protocol::Response unlock_batch(const remoting::Request& request, QueueLocks& locks);

}  // namespace tern::broker
