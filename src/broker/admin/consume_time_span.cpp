// QUERY_CONSUME_TIME_SPAN (303): by store time, what each queue of a topic holds and where a group stands in it.
#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

struct Fields {
  std::string_view topic;
  std::string_view group;
};
constexpr auto kFields =
    protocol::fields<Fields>(protocol::required("topic", &Fields::topic), protocol::required("group", &Fields::group));

// "2024-01-31#23:59:59:999", local time.
std::string time_text(std::int64_t ms) {
  const std::int64_t floor_seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  const auto seconds = static_cast<std::time_t>(floor_seconds);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:04}-{:02}-{:02}#{:02}:{:02}:{:02}:{:03}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec, ms - floor_seconds * 1000);
}

// -1: there is no such message.
std::int64_t stored_at(const store::Store& store, const store::QueuePtr& queue, std::int64_t offset) {
  if (!queue || offset < 0) return -1;
  const auto time = store.store_time(*queue, {offset});
  return time ? *time : -1;
}

}  // namespace

void query_consume_time_span(const remoting::Request& request, remoting::Reply reply, TopicTable& topics,
                             OffsetTable& offsets, store::Store& store, BrokerIdentity& identity, Clock& clock,
                             WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto topic = topics.find(fields->topic);
  if (!topic) return reply(protocol::refuse(ResponseCode::kTopicNotExist, "topic[{}] not exist", fields->topic));
  answer_blocking(
      blocking, std::move(reply),
      [topic, group = std::string(fields->group), &offsets, &store, &identity, &clock](remoting::Reply to) {
        auto spans = Json::array();
        for (int id = 0; id < topic->write_queues; ++id) {
          const auto queue = store.find_queue(topic->name, id);
          const auto bounds = queue ? queue->bounds() : store::QueueBounds{};
          const std::int64_t consumed = std::max<std::int64_t>(0, offsets.find(group, topic->name, id).value_or(0));
          const auto first = stored_at(store, queue, bounds.min.value);
          const auto last = stored_at(store, queue, bounds.max.value - 1);
          const auto at = consumed > 0 ? stored_at(store, queue, consumed - 1) : first;
          const auto next = consumed < bounds.max.value ? stored_at(store, queue, consumed) : -1;
          spans.push_back({{"consumeTimeStamp", at},
                           {"consumeTimeStampStr", time_text(at)},
                           {"delayTime", next >= 0 ? clock.wall_ms() - next : 0},
                           {"maxTimeStamp", last},
                           {"maxTimeStampStr", time_text(last)},
                           {"messageQueue", {{"brokerName", identity.name}, {"queueId", id}, {"topic", topic->name}}},
                           {"minTimeStamp", first},
                           {"minTimeStampStr", time_text(first)}});
        }
        to(protocol::ok().with_body(protocol::write_json({{"consumeTimeSpanSet", std::move(spans)}})));
      });
}

}  // namespace tern::broker
