// RECALL_MESSAGE (370): a producer takes back a message that is not due yet. What it leads to is a message of its own
// that is due at the same time and cancels the other; so it can be lost no easier than any other, and a recall that
// comes too late is refused.
#include <string>

#include "tern/message/topic_name.hpp"

#include "broker/timer/recall_handle.hpp"
#include "broker/timer/requests.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;
namespace property = message::property;

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::string_view handle;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::optional("producerGroup", &Fields::group),
                                                  protocol::required("topic", &Fields::topic),
                                                  protocol::optional("recallHandle", &Fields::handle));

constexpr std::string_view kRecallTag = "_RECALL_TAG_";
constexpr std::string_view kBody = "0";

// Clients read it of every answer, refusals included.
protocol::Response with_region(protocol::Response response, const BrokerOptions& options) {
  response.fields.add("MSG_REGION", options.region_id);
  return response;
}

}  // namespace

void recall_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage,
                    RecallServices& services) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto answer = [&](protocol::Response response) { reply(with_region(std::move(response), services.options)); };
  if (!services.timer_options.recall_enabled) {
    return answer(protocol::refuse(ResponseCode::kNoPermission, "recall failed, operation is forbidden"));
  }
  if (!services.timer_options.is_enabled || (services.options.permission & kPermWrite) == 0) {
    return answer(protocol::refuse(ResponseCode::kServiceNotAvailable,
                                   "recall failed, broker service not available: timerWheelEnable is {}, "
                                   "brokerPermission {}",
                                   services.timer_options.is_enabled, services.options.permission.get()));
  }
  const auto topic = services.topics.find(fields->topic);
  if (!topic) {
    return answer(protocol::refuse(ResponseCode::kTopicNotExist, "recall failed, the topic[{}] not exist",
                                   fields->topic.substr(0, message::kRetryTopicLengthMax)));
  }
  const auto illegal = [&](std::string_view remark) {
    answer(protocol::refuse(ResponseCode::kIllegalOperation, "{}", remark));
  };
  const auto handle = RecallHandle::decode(fields->handle);
  if (!handle || handle->unique_key.empty()) return illegal("recall handle is invalid");
  if (handle->topic != fields->topic) return illegal("recall failed, topic not match");
  if (handle->broker_name != services.identity.name) return illegal("recall failed, broker service not available");
  const std::int64_t now = services.clock.wall_ms();
  const std::int64_t delay_max = timer_delay_max_ms(services.timer_options);
  if (handle->deliver_ms <= now || handle->deliver_ms - now >= delay_max)
    return illegal("recall failed, timestamp invalid");
  // As a handle has it: one more than a TIMER_OUT_MS.
  const std::int64_t out_ms = timer_slot(handle->deliver_ms, services.timer_options.precision_ms);

  message::RecordParts parts;
  parts.topic = kTimerTopic;
  parts.queue_id = kTimerQueueId;
  parts.born_timestamp = now;
  parts.born_host = request.peer->remote();
  parts.store_host = services.identity.store_host;
  parts.body = std::as_bytes(std::span(kBody));
  auto& properties = stage.scratch();
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.add(property::kTags, kRecallTag);
  writer.add(property::kUniqueKey, handle->unique_key);
  writer.add(timer_property::kTimerDeleteKey, fmt::format("{}+{}", topic->name, handle->unique_key));
  writer.add(property::kTimerDeliverMs, handle->deliver_ms);
  writer.add("BORN_TIMESTAMP", now);
  writer.add(property::kProducerGroup, fields->group);
  writer.add(property::kMessageRegion, services.options.region_id);
  writer.add(property::kCluster, services.identity.cluster);
  add_timer_properties(writer, topic->name, 0, out_ms);
  parts.properties = properties;
  struct Job {
    remoting::Reply reply;
    std::string unique_key;
  };
  auto job = std::make_shared<Job>(Job{std::move(reply), handle->unique_key});
  const bool is_staged = stage.send(parts, true, [job, &services](const PutOutcome& outcome) {
    auto response = outcome.is_stored() ? protocol::ok().field("msgId", job->unique_key)
                                        : protocol::refuse(ResponseCode::kSystemError, "recall failed, execute error");
    job->reply(with_region(std::move(response), services.options));
  });
  if (!is_staged) {
    auto response = protocol::refuse(ResponseCode::kSystemError,
                                     "recall failed, execute error: its handle is too long for a record");
    return job->reply(with_region(std::move(response), services.options));
  }
  services.timers.nudge();
}

}  // namespace tern::broker
