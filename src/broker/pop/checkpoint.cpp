#include "broker/pop/checkpoint.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tern/message/properties.hpp"
#include "tern/protocol/json.hpp"

#include "broker/pop/receipt.hpp"

namespace tern::broker {
namespace {

using protocol::int_member;
using protocol::Json;
using protocol::string_member;
namespace property = message::property;

constexpr std::string_view kCheckpointTag = "ck", kAckTag = "ack", kBatchAckTag = "bAck";
constexpr std::int64_t kDeltaMax = 1'000'000;  // what a filter passes over is far less

std::string properties(std::string_view tag, const std::string& key, std::int64_t now_ms) {
  std::string text;
  message::PropertyWriter writer(text);
  writer.add(property::kTimerDeliverMs, now_ms);
  writer.add(property::kUniqueKey, key);
  writer.add(property::kWait, "true");
  writer.add(property::kTags, tag);
  return text;
}

// Acknowledgements have long names too.
std::string text_of(const Json& json, std::string_view name, std::string_view long_name) {
  return string_member(json, name, string_member(json, long_name));
}
std::int64_t number_of(const Json& json, std::string_view name, std::string_view long_name) {
  return int_member(json, name, int_member(json, long_name, -1));
}

std::optional<Checkpoint> checkpoint_from(const Json& json) {
  Checkpoint made;
  made.topic = string_member(json, "t");
  made.group = string_member(json, "c");
  made.broker = string_member(json, "bn");
  made.queue_id = static_cast<std::int32_t>(int_member(json, "q", -1));
  made.start_offset = int_member(json, "so", -1);
  made.pop_time = int_member(json, "pt", -1);
  made.invisible_ms = std::clamp<std::int64_t>(int_member(json, "it"), 0, kInvisibleMsMax);
  made.acknowledged = static_cast<std::uint32_t>(int_member(json, "bm"));
  const auto count = std::clamp<std::int64_t>(int_member(json, "n"), 0, kCheckpointMessagesMax);
  const auto* deltas = protocol::array_member(json, "d");
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t delta = i;
    if (deltas != nullptr && !deltas->empty()) {
      if (static_cast<std::size_t>(i) >= deltas->size() || !(*deltas)[static_cast<std::size_t>(i)].is_number_integer())
        break;
      delta = (*deltas)[static_cast<std::size_t>(i)].get<std::int64_t>();
    }
    if (delta < 0 || delta > kDeltaMax) return std::nullopt;
    if (!made.deltas.empty() && delta <= made.deltas.back()) return std::nullopt;
    made.deltas.push_back(static_cast<std::int32_t>(delta));
  }
  const bool is_whole = !made.topic.empty() && !made.group.empty() && made.queue_id >= 0 && made.start_offset >= 0 &&
                        made.pop_time >= 0 && !made.deltas.empty();
  return is_whole ? std::optional(std::move(made)) : std::nullopt;
}

std::optional<Acknowledgement> acknowledgement_from(const Json& json, bool is_batch) {
  Acknowledgement made;
  made.topic = text_of(json, "t", "topic");
  made.group = text_of(json, "c", "consumerGroup");
  made.broker = text_of(json, "bn", "brokerName");
  made.queue_id = static_cast<std::int32_t>(number_of(json, "q", "queueId"));
  made.start_offset = number_of(json, "so", "startOffset");
  made.pop_time = number_of(json, "pt", "popTime");
  if (is_batch) {
    const auto* list = protocol::array_member(json, "aol");
    if (list == nullptr) list = protocol::array_member(json, "ackOffsetList");
    if (list == nullptr) return std::nullopt;
    for (const auto& one : *list) {
      if (made.offsets.size() == kCheckpointMessagesMax) break;
      if (one.is_number_integer()) made.offsets.push_back(one.get<std::int64_t>());
    }
  } else {
    made.offsets.push_back(number_of(json, "ao", "ackOffset"));
  }
  const bool is_whole = !made.topic.empty() && !made.group.empty() && made.queue_id >= 0;
  return is_whole ? std::optional(std::move(made)) : std::nullopt;
}

}  // namespace

ReviveRecord parse_revive_record(const message::RecordView& record) {
  ReviveRecord made;
  const auto tag = message::find_property(record.properties, property::kTags).value_or("");
  made.was_timed = message::find_property(record.properties, property::kTimerOutMs).has_value();
  if (tag != kCheckpointTag && tag != kAckTag && tag != kBatchAckTag) return made;
  const auto json = protocol::parse_json({reinterpret_cast<const char*>(record.body.data()), record.body.size()});
  if (!json || !json->is_object()) return made;
  if (tag == kCheckpointTag)
    made.checkpoint = checkpoint_from(*json);
  else
    made.acknowledgement = acknowledgement_from(*json, tag == kBatchAckTag);
  return made;
}

ReviveText checkpoint_text(const Checkpoint& checkpoint, std::int64_t now_ms) {
  const auto& c = checkpoint;
  const Json json = {{"bm", static_cast<std::int32_t>(c.acknowledged)},
                     {"bn", c.broker},
                     {"c", c.group},
                     {"d", c.deltas},
                     {"it", c.invisible_ms},
                     {"n", c.deltas.size()},
                     {"pt", c.pop_time},
                     {"q", c.queue_id},
                     {"reviveTime", c.pop_time + c.invisible_ms},
                     {"ro", 0},
                     {"so", c.start_offset},
                     {"t", c.topic}};
  const auto key =
      fmt::format("{}@{}@{}@{}@{}@{}@ck", c.topic, c.queue_id, c.start_offset, c.group, c.pop_time, c.broker);
  return {protocol::write_json(json), properties(kCheckpointTag, key, now_ms)};
}

ReviveText acknowledgement_text(const Acknowledgement& acknowledgement, std::int64_t now_ms) {
  const auto& a = acknowledgement;
  const bool is_batch = a.offsets.size() > 1;
  const std::int64_t offset = is_batch ? -1 : a.offsets.front();
  Json json = {{"ao", offset},    {"bn", a.broker},       {"c", a.group}, {"pt", a.pop_time},
               {"q", a.queue_id}, {"so", a.start_offset}, {"t", a.topic}};
  if (is_batch) json["aol"] = a.offsets;
  const auto key = fmt::format("{}@{}@{}@{}@{}@{}@ack", a.topic, a.queue_id, offset, a.group, a.pop_time, a.broker);
  return {protocol::write_json(json), properties(is_batch ? kBatchAckTag : kAckTag, key, now_ms)};
}

}  // namespace tern::broker
