#include "broker/pop/pop_read.hpp"

#include <algorithm>

#include "tern/base/byte_order.hpp"
#include "tern/message/record_layout.hpp"

#include "broker/groups/group_attributes.hpp"

namespace tern::broker {
namespace {

// Times that one pass goes on reading a queue whose messages its filter does not want, or that have left the log.
constexpr int kReadsPerQueueMax = 4;

// Of records that stand one behind the other.
std::vector<std::int64_t> offsets_in(std::string_view records) {
  std::vector<std::int64_t> offsets;
  while (!records.empty()) {
    const auto* bytes = reinterpret_cast<const std::byte*>(records.data());
    offsets.push_back(load_be<std::int64_t>(bytes + message::offset_of::kQueueOffset));
    records.remove_prefix(static_cast<std::size_t>(load_be<std::int32_t>(bytes + message::offset_of::kTotalSize)));
  }
  return offsets;
}

bool wants_more(const Pop& pop, const PopRequest& request, const PopPass& pass) {
  return pass.count < request.count_max && pass.bytes < pop.broker_options.pull_bytes_max.get();
}

enum class Taken : std::uint8_t { kNothing, kBlock, kWouldBlock };

Taken read_queue(Pop& pop, const PopRequest& request, const PopPass::Source& source, PopPass& pass, bool no_wait) {
  const auto queue = pop.store.queue(source.topic->name, source.queue_id);
  const PopQueueName name{request.group, source.topic->name, source.queue_id};
  if (!wants_more(pop, request, pass)) {
    pass.rest += std::max<std::int64_t>(
        0, queue->bounds().max.value - next_offset(pop, request, source.topic->name, *queue).offset);
    return Taken::kNothing;
  }
  if (has_too_many_open(pop, name) || !pop.ledger.lock(name)) return Taken::kNothing;
  const bool is_retry = source.topic->name != request.topic;
  auto start = next_offset(pop, request, source.topic->name, *queue);
  if (const auto reset = pop.offsets.take_reset(request.group, source.topic->name, source.queue_id)) {
    start = {*reset, true};
    pop.orders.forget(name);
  }
  if (request.is_order && pop.orders.is_blocked(name, request.attempt_id)) {
    pass.rest += std::max<std::int64_t>(0, queue->bounds().max.value - start.offset);
    pop.ledger.unlock(name);
    return Taken::kNothing;
  }
  if (start.is_new) pop.offsets.commit(request.group, source.topic->name, source.queue_id, start.offset);
  std::int64_t offset = start.offset;
  const MessageFilter filter =
      is_retry ? MessageFilter{} : MessageFilter{request.filter.get(), request.property_filter.get()};
  const ReadLimits limits{std::min<int>(request.count_max - pass.count, kCheckpointMessagesMax),
                          pop.broker_options.pull_bytes_max.get() - pass.bytes,
                          pop.broker_options.filter_scan_bytes_max};
  PopBlock block{source.topic, queue, offset, {}, {}};
  for (int reads = 0; reads < kReadsPerQueueMax; ++reads) {
    block.start_offset = offset;
    block.read = read_messages(pop.store, *queue, offset, limits, filter, no_wait);
    pass.last_status = block.read.status;
    pass.is_stuck |= block.read.status == ReadStatus::kOffsetFoundNull;
    if (block.read.status == ReadStatus::kWouldBlock) {
      pop.ledger.unlock(name);
      return Taken::kWouldBlock;
    }
    if (block.read.status == ReadStatus::kFound) {
      block.offsets = offsets_in(block.read.messages);
      pass.count += block.read.count;
      pass.bytes += static_cast<std::int64_t>(block.read.messages.size());
      pass.rest += std::max<std::int64_t>(0, block.read.bounds.max.value - block.read.next_offset);
      pass.blocks.push_back(std::move(block));
      return Taken::kBlock;
    }
    if (block.read.next_offset == offset) break;  // at the end, or not to be passed
    offset = block.read.next_offset;
    pop.offsets.commit(request.group, source.topic->name, source.queue_id, offset);
  }
  pass.rest += std::max<std::int64_t>(0, block.read.bounds.max.value - offset);
  pop.ledger.unlock(name);
  return Taken::kNothing;
}

bool goes_by_priority(const Pop& pop, const PopRequest& request, const TopicConfig& topic, int percent) {
  const auto type = topic.attributes.find("message.type");
  if (request.is_order || type == topic.attributes.end() || type->second != "PRIORITY") return false;
  const auto group = pop.groups.find(request.group);
  return group && percent < priority_percent(*group);
}

}  // namespace

bool has_too_many_open(const Pop& pop, const PopQueueName& name) {
  return pop.options.limits_inflight && pop.ledger.open_messages(name) >= pop.options.inflight_max.get();
}

PopPass begin_pass(const Pop& pop, const PopRequest& request, std::uint32_t chance) {
  constexpr std::uint32_t kPercent = 100;
  PopPass pass;
  const auto topic = pop.topics.find(request.topic);
  if (!topic) {
    pass.is_stuck = true;
    return pass;
  }
  const auto percent = static_cast<int>(chance % kPercent);
  const bool by_priority = goes_by_priority(pop, request, *topic, percent);
  const auto add_queues = [&](const TopicPtr& of, std::uint32_t first) {
    const auto queues = static_cast<std::uint32_t>(std::max(of->read_queues, 0));
    const bool is_backwards = by_priority && pop.options.highest_queue_first;
    for (std::uint32_t i = 0; i < queues; ++i) {
      const auto id = is_backwards ? queues - 1 - i : (i + (by_priority ? 0 : first)) % queues;
      pass.sources.push_back({of, static_cast<std::int32_t>(id)});
    }
  };
  const auto add_retries = [&] {
    for (const auto& retry : retry_topics_of(pop, request)) add_queues(retry, 0);
  };
  const bool retries_first =
      percent < (by_priority ? pop.options.from_retry_percent_by_priority.get() : pop.options.from_retry_percent.get());
  if (retries_first) add_retries();
  if (request.queue_id >= 0)
    pass.sources.push_back({topic, request.queue_id});
  else
    add_queues(topic, chance / kPercent);
  if (!retries_first) add_retries();
  return pass;
}

bool read_pass(Pop& pop, const PopRequest& request, PopPass& pass, bool no_wait) {
  TopicPtr found_retry;  // a response may hold messages of one retry topic only
  for (; pass.at < pass.sources.size(); ++pass.at) {
    const auto& source = pass.sources[pass.at];
    const bool is_retry = source.topic->name != request.topic;
    if (is_retry && found_retry && found_retry->name != source.topic->name) continue;
    const auto taken = read_queue(pop, request, source, pass, no_wait);
    if (taken == Taken::kBlock && is_retry) found_retry = source.topic;
    if (taken != Taken::kWouldBlock) continue;
    if (pass.blocks.empty()) return false;
    break;  // what there is goes out; who asks again reads on
  }
  return true;
}

}  // namespace tern::broker
