#pragma once
// What the parts of POP share. The life of a message under POP: pop_message.hpp hands it out and writes a checkpoint;
// ack_message.cpp writes that it is done; reviver.hpp brings it back when its time is over.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tern/base/clock.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/store/store.hpp"

#include "broker/filter/consumer_filters.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/pop/pop_hold.hpp"
#include "broker/pop/pop_ledger.hpp"
#include "broker/pop/pop_options.hpp"
#include "broker/pop/pop_orders.hpp"
#include "broker/pop/receipt.hpp"
#include "broker/send/send_stage.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// Constant after construction, but for the ledger, the hold and the counter, each safe from any thread.
struct Pop {
  using OnIoThread = std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)>;
  const PopOptions& options;
  const BrokerOptions& broker_options;
  const BrokerIdentity& identity;
  const Clock& clock;
  store::Store& store;
  TopicTable& topics;
  GroupTable& groups;
  OffsetTable& offsets;
  ConsumerFilters& filters;
  WorkQueue& cold_reads;  // threads that may wait for the disk
  PopOrders& orders;
  Wakeup& timed_wakeup;  // of the thread that steps the reviver
  OnIoThread on_io_thread;
  std::string revive_topic;
  PopLedger ledger = {};
  std::unique_ptr<PopHold> hold = {};
  std::atomic<std::uint32_t> next_revive_queue{0};  // relaxed: pops take turns, about
};
/// What make_pop() is given, as Pop keeps it.
struct PopParts {
  const PopOptions& options;
  const BrokerOptions& broker_options;
  const BrokerIdentity& identity;
  const Clock& clock;
  store::Store& store;
  TopicTable& topics;
  GroupTable& groups;
  OffsetTable& offsets;
  ConsumerFilters& filters;
  WorkQueue& cold_reads;
  PopOrders& orders;
  Wakeup& timed_wakeup;
  Pop::OnIoThread on_io_thread;
};
std::unique_ptr<Pop> make_pop(PopParts parts);

/// Steps of a request that several of these requests take, in Apache's order. Not empty: the answer that refuses it.
struct PopChecked {
  std::optional<protocol::Response> refusal;
  TopicPtr topic;
  GroupPtr group;
};
PopChecked check_readable(const Pop& pop, std::string_view group, std::string_view topic, std::int32_t queue_id,
                          const remoting::Peer& peer, std::string_view doing);

/// Where the group would read next: its committed offset, or where a new group begins.
struct PopStart {
  std::int64_t offset = 0;
  bool is_new = false;  // not committed yet
};
PopStart next_offset(Pop& pop, const PopRequest& request, std::string_view topic, const store::Queue& queue);

/// The retry topics that a request reads too, those that exist, the one that is written to first.
std::vector<TopicPtr> retry_topics_of(const Pop& pop, const PopRequest& request);

/// A record of the revive topic on its way; `done` runs on the stage's thread. False: it cannot be built.
bool write_revive_record(Pop& pop, SendStage& stage, std::int32_t revive_queue, ReviveText text, SendStage::Done done);

}  // namespace tern::broker
