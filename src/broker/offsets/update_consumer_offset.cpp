// UPDATE_CONSUMER_OFFSET (15): a group says how far it has come. Mostly one-way. Nothing is created here.
#include "broker/offsets/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::optional<std::int32_t> queue_id;
  std::optional<std::int64_t> offset;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("consumerGroup", &Fields::group), protocol::required("topic", &Fields::topic),
    protocol::optional("queueId", &Fields::queue_id), protocol::optional("commitOffset", &Fields::offset));

}  // namespace

protocol::Response update_consumer_offset(const remoting::Request& request, OffsetTable& offsets, GroupTable& groups,
                                          TopicTable& topics) {
  using protocol::ResponseCode;
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  if (!groups.find(fields->group))
    return protocol::refuse(ResponseCode::kSubscriptionGroupNotExist, "Group {} not exist! {}", fields->group,
                            kGroupNotCreated);
  if (!topics.find(fields->topic))
    return protocol::refuse(ResponseCode::kTopicNotExist, "Topic {} not exist!", fields->topic);
  if (!fields->queue_id)
    return protocol::refuse(ResponseCode::kInvalidParameter, "QueueId is null, topic is {}", fields->topic);
  if (!fields->offset)
    return protocol::refuse(ResponseCode::kInvalidParameter, "Offset is null, topic is {}", fields->topic);
  if (offsets.peek_reset(fields->group, fields->topic, *fields->queue_id)) {
    auto response = protocol::ok();
    response.remark = "Offset has been previously reset";
    return response;
  }
  offsets.commit(fields->group, fields->topic, *fields->queue_id, *fields->offset);
  return protocol::ok();
}

}  // namespace tern::broker
