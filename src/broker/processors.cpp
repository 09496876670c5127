#include "broker/processors.hpp"

#include "broker/admin/processors.hpp"
#include "broker/assignment/processors.hpp"
#include "broker/clients/processors.hpp"
#include "broker/consumer_control/processors.hpp"
#include "broker/filter/processors.hpp"
#include "broker/groups/processors.hpp"
#include "broker/locks/processors.hpp"
#include "broker/offsets/processors.hpp"
#include "broker/pop/processors.hpp"
#include "broker/pull/processors.hpp"
#include "broker/query/processors.hpp"
#include "broker/reply/processors.hpp"
#include "broker/send/processors.hpp"
#include "broker/statistics/processors.hpp"
#include "broker/timer/processors.hpp"
#include "broker/topics/processors.hpp"
#include "broker/transaction/processors.hpp"

namespace tern::broker {

const remoting::ProcessorTable<Services>& processor_table() {
  static const std::span<const remoting::ProcessorRow<Services>> kLists[] = {
      send_processors(),
      pull_processors(),
      client_processors(),
      offset_processors(),
      lock_processors(),
      query_processors(),
      topic_processors(),
      group_processors(),
      admin_processors(),
      filter_processors(),
      transaction_processors(),
      reply_processors(),
      consumer_control_processors(),
      statistics_processors(),
      timer_processors(),
      pop_processors(),
      assignment_processors(),
  };
  static const remoting::ProcessorTable<Services> kTable{kLists};
  return kTable;
}

}  // namespace tern::broker
