#include "nameserver/bodies.hpp"

namespace tern::nameserver {
namespace {

using protocol::Json;
using protocol::KeyStyle;
using protocol::write_json;

Json to_json(const std::map<std::int64_t, std::string>& addresses) {
  Json json = Json::object();
  for (const auto& [id, address] : addresses) json[std::to_string(id)] = address;
  return json;
}

Json to_json(const std::string& name, const BrokerData& data) {
  Json json{{"brokerAddrs", to_json(data.addresses)},
            {"brokerName", name},
            {"cluster", data.cluster},
            {"enableActingMaster", data.enable_acting_master}};
  if (data.zone) json["zoneName"] = *data.zone;
  return json;
}

Json to_json(const std::string& broker, const QueueData& data) {
  return {{"brokerName", broker},
          {"perm", data.perm},
          {"readQueueNums", data.read_queues},
          {"topicSysFlag", data.topic_sys_flag},
          {"writeQueueNums", data.write_queues}};
}

}  // namespace

std::string route_body(const TopicRoute& route, RouteStyle style, const std::optional<std::string>& order_config) {
  auto brokers = Json::array();
  for (const auto& [name, data] : route.brokers) brokers.push_back(to_json(name, data));
  auto queues = Json::array();
  for (const auto& [name, data] : route.queues) queues.push_back(to_json(name, data));
  Json json{
      {"brokerDatas", std::move(brokers)}, {"filterServerTable", Json::object()}, {"queueDatas", std::move(queues)}};
  if (order_config) json["orderTopicConf"] = *order_config;
  if (!route.mappings.empty()) json["topicQueueMappingByBroker"] = route.mappings;
  if (style == RouteStyle::kNew) return write_json(json);
  return write_json(json, KeyStyle::kUnquoted, {"brokerAddrs", "currIdMap"});
}

std::string cluster_info_body(const RouteTable::Clusters& clusters) {
  auto brokers = Json::object();
  for (const auto& [name, data] : clusters.brokers) brokers[name] = to_json(name, data);
  auto names = Json::object();
  for (const auto& [cluster, members] : clusters.clusters) names[cluster] = members;
  return write_json({{"brokerAddrTable", std::move(brokers)}, {"clusterAddrTable", std::move(names)}},
                    KeyStyle::kUnquoted, {"brokerAddrs"});
}

std::string member_group_body(std::string_view cluster, std::string_view broker,
                              const std::map<std::int64_t, std::string>& addresses) {
  Json group{{"brokerAddrs", to_json(addresses)}, {"brokerName", broker}, {"cluster", cluster}};
  return write_json({{"brokerMemberGroup", std::move(group)}}, KeyStyle::kUnquoted, {"brokerAddrs"});
}

std::string topic_list_body(std::span<const std::string> topics, const std::optional<std::string>& broker_address) {
  auto names = Json::array();
  for (const auto& topic : topics) names.push_back(topic);
  Json json{{"topicList", std::move(names)}};
  if (broker_address) json["brokerAddr"] = *broker_address;
  return write_json(json);
}

std::string data_version_body(const DataVersion& version) {
  return write_json(
      {{"counter", version.counter}, {"stateVersion", version.state_version}, {"timestamp", version.timestamp}});
}

std::string key_value_table_body(const std::map<std::string, std::string, std::less<>>& table) {
  return write_json({{"table", table}});
}

}  // namespace tern::nameserver
