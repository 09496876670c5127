// INVOKE_BROKER_TO_RESET_OFFSET (222): a group is to go on from another place. With useServerSideResetOffset the broker
// notes the new offsets itself, and each member learns of them with its next pull. Without, the members are told (220)
// and move by themselves, so that somebody has to be online.
#include <algorithm>
#include <map>

#include "tern/protocol/json.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/consumer_control/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

constexpr int kOldestVersion = 28;  // V3_0_7_SNAPSHOT
constexpr std::int32_t kCpp = 1;    // LanguageCode: its clients want the offsets as a list
constexpr int kQueuesMax = 65'536;

struct Fields {
  std::string_view topic;
  std::string_view group;
  std::int32_t queue_id = -1;  // negative: all
  std::optional<std::int64_t> offset;
  std::int64_t timestamp = 0;  // negative: the end
  bool is_forced = false;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("topic", &Fields::topic), protocol::required("group", &Fields::group),
    protocol::optional("queueId", &Fields::queue_id), protocol::optional("offset", &Fields::offset),
    protocol::required("timestamp", &Fields::timestamp), protocol::optional("isForce", &Fields::is_forced));

/// A request on the blocking thread.
struct Job {
  std::string topic;
  std::string group;
  Fields fields;  // its texts are not to be used
  bool is_for_cpp = false;
};
using Offsets = std::map<std::int32_t, std::int64_t>;

store::QueueBounds bounds_of(const store::Store& store, const std::string& topic, std::int32_t queue_id) {
  const auto queue = store.find_queue(topic, queue_id);
  return queue ? queue->bounds() : store::QueueBounds{};
}

Result<std::int64_t> offset_at(const store::Store& store, const std::string& topic, std::int32_t queue_id,
                               std::int64_t timestamp) {
  const auto queue = store.find_queue(topic, queue_id);
  if (!queue) return 0;
  if (timestamp < 0) return queue->bounds().max.value;
  const auto offset = store.offset_by_time(*queue, timestamp, store::TimeBoundary::kLower);
  if (!offset) return offset.error();
  return offset->value;
}

protocol::Response unreadable(const std::string& topic, std::int32_t queue_id, const Error& why) {
  return protocol::refuse(ResponseCode::kSystemError, "{}#{} cannot be read: {}", topic, queue_id, why.text());
}

std::string offsets_body(const Offsets& offsets, const std::string& topic, const BrokerIdentity& identity) {
  auto table = Json::object();
  for (const auto& [queue_id, offset] : offsets) {
    const Json key = {{"brokerName", identity.name}, {"queueId", queue_id}, {"topic", topic}};
    table[key.dump()] = offset;
  }
  return protocol::write_json({{"offsetTable", std::move(table)}}, protocol::KeyStyle::kUnquoted, {"offsetTable"});
}

std::string offsets_list(const Offsets& offsets, const std::string& topic, const BrokerIdentity& identity) {
  auto list = Json::array();
  for (const auto& [queue_id, offset] : offsets) {
    list.push_back({{"brokerName", identity.name}, {"offset", offset}, {"queueId", queue_id}, {"topic", topic}});
  }
  return protocol::write_json({{"offsetTable", std::move(list)}});
}

protocol::Response reset_here(const Job& job, const OffsetReset& reset) {
  const auto& [topic_name, group, fields, is_for_cpp] = job;
  const auto topic = reset.topics.find(topic_name);
  if (!topic) return protocol::refuse(ResponseCode::kTopicNotExist, "Topic {} does not exist", topic_name);
  if (!reset.groups.find(group))
    return protocol::refuse(ResponseCode::kSubscriptionGroupNotExist, "Group {} does not exist", group);
  Offsets offsets;
  if (fields.queue_id >= 0 && fields.offset && *fields.offset != -1) {
    const auto bounds = bounds_of(reset.store, topic_name, fields.queue_id);
    if (*fields.offset < bounds.min.value || *fields.offset > bounds.max.value + 1) {
      return protocol::refuse(ResponseCode::kSystemError, "Target offset {} not in consume queue range [{}-{}]",
                              *fields.offset, bounds.min.value, bounds.max.value);
    }
    offsets[fields.queue_id] = *fields.offset;
  } else {
    const auto first = std::max(fields.queue_id, 0);
    const auto end = fields.queue_id >= 0 ? first : std::min(topic->read_queues, kQueuesMax) - 1;
    for (auto queue_id = first; queue_id <= end; ++queue_id) {
      const auto offset = offset_at(reset.store, topic_name, queue_id, fields.timestamp);
      if (!offset) return unreadable(topic_name, queue_id, offset.error());
      offsets[queue_id] = *offset;
    }
  }
  if (offsets.empty()) return protocol::refuse(ResponseCode::kSystemError, "No queues to reset.");
  for (const auto& [queue_id, offset] : offsets) reset.offsets.set_reset(group, topic_name, queue_id, offset);
  // Whose pull waits asks again, and hears of it now.
  reset.hold.wake_topic(topic_name);
  return protocol::ok().with_body(offsets_body(offsets, topic_name, reset.identity));
}

protocol::Response tell_members(const Job& job, const OffsetReset& reset) {
  const auto& [topic_name, group, fields, is_for_cpp] = job;
  const auto topic = reset.topics.find(topic_name);
  if (!topic) {
    return protocol::refuse(ResponseCode::kTopicNotExist,
                            "[reset-offset] reset offset failed, no topic in this broker. topic={}", topic_name);
  }
  Offsets offsets;
  for (std::int32_t queue_id = 0; queue_id < std::min(topic->write_queues, kQueuesMax); ++queue_id) {
    const auto consumed = reset.offsets.find(group, topic_name, queue_id);
    if (!consumed || *consumed == -1)
      return protocol::refuse(ResponseCode::kSystemError, "THe consumer group <{}> not exist", group);
    // Unlike with the broker's own reset, -1 alone means the end.
    const auto offset = offset_at(reset.store, topic_name, queue_id,
                                  fields.timestamp == -1 ? -1 : std::max<std::int64_t>(fields.timestamp, 0));
    if (!offset) return unreadable(topic_name, queue_id, offset.error());
    offsets[queue_id] = fields.is_forced ? *offset : std::min(*offset, *consumed);
  }
  const auto members = reset.clients.consumer_group(group);
  if (!members || members->members.empty()) {
    return protocol::refuse(ResponseCode::kConsumerNotOnline,
                            "Consumer not online, so can not reset offset, Group: {} Topic: {} Timestamp: {}", group,
                            topic_name, fields.timestamp);
  }
  for (const auto& member : members->members) {
    if (member.version >= kOldestVersion) continue;
    return protocol::refuse(ResponseCode::kSystemError, "the client does not support this feature. version={}",
                            member.version);
  }
  const auto body = offsets_body(offsets, topic_name, reset.identity);
  for (const auto& member : members->members) {
    member.peer->notify(protocol::request(protocol::RequestCode::kResetConsumerClientOffset)
                            .field("topic", topic_name)
                            .field("group", group)
                            .field("queueId", -1)
                            .field("timestamp", fields.timestamp)
                            .field("isForce", false)
                            .with_body(is_for_cpp ? offsets_list(offsets, topic_name, reset.identity) : body));
  }
  return protocol::ok().with_body(body);
}

}  // namespace

void reset_offset(const remoting::Request& request, remoting::Reply reply, OffsetReset& reset) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  Job job{std::string(fields->topic), std::string(fields->group), *fields, request.header.language == kCpp};
  job.fields.topic = job.fields.group = {};
  answer_blocking(reset.blocking, std::move(reply), [job = std::move(job), &reset](remoting::Reply to) {
    to(reset.options.server_side ? reset_here(job, reset) : tell_members(job, reset));
  });
}

}  // namespace tern::broker
