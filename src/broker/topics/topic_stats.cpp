// GET_TOPIC_STATS_INFO (202): what each queue of a topic holds, and when it last grew.
#include <algorithm>

#include "broker/blocking_answer.hpp"
#include "broker/topics/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

struct Fields {
  std::string_view topic;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("topic", &Fields::topic));

}  // namespace

void get_topic_stats(const remoting::Request& request, remoting::Reply reply, TopicTable& topics, store::Store& store,
                     BrokerIdentity& identity, Statistics& statistics, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto topic = topics.find(fields->topic);
  if (!topic) return reply(protocol::refuse(ResponseCode::kTopicNotExist, "topic[{}] not exist", fields->topic));
  answer_blocking(blocking, std::move(reply), [topic, &store, &identity, &statistics](remoting::Reply to) {
    auto table = Json::object();
    for (int id = 0; id < std::max(topic->read_queues, topic->write_queues); ++id) {
      const auto queue = store.find_queue(topic->name, id);
      const auto bounds = queue ? queue->bounds() : store::QueueBounds{};
      std::int64_t updated = 0;
      if (queue && bounds.max > bounds.min) {
        if (const auto time = store.store_time(*queue, bounds.max - 1)) updated = *time;
      }
      const Json key = {{"brokerName", identity.name}, {"queueId", id}, {"topic", topic->name}};
      table[key.dump()] = {
          {"lastUpdateTimestamp", updated}, {"maxOffset", bounds.max.value}, {"minOffset", bounds.min.value}};
    }
    const Json body = {{"offsetTable", std::move(table)},
                       {"topicPutTps", statistics.rate(statistics::kTopicPuts, topic->name)}};
    to(protocol::ok().with_body(protocol::write_json(body, protocol::KeyStyle::kUnquoted, {"offsetTable"})));
  });
}

}  // namespace tern::broker
