// GET_ROUTEINFO_BY_TOPIC (105): where a topic's queues are. Every client asks it for every topic it uses, every 30
// seconds.

#include <algorithm>

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {
namespace {

using protocol::ResponseCode;

constexpr std::int32_t kVersionWithStandardJson = 401;  // V4_9_4

struct Fields {
  std::string_view topic;
  bool accepts_standard_json_only = false;
  bool zone_mode = false;
  std::string_view zone;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("topic", &Fields::topic),
    protocol::optional("acceptStandardJsonOnly", &Fields::accepts_standard_json_only),
    protocol::optional("__ZONE_MODE", &Fields::zone_mode), protocol::optional("__ZONE_NAME", &Fields::zone));

Response no_route(std::string_view topic) {
  return refuse(ResponseCode::kTopicNotExist,
                "No topic route info in name server for the topic: {}\n"
                "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
                topic);
}

bool is_same_zone(const std::optional<std::string>& zone, std::string_view wanted) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return zone && std::ranges::equal(*zone, wanted, {}, lower, lower);
}

// A broker without a master is kept whatever its zone: its slaves are better than nothing.
void keep_zone(TopicRoute& route, std::string_view zone) {
  for (auto broker = route.brokers.begin(); broker != route.brokers.end();) {
    if (!broker->second.addresses.contains(kMasterId) || is_same_zone(broker->second.zone, zone)) {
      ++broker;
      continue;
    }
    route.queues.erase(broker->first);
    broker = route.brokers.erase(broker);
  }
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

Response get_route_info(const Request& request, const RouteTable& table, RouteBodies& bodies, const KvConfig& kv,
                        const NameserverOptions& options, const ServingSince& since, const Clock& clock) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  if (options.wait_for_service && clock.steady_ms() - since.steady_ms < options.wait_for_service_seconds * 1000LL) {
    return refuse(ResponseCode::kSystemError, "name server not ready");
  }
  const bool is_standard = fields->accepts_standard_json_only || request.header.version >= kVersionWithStandardJson;
  const auto style = is_standard ? RouteStyle::kNew : RouteStyle::kOld;
  const auto order_config =
      options.order_message_enable ? kv.find(kOrderTopicNamespace, fields->topic) : std::optional<std::string>();
  const bool is_zoned = fields->zone_mode && !is_blank(fields->zone);

  auto response = protocol::ok();
  if (order_config || is_zoned) {
    auto route = table.route(fields->topic);
    if (!route) return no_route(fields->topic);
    if (is_zoned) keep_zone(*route, fields->zone);
    // Apache's servers filter zones by writing the route a second time, in the old style.
    response.body = route_body(*route, is_zoned ? RouteStyle::kOld : style, order_config);
    return response;
  }
  const auto text = bodies.body(fields->topic, style);
  if (!text) return no_route(fields->topic);
  response.body.append(text, std::as_bytes(std::span(*text)));
  return response;
}

}  // namespace tern::nameserver
