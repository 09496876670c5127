// SET_MESSAGE_REQUEST_MODE (401), GET_ALL_MESSAGE_REQUEST_MODE (402): who pops and who pulls.
#include <memory>

#include <climits>

#include "tern/message/topic_name.hpp"

#include "broker/assignment/requests.hpp"

namespace tern::broker {

using protocol::ResponseCode;

void set_request_mode(const remoting::Request& request, remoting::Reply reply, Assignments& assignments) {
  const auto body = protocol::parse_json(request.body_text());
  if (!body || !body->is_object())
    return reply(protocol::refuse(ResponseCode::kSystemError, "the body is no request mode"));
  const auto topic = protocol::string_member(*body, "topic");
  const auto group = protocol::string_member(*body, "consumerGroup");
  const auto mode = protocol::string_member(*body, "mode");
  const auto shares = protocol::int_member(*body, "popShareQueueNum");
  if (message::is_retry_topic(topic))
    return reply(protocol::refuse(ResponseCode::kNoPermission, "retry topic is not allowed to set mode"));
  if (!assignments.topics.find(topic))
    return reply(protocol::refuse(ResponseCode::kTopicNotExist, "topic[{}] not exist", topic.substr(0, 256)));
  if (!assignments.groups.find_or_create(group)) {
    return reply(protocol::refuse(ResponseCode::kSubscriptionGroupNotExist, "subscription group[{}] not exist. {}",
                                  group.substr(0, 256), kGroupNotCreated));
  }
  if (mode != "PULL" && mode != "POP") {
    return reply(
        protocol::refuse(ResponseCode::kSystemError, "mode is \"{}\"; allowed are PULL, POP", mode.substr(0, 64)));
  }
  if (shares < INT_MIN || shares > INT_MAX) {
    return reply(protocol::refuse(ResponseCode::kSystemError, "popShareQueueNum is {}; allowed are {} to {}", shares,
                                  INT_MIN, INT_MAX));
  }
  const auto to = std::make_shared<remoting::Reply>(std::move(reply));
  assignments.modes.set(topic, group, {mode == "POP", static_cast<int>(shares)}, [to](Status saved) {
    (*to)(saved ? protocol::ok()
                : protocol::refuse(ResponseCode::kSystemError, "messageRequestMode.json cannot be saved: {}",
                                   saved.error().text()));
  });
}

protocol::Response get_request_modes(const remoting::Request&, Assignments& assignments) {
  return protocol::ok().with_body(protocol::write_json(assignments.modes.to_json()));
}

}  // namespace tern::broker
