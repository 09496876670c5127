#pragma once
#include <functional>

#include "tern/base/work_queue.hpp"
#include "tern/remoting/request.hpp"
#include "tern/remoting/server.hpp"

#include "broker/groups/group_table.hpp"
#include "broker/schedule/delay_levels.hpp"
#include "broker/send/send_stage.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// What a send-back needs beyond its group. Constant after construction.
struct SendBackServices {
  const BrokerOptions& options;
  const BrokerIdentity& identity;
  const DelayLevels& levels;
  const store::Store& store;
  TopicTable& topics;
  GroupTable& groups;
  WorkQueue& blocking;  // where the failed message is read
  /// Runs work on an io thread with that thread's stage; what it stages is appended at the end of that turn.
  std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)> on_io_thread;
};

/// CONSUMER_SEND_MSG_BACK (36): a message that a consumer could not handle goes to its group's retry topic, later and
/// later, and finally to the dead letters.
void consumer_send_back(const remoting::Request& request, remoting::Reply reply, SendBackServices& services);

}  // namespace tern::broker
