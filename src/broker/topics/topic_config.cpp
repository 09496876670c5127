// GET_TOPIC_CONFIG (351), GET_ALL_TOPIC_CONFIG (21), GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305).
#include "broker/table_page.hpp"
#include "broker/topics/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

struct Fields {
  std::string_view topic;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("topic", &Fields::topic));

constexpr auto kPage = protocol::fields<TablePage>(protocol::optional("dataVersion", &TablePage::version),
                                                   protocol::optional("topicSeq", &TablePage::first),
                                                   protocol::optional("maxTopicNum", &TablePage::count));

}  // namespace

protocol::Response get_topic_config(const remoting::Request& request, TopicTable& topics) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto topic = topics.find(fields->topic);
  if (!topic)
    return protocol::refuse(protocol::ResponseCode::kTopicNotExist, "No topic in this broker. topic: {}",
                            fields->topic);
  return protocol::ok().with_body(protocol::write_json(to_json(*topic)));
}

protocol::Response get_all_topic_config(const remoting::Request& request, TopicTable& topics) {
  const auto page = kPage.decode(request.header);
  if (!page) return protocol::refuse(page.error());
  auto json = topics.to_json();
  const auto count = static_cast<std::int64_t>(json["topicConfigTable"].size());
  keep_page(*page, data_version_from_json(json["dataVersion"]), json["topicConfigTable"]);
  json["mappingDataVersion"] = to_json(DataVersion{});
  json["topicQueueMappingDetailMap"] = Json::object();
  json["topicQueueMappingInfoMap"] = Json::object();
  return protocol::ok().field("totalTopicNum", count).with_body(protocol::write_json(json));
}

protocol::Response get_system_topics(const remoting::Request&, TopicTable& topics, BrokerIdentity&) {
  auto list = Json::array();
  for (const auto& topic : topics.all()) {
    if (topics.is_system(topic->name)) list.push_back(topic->name);
  }
  return protocol::ok().with_body(protocol::write_json({{"topicList", std::move(list)}}));
}

}  // namespace tern::broker
