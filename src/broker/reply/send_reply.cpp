// SEND_REPLY_MESSAGE (324), SEND_REPLY_MESSAGE_V2 (325): the answer to a message that its sender waits for. It is
// pushed to that sender (326) over the connection that it produces over, and, with storeReplyMessageEnable, stored as
// well. Both happen at once; the answer waits for both, and its code says whether the push has arrived.
#include <memory>
#include <optional>
#include <string>

#include "tern/message/message_id.hpp"
#include "tern/message/properties.hpp"

#include "broker/reply/requests.hpp"
#include "broker/send/send_target.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;
namespace property = message::property;

constexpr std::string_view kReplyToClient = "REPLY_TO_CLIENT";
constexpr std::string_view kPushReplyTime = "PUSH_REPLY_TIME";
// How a body is compressed stays with it; the rest of a sender's flags means nothing for a record.
constexpr std::int32_t kCompressionFlags = message::kSysCompressed | 0x700;

/// One reply under way. Owned by the request's io thread: what other threads bring is posted to it.
struct Job {
  remoting::Reply reply;
  std::int32_t queue_id = 0;
  int waits_for = 0;                          // of push and store
  std::optional<std::string> push_failure;    // nullopt: it has arrived
  std::optional<store::Placement> placement;  // where it is stored
};
using JobPtr = std::shared_ptr<Job>;

void answer(Job& job, const SendServices& sends) {
  protocol::Response response;
  if (job.push_failure) response = protocol::refuse(ResponseCode::kSystemError, "{}", *job.push_failure);
  if (job.placement) {
    response.fields.add("msgId", message::offset_message_id(sends.identity.store_host, job.placement->position.value));
    response.fields.add("queueId", job.queue_id);
    response.fields.add("queueOffset", job.placement->queue_offset.value);
  } else if (!job.push_failure) {
    response.fields.add("msgId", "0");  // clients decode it
    response.fields.add("queueId", job.queue_id);
    response.fields.add("queueOffset", std::int64_t{0});
  }
  job.reply(with_region(std::move(response), sends.options));
}

void settle(Job& job, const SendServices& sends) {
  if (--job.waits_for == 0) answer(job, sends);
}

// The properties as they came, and the two that every message gets.
void copy_properties(const SendFields& fields, const BrokerOptions& options, std::string_view without,
                     message::PropertyWriter& to) {
  to.add(property::kMessageRegion, options.region_id);
  to.add(property::kTraceSwitch, options.trace_on ? "true" : "false");
  to.copy(fields.properties, property::kMessageRegion, property::kTraceSwitch, without);
}

protocol::Outgoing push_request(const remoting::Request& request, const SendFields& fields, const Replies& replies) {
  const auto now_ms = replies.clock.wall_ms();
  std::string properties;
  message::PropertyWriter writer(properties);
  copy_properties(fields, replies.sends.options, kPushReplyTime, writer);
  writer.add(kPushReplyTime, now_ms);
  auto push = protocol::request(protocol::RequestCode::kPushReplyMessageToClient)
                  .field("producerGroup", fields.group)
                  .field("topic", fields.topic)
                  .field("defaultTopic", fields.default_topic)
                  .field("defaultTopicQueueNums", fields.default_topic_queues)
                  .field("queueId", fields.queue_id)
                  .field("sysFlag", fields.sys_flag)
                  .field("bornTimestamp", fields.born_timestamp)
                  .field("flag", fields.flag)
                  .field("properties", properties)
                  .field("reconsumeTimes", fields.reconsume_times)
                  .field("unitMode", fields.unit_mode)
                  .field("bornHost", request.peer->remote_text())
                  .field("storeHost", replies.sends.identity.address)
                  .field("storeTimestamp", now_ms);
  return std::move(push).with_body(std::string(request.body_text()));
}

void push(const JobPtr& job, const remoting::Request& request, const SendFields& fields, Replies& replies) {
  const auto client_id = message::find_property(fields.properties, kReplyToClient);
  if (!client_id) {
    job->push_failure = fmt::format("reply message properties[{}] is null", kReplyToClient);
    return settle(*job, replies.sends);
  }
  if (fields.properties.size() > static_cast<std::size_t>(message::kPropertiesSizeMax)) {
    job->push_failure = fmt::format("push reply message to {}fail. Its properties have {} bytes, the limit is {}",
                                    *client_id, fields.properties.size(), message::kPropertiesSizeMax);
    return settle(*job, replies.sends);
  }
  const auto client = replies.clients.find_producer(*client_id);
  if (!client) {
    job->push_failure = fmt::format("push reply message fail, channel of <{}> not found.", *client_id);
    return settle(*job, replies.sends);
  }
  const auto arrived = [job, client_id = std::string(*client_id), io_thread = request.io_thread,
                        &replies](Result<remoting::Answer> answer) {
    replies.on_io_thread(io_thread, [job, client_id, answer = std::move(answer), &replies](SendStage&) {
      if (!answer || !answer->ok()) {
        job->push_failure =
            fmt::format("push reply message to {}fail. {}", client_id, answer ? answer->remark : answer.error().text());
      }
      settle(*job, replies.sends);
    });
  };
  replies.calls.call(client, push_request(request, fields, replies), Replies::kPushTimeoutMs, arrived);
}

// What cannot be stored is passed on all the same: the answer then names no place.
void store_reply(const JobPtr& job, const remoting::Request& request, const SendFields& fields,
                 const SendTarget& target, SendStage& stage, Replies& replies) {
  const auto& sends = replies.sends;
  const auto body_max = static_cast<std::size_t>(std::max(sends.options.message_size_max.get(), 0));
  message::RecordParts parts;
  parts.topic = target.topic->name;
  parts.queue_id = target.queue_id;
  parts.flag = fields.flag;
  parts.sys_flag = fields.sys_flag & kCompressionFlags;
  parts.born_timestamp = fields.born_timestamp;
  parts.born_host = request.peer->remote();
  parts.store_host = sends.identity.store_host;
  parts.reconsume_times = fields.reconsume_times;
  parts.body = request.body;
  auto& properties = stage.scratch();
  properties.clear();
  message::PropertyWriter writer(properties);
  copy_properties(fields, sends.options, stage.appends_crc() ? property::kCrc32 : std::string_view{}, writer);
  parts.properties = properties;
  const auto wait = message::find_property(fields.properties, property::kWait).value_or("true");
  const auto stored = [job, &replies](const PutOutcome& outcome) {
    if (outcome.is_stored()) job->placement = outcome.placement;
    settle(*job, replies.sends);
  };
  const bool is_staged =
      !request.body.empty() && request.body.size() <= body_max && stage.send(parts, wait == "true", stored);
  if (!is_staged) settle(*job, sends);
}

}  // namespace

void send_reply(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Replies& replies) {
  const bool is_v2 = request.header.code == static_cast<std::int32_t>(protocol::RequestCode::kSendReplyMessageV2);
  const auto fields = decode_send(request.header, is_v2 ? SendNames::kShort : SendNames::kLong);
  if (!fields) return reply(protocol::refuse(fields.error()));
  SendTarget target;
  if (auto refusal = find_target(request, *fields, replies.sends, target))
    return reply(with_region(std::move(*refusal), replies.sends.options));
  const auto job = std::make_shared<Job>();
  job->reply = std::move(reply);
  job->queue_id = target.queue_id;
  const bool is_stored = replies.options.are_stored;
  job->waits_for = is_stored ? 2 : 1;
  push(job, request, *fields, replies);
  if (is_stored) store_reply(job, request, *fields, target, stage, replies);
}

}  // namespace tern::broker
