// GET_CONSUMER_RUNNING_INFO (307): what a consumer says of itself: its queues, rates, settings, perhaps its threads.
#include "broker/consumer_control/forwarding.hpp"
#include "broker/consumer_control/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::string_view group;
  std::string_view client_id;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("consumerGroup", &Fields::group),
                                                  protocol::required("clientId", &Fields::client_id));

}  // namespace

void get_consumer_running_info(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                               ClientCalls& calls) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  auto asked = forwarded(request.header);
  asked.body = std::string(request.body_text());
  ask_consumer(clients, calls, fields->group, fields->client_id, std::move(asked), std::move(reply));
}

}  // namespace tern::broker
