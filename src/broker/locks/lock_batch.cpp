// LOCK_BATCH_MQ (41), UNLOCK_BATCH_MQ (42): orderly consumers own their queues.
#include "broker/locks/lock_batch.hpp"

#include <algorithm>

#include "tern/protocol/json.hpp"

namespace tern::broker {
namespace {

struct Body {
  std::string group;
  std::string client_id;
  std::vector<MessageQueue> queues;
};
constexpr std::size_t kQueuesMax = 100'000;  // of one request

std::optional<Body> parse(const remoting::Request& request) {
  const auto json = protocol::parse_json(request.body_text());
  if (!json || !json->is_object()) return std::nullopt;
  Body body{protocol::string_member(*json, "consumerGroup"), protocol::string_member(*json, "clientId"), {}};
  if (const auto* set = protocol::array_member(*json, "mqSet")) {
    for (std::size_t i = 0; i < set->size() && i < kQueuesMax; ++i) {
      const auto& item = (*set)[i];
      if (!item.is_object()) continue;
      body.queues.push_back({protocol::string_member(item, "topic"), protocol::string_member(item, "brokerName"),
                             static_cast<std::int32_t>(protocol::int_member(item, "queueId"))});
    }
    // It is a set: clients count what they own.
    std::sort(body.queues.begin(), body.queues.end());
    body.queues.erase(std::unique(body.queues.begin(), body.queues.end()), body.queues.end());
  }
  return body;
}

protocol::Response refuse_body() {
  return protocol::refuse(protocol::ResponseCode::kSystemError, "the body is no JSON object");
}

}  // namespace

protocol::Response lock_batch(const remoting::Request& request, QueueLocks& locks) {
  const auto body = parse(request);
  if (!body) return refuse_body();
  auto owned = protocol::Json::array();
  for (const auto& queue : locks.lock(body->group, body->client_id, body->queues)) {
    owned.push_back({{"brokerName", queue.broker_name}, {"queueId", queue.queue_id}, {"topic", queue.topic}});
  }
  return protocol::ok().with_body(protocol::write_json({{"lockOKMQSet", std::move(owned)}}));
}

protocol::Response unlock_batch(const remoting::Request& request, QueueLocks& locks) {
  const auto body = parse(request);
  if (!body) return refuse_body();
  locks.unlock(body->group, body->client_id, body->queues);
  return protocol::ok();
}

}  // namespace tern::broker
