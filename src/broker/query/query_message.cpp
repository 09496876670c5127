// QUERY_MESSAGE (12): messages by key, unique key or tag, through the key index.
#include <algorithm>
#include <limits>

#include "broker/blocking_answer.hpp"
#include "broker/query/requests.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

constexpr int kFoundMax = 64;  // as Apache's maxMsgsNumBatch

struct Fields {
  std::string_view topic;
  std::string_view key;
  std::int32_t count_max = 0;
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;
  bool is_unique_key = false;
  std::string_view index_type;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("topic", &Fields::topic), protocol::required("key", &Fields::key),
    protocol::required("maxNum", &Fields::count_max), protocol::required("beginTimestamp", &Fields::begin_ms),
    protocol::required("endTimestamp", &Fields::end_ms),
    protocol::optional("_UNIQUE_KEY_QUERY", &Fields::is_unique_key),
    protocol::optional("indexType", &Fields::index_type));

}  // namespace

void query_message(const remoting::Request& request, remoting::Reply reply, store::Store& store, WorkQueue& blocking,
                   BrokerOptions& options) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const int count_max =
      std::min(fields->is_unique_key ? options.key_query_count_max.get() : fields->count_max, kFoundMax);
  std::string key = fields->index_type == "T" ? "T#" : "";
  key += fields->key;
  answer_blocking(
      blocking, std::move(reply),
      [topic = std::string(fields->topic), key, count_max, begin = fields->begin_ms, end = fields->end_ms,
       &store](remoting::Reply to) {
        auto found = store.query(topic, key, count_max, begin, end);
        if (!found)
          return to(
              protocol::refuse(ResponseCode::kSystemError, "the key index cannot be read: {}", found.error().text()));
        std::sort(found->positions.begin(), found->positions.end());
        std::string messages;
        for (const auto position : found->positions) {
          if (auto record = store.record_at(position)) messages += *record;
        }
        auto response = messages.empty() ? protocol::refuse(ResponseCode::kQueryNotFound,
                                                            "can not find message, maybe time range not correct")
                                         : protocol::ok().with_body(std::move(messages));
        response.fields.add("indexLastUpdateTimestamp", response.body.empty() ? 0 : found->last_timestamp);
        response.fields.add("indexLastUpdatePhyoffset", response.body.empty() ? 0 : found->last_position.value);
        to(std::move(response));
      });
}

}  // namespace tern::broker
