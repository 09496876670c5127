// BROKER_HEARTBEAT (904): a broker is alive, and nothing else. QUERY_DATA_VERSION (322): the same, and whether its
// topics here are those it has.

#include "nameserver/processors/broker_fields.hpp"
#include "nameserver/processors/processors.hpp"
#include "nameserver/registration_body.hpp"

namespace tern::nameserver {
namespace {

struct Fields {
  std::string_view cluster, address;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("clusterName", &Fields::cluster),
                                                  protocol::required("brokerAddr", &Fields::address));

}  // namespace

Response broker_heartbeat(const Request& request, RouteTable& table, const Clock& clock) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  table.refresh(fields->cluster, fields->address, clock.steady_ms());
  return protocol::ok();
}

Response query_data_version(const Request& request, RouteTable& table, const Clock& clock) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  std::optional<DataVersion> asked;
  if (!request.body.empty()) {
    const auto json = protocol::parse_json(request.body_text());
    if (!json || !json->is_object()) {
      return refuse(protocol::ResponseCode::kSystemError, "the body of QUERY_DATA_VERSION is no DataVersion in JSON");
    }
    asked = data_version_from_json(*json);
  }
  table.refresh(fields->cluster, fields->address, clock.steady_ms());
  const auto known = table.data_version(fields->cluster, fields->address);
  auto response = protocol::ok().field("changed", !known || known != asked);
  if (known) response.body = data_version_body(*known);
  return response;
}

}  // namespace tern::nameserver
