// UPDATE_AND_CREATE_TOPIC (17): answered once the topic is saved and the nameservers have been told.
#include "tern/message/topic_name.hpp"

#include "broker/topics/requests.hpp"
#include "broker/topics/topic_attributes.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

constexpr int kQueuesMax = 65'536;

struct Fields {
  std::string_view topic;
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
  std::int32_t perm = 0;
  std::string_view filter_type;
  std::int32_t sys_flag = 0;
  bool order = false;
  std::string_view attributes;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("topic", &Fields::topic), protocol::required("readQueueNums", &Fields::read_queues),
    protocol::required("writeQueueNums", &Fields::write_queues), protocol::required("perm", &Fields::perm),
    protocol::required("topicFilterType", &Fields::filter_type), protocol::optional("topicSysFlag", &Fields::sys_flag),
    protocol::optional("order", &Fields::order), protocol::optional("attributes", &Fields::attributes));

}  // namespace

void update_topic(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                  NameserverRegistration& registration) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  if (fields->filter_type != "SINGLE_TAG" && fields->filter_type != "MULTI_TAG") {
    return reply(protocol::refuse(ResponseCode::kSystemError,
                                  "topicFilterType = [{}] value invalid; allowed: SINGLE_TAG, MULTI_TAG",
                                  fields->filter_type));
  }
  if (const auto problem = message::topic_problem(fields->topic))
    return reply(protocol::refuse(ResponseCode::kInvalidParameter, "{}", *problem));
  if (topics.is_system(fields->topic)) {
    return reply(protocol::refuse(ResponseCode::kInvalidParameter, "The topic[{}] is conflict with system topic.",
                                  fields->topic));
  }
  if (fields->read_queues < 0 || fields->write_queues < 0 || fields->read_queues > kQueuesMax ||
      fields->write_queues > kQueuesMax) {
    return reply(protocol::refuse(ResponseCode::kInvalidParameter,
                                  "readQueueNums {} and writeQueueNums {} must be 0 to {}", fields->read_queues,
                                  fields->write_queues, kQueuesMax));
  }
  const auto existing = topics.find(fields->topic);
  TopicConfig topic;
  if (existing) topic.attributes = existing->attributes, topic.others = existing->others;
  topic.name = fields->topic;
  topic.read_queues = fields->read_queues;
  topic.write_queues = fields->write_queues;
  topic.perm = fields->perm;
  topic.is_multi_tag = fields->filter_type == "MULTI_TAG";
  topic.sys_flag = fields->sys_flag;
  topic.is_order = fields->order;
  if (const auto problem = change_attributes(fields->attributes, existing == nullptr, topic.attributes)) {
    return reply(protocol::refuse(ResponseCode::kSystemError, "{}", *problem));
  }
  if (const auto type = topic.attributes.find("message.type");
      type != topic.attributes.end() && type->second == "MIXED") {
    return reply(protocol::refuse(ResponseCode::kInvalidParameter, "MIXED message type is not supported."));
  }
  if (existing && *existing == topic) return reply(protocol::ok());
  auto job = std::make_shared<remoting::Reply>(std::move(reply));
  const TopicConfig copy = topic;
  topics.put(std::move(topic), [job, copy, &registration](Status saved) {
    if (!saved)
      return (*job)(
          protocol::refuse(ResponseCode::kSystemError, "topics.json cannot be saved: {}", saved.error().text()));
    registration.register_topic(copy, [job](int) { (*job)(protocol::ok()); });
  });
}

}  // namespace tern::broker
