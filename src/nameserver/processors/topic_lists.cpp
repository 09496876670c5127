// Lists of topic names: all (206), by cluster (224), cluster and broker names as system topics (304), and by their unit
// flags (311, 312, 313). Unknown names give an empty list.

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {
namespace {

constexpr std::int32_t kUnit = 1;
constexpr std::int32_t kUnitSub = 2;

Response disabled() {
  return refuse(protocol::ResponseCode::kSystemError, "disable");
}

template <class Wanted>
Response list_by_flag(const RouteTable& table, const NameserverOptions& options, Wanted wanted) {
  if (!options.enable_topic_list) return disabled();
  return protocol::ok().with_body(topic_list_body(table.topics_with(wanted)));
}

struct ClusterFields {
  std::string_view cluster;
};
constexpr auto kClusterFields = protocol::fields<ClusterFields>(protocol::required("cluster", &ClusterFields::cluster));

}  // namespace

Response get_all_topics(const Request& /*request*/, const RouteTable& table, const NameserverOptions& options) {
  if (!options.enable_all_topic_list) return disabled();
  return protocol::ok().with_body(topic_list_body(table.topics()));
}

Response get_topics_by_cluster(const Request& request, const RouteTable& table, const NameserverOptions& options) {
  if (!options.enable_topic_list) return disabled();
  const auto fields = kClusterFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  return protocol::ok().with_body(topic_list_body(table.topics_of_cluster(fields->cluster)));
}

Response get_system_topics(const Request& /*request*/, const RouteTable& table) {
  const auto known = table.clusters();
  std::set<std::string> names;
  for (const auto& [cluster, brokers] : known.clusters) {
    names.insert(cluster);
    names.insert(brokers.begin(), brokers.end());
  }
  std::optional<std::string> some_address;
  for (const auto& [name, data] : known.brokers) {
    if (!some_address && !data.addresses.empty()) some_address = data.addresses.begin()->second;
  }
  return protocol::ok().with_body(topic_list_body(std::vector(names.begin(), names.end()), some_address));
}

Response get_unit_topics(const Request& /*request*/, const RouteTable& table, const NameserverOptions& options) {
  return list_by_flag(table, options, [](std::int32_t flag) { return (flag & kUnit) != 0; });
}

Response get_unit_sub_topics(const Request& /*request*/, const RouteTable& table, const NameserverOptions& options) {
  return list_by_flag(table, options, [](std::int32_t flag) { return (flag & kUnitSub) != 0; });
}

Response get_unit_sub_ununit_topics(const Request& /*request*/, const RouteTable& table,
                                    const NameserverOptions& options) {
  return list_by_flag(table, options, [](std::int32_t flag) { return (flag & (kUnit | kUnitSub)) == kUnitSub; });
}

}  // namespace tern::nameserver
