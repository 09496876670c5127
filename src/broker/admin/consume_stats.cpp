// GET_CONSUME_STATS (208): how far a group is behind, queue by queue.
#include <algorithm>

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::string_view topics;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("consumerGroup", &Fields::group),
                                                  protocol::optional("topic", &Fields::topic),
                                                  protocol::optional("topicList", &Fields::topics));

}  // namespace

void get_consume_stats(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                       OffsetTable& offsets, ClientRegistry& clients, store::Store& store, BrokerIdentity& identity,
                       Statistics& statistics, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  std::set<std::string> names;
  if (fields->topics.empty() && !fields->topic.empty()) names.emplace(fields->topic);
  for (auto rest = fields->topics; !rest.empty();) {
    const auto name = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (!name.empty()) names.emplace(name);
  }
  if (names.empty()) names = offsets.topics_of(fields->group);
  answer_blocking(
      blocking, std::move(reply),
      [names, group = std::string(fields->group), &topics, &offsets, &clients, &store, &identity,
       &statistics](remoting::Reply to) {
        double per_second = 0;
        auto table = Json::object();
        for (const auto& name : names) {
          const auto topic = topics.find(name);
          if (!topic) continue;
          // A group that is online no longer consumes what it does not subscribe to; its old offsets are not lag.
          if (clients.model_of(group) && !clients.find_subscription(group, name)) continue;
          per_second += statistics.rate(statistics::kGroupGets, statistics::of(name, group));
          for (int id = 0; id < topic->read_queues; ++id) {
            const auto queue = store.find_queue(name, id);
            const auto bounds = queue ? queue->bounds() : store::QueueBounds{};
            const std::int64_t consumed = std::max<std::int64_t>(0, offsets.find(group, name, id).value_or(0));
            std::int64_t last = 0;
            if (queue && consumed > 0) {
              if (const auto time = store.store_time(*queue, {consumed - 1})) last = *time;
            }
            const Json key = {{"brokerName", identity.name}, {"queueId", id}, {"topic", name}};
            table[key.dump()] = {{"brokerOffset", bounds.max.value},
                                 {"consumerOffset", consumed},
                                 {"lastTimestamp", last},
                                 {"pullOffset", std::max(consumed, offsets.find_pulled(group, name, id).value_or(0))}};
          }
        }
        const Json body = {{"consumeTps", per_second}, {"offsetTable", std::move(table)}};
        to(protocol::ok().with_body(protocol::write_json(body, protocol::KeyStyle::kUnquoted, {"offsetTable"})));
      });
}

}  // namespace tern::broker
