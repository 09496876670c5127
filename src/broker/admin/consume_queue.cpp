// QUERY_CONSUME_QUEUE (321): the entries of a queue as they are: position, size and tag hash of each record.
#include <algorithm>
#include <vector>

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

constexpr std::int32_t kCountMax = 65'536;  // entries of one answer
constexpr std::size_t kEntriesPerRead = 1024;

struct Fields {
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int64_t from = 0;
  std::int32_t count = 0;
  std::optional<std::string_view> group;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("topic", &Fields::topic), protocol::required("queueId", &Fields::queue_id),
    protocol::required("index", &Fields::from), protocol::required("count", &Fields::count),
    protocol::optional("consumerGroup", &Fields::group));

Result<Json> entries_of(const store::Queue& queue, std::int64_t from, std::int64_t end) {
  auto list = Json::array();
  std::vector<store::QueueEntry> entries(kEntriesPerRead);
  while (from < end) {
    const auto wanted = std::min(entries.size(), static_cast<std::size_t>(end - from));
    const auto got = queue.read({from}, {entries.data(), wanted}, false);
    if (!got) return got.error();
    if (*got == 0) break;
    // Of a batch one entry stands for several offsets.
    for (std::size_t i = 0; i < *got && from < end; ++i) {
      const auto& entry = entries[i];
      list.push_back({{"eval", false},
                      {"physicOffset", entry.position.value},
                      {"physicSize", entry.size},
                      {"tagsCode", entry.tags_code}});
      from += std::max<std::int64_t>(entry.count, 1);
    }
  }
  return list;
}

}  // namespace

void query_consume_queue(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                         store::Store& store, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  if (fields->count > kCountMax) {
    return reply(
        protocol::refuse(ResponseCode::kSystemError, "count {} is above the limit of {}", fields->count, kCountMax));
  }
  const auto queue = store.find_queue(fields->topic, fields->queue_id);
  if (!queue)
    return reply(protocol::refuse(ResponseCode::kSystemError, "{}@{} is not exist!", fields->queue_id, fields->topic));
  Json body = Json::object();
  if (fields->group) {
    const auto subscription = clients.find_subscription(*fields->group, fields->topic);
    if (subscription) body["subscriptionData"] = to_json(*subscription);
    body["filterData"] =
        subscription ? std::string("null") : fmt::format("{}@{} is not online!", *fields->group, fields->topic);
  }
  answer_blocking(
      blocking, std::move(reply),
      [queue, from = fields->from, count = fields->count, body = std::move(body)](remoting::Reply to) {
        const auto bounds = queue->bounds();
        if (from < bounds.min.value || from >= bounds.max.value) {
          auto response = protocol::ok();
          response.remark = fmt::format("Index {} of {}@{} is not exist!", from, queue->id(), queue->topic());
          return to(std::move(response));
        }
        const auto end = std::min(bounds.max.value, from + std::max(count, 0));
        auto list = entries_of(*queue, from, end);
        if (!list) {
          return to(protocol::refuse(ResponseCode::kSystemError, "the queue cannot be read: {}", list.error().text()));
        }
        auto all = body;
        all["maxQueueIndex"] = bounds.max.value;
        all["minQueueIndex"] = bounds.min.value;
        all["queueData"] = std::move(*list);
        to(protocol::ok().with_body(protocol::write_json(all)));
      });
}

}  // namespace tern::broker
