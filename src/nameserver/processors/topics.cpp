// DELETE_TOPIC_IN_NAMESRV (216): a topic's routes go, everywhere or in one cluster. REGISTER_TOPIC_IN_NAMESRV (217):
// queue data of one topic is added for brokers that are known.

#include "tern/base/log.hpp"

#include "nameserver/processors/processors.hpp"
#include "nameserver/registration_body.hpp"

namespace tern::nameserver {
namespace {

struct DeleteFields {
  std::string_view topic, cluster;
};
constexpr auto kDeleteFields = protocol::fields<DeleteFields>(
    protocol::required("topic", &DeleteFields::topic), protocol::optional("clusterName", &DeleteFields::cluster));

struct RegisterFields {
  std::string_view topic;
};
constexpr auto kRegisterFields = protocol::fields<RegisterFields>(protocol::required("topic", &RegisterFields::topic));

}  // namespace

Response delete_topic(const Request& request, RouteTable& table) {
  const auto fields = kDeleteFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  if (fields->cluster.empty()) {
    table.remove_topic(fields->topic);
  } else {
    table.remove_topic_of_cluster(fields->topic, fields->cluster);
  }
  return protocol::ok();
}

Response register_topic(const Request& request, RouteTable& table) {
  const auto fields = kRegisterFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  if (request.body.empty()) return protocol::ok();
  const auto json = protocol::parse_json(request.body_text());
  if (!json || !json->is_object()) {
    return refuse(protocol::ResponseCode::kSystemError, "the body of REGISTER_TOPIC is no TopicRouteData in JSON");
  }
  std::vector<std::pair<std::string, QueueData>> queues;
  if (const auto* list = protocol::array_member(*json, "queueDatas")) {
    for (const auto& entry : *list) {
      if (entry.is_object())
        queues.emplace_back(protocol::string_member(entry, "brokerName"), queue_data_from_json(entry));
    }
  }
  if (const auto left_out = table.add_topic(fields->topic, queues)) {
    log_warning("REGISTER_TOPIC of {}: something was left out: {}", fields->topic, *left_out);
  }
  return protocol::ok();
}

}  // namespace tern::nameserver
