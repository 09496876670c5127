#pragma once
// What a reset of offsets looks at.

#include "tern/base/work_queue.hpp"
#include "tern/store/store.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/consumer_control/reset_options.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/pull/pull_hold.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// Constant after construction.
struct OffsetReset {
  const ResetOptions& options;
  const BrokerIdentity& identity;
  const ClientRegistry& clients;
  const TopicTable& topics;
  const GroupTable& groups;
  OffsetTable& offsets;
  store::Store& store;
  PullHold& hold;
  WorkQueue& blocking;
};

}  // namespace tern::broker
