// GET_BROKER_CONSUME_STATS (317): how far every group is behind, topic by topic.
#include <algorithm>

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

constexpr std::size_t kBodyBytesMax = 12 * 1024 * 1024;

struct Fields {
  bool is_order = false;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::optional("isOrder", &Fields::is_order));

}  // namespace

void get_broker_consume_stats(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                              GroupTable& groups, OffsetTable& offsets, ClientRegistry& clients, store::Store& store,
                              BrokerIdentity& identity, Statistics& statistics, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  answer_blocking(
      blocking, std::move(reply),
      [is_order = fields->is_order, &topics, &groups, &offsets, &clients, &store, &identity,
       &statistics](remoting::Reply to) {
        // Written piece by piece: of all groups and queues there may be very many.
        std::string list;
        std::int64_t behind = 0, in_flight = 0;
        for (const auto& group : groups.all()) {
          auto stats = Json::array();
          for (const auto& name : offsets.topics_of(group->name)) {
            const auto topic = topics.find(name);
            if (!topic || (is_order && !topic->is_order)) continue;
            // A group that is online no longer consumes what it does not subscribe to.
            if (clients.knows_subscriptions(group->name) && !clients.find_subscription(group->name, name)) continue;
            auto table = Json::object();
            for (int id = 0; id < topic->write_queues; ++id) {
              const auto queue = store.find_queue(name, id);
              const auto end = queue ? queue->bounds().max.value : 0;
              const auto consumed = std::max<std::int64_t>(0, offsets.find(group->name, name, id).value_or(0));
              const auto time =
                  queue && consumed > 0 ? store.store_time(*queue, {consumed - 1}) : Result<std::int64_t>(0);
              const Json key = {{"brokerName", identity.name}, {"queueId", id}, {"topic", name}};
              table[key.dump()] = {{"brokerOffset", end},
                                   {"consumerOffset", consumed},
                                   {"lastTimestamp", time ? *time : 0},
                                   {"pullOffset", 0}};
              behind += end - consumed;
              in_flight -= consumed;
            }
            stats.push_back({{"consumeTps", statistics.rate(statistics::kGroupGets, statistics::of(name, group->name))},
                             {"offsetTable", std::move(table)}});
          }
          list += list.empty() ? "" : ",";
          list +=
              protocol::write_json({{group->name, std::move(stats)}}, protocol::KeyStyle::kUnquoted, {"offsetTable"});
          if (list.size() > kBodyBytesMax) {
            return to(protocol::refuse(ResponseCode::kSystemError,
                                       "the groups' offsets take more than {} bytes: ask for one group (208)",
                                       kBodyBytesMax));
          }
        }
        to(protocol::ok().with_body(
            fmt::format(R"({{"brokerAddr":{},"consumeStatsList":[{}],"totalDiff":{},"totalInflightDiff":{}}})",
                        protocol::write_json(identity.address), list, behind, in_flight)));
      });
}

}  // namespace tern::broker
