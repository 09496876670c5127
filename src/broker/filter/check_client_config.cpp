// CHECK_CLIENT_CONFIG (46): may a consumer filter by this expression here? Clients ask before they start, for whatever
// is not by tags.
#include "tern/protocol/json.hpp"

#include "broker/filter/requests.hpp"

namespace tern::broker {

protocol::Response check_client_config(const remoting::Request& request, ConsumerFilters& filters) {
  const auto body = protocol::parse_json(request.body_text());
  if (!body || !body->is_object())
    return protocol::refuse(protocol::ResponseCode::kSystemError, "the body is no JSON object");
  const auto* subscription = protocol::object_member(*body, "subscriptionData");
  if (subscription == nullptr) return protocol::ok();
  const auto type = protocol::string_member(*subscription, "expressionType", "TAG");
  if (type.empty() || type == "TAG") return protocol::ok();
  const auto choice = filters.check(protocol::string_member(*subscription, "subString"), type);
  if (choice.code == protocol::ResponseCode::kSuccess) return protocol::ok();
  return protocol::refuse(choice.code, "{}", choice.remark);
}

}  // namespace tern::broker
