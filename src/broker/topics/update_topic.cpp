// UPDATE_AND_CREATE_TOPIC (17), the same for a list (18): answered once the topics are saved and the nameservers have
// been told.
#include <algorithm>
#include <string>

#include <climits>

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

/// What one entry of a request comes to.
struct Change {
  enum class Kind : std::uint8_t { kRefused, kNone, kWanted };
  Kind kind = Kind::kRefused;
  protocol::Response refusal;
};
Change refused(protocol::Response refusal) {
  return {Change::Kind::kRefused, std::move(refusal)};
}

Change read_change(const Fields& fields, const TopicTable& topics, TopicConfig& topic) {
  if (fields.filter_type != "SINGLE_TAG" && fields.filter_type != "MULTI_TAG") {
    return refused(protocol::refuse(ResponseCode::kSystemError,
                                    "topicFilterType = [{}] value invalid; allowed: SINGLE_TAG, MULTI_TAG",
                                    fields.filter_type));
  }
  if (const auto problem = message::topic_problem(fields.topic))
    return refused(protocol::refuse(ResponseCode::kInvalidParameter, "{}", *problem));
  if (topics.is_system(fields.topic)) {
    return refused(protocol::refuse(ResponseCode::kInvalidParameter, "The topic[{}] is conflict with system topic.",
                                    fields.topic));
  }
  if (fields.read_queues < 0 || fields.write_queues < 0 || fields.read_queues > kQueuesMax ||
      fields.write_queues > kQueuesMax) {
    return refused(protocol::refuse(ResponseCode::kInvalidParameter,
                                    "readQueueNums {} and writeQueueNums {} must be 0 to {}", fields.read_queues,
                                    fields.write_queues, kQueuesMax));
  }
  const auto existing = topics.find(fields.topic);
  if (existing) topic.attributes = existing->attributes, topic.others = existing->others;
  topic.name = fields.topic;
  topic.read_queues = fields.read_queues;
  topic.write_queues = fields.write_queues;
  topic.perm = fields.perm;
  topic.is_multi_tag = fields.filter_type == "MULTI_TAG";
  topic.sys_flag = fields.sys_flag;
  topic.is_order = fields.order;
  if (const auto problem = change_attributes(fields.attributes, existing == nullptr, topic.attributes)) {
    return refused(protocol::refuse(ResponseCode::kSystemError, "{}", *problem));
  }
  if (const auto type = topic.attributes.find("message.type");
      type != topic.attributes.end() && type->second == "MIXED") {
    return refused(protocol::refuse(ResponseCode::kInvalidParameter, "MIXED message type is not supported."));
  }
  return {existing && *existing == topic ? Change::Kind::kNone : Change::Kind::kWanted, {}};
}

// The same of an entry of a list; its attributes come with their signs.
Change read_change(const protocol::Json& json, const TopicTable& topics, TopicConfig& topic) {
  if (!json.is_object())
    return refused(protocol::refuse(ResponseCode::kSystemError, "an entry of the list is no topic"));
  const auto name = protocol::string_member(json, "topicName");
  const auto filter_type = protocol::string_member(json, "topicFilterType", "SINGLE_TAG");
  std::string changes;
  if (const auto* attributes = protocol::object_member(json, "attributes")) {
    for (const auto& [key, value] : attributes->items()) {
      changes += changes.empty() ? "" : ",";
      changes += key;
      if (!key.starts_with('-')) changes += "=" + protocol::string_member(*attributes, key);
    }
  }
  const auto number = [&](std::string_view member, std::int64_t fallback) {
    // What does not fit is out of every range.
    return static_cast<std::int32_t>(
        std::clamp<std::int64_t>(protocol::int_member(json, member, fallback), INT32_MIN, INT32_MAX));
  };
  constexpr std::int32_t kDefaultQueues = 16;
  const Fields fields{name,
                      number("readQueueNums", kDefaultQueues),
                      number("writeQueueNums", kDefaultQueues),
                      number("perm", kPermRead | kPermWrite),
                      filter_type,
                      number("topicSysFlag", 0),
                      protocol::bool_member(json, "order"),
                      changes};
  return read_change(fields, topics, topic);
}

void put_and_register(TopicConfig topic, remoting::Reply reply, TopicTable& topics,
                      NameserverRegistration& registration) {
  auto job = std::make_shared<remoting::Reply>(std::move(reply));
  const TopicConfig copy = topic;
  topics.put(std::move(topic), [job, copy, &registration](Status saved) {
    if (!saved)
      return (*job)(
          protocol::refuse(ResponseCode::kSystemError, "topics.json cannot be saved: {}", saved.error().text()));
    registration.register_topic(copy, [job](int) { (*job)(protocol::ok()); });
  });
}

}  // namespace

void update_topic(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                  NameserverRegistration& registration) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  TopicConfig topic;
  switch (auto change = read_change(*fields, topics, topic); change.kind) {
    case Change::Kind::kRefused:
      return reply(std::move(change.refusal));
    case Change::Kind::kNone:
      return reply(protocol::ok());
    case Change::Kind::kWanted:
      break;
  }
  put_and_register(std::move(topic), std::move(reply), topics, registration);
}

// All of them or, if one is wrong, none; what is as it should be already is passed over.
void update_topic_list(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                       NameserverRegistration& registration) {
  const auto body = protocol::parse_json(request.body_text());
  const auto* list = body ? protocol::array_member(*body, "topicConfigList") : nullptr;
  if (list == nullptr)
    return reply(protocol::refuse(ResponseCode::kSystemError, "the body has no list named topicConfigList"));
  std::vector<TopicConfig> wanted;
  for (const auto& entry : *list) {
    TopicConfig topic;
    auto change = read_change(entry, topics, topic);
    if (change.kind == Change::Kind::kRefused) return reply(std::move(change.refusal));
    if (change.kind == Change::Kind::kWanted) wanted.push_back(std::move(topic));
  }
  if (wanted.empty()) return reply(protocol::ok());
  const auto last = wanted.back();
  wanted.pop_back();
  for (auto& topic : wanted) topics.put(std::move(topic));
  // A file with the last one holds the others, too, and the nameservers hear of them in order.
  put_and_register(last, std::move(reply), topics, registration);
}

}  // namespace tern::broker
