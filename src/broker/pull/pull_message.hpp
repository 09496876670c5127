#pragma once
#include "tern/base/work_queue.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/pull/message_reader.hpp"
#include "broker/pull/pull_hold.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// What a pull looks at. Constant after construction.
struct PullServices {
  const BrokerOptions& options;
  const BrokerIdentity& identity;
  const Clock& clock;
  store::Store& store;
  TopicTable& topics;
  GroupTable& groups;
  ClientRegistry& clients;
  OffsetTable& offsets;
  PullHold& hold;
  WorkQueue& cold_reads;  // threads that may wait for the disk
};

/// PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361).
void pull_message(const remoting::Request& request, remoting::Reply reply, PullServices& services);
/// A parked pull comes back: it is read again and answered, whatever there is. On its io thread.
void resume_pull(PendingPull pull, PullServices& services);

}  // namespace tern::broker
