// QUERY_CONSUMER_OFFSET (14): where a group stands in one queue. "Not found" (22) makes a client start where its
// consume-from rule says, so it must mean "never committed" and nothing else.
#include <array>

#include "broker/offsets/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
  bool zero_if_not_found = true;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("consumerGroup", &Fields::group),
                                                  protocol::required("topic", &Fields::topic),
                                                  protocol::required("queueId", &Fields::queue_id),
                                                  protocol::optional("setZeroIfNotFound", &Fields::zero_if_not_found));

// A young queue, whose first message is still in memory, is consumed from its beginning.
bool may_start_at_zero(const Fields& fields, const store::Store& store) {
  const auto queue = store.find_queue(fields.topic, fields.queue_id);
  if (!queue) return false;
  const auto bounds = queue->bounds();
  if (bounds.min.value > 0 || bounds.max.value == 0) return false;
  std::array<store::QueueEntry, 1> first;
  const auto got = queue->read({0}, first, true);
  return got && *got == 1 && first[0].position >= store.min_position() && store.is_in_memory(first[0].position);
}

}  // namespace

protocol::Response query_consumer_offset(const remoting::Request& request, OffsetTable& offsets, store::Store& store) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  if (const auto reset = offsets.peek_reset(fields->group, fields->topic, fields->queue_id))
    return protocol::ok().field("offset", *reset);
  const auto offset = offsets.find(fields->group, fields->topic, fields->queue_id);
  if (offset && *offset >= 0) return protocol::ok().field("offset", *offset);
  if (!fields->zero_if_not_found) {
    return protocol::refuse(protocol::ResponseCode::kQueryNotFound,
                            "Not found, do not set to zero, maybe this group boot first");
  }
  if (may_start_at_zero(*fields, store)) return protocol::ok().field("offset", 0);
  return protocol::refuse(protocol::ResponseCode::kQueryNotFound,
                          "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first");
}

}  // namespace tern::broker
