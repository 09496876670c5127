// UNREGISTER_CLIENT (35): a client that stops leaves its groups at once.
#include "broker/clients/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view client_id;
  std::string_view producer_group;
  std::string_view consumer_group;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("clientID", &Fields::client_id),
                                                  protocol::optional("producerGroup", &Fields::producer_group),
                                                  protocol::optional("consumerGroup", &Fields::consumer_group));

}  // namespace

protocol::Response unregister_client(const remoting::Request& request, ClientRegistry& clients, GroupTable& groups,
                                     BrokerOptions& options) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  // C++ clients send an empty text where there is no group.
  if (!fields->producer_group.empty()) clients.unregister_producer(fields->producer_group, *request.peer);
  if (!fields->consumer_group.empty()) {
    const auto model = clients.model_of(fields->consumer_group);
    const auto group = groups.find(fields->consumer_group);
    if (clients.unregister_consumer(fields->consumer_group, fields->client_id, *request.peer) &&
        model != MessageModel::kBroadcasting && options.notify_consumer_ids_changed &&
        (!group || group->notify_consumer_ids_changed_enable)) {
      notify_members(clients, fields->consumer_group);
    }
  }
  return protocol::ok();
}

}  // namespace tern::broker
