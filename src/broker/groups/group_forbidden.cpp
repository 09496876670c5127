// UPDATE_AND_GET_GROUP_FORBIDDEN (353): whether a group may pull from a topic by the subscription that it has with the
// broker. Without `readable` it is only told.
#include "broker/groups/requests.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::optional<bool> is_readable;
};
constexpr auto kFields =
    protocol::fields<Fields>(protocol::required("group", &Fields::group), protocol::required("topic", &Fields::topic),
                             protocol::optional("readable", &Fields::is_readable));

protocol::Response told(const std::string& group, const std::string& topic, const GroupTable& groups) {
  return protocol::ok().with_body(
      protocol::write_json({{"group", group}, {"readable", !groups.is_forbidden(group, topic)}, {"topic", topic}}));
}

}  // namespace

void update_group_forbidden(const remoting::Request& request, remoting::Reply reply, GroupTable& groups) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const std::string group(fields->group), topic(fields->topic);
  const bool is_forbidden = groups.is_forbidden(group, topic);
  if (!fields->is_readable || *fields->is_readable != is_forbidden) return reply(told(group, topic, groups));
  const auto waiting = std::make_shared<remoting::Reply>(std::move(reply));
  groups.set_forbidden(group, topic, !is_forbidden, [waiting, group, topic, &groups](Status saved) {
    (*waiting)(saved ? told(group, topic, groups)
                     : protocol::refuse(ResponseCode::kSystemError, "subscriptionGroup.json cannot be saved: {}",
                                        saved.error().text()));
  });
}

}  // namespace tern::broker
