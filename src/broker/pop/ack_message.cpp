// ACK_MESSAGE (200051), BATCH_ACK_MESSAGE (200151): messages are done. A receipt that names no open message is answered
// with success and changes nothing, as with Apache's brokers: what it meant has come again, or will.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "tern/protocol/json.hpp"

#include "broker/pop/pop_ack.hpp"
#include "broker/pop/requests.hpp"

namespace tern::broker {
namespace {

using protocol::required;
using protocol::Response;
using protocol::ResponseCode;

using F = PopReceiptFields;
constexpr auto kFields = protocol::fields<F>(required("consumerGroup", &F::group), required("topic", &F::topic),
                                             required("queueId", &F::queue_id), required("extraInfo", &F::receipt),
                                             required("offset", &F::offset));

constexpr std::size_t kBatchAcksMax = 10'000;  // of one request

// Bits of little-endian bytes as base64, which may lack its padding. Whatever else stands there ends it. At most as
// many bits as a checkpoint has messages mean something, but a filter may spread these over more offsets.
std::vector<std::int64_t> bits_in(std::string_view base64, std::int64_t first) {
  constexpr std::size_t kBitsMax = 1 << 16;
  std::vector<std::int64_t> set;
  if (first < 0 || first > INT64_MAX - static_cast<std::int64_t>(2 * kBitsMax)) return set;
  std::uint32_t pending = 0;
  int pending_bits = 0;
  std::int64_t at = 0;
  for (const char c : base64) {
    std::uint32_t six = 0;
    if (c >= 'A' && c <= 'Z')
      six = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      six = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      six = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+' || c == '/')
      six = c == '+' ? 62 : 63;
    else
      break;
    pending = pending << 6 | six;
    pending_bits += 6;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    const auto byte = static_cast<std::uint8_t>(pending >> pending_bits);
    for (int bit = 0; bit < 8; ++bit) {
      if ((byte >> bit & 1) != 0) set.push_back(first + at + bit);
    }
    at += 8;
    if (set.size() > kCheckpointMessagesMax || static_cast<std::size_t>(at) >= kBitsMax) break;
  }
  return set;
}

std::string member(const protocol::Json& json, std::string_view name, std::string_view long_name) {
  return protocol::string_member(json, name, protocol::string_member(json, long_name));
}
std::int64_t number(const protocol::Json& json, std::string_view name, std::string_view long_name) {
  return protocol::int_member(json, name, protocol::int_member(json, long_name, -1));
}

std::string topic_of(std::string_view group, const std::string& topic, std::string_view flag) {
  if (flag == "1") return pop_retry_topic_v1(group, topic);
  if (flag == "2") return pop_retry_topic_v2(group, topic);
  return topic;
}

struct BatchJob {
  remoting::Reply reply;
  std::size_t open = 1;
  std::optional<store::Errc> error;
};

void settle(Pop& pop, BatchJob& job, std::optional<store::Errc> error) {
  if (error) job.error = error;
  if (--job.open > 0) return;
  job.reply(job.error ? refuse_put(*job.error, pop.store, pop.broker_options) : protocol::ok());
}

// What Apache's broker commits for a message that it knows nothing of would pass over those before it.
void acknowledge_in_order(Pop& pop, const PopQueueName& name, std::int64_t offset, std::int64_t pop_time) {
  {
    // One at a time: else the offset could go back from a later one's to an earlier one's.
    static std::mutex turns;
    const std::lock_guard turn(turns);
    const auto committed = pop.offsets.find(name.group, name.topic, name.queue_id);
    if (committed && offset < *committed) return;
    const auto next = pop.orders.acknowledge(name, offset, pop_time);
    if (!next) return;
    pop.offsets.commit(name.group, name.topic, name.queue_id, *next);
  }
  if (!pop.orders.is_blocked(name, {})) pop.hold->look_again(name.group, name.topic);
}

}  // namespace

PopReceiptChecked check_receipt(const Pop& pop, const PopReceiptFields& fields, std::int64_t beyond_end) {
  PopReceiptChecked checked;
  const auto topic = pop.topics.find(fields.topic);
  if (!topic) {
    checked.refusal = protocol::refuse(
        ResponseCode::kTopicNotExist,
        "topic[{}] not exist, apply first please! See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further "
        "details.",
        fields.topic);
    return checked;
  }
  if (fields.queue_id < 0 || fields.queue_id >= topic->read_queues) {
    checked.refusal = protocol::refuse(ResponseCode::kMessageIllegal,
                                       "queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}]",
                                       fields.queue_id, fields.topic, topic->read_queues);
    return checked;
  }
  const auto queue = pop.store.find_queue(fields.topic, fields.queue_id);
  const auto bounds = queue ? queue->bounds() : store::QueueBounds{};
  if (fields.offset < bounds.min.value || fields.offset >= bounds.max.value + beyond_end) {
    checked.refusal =
        protocol::refuse(ResponseCode::kNoMessage, "offset is illegal, key:{}@{}, commit:{}, store:{}~{}", fields.topic,
                         fields.queue_id, fields.offset, bounds.min.value, bounds.max.value);
    return checked;
  }
  if (const auto receipt = parse_receipt(fields.receipt)) {
    checked.receipt = *receipt;
  } else {
    checked.refusal = protocol::refuse(
        ResponseCode::kSystemError,
        "extraInfo is no receipt: expected \"ckQueueOffset popTime invisibleTime reviveQid flag brokerName queueId "
        "msgQueueOffset\", found \"{}\"",
        fields.receipt.substr(0, 200));
  }
  return checked;
}

void write_acknowledgement(Pop& pop, SendStage& stage, const PopAckName& name, std::vector<std::int64_t> taken,
                           std::function<void(std::optional<store::Errc>)> done) {
  const auto revive_queue = pop.ledger.revive_queue_of(name.named());
  Acknowledgement record{name.topic,        name.group,    pop.identity.name, name.queue_id,
                         name.start_offset, name.pop_time, std::move(taken)};
  auto text = acknowledgement_text(record, pop.clock.wall_ms());
  const auto settled = [&pop, name, taken = record.offsets, done](const PutOutcome& outcome) {
    pop.ledger.end_ack(name.named(), taken, outcome.is_stored());
    if (outcome.is_stored() && pop.options.limits_inflight) pop.hold->look_again(name.group);
    done(outcome.error);
  };
  if (!revive_queue || !write_revive_record(pop, stage, *revive_queue, std::move(text), settled))
    settled({store::Errc::kRecordTooLarge, false, {}});
}

void acknowledge(Pop& pop, SendStage& stage, const PopAckName& name, const std::vector<std::int64_t>& offsets,
                 std::function<void(std::optional<store::Errc>)> done) {
  auto taken = pop.ledger.begin_ack(name.named(), offsets);
  if (taken.empty()) return done(std::nullopt);
  write_acknowledgement(pop, stage, name, std::move(taken), std::move(done));
}

void ack_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  auto checked = check_receipt(pop, *fields, 1);
  if (checked.refusal) return reply(std::move(*checked.refusal));
  const auto& receipt = checked.receipt;
  const bool is_of_message = receipt.queue_id == fields->queue_id && receipt.offset == fields->offset;
  if (!is_of_message) return reply(protocol::ok());
  if (receipt.revive_queue == kOrderReviveQueue) {
    acknowledge_in_order(pop, {fields->group, fields->topic, fields->queue_id}, fields->offset, receipt.pop_time);
    return reply(protocol::ok());
  }
  const PopAckName name{std::string(fields->group), std::string(fields->topic), fields->queue_id, receipt.start_offset,
                        receipt.pop_time};
  const auto job = std::make_shared<remoting::Reply>(std::move(reply));
  acknowledge(pop, stage, name, {fields->offset}, [job, &pop](std::optional<store::Errc> error) {
    (*job)(error ? refuse_put(*error, pop.store, pop.broker_options) : protocol::ok());
  });
}

void batch_ack_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop) {
  const auto body = protocol::parse_json(request.body_text());
  const auto* acks = body ? protocol::array_member(*body, "acks") : nullptr;
  if (acks == nullptr || acks->empty()) {
    return reply(protocol::refuse(ResponseCode::kNoMessage, "the body names no acknowledgements"));
  }
  if (acks->size() > kBatchAcksMax) {
    return reply(protocol::refuse(ResponseCode::kInvalidParameter, "the body has {} acknowledgements, the limit is {}",
                                  acks->size(), kBatchAcksMax));
  }
  const auto job = std::make_shared<BatchJob>();
  job->reply = std::move(reply);
  for (const auto& ack : *acks) {
    if (!ack.is_object()) continue;
    PopAckName name;
    name.group = member(ack, "c", "consumerGroup");
    name.topic = topic_of(name.group, member(ack, "t", "topic"), member(ack, "r", "retry"));
    name.queue_id = static_cast<std::int32_t>(number(ack, "q", "queueId"));
    name.start_offset = number(ack, "so", "startOffset");
    name.pop_time = number(ack, "pt", "popTime");
    const auto offsets = bits_in(member(ack, "b", "bitSet"), name.start_offset);
    if (number(ack, "rq", "reviveQueueId") == kOrderReviveQueue) {
      for (const auto offset : offsets)
        acknowledge_in_order(pop, {name.group, name.topic, name.queue_id}, offset, name.pop_time);
      continue;
    }
    ++job->open;
    acknowledge(pop, stage, name, offsets, [job, &pop](std::optional<store::Errc> error) { settle(pop, *job, error); });
  }
  settle(pop, *job, std::nullopt);
}

}  // namespace tern::broker
