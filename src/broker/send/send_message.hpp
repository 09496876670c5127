#pragma once
#include <array>

#include "broker/groups/group_table.hpp"
#include "broker/locks/queue_locks.hpp"
#include "broker/schedule/delay_levels.hpp"
#include "broker/send/send_stage.hpp"
#include "broker/timer/timers.hpp"
#include "broker/topics/topic_table.hpp"
#include "broker/transaction/transaction_options.hpp"

namespace tern::broker {

/// What a send looks at. Constant after construction, but for the round-robin counters, one cell per io thread.
struct SendServices {
  const BrokerOptions& options;
  const BrokerIdentity& identity;
  const DelayLevels& levels;
  TopicTable& topics;
  GroupTable& groups;
  QueueLocks& locks;
  const TransactionOptions& transactions;
  const TimerOptions& timer_options;
  const Clock& clock;
  Timers& timers;
  std::vector<std::uint32_t> round_robin;  // by io thread: the next queue for sends that leave the choice to the broker
  std::uint32_t next_queue(std::size_t io_thread) { return round_robin[io_thread]++; }
};

void send_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, SendServices& services);

}  // namespace tern::broker
