// SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320): one message, or a batch (decided by the batch
// flag, not by the code), which a topic with queue.type=BatchCQ stores as one record. The order of checks is Apache's,
// because clients and tools see which answer comes first.
#include "broker/send/send_message.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "tern/message/batch.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/send/message_priority.hpp"
#include "broker/send/send_target.hpp"
#include "broker/timer/recall_handle.hpp"
#include "broker/transaction/half_message.hpp"

namespace tern::broker {
namespace {

using protocol::Response;
using protocol::ResponseCode;
namespace property = message::property;

constexpr std::string_view kFaq = "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";
constexpr std::string_view kTooLargeForARecord =
    "With what the broker adds, its properties have more than the 32767 bytes that a record can hold, or the record is "
    "larger than mappedFileSizeCommitLog allows";
constexpr std::string_view kNoInnerBatch =
    "Only this broker makes one message of a batch, and only for topics with queue.type=BatchCQ";
constexpr std::size_t kInnerBatchMax = 32'767;     // what the 16 bits of a queue entry can count
constexpr int kClientWithMaxReconsumeTimes = 121;  // V3_4_9

std::string_view why_no_record(std::span<const message::RecordParts> records) {
  const bool holds_zero_byte = std::any_of(records.begin(), records.end(), [](const auto& record) {
    return record.properties.find('\0') != std::string_view::npos;
  });
  return holds_zero_byte ? "Its properties hold a zero byte, which a record cannot" : kTooLargeForARecord;
}

bool is_true(std::string_view text) {
  return text == "true" || text == "TRUE" || text == "True";
}

// Apache's text, and behind it what is wrong, the limit and the setting.
Response illegal(const BrokerOptions& options, std::string_view what) {
  return protocol::refuse(
      ResponseCode::kMessageIllegal,
      "the message is illegal, maybe msg body or properties length not matched. msg body length limit {}B, msg "
      "properties length limit 32KB. {}",
      options.message_size_max.get(), what);
}

// nullopt: body and properties have a size that the store takes.
std::optional<std::string> size_problem(const BrokerOptions& options, std::size_t body, std::size_t properties) {
  const auto body_max = options.message_size_max.get();
  if (body == 0) return "The body is empty";
  if (body > static_cast<std::size_t>(std::max(body_max, 0)))
    return fmt::format("The body has {} bytes, more than maxMessageSize={} allows", body, body_max);
  if (properties > static_cast<std::size_t>(message::kPropertiesSizeMax))
    return fmt::format("The properties have {} bytes, more than the {} that a record can hold, whatever the settings",
                       properties, message::kPropertiesSizeMax);
  return std::nullopt;
}

// What the one record of a batch says of itself: the properties of the request, not those of its items.
void write_inner_batch_properties(std::string_view given, const SendServices& services, std::string_view old_crc,
                                  std::size_t count, std::string& to) {
  to.clear();
  message::PropertyWriter writer(to);
  writer.add(property::kMessageRegion, services.options.region_id);
  writer.add(property::kCluster, services.identity.cluster);
  writer.add(property::kTraceSwitch, services.options.trace_on ? "true" : "false");
  writer.copy(given, property::kMessageRegion, property::kCluster, property::kTraceSwitch, property::kInnerNum,
              property::kInnerBase, old_crc);
  message::append_inner_batch(to, static_cast<std::int16_t>(count));
}

}  // namespace

void send_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, SendServices& services) {
  const bool is_v2 = request.header.code != static_cast<std::int32_t>(protocol::RequestCode::kSendMessage);
  const auto fields = decode_send(request.header, is_v2 ? SendNames::kShort : SendNames::kLong);
  const auto& options = services.options;
  const auto refuse_with = [&](Response response) { reply(with_region(std::move(response), options)); };
  if (!fields) return reply(protocol::refuse(fields.error()));
  SendTarget target;
  if (auto refusal = find_target(request, *fields, services, target)) return refuse_with(std::move(*refusal));
  const auto& [topic, queue_id] = target;

  message::RecordParts parts;
  parts.topic = topic->name;
  parts.queue_id = queue_id;
  parts.flag = fields->flag;
  parts.sys_flag = fields->sys_flag;
  if (topic->is_multi_tag) parts.sys_flag |= message::kSysMultiTags;
  parts.born_timestamp = fields->born_timestamp;
  parts.born_host = request.peer->remote();
  parts.store_host = services.identity.store_host;
  parts.reconsume_times = fields->reconsume_times;
  parts.body = request.body;

  // What Apache's store refuses: asked for last.
  const auto illegal_size = size_problem(options, request.body.size(), fields->properties.size());

  // One record that holds several messages.
  const bool is_inner_batch = (parts.sys_flag & message::kSysInnerBatch) != 0;
  // The CRC of another record, if ours get one; otherwise it is a property as any other.
  const auto old_crc = stage.appends_crc() ? property::kCrc32 : property::kPopCheckpoint;

  if (fields->batch) {
    if (fields->topic.size() > static_cast<std::size_t>(message::kTopicLengthMax)) {
      return refuse_with(
          protocol::refuse(ResponseCode::kMessageIllegal, "message topic length too long {}", fields->topic.size()));
    }
    if (message::is_retry_topic(fields->topic)) {
      return refuse_with(protocol::refuse(ResponseCode::kMessageIllegal,
                                          "batch request does not support retry group {}", fields->topic));
    }
    const bool is_delayed = message::find_property(fields->properties, property::kDelay).has_value();
    if (illegal_size) return refuse_with(illegal(options, *illegal_size));
    if ((parts.sys_flag & message::kSysTransactionMask) != 0 || is_delayed)
      return refuse_with(illegal(options, "A batch can neither be a transaction nor be delayed"));
    if (is_inner_batch || message::find_property(fields->properties, property::kInnerNum))
      return refuse_with(illegal(options, kNoInnerBatch));
    boost::container::small_vector<message::RecordParts, 64> items;
    message::BatchReader reader(request.body);
    while (const auto item = reader.next()) {
      if (!*item) {
        return refuse_with(
            protocol::refuse(ResponseCode::kSystemError, "the body is no batch of messages: {}", item->error().text()));
      }
      auto& part = items.emplace_back(parts);
      part.flag = (*item)->flag;
      part.body = (*item)->body;
      part.properties = (*item)->properties;
    }
    if (items.empty()) return refuse_with(illegal(options, "The batch holds no message"));
    const auto wait = message::find_property(fields->properties, property::kWait);
    const auto key = message::find_property(fields->properties, property::kUniqueKey);
    if (key && queue_kind(*topic) == store::QueueKind::kBatch) {
      if (items.size() > kInnerBatchMax) {
        return refuse_with(
            illegal(options, "A batch for a topic with queue.type=BatchCQ holds 32767 messages at most"));
      }
      write_inner_batch_properties(fields->properties, services, old_crc, items.size(), stage.scratch());
      parts.properties = stage.scratch();
      parts.sys_flag |= message::kSysNeedUnwrap | message::kSysInnerBatch;
      parts.offset_count = static_cast<std::int16_t>(items.size());
      parts.ends_with_inner_base = true;
      items.assign(1, parts);
    }
    if (!stage.send(reply, items, !wait || is_true(*wait), key.value_or(""), queue_id))
      return refuse_with(illegal(options, why_no_record(items)));
    return;
  }

  std::int32_t answered_queue_id = queue_id;
  std::string_view wait;
  std::string_view delay;
  std::string_view unique_key;
  bool is_transaction = false;
  TimerWish wish;
  MessagePriority priority;
  bool has_inner_count = false;
  message::for_each_property(fields->properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kWait)
      wait = value;
    else if (name == property::kDelay)
      delay = value;
    else if (name == property::kUniqueKey)
      unique_key = value;
    else if (name == property::kTransactionPrepared)
      is_transaction = is_true(value);
    else if (name == property::kInnerNum)
      has_inner_count = true;
    else
      wish.look_at(name, value), priority.look_at(name, value);
  });
  std::int32_t delay_level = 0;
  if (!delay.empty()) {
    const auto [end, error] = std::from_chars(delay.data(), delay.data() + delay.size(), delay_level);
    if (error != std::errc{} || end != delay.data() + delay.size()) {
      return refuse_with(
          protocol::refuse(ResponseCode::kSystemError, "property DELAY: \"{}\" is no delay level", delay));
    }
  }

  // A retry topic: beyond its attempts, or while its group consumes in order, the message goes to the dead letters.
  std::string dead_letter;
  if (message::is_retry_topic(fields->topic)) {
    const auto group_name = message::group_of_retry_topic(fields->topic);
    const auto group = services.groups.find_or_create(group_name);
    if (!group) {
      return refuse_with(protocol::refuse(ResponseCode::kSubscriptionGroupNotExist,
                                          "subscription group not exist, {} \n{}\n{}", group_name, kFaq,
                                          kGroupNotCreated));
    }
    std::int32_t attempts = group->retry_max_times;
    if (fields->max_reconsume_times && request.header.version >= kClientWithMaxReconsumeTimes)
      attempts = *fields->max_reconsume_times;
    if (fields->reconsume_times > attempts || services.locks.any(group_name)) {
      dead_letter = message::dead_letter_topic(group_name);
      const auto letters = services.topics.ensure(dead_letter, 1, 0, false);
      parts.topic = dead_letter;
      parts.queue_id = answered_queue_id = 0;
      delay_level = 0;
      delay = {};
    }
  }
  // What is of another kind keeps its queue, and does not tell of a priority.
  std::string_view lost_priority = property::kPopCheckpoint;
  if (priority.is_given() && (is_transaction || !delay.empty() || wish.is_timed || priority.has_order())) {
    lost_priority = property::kPriority;
  } else if (priority.is_given() && dead_letter.empty()) {
    parts.queue_id = answered_queue_id = priority.queue_of(topic->write_queues);
  }
  if (const auto policy = topic->attributes.find("cleanup.policy");
      policy != topic->attributes.end() && policy->second == "COMPACTION") {
    return refuse_with(protocol::refuse(ResponseCode::kMessageIllegal,
                                        "topics with cleanup.policy=COMPACTION are not supported by this broker"));
  }
  const bool is_half = is_transaction && !(fields->reconsume_times > 0 && delay_level > 0);
  if (is_half && services.transactions.rejects) {
    return refuse_with(protocol::refuse(ResponseCode::kNoPermission,
                                        "the broker[{}] sending transaction message is forbidden: "
                                        "rejectTransactionMessage is true",
                                        services.identity.address));
  }
  if (illegal_size) return refuse_with(illegal(options, *illegal_size));
  if (is_inner_batch || has_inner_count) return refuse_with(illegal(options, kNoInnerBatch));
  // Apache's broker schedules the half message itself, and then drops it.
  const bool is_timed = wish.is_timed && delay_level <= 0 && !wish.has_out_ms && dead_letter.empty();
  if (is_half && (delay_level > 0 || is_timed)) {
    return refuse_with(
        illegal(options, fmt::format("A transactional message cannot be delayed: {}",
                                     is_timed ? "it has a TIMER property" : fmt::format("DELAY is {}", delay))));
  }
  std::int64_t out_ms = -1;
  if (is_timed && topic->name != kTimerTopic) {
    auto plan = plan_timer(wish, services.clock.wall_ms(), services.timer_options,
                           [&services](std::int64_t at) { return services.timers.count_at(at); });
    if (plan.refusal) return refuse_with(std::move(*plan.refusal));
    out_ms = plan.out_ms;
  }

  auto& properties = stage.scratch();
  properties.clear();
  message::PropertyWriter writer(properties);
  std::string made_key;
  std::string recall_handle;
  writer.add(property::kMessageRegion, options.region_id);
  if (unique_key.empty()) {
    stage.unique_keys().append_next(made_key);
    unique_key = made_key;
    writer.add(property::kUniqueKey, unique_key);
  }
  writer.add(property::kCluster, services.identity.cluster);
  writer.add(property::kTraceSwitch, options.trace_on ? "true" : "false");
  if (!dead_letter.empty()) {
    writer.add(property::kDelay, std::int64_t{-1});
    writer.copy(fields->properties, property::kPopCheckpoint, lost_priority, old_crc, property::kMessageRegion,
                property::kCluster, property::kTraceSwitch, property::kDelay);
  } else if (delay_level > 0) {
    writer.add(property::kRealTopic, topic->name);
    writer.add(property::kRealQueueId, static_cast<std::int64_t>(queue_id));
    const int level = services.levels.capped(delay_level);
    writer.add(property::kDelay, static_cast<std::int64_t>(level));
    writer.copy(fields->properties, property::kPopCheckpoint, lost_priority, old_crc, property::kMessageRegion,
                property::kCluster, property::kTraceSwitch, property::kDelay, property::kRealTopic,
                property::kRealQueueId, property::kTimerDelaySeconds, property::kTimerDelayMs,
                property::kTimerDeliverMs);
    parts.topic = message::kScheduleTopic;
    parts.queue_id = level - 1;
  } else if (out_ms >= 0) {
    add_timer_properties(writer, topic->name, queue_id, out_ms);
    writer.copy(fields->properties, property::kPopCheckpoint, lost_priority, old_crc, property::kMessageRegion,
                property::kCluster, property::kTraceSwitch, property::kTimerOutMs, property::kRealTopic,
                property::kRealQueueId);
    parts.topic = kTimerTopic;
    parts.queue_id = kTimerQueueId;
    if (properties.size() + kTimerPropertiesRoom > static_cast<std::size_t>(message::kPropertiesSizeMax)) {
      return refuse_with(
          illegal(options, fmt::format("With what the broker adds, the properties have {} bytes, more "
                                       "than the {} that a timer message may have, whatever the settings",
                                       properties.size(), message::kPropertiesSizeMax - kTimerPropertiesRoom)));
    }
    if (!message::is_retry_topic(topic->name))
      recall_handle = RecallHandle{topic->name, services.identity.name, out_ms + 1, std::string(unique_key)}.encode();
  } else if (is_half) {
    add_half_properties(writer, topic->name, queue_id, unique_key);
    writer.copy(fields->properties, property::kPopCheckpoint, lost_priority, old_crc, property::kMessageRegion,
                property::kCluster, property::kTraceSwitch, property::kTransactionId, property::kRealTopic,
                property::kRealQueueId);
    parts.topic = message::kTransactionHalfTopic;
    parts.queue_id = 0;
    parts.sys_flag &= ~message::kSysTransactionMask;
    if (properties.size() + kHalfPropertiesRoom > static_cast<std::size_t>(message::kPropertiesSizeMax)) {
      return refuse_with(
          illegal(options, fmt::format("With what the broker adds, the properties have {} bytes, more "
                                       "than the {} that a half message may have, whatever the settings",
                                       properties.size(), message::kPropertiesSizeMax - kHalfPropertiesRoom)));
    }
  } else {
    writer.copy(fields->properties, property::kPopCheckpoint, lost_priority, old_crc, property::kMessageRegion,
                property::kCluster, property::kTraceSwitch);
  }
  parts.properties = properties;
  if (!stage.send(reply, {&parts, 1}, wait.empty() || is_true(wait), unique_key, answered_queue_id,
                  std::move(recall_handle)))
    return refuse_with(illegal(options, why_no_record({&parts, 1})));
  if (out_ms >= 0) services.timers.nudge();
}

}  // namespace tern::broker
