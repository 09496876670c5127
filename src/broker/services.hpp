#pragma once
// Everything a processor may ask for, by type. A processor names what it needs as parameters; get<T>() finds it.

#include <memory>
#include <tuple>
#include <type_traits>
#include <vector>

#include "tern/base/runtime_config.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/remoting/processor.hpp"
#include "tern/remoting/server.hpp"

#include "broker/assignment/assignments.hpp"
#include "broker/clients/client_calls.hpp"
#include "broker/clients/client_registry.hpp"
#include "broker/consumer_control/offset_reset.hpp"
#include "broker/filter/consumer_filters.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/locks/queue_locks.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/pop/pop.hpp"
#include "broker/pull/pull_message.hpp"
#include "broker/reply/replies.hpp"
#include "broker/retry/send_back.hpp"
#include "broker/schedule/delayed_delivery.hpp"
#include "broker/send/send_message.hpp"
#include "broker/statistics/statistics.hpp"
#include "broker/timer/recall_message.hpp"
#include "broker/timer/timers.hpp"
#include "broker/topics/topic_table.hpp"
#include "broker/transaction/transactions.hpp"

namespace tern::broker {

class BrokerStatus;
class NameserverRegistration;

/// Owned by Broker; constant after construction.
class Services {
 public:
  template <class T>
  T& get(const remoting::Request& request) {
    if constexpr (std::is_same_v<T, SendStage>) {
      return *stages[request.io_thread];
    } else {
      return *std::get<T*>(parts);
    }
  }
  std::vector<std::unique_ptr<SendStage>> stages;  // one per io thread
  std::tuple<BrokerOptions*, BrokerIdentity*, Clock*, store::Store*, TopicTable*, GroupTable*, ClientRegistry*,
             OffsetTable*, QueueLocks*, PullHold*, WorkQueue*, SendServices*, PullServices*, SendBackServices*,
             DelayedDelivery*, NameserverRegistration*, BrokerStatus*, RuntimeConfig*, remoting::Network*,
             ConsumerFilters*, Transactions*, ClientCalls*, Replies*, OffsetReset*, Statistics*, Timers*,
             RecallServices*, Pop*, Assignments*>
      parts;
};

}  // namespace tern::broker
