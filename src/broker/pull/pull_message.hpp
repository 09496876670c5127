#pragma once
#include <atomic>
#include <memory>

#include "tern/base/work_queue.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/pull/message_reader.hpp"
#include "broker/pull/pull_hold.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// What pulls have given out since the start. Any thread; relaxed, because nothing is derived from their order.
struct PullCounters {
  // Relaxed, numbers for people.
  std::atomic<std::int64_t> found{0};   // pulls that gave messages
  std::atomic<std::int64_t> missed{0};  // pulls that gave none
  std::atomic<std::int64_t> messages{0};
  std::atomic<std::int64_t> bytes{0};
};

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
  WorkQueue& cold_reads;                        // threads that may wait for the disk
  PropertyFilters* property_filters = nullptr;  // null: tags are all there is
  std::shared_ptr<PullCounters> counters = std::make_shared<PullCounters>();
};

/// PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361).
void pull_message(const remoting::Request& request, remoting::Reply reply, PullServices& services);
/// A parked pull comes back: it is read again and answered, whatever there is. On its io thread. Returns the bytes of
/// messages that it was given.
std::int64_t resume_pull(PendingPull pull, PullServices& services);

}  // namespace tern::broker
