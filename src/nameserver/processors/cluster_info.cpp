// GET_BROKER_CLUSTER_INFO (106): all clusters and brokers. GET_BROKER_MEMBER_GROUP (901): all brokers of one name. Both
// with unquoted ids, whatever the client's version.

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {
namespace {

struct Fields {
  std::string_view cluster, broker;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("clusterName", &Fields::cluster),
                                                  protocol::required("brokerName", &Fields::broker));

}  // namespace

Response get_cluster_info(const Request& /*request*/, const RouteTable& table) {
  return protocol::ok().with_body(cluster_info_body(table.clusters()));
}

Response get_broker_member_group(const Request& request, const RouteTable& table) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  return protocol::ok().with_body(
      member_group_body(fields->cluster, fields->broker, table.addresses_of(fields->broker)));
}

}  // namespace tern::nameserver
