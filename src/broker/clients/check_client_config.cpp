// CHECK_CLIENT_CONFIG (46): may a consumer filter by this expression here? Tags always; SQL92 not yet.
#include "tern/protocol/json.hpp"

#include "broker/clients/requests.hpp"

namespace tern::broker {

protocol::Response check_client_config(const remoting::Request& request) {
  const auto body = protocol::parse_json(request.body_text());
  if (!body || !body->is_object())
    return protocol::refuse(protocol::ResponseCode::kSystemError, "the body is no JSON object");
  const auto* subscription = protocol::object_member(*body, "subscriptionData");
  const auto type =
      subscription != nullptr ? protocol::string_member(*subscription, "expressionType", "TAG") : std::string("TAG");
  if (type.empty() || type == "TAG") return protocol::ok();
  return protocol::refuse(protocol::ResponseCode::kSystemError,
                          "The broker does not support consumer to filter message by {}", type);
}

}  // namespace tern::broker
