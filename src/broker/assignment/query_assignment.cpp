// QUERY_ASSIGNMENT (400): the queues that one consumer of a group gets, and whether it pulls or pops them.
#include <algorithm>
#include <memory>

#include "tern/message/topic_name.hpp"
#include "tern/protocol/json.hpp"

#include "broker/assignment/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::Response;
using protocol::ResponseCode;
using protocol::string_member;

struct Query {
  std::string topic;
  std::string group;
  std::string client;
  std::string strategy;
  bool is_broadcasting = false;
  RequestModes::Mode mode;
};

// Without the member the client keeps what it has.
Response no_result() {
  return protocol::ok().with_body("{}");
}

Response result(const AssignedQueues& queues, bool is_pop) {
  auto list = Json::array();
  for (const auto& queue : queues) {
    list.push_back(
        {{"messageQueue", {{"brokerName", queue.broker}, {"queueId", queue.queue_id}, {"topic", queue.topic}}},
         {"mode", is_pop ? "POP" : "PULL"}});
  }
  return protocol::ok().with_body(protocol::write_json({{"messageQueueAssignments", std::move(list)}}));
}

Response assign(const Query& query, AssignedQueues queues, const Assignments& assignments) {
  std::sort(queues.begin(), queues.end());
  if (query.is_broadcasting || !assignments.options.balances) return result(queues, query.mode.is_pop);
  const auto group = assignments.clients.consumer_group(query.group);
  if (!group || group->members.empty()) return no_result();
  std::vector<std::string> clients;
  for (const auto& member : group->members) clients.push_back(member.client_id);
  std::sort(clients.begin(), clients.end());
  clients.erase(std::unique(clients.begin(), clients.end()), clients.end());
  const auto mine = query.mode.is_pop ? allocate_pop(query.strategy, query.client, queues, clients, query.mode.shares)
                                      : allocate(query.strategy, query.client, queues, clients);
  return mine ? result(*mine, query.mode.is_pop) : no_result();
}

}  // namespace

std::optional<AssignedQueues> queues_in_route(const std::string& topic, std::string_view body) {
  constexpr std::int64_t kQueuesMax = 16'384;  // of one broker
  const auto json = protocol::parse_json(body);
  const auto* list = json ? protocol::array_member(*json, "queueDatas") : nullptr;
  if (list == nullptr) return std::nullopt;
  AssignedQueues queues;
  for (const auto& data : *list) {
    if (!data.is_object() || (protocol::int_member(data, "perm") & kPermRead) == 0) continue;
    const auto count = std::clamp<std::int64_t>(protocol::int_member(data, "readQueueNums"), 0, kQueuesMax);
    for (std::int32_t id = 0; id < count; ++id) queues.push_back({topic, string_member(data, "brokerName"), id});
  }
  return queues;
}

void query_assignment(const remoting::Request& request, remoting::Reply reply, Assignments& assignments) {
  const auto body = protocol::parse_json(request.body_text());
  if (!body || !body->is_object())
    return reply(protocol::refuse(ResponseCode::kSystemError, "the body is no query for an assignment"));
  auto query = std::make_shared<Query>();
  query->topic = string_member(*body, "topic");
  query->group = string_member(*body, "consumerGroup");
  query->client = string_member(*body, "clientId");
  query->strategy = string_member(*body, "strategyName");
  const auto model = string_member(*body, "messageModel");
  if (model != "CLUSTERING" && model != "BROADCASTING") {
    return reply(protocol::refuse(ResponseCode::kSystemError,
                                  "messageModel is \"{}\"; allowed are CLUSTERING, BROADCASTING", model.substr(0, 64)));
  }
  query->is_broadcasting = model == "BROADCASTING";
  if (!message::is_retry_topic(query->topic)) {
    query->mode = assignments.modes.find(query->topic, query->group)
                      .value_or(RequestModes::Mode{assignments.options.default_mode.get() == "POP",
                                                   assignments.options.default_shares.get()});
  }
  const auto to = std::make_shared<remoting::Reply>(std::move(reply));
  assignments.find_queues(query->topic, [query, to, &assignments](std::optional<AssignedQueues> queues) {
    (*to)(queues ? assign(*query, std::move(*queues), assignments) : no_result());
  });
}

}  // namespace tern::broker
