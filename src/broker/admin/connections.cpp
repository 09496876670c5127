// GET_CONSUMER_CONNECTION_LIST (203), GET_PRODUCER_CONNECTION_LIST (204), QUERY_TOPIC_CONSUME_BY_WHO (300),
// QUERY_TOPICS_BY_CONSUMER (343), GET_ALL_PRODUCER_INFO (328), QUERY_SUBSCRIPTION_BY_CONSUMER (345): who is there, and
// what they consume.
#include <array>

#include "broker/admin/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

constexpr std::array<std::string_view, 14> kLanguages = {"JAVA",   "CPP",  "DOTNET", "PYTHON", "DELPHI",
                                                         "ERLANG", "RUBY", "OTHER",  "HTTP",   "GO",
                                                         "PHP",    "OMS",  "RUST",   "NODE_JS"};
constexpr std::array<std::string_view, 3> kConsumeTypes = {"CONSUME_ACTIVELY", "CONSUME_PASSIVELY", "CONSUME_POP"};
constexpr std::array<std::string_view, 6> kConsumeFrom = {
    "CONSUME_FROM_LAST_OFFSET",  "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
    "CONSUME_FROM_MIN_OFFSET",   "CONSUME_FROM_MAX_OFFSET",
    "CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP"};

struct Fields {
  std::string_view name;
};
constexpr auto kConsumerGroup = protocol::fields<Fields>(protocol::required("consumerGroup", &Fields::name));
constexpr auto kProducerGroup = protocol::fields<Fields>(protocol::required("producerGroup", &Fields::name));
constexpr auto kTopic = protocol::fields<Fields>(protocol::required("topic", &Fields::name));
constexpr auto kGroup = protocol::fields<Fields>(protocol::required("group", &Fields::name));

struct GroupAndTopic {
  std::string_view group;
  std::string_view topic;
};
constexpr auto kGroupAndTopic = protocol::fields<GroupAndTopic>(protocol::required("group", &GroupAndTopic::group),
                                                                protocol::required("topic", &GroupAndTopic::topic));

std::string_view language(const ClientInfo& client) {
  return client.language >= 0 && client.language < static_cast<std::int32_t>(kLanguages.size())
             ? kLanguages[static_cast<std::size_t>(client.language)]
             : std::string_view("OTHER");
}

Json connection(const ClientInfo& client) {
  return {{"clientAddr", client.peer->remote_text()},
          {"clientId", client.client_id},
          {"language", language(client)},
          {"version", client.version}};
}

}  // namespace

Json to_json(const Subscription& subscription) {
  return {{"classFilterMode", subscription.class_filter_mode},
          {"codeSet", subscription.codes},
          {"expressionType", subscription.expression_type},
          {"subString", subscription.expression},
          {"subVersion", subscription.version},
          {"tagsSet", subscription.tags},
          {"topic", subscription.topic}};
}

protocol::Response get_consumer_connections(const remoting::Request& request, ClientRegistry& clients) {
  const auto fields = kConsumerGroup.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto group = clients.consumer_group(fields->name);
  if (!group)
    return protocol::refuse(ResponseCode::kConsumerNotOnline, "the consumer group[{}] not online", fields->name);
  auto connections = Json::array();
  for (const auto& client : group->members) connections.push_back(connection(client));
  auto subscriptions = Json::object();
  for (const auto& subscription : group->subscriptions) subscriptions[subscription->topic] = to_json(*subscription);
  return protocol::ok().with_body(protocol::write_json(
      {{"connectionSet", std::move(connections)},
       {"consumeFromWhere", kConsumeFrom[static_cast<std::size_t>(group->consume_from)]},
       {"consumeType", kConsumeTypes[static_cast<std::size_t>(group->type)]},
       {"messageModel", group->model == MessageModel::kBroadcasting ? "BROADCASTING" : "CLUSTERING"},
       {"subscriptionTable", std::move(subscriptions)}}));
}

protocol::Response get_producer_connections(const remoting::Request& request, ClientRegistry& clients) {
  const auto fields = kProducerGroup.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto producers = clients.producers(fields->name);
  if (producers.empty())
    return protocol::refuse(ResponseCode::kSystemError, "the producer group[{}] not exist", fields->name);
  auto connections = Json::array();
  for (const auto& client : producers) connections.push_back(connection(client));
  return protocol::ok().with_body(protocol::write_json({{"connectionSet", std::move(connections)}}));
}

protocol::Response query_topic_consumers(const remoting::Request& request, ClientRegistry& clients,
                                         OffsetTable& offsets) {
  const auto fields = kTopic.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  auto groups = offsets.groups_of(fields->name);
  for (auto& group : clients.groups_subscribed_to(fields->name)) groups.insert(std::move(group));
  return protocol::ok().with_body(protocol::write_json({{"groupList", Json(groups)}}));
}

protocol::Response query_topics_of_consumer(const remoting::Request& request, OffsetTable& offsets,
                                            BrokerIdentity& identity) {
  const auto fields = kGroup.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  return protocol::ok().with_body(
      protocol::write_json({{"brokerAddr", identity.address}, {"topicList", Json(offsets.topics_of(fields->name))}}));
}

protocol::Response get_all_producers(const remoting::Request&, ClientRegistry& clients, Clock& clock) {
  const std::int64_t wall_minus_steady = clock.wall_ms() - clock.steady_ms();
  auto groups = Json::object();
  for (const auto& [group, producers] : clients.all_producers()) {
    auto& list = groups[group] = Json::array();
    for (const auto& client : producers) {
      list.push_back({{"clientId", client.client_id},
                      {"language", language(client)},
                      {"lastUpdateTimestamp", client.last_heartbeat_ms + wall_minus_steady},
                      {"remoteIP", "/" + client.peer->remote_text()},
                      {"version", client.version}});
    }
  }
  return protocol::ok().with_body(protocol::write_json({{"data", std::move(groups)}}));
}

protocol::Response query_subscription(const remoting::Request& request, ClientRegistry& clients) {
  const auto fields = kGroupAndTopic.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  Json body = {{"group", fields->group}, {"topic", fields->topic}};
  if (const auto subscription = clients.find_subscription(fields->group, fields->topic))
    body["subscriptionData"] = to_json(*subscription);
  return protocol::ok().with_body(protocol::write_json(body));
}

}  // namespace tern::broker
