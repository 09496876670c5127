// GET_CONSUMER_LIST_BY_GROUP (38): the members of a group, which every client allocates queues by.
#include "tern/protocol/json.hpp"

#include "broker/clients/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view group;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("consumerGroup", &Fields::group));

}  // namespace

protocol::Response get_consumer_list(const remoting::Request& request, ClientRegistry& clients) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto group = clients.consumer_group(fields->group);
  if (!group || group->members.empty()) {
    return protocol::refuse(protocol::ResponseCode::kSystemError, "no consumer for this group, {}", fields->group);
  }
  auto ids = protocol::Json::array();
  for (const auto& client : group->members) ids.push_back(client.client_id);
  return protocol::ok().with_body(protocol::write_json({{"consumerIdList", std::move(ids)}}));
}

}  // namespace tern::broker
