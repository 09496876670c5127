#include "broker/send/send_target.hpp"

#include <algorithm>

#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

using protocol::Response;
using protocol::ResponseCode;

using S = SendFields;
using protocol::optional;
using protocol::required;
constexpr auto kFields = protocol::fields<S>(
    optional("producerGroup", &S::group), required("topic", &S::topic), optional("defaultTopic", &S::default_topic),
    optional("defaultTopicQueueNums", &S::default_topic_queues), required("queueId", &S::queue_id),
    optional("sysFlag", &S::sys_flag), required("bornTimestamp", &S::born_timestamp), optional("flag", &S::flag),
    optional("properties", &S::properties), optional("reconsumeTimes", &S::reconsume_times),
    optional("unitMode", &S::unit_mode), optional("maxReconsumeTimes", &S::max_reconsume_times),
    optional("batch", &S::batch));
constexpr auto kFieldsV2 =
    protocol::fields<S>(optional("a", &S::group), required("b", &S::topic), optional("c", &S::default_topic),
                        optional("d", &S::default_topic_queues), required("e", &S::queue_id),
                        optional("f", &S::sys_flag), required("g", &S::born_timestamp), optional("h", &S::flag),
                        optional("i", &S::properties), optional("j", &S::reconsume_times), optional("k", &S::unit_mode),
                        optional("l", &S::max_reconsume_times), optional("m", &S::batch));

constexpr std::string_view kFaq = "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";

// Why a send created no topic.
std::string_view why_not_created(const BrokerOptions& options) {
  return options.auto_create_topics ? "The default topic that the producer names passes nothing on"
                                    : "autoCreateTopicEnable=false: a send creates none";
}

}  // namespace

boost::system::result<SendFields, protocol::FieldProblem> decode_send(const protocol::CommandHeader& header,
                                                                      SendNames names) {
  return names == SendNames::kShort ? kFieldsV2.decode(header) : kFields.decode(header);
}

Response with_region(Response response, const BrokerOptions& options) {
  response.fields.add("MSG_REGION", options.region_id);
  response.fields.add("TRACE_ON", options.trace_on ? "true" : "false");
  return response;
}

std::optional<Response> find_target(const remoting::Request& request, const SendFields& fields, SendServices& services,
                                    SendTarget& to) {
  const auto& options = services.options;
  if (const auto problem = message::topic_problem(fields.topic)) {
    return protocol::refuse(ResponseCode::kInvalidParameter, "{}", *problem);
  }
  if (message::is_send_forbidden(fields.topic)) {
    return protocol::refuse(ResponseCode::kNoPermission, "Sending message to topic[{}] is forbidden.", fields.topic);
  }
  auto& topic = to.topic;
  topic = services.topics.find(fields.topic);
  if (!topic) {
    const bool is_retry = message::is_retry_topic(fields.topic);
    const int sys_flag = !fields.unit_mode ? 0 : is_retry ? kTopicUnitSub : kTopicUnit;
    topic =
        services.topics.create_from_default(fields.topic, fields.default_topic, fields.default_topic_queues, sys_flag);
    if (!topic && is_retry) topic = services.topics.ensure(fields.topic, 1, sys_flag, false);
  }
  if (!topic) {
    return protocol::refuse(ResponseCode::kTopicNotExist, "topic[{}] not exist, apply first please!\n{}\n{}",
                            fields.topic, kFaq, why_not_created(options));
  }
  if (topic->is_order && (options.permission & kPermWrite) == 0) {
    return protocol::refuse(ResponseCode::kNoPermission, "the broker[{}] sending message is forbidden",
                            services.identity.address);
  }
  const int queues = std::max(topic->write_queues, topic->read_queues);
  if (fields.queue_id >= queues) {
    return protocol::refuse(ResponseCode::kInvalidParameter, "request queueId[{}] is illegal, {} Producer: {}",
                            fields.queue_id, topic->text(), request.peer->remote_text());
  }
  auto& queue_id = to.queue_id;
  queue_id = fields.queue_id;
  if (queue_id < 0) {
    if (topic->write_queues <= 0) {
      return protocol::refuse(ResponseCode::kInvalidParameter, "request queueId[{}] is illegal, {} Producer: {}",
                              queue_id, topic->text(), request.peer->remote_text());
    }
    queue_id = static_cast<std::int32_t>(services.next_queue(request.io_thread) %
                                         static_cast<std::uint32_t>(topic->write_queues));
  }
  return std::nullopt;
}

}  // namespace tern::broker
