#include "broker/transaction/half_message.hpp"

#include <algorithm>
#include <charconv>

#include "tern/message/message_id.hpp"
#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

namespace property = message::property;

template <class T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_same_send(const message::RecordView& record, std::string_view unique_key, const HalfMessage& half) {
  return !unique_key.empty() && unique_key == half.unique_key && record.born_timestamp == half.record.born_timestamp &&
         record.born_host == half.record.born_host;
}

}  // namespace

std::optional<std::int64_t> HalfMessage::immunity_ms() const {
  constexpr std::int64_t kSecondsMax = INT64_MAX / 1000;
  const auto seconds = number<std::int64_t>(immunity_seconds);
  if (!seconds) return std::nullopt;
  return std::clamp(*seconds, -kSecondsMax, kSecondsMax) * 1000;
}

bool HalfMessage::can_be_committed() const {
  return queue_id >= 0 && !message::topic_problem(topic);
}

void add_half_properties(message::PropertyWriter& to, std::string_view topic, std::int32_t queue_id,
                         std::string_view unique_key) {
  to.add(property::kTransactionId, unique_key);
  to.add(property::kRealTopic, topic);
  to.add(property::kRealQueueId, static_cast<std::int64_t>(queue_id));
}

std::optional<HalfMessage> parse_half_message(std::span<const std::byte> bytes, HalfPlace place) {
  const auto record = message::parse_record(bytes, message::BodyCheck::kSkip);
  const auto topic =
      place == HalfPlace::kHalfTopic ? message::kTransactionHalfTopic : message::kTransactionDiscardTopic;
  if (!record || record->is_blank() || record->topic != topic) return std::nullopt;
  HalfMessage half;
  half.record = *record;
  message::for_each_property(record->properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kRealTopic)
      half.topic = value;
    else if (name == property::kRealQueueId)
      half.queue_id = number<std::int32_t>(value).value_or(-1);
    else if (name == property::kProducerGroup)
      half.group = value;
    else if (name == property::kUniqueKey)
      half.unique_key = value;
    else if (name == property::kTransactionId)
      half.transaction_id = value;
    else if (name == property::kTransactionChecks)
      half.checks = number<std::int64_t>(value).value_or(0);
    else if (name == property::kCheckImmunitySeconds)
      half.immunity_seconds = value;
    else if (name == property::kFirstHalfOffset)
      half.first_offset = number<std::int64_t>(value);
  });
  return half;
}

bool is_copy_of(const HalfMessage& later, const HalfMessage& earlier) {
  return later.record.physical_offset > earlier.record.physical_offset && later.is_copy() &&
         later.checks >= earlier.checks && later.group == earlier.group && later.topic == earlier.topic &&
         later.queue_id == earlier.queue_id && is_same_send(later.record, later.unique_key, earlier);
}

// One message object that is sent twice has one unique key: then the two are told apart by when they were born, and if
// that is the same millisecond, by the marks of a copy.
bool is_commit_of(const message::RecordView& record, const HalfMessage& half) {
  if ((record.sys_flag & message::kSysTransactionMask) != message::kSysTransactionCommit || record.topic != half.topic)
    return false;
  const auto key = message::find_property(record.properties, property::kUniqueKey);
  if (!is_same_send(record, key.value_or(""), half)) return false;
  const std::int64_t of = record.prepared_transaction_offset;
  if (of == half.record.physical_offset) return true;
  if (of < half.record.physical_offset) return half.is_copy();
  return message::find_property(record.properties, property::kTransactionChecks) ||
         message::find_property(record.properties, property::kFirstHalfOffset);
}

message::RecordParts committed_parts(const HalfMessage& half, std::string& properties) {
  auto parts = message::parts_of(half.record);
  parts.topic = half.topic;
  parts.queue_id = half.queue_id;
  parts.sys_flag = (parts.sys_flag & ~message::kSysTransactionMask) | message::kSysTransactionCommit;
  parts.prepared_transaction_offset = half.record.physical_offset;
  properties.clear();
  message::PropertyWriter(properties).copy(half.record.properties, property::kRealTopic, property::kRealQueueId);
  parts.properties = properties;
  return parts;
}

message::RecordParts checked_parts(const HalfMessage& half, std::string& properties) {
  auto parts = message::parts_of(half.record);
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.add(property::kTransactionChecks, half.checks + 1);
  writer.copy(half.record.properties, property::kTransactionChecks);
  parts.properties = properties;
  return parts;
}

message::RecordParts immune_parts(const HalfMessage& half, std::string& properties) {
  auto parts = message::parts_of(half.record);
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.add(property::kFirstHalfOffset, half.first_offset.value_or(half.record.queue_offset));
  writer.add(property::kWait, "false");
  writer.copy(half.record.properties, property::kFirstHalfOffset, property::kWait);
  parts.properties = properties;
  return parts;
}

message::RecordParts resumed_parts(const HalfMessage& half, std::string& properties) {
  auto parts = message::parts_of(half.record);
  parts.topic = message::kTransactionHalfTopic;
  parts.queue_id = 0;
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.add(property::kTransactionChecks, std::int64_t{0});
  writer.copy(message::without_appended_crc(half.record.properties), property::kTransactionChecks,
              property::kFirstHalfOffset);
  parts.properties = properties;
  return parts;
}

message::RecordParts discarded_parts(const HalfMessage& half) {
  auto parts = message::parts_of(half.record);
  parts.topic = message::kTransactionDiscardTopic;
  parts.queue_id = 0;
  return parts;
}

protocol::Outgoing check_request(const HalfMessage& half, std::int64_t copy_offset, std::int64_t copy_position,
                                 std::string_view broker_name) {
  auto parts = message::parts_of(half.record);
  parts.topic = half.topic;
  parts.queue_id = half.queue_id;
  std::string properties;
  message::PropertyWriter writer(properties);
  writer.add(property::kTransactionChecks, half.checks + 1);
  writer.add(property::kWait, "false");
  writer.copy(half.record.properties, property::kTransactionChecks, property::kWait);
  parts.properties = message::without_appended_crc(properties);
  if (message::record_size(parts) == 0) parts.properties = message::without_appended_crc(half.record.properties);
  return protocol::request(protocol::RequestCode::kCheckTransactionState)
      .field("topic", half.record.topic)
      .field("tranStateTableOffset", copy_offset)
      .field("commitLogOffset", copy_position)
      .field("msgId", half.unique_key)
      .field("transactionId", half.transaction_id.empty() ? half.unique_key : half.transaction_id)
      .field("offsetMsgId", message::offset_message_id(half.record.store_host, copy_position))
      .field("bname", broker_name)
      .with_body(message::encode_record(parts, copy_offset, copy_position, half.record.store_timestamp));
}

}  // namespace tern::broker
