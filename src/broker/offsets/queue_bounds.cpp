// GET_MAX_OFFSET (30), GET_MIN_OFFSET (31), SEARCH_OFFSET_BY_TIMESTAMP (29), GET_EARLIEST_MSG_STORETIME (32): what a
// queue holds. Unknown queues answer 0 (-1 for a time), never an error.
#include <algorithm>

#include "broker/blocking_answer.hpp"
#include "broker/offsets/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int64_t timestamp = 0;
  std::string_view boundary;
};
constexpr auto kQueueFields = protocol::fields<Fields>(protocol::required("topic", &Fields::topic),
                                                       protocol::required("queueId", &Fields::queue_id));
constexpr auto kTimeFields = protocol::fields<Fields>(
    protocol::required("topic", &Fields::topic), protocol::required("queueId", &Fields::queue_id),
    protocol::required("timestamp", &Fields::timestamp), protocol::optional("boundaryType", &Fields::boundary));

bool is_upper(std::string_view boundary) {
  constexpr std::string_view kUpper = "upper";
  return boundary.size() == kUpper.size() &&
         std::equal(boundary.begin(), boundary.end(), kUpper.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

protocol::Response get_max_offset(const remoting::Request& request, store::Store& store) {
  const auto fields = kQueueFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto queue = store.find_queue(fields->topic, fields->queue_id);
  return protocol::ok().field("offset", queue ? queue->bounds().max.value : 0);
}

protocol::Response get_min_offset(const remoting::Request& request, store::Store& store) {
  const auto fields = kQueueFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto queue = store.find_queue(fields->topic, fields->queue_id);
  return protocol::ok().field("offset", queue ? queue->bounds().min.value : 0);
}

void search_offset_by_time(const remoting::Request& request, remoting::Reply reply, store::Store& store,
                           WorkQueue& blocking) {
  const auto fields = kTimeFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto queue = store.find_queue(fields->topic, fields->queue_id);
  if (!queue) return reply(protocol::ok().field("offset", 0));
  const auto boundary = is_upper(fields->boundary) ? store::TimeBoundary::kUpper : store::TimeBoundary::kLower;
  answer_blocking(blocking, std::move(reply),
                  [queue, boundary, timestamp = fields->timestamp, &store](remoting::Reply to) {
                    const auto offset = store.offset_by_time(*queue, timestamp, boundary);
                    to(offset ? protocol::ok().field("offset", offset->value)
                              : protocol::refuse(protocol::ResponseCode::kSystemError, "the queue cannot be read: {}",
                                                 offset.error().text()));
                  });
}

void get_earliest_store_time(const remoting::Request& request, remoting::Reply reply, store::Store& store,
                             WorkQueue& blocking) {
  const auto fields = kQueueFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto queue = store.find_queue(fields->topic, fields->queue_id);
  if (!queue) return reply(protocol::ok().field("timestamp", -1));
  answer_blocking(blocking, std::move(reply), [queue, &store](remoting::Reply to) {
    const auto time = store.store_time(*queue, queue->bounds().min);
    to(protocol::ok().field("timestamp", time ? *time : -1));
  });
}

}  // namespace tern::broker
