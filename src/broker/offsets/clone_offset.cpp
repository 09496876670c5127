// CLONE_GROUP_OFFSET (314): a group starts where another one stands, in one topic or in all of its topics.
#include "broker/offsets/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view from;
  std::string_view to;
  std::string_view topic;
  bool is_offline = false;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("srcGroup", &Fields::from), protocol::required("destGroup", &Fields::to),
    protocol::optional("topic", &Fields::topic), protocol::optional("offline", &Fields::is_offline));

}  // namespace

protocol::Response clone_offset(const remoting::Request& request, OffsetTable& offsets, TopicTable& topics,
                                ClientRegistry& clients) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  std::set<std::string> names;
  if (fields->topic.empty())
    names = offsets.topics_of(fields->from);
  else
    names.emplace(fields->topic);
  for (const auto& name : names) {
    if (!topics.find(name)) continue;
    // A group that is online no longer consumes what it does not subscribe to.
    if (!fields->is_offline && clients.knows_subscriptions(fields->from) &&
        !clients.find_subscription(fields->from, name))
      continue;
    offsets.clone(fields->from, fields->to, name);
  }
  return protocol::ok();
}

}  // namespace tern::broker
