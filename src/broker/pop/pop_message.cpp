// POP_MESSAGE (200050): messages of any queue of a topic, each to be acknowledged by its receipt within an invisible
// time, or it comes again. What is handed out stands in a checkpoint in the revive topic before it leaves, and only
// then the group's offset moves on. The order of checks is Apache's.
#include "broker/pop/pop_message.hpp"

#include <algorithm>
#include <random>

#include <climits>

#include "tern/base/byte_order.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/record.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/pop/pop_read.hpp"

namespace tern::broker {
namespace {

using protocol::Response;
using protocol::ResponseCode;
namespace property = message::property;

constexpr std::int64_t kLateMs = 500;
constexpr std::int64_t kPollMsMax = 120'000;              // clients ask for 15 to 30 s
constexpr std::int64_t kTimeMax = std::int64_t{1} << 53;  // so that sums do not overflow
constexpr int kStartAtEnd = 1;

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = -1;
  std::int32_t count_max = 32;
  std::int64_t invisible_ms = 0;
  std::int64_t poll_ms = 0;
  std::int64_t born_ms = 0;
  std::int32_t start = 0;
  std::string_view expression_type;
  std::string_view expression;
  bool is_order = false;
  std::string_view attempt_id;
};
using F = Fields;
using protocol::optional;
using protocol::required;
constexpr auto kFields = protocol::fields<F>(
    required("consumerGroup", &F::group), required("topic", &F::topic), required("queueId", &F::queue_id),
    required("maxMsgNums", &F::count_max), required("invisibleTime", &F::invisible_ms),
    required("pollTime", &F::poll_ms), optional("bornTime", &F::born_ms), required("initMode", &F::start),
    optional("expType", &F::expression_type), optional("exp", &F::expression), optional("order", &F::is_order),
    optional("attemptId", &F::attempt_id));

// Clients unbox these of every answer.
Response with_zeros(Response response) {
  for (const auto* name : {"popTime", "invisibleTime", "reviveQid", "restNum"}) response.fields.add(name, "0");
  return response;
}

/// One pass of a request, from its queues to its answer.
struct Run {
  PopRequestPtr request;
  PopPass pass;
  std::int64_t pop_time = 0;
  std::int32_t revive_queue = 0;
  std::size_t unsettled = 0;
  std::optional<store::Errc> error;
};
using RunPtr = std::shared_ptr<Run>;

std::uint32_t random_number() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return static_cast<std::uint32_t>(random());
}

void unlock(Pop& pop, const PopRequest& request, const PopBlock& block) {
  pop.ledger.unlock({request.group, block.topic->name, block.queue->id()});
}

void answer_nothing(PopRequest& request, std::string_view remark, std::int64_t pop_time, std::int32_t revive_queue) {
  auto response = protocol::refuse(ResponseCode::kPollingTimeout, "{}", remark);
  response.fields.add("popTime", pop_time);
  response.fields.add("invisibleTime", request.invisible_ms);
  response.fields.add("reviveQid", revive_queue);
  response.fields.add("restNum", std::int64_t{0});
  response.fields.add("startOffsetInfo", "");
  response.fields.add("msgOffsetInfo", "");
  if (request.is_order) response.fields.add("orderCountInfo", "");
  request.reply(std::move(response));
}

// A message of a retry topic, as one of the topic that was asked for: its receipt says where it stands.
void append_retried(const Pop& pop, const Run& run, const PopBlock& block, std::string_view bytes, std::string& to) {
  const auto record = message::parse_record(std::as_bytes(std::span(bytes)), message::BodyCheck::kSkip);
  if (!record) {  // whoever reads it will see what is wrong with it
    to += bytes;
    return;
  }
  std::string receipt;
  append_receipt({block.start_offset, run.pop_time, run.request->invisible_ms, run.revive_queue,
                  retry_flag(block.topic->name), pop.identity.name, record->queue_id, record->queue_offset},
                 receipt);
  std::string properties;
  message::PropertyWriter writer(properties);
  writer.copy(message::without_appended_crc(record->properties), property::kPopCheckpoint);
  writer.add(property::kPopCheckpoint, receipt);
  auto parts = message::parts_of(*record);
  parts.topic = run.request->topic;
  parts.properties = properties;
  if (message::record_size(parts) == 0) {  // no room for the receipt: the client makes it from the response
    to += bytes;
    return;
  }
  to += message::encode_record(parts, record->queue_offset, record->physical_offset, record->store_timestamp);
}

// Of an orderly pop without those that were acknowledged before their predecessors.
void append_in_order(const PopBlock& block, std::string& to) {
  std::string_view records = block.read.messages;
  while (!records.empty()) {
    const auto* bytes = reinterpret_cast<const std::byte*>(records.data());
    const auto size = static_cast<std::size_t>(load_be<std::int32_t>(bytes + message::offset_of::kTotalSize));
    const auto offset = load_be<std::int64_t>(bytes + message::offset_of::kQueueOffset);
    if (std::binary_search(block.offsets.begin(), block.offsets.end(), offset)) to += records.substr(0, size);
    records.remove_prefix(size);
  }
}

// One entry for each message that was handed out before, and one for the queue.
void append_order_counts(const PopBlock& block, std::string& to) {
  const auto flag = retry_flag(block.topic->name);
  int least = block.attempts.size() < block.offsets.size() ? 0 : INT_MAX;
  for (const auto& [offset, attempts] : block.attempts) {
    append_attempts(flag, block.queue->id(), offset, attempts, to);
    least = std::min(least, attempts);
  }
  append_attempts(flag, block.queue->id(), std::nullopt, least, to);
}

void append_messages(const Pop& pop, const Run& run, const PopBlock& block, std::string& to) {
  if (run.request->is_order) return append_in_order(block, to);
  const bool is_retry = block.topic->name != run.request->topic;
  std::string_view records = block.read.messages;
  if (!is_retry || pop.options.names_retry_topic) {
    to += records;
    return;
  }
  while (!records.empty()) {
    const auto front = message::peek_record(std::as_bytes(std::span(records)));
    const auto size = front ? static_cast<std::size_t>(front->total_size) : records.size();
    append_retried(pop, run, block, records.substr(0, size), to);
    records.remove_prefix(size);
  }
}

void answer_found(const Pop& pop, Run& run) {
  std::string starts;
  std::string offsets;
  std::string counts;
  std::string messages;
  for (const auto& block : run.pass.blocks) {
    if (!block.is_stored) continue;
    if (run.request->is_order) append_order_counts(block, counts);
    const auto flag = retry_flag(block.topic->name);
    append_start_offset(flag, block.queue->id(), block.start_offset, starts);
    append_message_offsets(flag, block.queue->id(), block.offsets, offsets);
    append_messages(pop, run, block, messages);
  }
  Response response;
  response.remark = to_text(ReadStatus::kFound);
  response.fields.add("popTime", run.pop_time);
  response.fields.add("invisibleTime", run.request->invisible_ms);
  response.fields.add("reviveQid", run.revive_queue);
  response.fields.add("restNum", run.pass.rest);
  response.fields.add("startOffsetInfo", starts);
  response.fields.add("msgOffsetInfo", offsets);
  if (run.request->is_order) response.fields.add("orderCountInfo", counts);
  response.body = std::move(messages);
  run.request->reply(std::move(response));
}

// All checkpoints of the run are stored, or are not.
void finish(Pop& pop, Run& run) {
  const auto& blocks = run.pass.blocks;
  const bool has_any = std::any_of(blocks.begin(), blocks.end(), [](const PopBlock& block) { return block.is_stored; });
  if (has_any) {
    answer_found(pop, run);
  } else if (run.error) {
    run.request->reply(with_zeros(refuse_put(*run.error, pop.store, pop.broker_options)));
  } else {
    answer_nothing(*run.request, to_text(run.pass.last_status), run.pop_time, run.revive_queue);
  }
  pop.hold->look_again(run.request->group, run.request->topic);
}

void settle(Pop& pop, const RunPtr& run, PopBlock& block, const PutOutcome& outcome) {
  const auto& request = *run->request;
  if (outcome.is_stored()) {
    // The offset first: what the ledger says is stored has moved it.
    pop.offsets.commit(request.group, block.topic->name, block.queue->id(), block.read.next_offset);
    pop.ledger.stored(block.checkpoint, outcome.placement.queue_offset.value, outcome.placement.position,
                      pop.clock.steady_ms() + request.invisible_ms);
    block.is_stored = true;
  } else {
    pop.ledger.abandon(block.checkpoint);
    run->error = outcome.error;
  }
  unlock(pop, request, block);
  if (--run->unsettled == 0) finish(pop, *run);
}

Checkpoint checkpoint_of(const Pop& pop, const Run& run, const PopBlock& block) {
  Checkpoint made;
  made.topic = block.topic->name;
  made.group = run.request->group;
  made.broker = pop.identity.name;
  made.queue_id = block.queue->id();
  made.start_offset = block.start_offset;
  for (const auto offset : block.offsets) made.deltas.push_back(static_cast<std::int32_t>(offset - block.start_offset));
  made.pop_time = run.pop_time;
  made.invisible_ms = run.request->invisible_ms;
  return made;
}

// Orderly pops have no checkpoints: the group's offset stays where it is until their messages are acknowledged.
void hand_out_in_order(Pop& pop, Run& run) {
  for (auto& block : run.pass.blocks) {
    const PopQueueName name{run.request->group, block.topic->name, block.queue->id()};
    auto handed =
        pop.orders.hand_out(name, run.request->attempt_id, run.pop_time, run.request->invisible_ms, block.offsets);
    block.offsets = std::move(handed.offsets);
    block.attempts = std::move(handed.attempts);
    block.is_stored = !block.offsets.empty();
    unlock(pop, *run.request, block);
  }
  finish(pop, run);
}

// On the request's io thread.
void store_checkpoints(Pop& pop, const RunPtr& run, SendStage& stage) {
  const auto end = pop.store.queue(pop.revive_topic, run->revive_queue)->bounds().max.value;
  run->unsettled = run->pass.blocks.size() + 1;
  for (auto& block : run->pass.blocks) {
    const auto checkpoint = checkpoint_of(pop, *run, block);
    const auto id = pop.ledger.begin(checkpoint, run->revive_queue, end);
    if (!id) {  // the offset went back within a millisecond: the next pop gets it
      unlock(pop, *run->request, block);
      --run->unsettled;
      continue;
    }
    block.checkpoint = *id;
    const bool is_staged =
        write_revive_record(pop, stage, run->revive_queue, checkpoint_text(checkpoint, pop.clock.wall_ms()),
                            [&pop, run, &block](const PutOutcome& outcome) { settle(pop, run, block, outcome); });
    if (!is_staged) settle(pop, run, block, {store::Errc::kRecordTooLarge, false, {}});
  }
  if (--run->unsettled == 0) finish(pop, *run);
}

void nothing_found(Pop& pop, const RunPtr& run) {
  auto& request = run->request;
  const std::int64_t wait_ms = request->deadline_ms - pop.clock.steady_ms();
  if (run->pass.is_stuck || wait_ms <= 0)
    return answer_nothing(*request, to_text(run->pass.last_status), run->pop_time, run->revive_queue);
  const auto& options = pop.options;
  const PopHold::Limits limits{options.parked_per_key_max.get(), options.parked_max.get(),
                               pop.broker_options.parked_pulls_bytes_max.get()};
  if (pop.hold->park(request, limits)) return;
  request->reply(with_zeros(protocol::refuse(
      ResponseCode::kPollingFull,
      "too many pops wait: the limits are popPollingSize={} of one group and queue, maxPopPollingSize={} in all, "
      "parkedPullsBytesMax={}",
      limits.per_key, limits.in_all, limits.bytes)));
}

void read(Pop& pop, const RunPtr& run, SendStage* stage, bool no_wait) {
  if (!read_pass(pop, *run->request, run->pass, no_wait)) {
    const auto work = [&pop, run] {
      if (!run->request->peer->is_open()) return run->request->reply.forget();
      read(pop, run, nullptr, false);
    };
    const auto late = [run](const WorkQueue::Lateness& lateness) {
      run->request->reply(with_zeros(refuse_late(lateness)));
    };
    if (!pop.cold_reads.post(work, late)) run->request->reply(with_zeros(refuse_overload(pop.cold_reads)));
    return;
  }
  if (run->pass.blocks.empty()) return nothing_found(pop, run);
  if (run->request->is_order) return hand_out_in_order(pop, *run);
  if (stage != nullptr) return store_checkpoints(pop, run, *stage);
  pop.on_io_thread(run->request->io_thread, [&pop, run](SendStage& there) { store_checkpoints(pop, run, there); });
}

void start(Pop& pop, PopRequestPtr request, SendStage& stage) {
  auto run = std::make_shared<Run>();
  run->pop_time = pop.clock.wall_ms();
  run->revive_queue = static_cast<std::int32_t>(pop.next_revive_queue.fetch_add(1, std::memory_order_relaxed) %
                                                static_cast<std::uint32_t>(pop.options.revive_queues));
  run->request = std::move(request);
  if (run->request->is_order) run->revive_queue = kOrderReviveQueue;
  const auto limit = static_cast<std::size_t>(pop.options.open_max.get());
  if (pop.ledger.open() >= limit) {
    return run->request->reply(with_zeros(
        protocol::refuse(ResponseCode::kSystemBusy,
                         "too many checkpoints wait for acknowledgements, the limit is popCkMaxBufferSize={}", limit)));
  }
  run->pass = begin_pass(pop, *run->request, random_number());
  read(pop, run, &stage, true);
}

// The refusal, if the request's expression is wrong.
std::optional<Response> take_filter(Pop& pop, const Fields& fields, PopRequest& request) {
  if (fields.expression.empty()) return std::nullopt;
  if (fields.expression_type.empty() || fields.expression_type == "TAG") {
    auto parsed = parse_subscription(fields.topic, fields.expression, "TAG");
    if (!parsed) {
      return protocol::refuse(ResponseCode::kSubscriptionParseFailed,
                              "parse the consumer's subscription failed: it names no tag, or is longer than {} bytes",
                              kExpressionBytesMax);
    }
    parsed->tags = {};
    parsed->expression = {};
    if (!parsed->codes.empty()) request.filter = std::make_shared<const Subscription>(std::move(*parsed));
    return std::nullopt;
  }
  // Where a pull lets everything pass, a pop is refused.
  auto choice = pop.filters.check(fields.expression, fields.expression_type);
  if (choice.code == ResponseCode::kSuccess)
    choice = pop.filters.of_pull(fields.group, fields.topic, fields.expression, fields.expression_type);
  if (choice.code == ResponseCode::kSubscriptionParseFailed)
    return protocol::refuse(choice.code, "parse the consumer's subscription failed: {}", choice.remark);
  if (choice.code != ResponseCode::kSuccess) return protocol::refuse(choice.code, "{}", choice.remark);
  request.property_filter = std::move(choice.filter);
  if (request.property_filter) request.own_property_filter_bytes = request.property_filter->bytes();
  return std::nullopt;
}

}  // namespace

void pop_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(with_zeros(protocol::refuse(fields.error())));
  const std::int64_t now = pop.clock.wall_ms();
  const std::int64_t born_ms = fields->born_ms == 0 ? now : std::clamp(fields->born_ms, -kTimeMax, kTimeMax);
  const std::int64_t asked_ms = std::clamp(fields->poll_ms, -kTimeMax, kTimeMax);
  if (now - born_ms - asked_ms > kLateMs) {
    return reply(with_zeros(protocol::refuse(ResponseCode::kPollingTimeout,
                                             "the broker[{}] pop message is timeout too much", pop.identity.address)));
  }
  if ((pop.broker_options.permission & kPermRead) != 0 &&
      fields->count_max > static_cast<int>(kCheckpointMessagesMax)) {
    return reply(with_zeros(protocol::refuse(ResponseCode::kInvalidParameter,
                                             "the broker[{}] pop message's num is greater than {}: maxMsgNums is {}",
                                             pop.identity.address, kCheckpointMessagesMax, fields->count_max)));
  }
  auto checked = check_readable(pop, fields->group, fields->topic, fields->queue_id, *request.peer, "pop");
  if (checked.refusal) return reply(with_zeros(std::move(*checked.refusal)));
  if (fields->invisible_ms < 1 || fields->invisible_ms > kInvisibleMsMax) {
    return reply(
        with_zeros(protocol::refuse(ResponseCode::kInvalidParameter, "invisibleTime is {} ms; allowed are 1 to {}",
                                    fields->invisible_ms, kInvisibleMsMax)));
  }
  if (queue_kind(*checked.topic) != store::QueueKind::kSimple) {
    return reply(with_zeros(protocol::refuse(
        ResponseCode::kSystemError, "topic[{}] has queue.type=BatchCQ, which cannot be popped", fields->topic)));
  }
  auto made = std::make_shared<PopRequest>();
  made->peer = request.peer;
  made->io_thread = request.io_thread;
  made->group = fields->group;
  made->topic = fields->topic;
  made->queue_id = fields->queue_id;
  made->count_max = std::max(fields->count_max, 1);
  made->invisible_ms = fields->invisible_ms;
  made->starts_at_end = fields->start == kStartAtEnd;
  made->is_order = fields->is_order;
  made->attempt_id = fields->attempt_id;
  // By the client's clock it would wait until born + poll; never longer than it asks for.
  const std::int64_t poll_ms = std::clamp<std::int64_t>(asked_ms, 0, kPollMsMax);
  made->deadline_ms = pop.clock.steady_ms() + std::clamp<std::int64_t>(poll_ms - (now - born_ms), 0, poll_ms);
  if (auto refusal = take_filter(pop, *fields, *made)) return reply(with_zeros(std::move(*refusal)));
  made->reply = std::move(reply);
  start(pop, std::move(made), stage);
}

void resume_pop(PopRequestPtr request, bool is_expired, SendStage& stage, Pop& pop) {
  if (request->kind == PopRequest::Kind::kNotification) return resume_notification(*request, is_expired);
  if (!is_expired) return start(pop, std::move(request), stage);
  answer_nothing(*request, to_text(ReadStatus::kNoMessageInQueue), pop.clock.wall_ms(), 0);
}

bool has_message(Pop& pop, const PopRequest& request) {
  const auto is_ready = [&](const TopicConfig& topic, std::int32_t queue_id) {
    const auto queue = pop.store.find_queue(topic.name, queue_id);
    if (!queue || pop.ledger.is_locked({request.group, topic.name, queue_id})) return false;
    if (request.is_order && pop.orders.is_blocked({request.group, topic.name, queue_id}, request.attempt_id))
      return false;
    if (has_too_many_open(pop, {request.group, topic.name, queue_id})) return false;
    return queue->bounds().max.value > next_offset(pop, request, topic.name, *queue).offset;
  };
  const auto topic = pop.topics.find(request.topic);
  if (!topic) return true;  // it is told so
  const std::int32_t first = std::max(request.queue_id, 0);
  const std::int32_t end = request.queue_id >= 0 ? request.queue_id + 1 : topic->read_queues;
  for (auto id = first; id < end; ++id) {
    if (is_ready(*topic, id)) return true;
  }
  for (const auto& retry : retry_topics_of(pop, request)) {
    for (std::int32_t id = 0; id < retry->read_queues; ++id) {
      if (is_ready(*retry, id)) return true;
    }
  }
  return false;
}

}  // namespace tern::broker
