// QUERY_CORRECTION_OFFSET (308): for each queue of a topic the smallest offset that any group stands at, the groups of
// `filterGroups` left out; 2^63 - 1 where the compared group is behind that. Offsets below what a queue still holds do
// not count.
#include <algorithm>
#include <limits>

#include "tern/protocol/json.hpp"

#include "broker/offsets/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view topic;
  std::string_view compared;
  std::string_view left_out;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("topic", &Fields::topic),
                                                  protocol::required("compareGroup", &Fields::compared),
                                                  protocol::optional("filterGroups", &Fields::left_out));

bool is_listed(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const auto word = list.substr(0, list.find(','));
    if (word == name) return true;
    list.remove_prefix(std::min(list.size(), word.size() + 1));
  }
  return false;
}

}  // namespace

protocol::Response query_correction_offset(const remoting::Request& request, OffsetTable& offsets,
                                           store::Store& store) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  std::map<std::int32_t, std::int64_t> smallest;
  const auto groups = offsets.of_topic(fields->topic);
  for (const auto& [group, queues] : groups) {
    if (is_listed(fields->left_out, group)) continue;
    for (const auto& [queue_id, offset] : queues) {
      const auto queue = store.find_queue(fields->topic, queue_id);
      if (offset < (queue ? queue->bounds().min.value : 0)) continue;
      const auto [slot, is_new] = smallest.try_emplace(queue_id, offset);
      if (!is_new) slot->second = std::min(slot->second, offset);
    }
  }
  if (const auto compared = groups.find(std::string(fields->compared)); compared != groups.end()) {
    for (const auto& [queue_id, offset] : compared->second) {
      const auto slot = smallest.find(queue_id);
      if (slot != smallest.end() && slot->second > offset) slot->second = std::numeric_limits<std::int64_t>::max();
    }
  }
  auto table = protocol::Json::object();
  for (const auto& [queue_id, offset] : smallest) table[std::to_string(queue_id)] = offset;
  return protocol::ok().with_body(protocol::write_json({{"correctionOffsets", std::move(table)}},
                                                       protocol::KeyStyle::kUnquoted, {"correctionOffsets"}));
}

}  // namespace tern::broker
