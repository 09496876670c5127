// CONSUME_MESSAGE_DIRECTLY (309): one stored message is given to one consumer, which consumes it at once and says what
// came of it. Nothing changes in the broker.
#include "tern/message/message_id.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/consumer_control/forwarding.hpp"
#include "broker/consumer_control/requests.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

struct Fields {
  std::string_view group;
  std::string_view client_id;
  std::string_view message_id;
  std::string_view topic;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("consumerGroup", &Fields::group), protocol::required("clientId", &Fields::client_id),
    protocol::required("msgId", &Fields::message_id), protocol::optional("topic", &Fields::topic));

}  // namespace

void consume_directly(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                      ClientCalls& calls, TopicTable& topics, GroupTable& groups, BrokerIdentity& identity,
                      store::Store& store, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto id = message::parse_offset_message_id(fields->message_id);
  if (!id) {
    return reply(protocol::refuse(ResponseCode::kSystemError,
                                  "msgId [{}] is no id that says where a message stands: 32 or 56 hex digits",
                                  fields->message_id));
  }
  std::vector<protocol::ExtField> replaced = {{"brokerName", identity.name}};
  std::string topic_flag, group_flag;
  if (const auto topic = topics.find(fields->topic)) {
    topic_flag = std::to_string(topic->sys_flag);
    replaced.push_back({"topicSysFlag", topic_flag});
  }
  if (const auto group = groups.find(fields->group)) {
    group_flag = std::to_string(group->sys_flag);
    replaced.push_back({"groupSysFlag", group_flag});
  }
  const auto asked = std::make_shared<protocol::Outgoing>(forwarded(request.header, replaced));
  answer_blocking(
      blocking, std::move(reply),
      [asked, position = id->physical_offset, group = std::string(fields->group),
       client_id = std::string(fields->client_id), &clients, &calls, &store](remoting::Reply to) {
        auto record = store.record_at({position});
        if (!record) {
          return to(protocol::refuse(ResponseCode::kSystemError, "can not find message by the offset, {}", position));
        }
        asked->body = std::move(*record);
        ask_consumer(clients, calls, group, client_id, std::move(*asked), std::move(to));
      });
}

}  // namespace tern::broker
