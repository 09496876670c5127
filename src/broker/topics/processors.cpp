#include "broker/topics/processors.hpp"

#include "broker/topics/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> topic_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kUpdateAndCreateTopic, "update_topic", remoting::processor<&update_topic>},
      {RequestCode::kUpdateAndCreateTopicList, "update_topic_list", remoting::processor<&update_topic_list>},
      {RequestCode::kDeleteTopicInBroker, "delete_topic", remoting::processor<&delete_topic>},
      {RequestCode::kGetTopicConfig, "get_topic_config", remoting::processor<&get_topic_config>},
      {RequestCode::kGetAllTopicConfig, "get_all_topic_config", remoting::processor<&get_all_topic_config>},
      {RequestCode::kGetTopicStatsInfo, "get_topic_stats", remoting::processor<&get_topic_stats>},
      {RequestCode::kGetSystemTopicListFromBroker, "get_system_topics", remoting::processor<&get_system_topics>},
  };
  return kRows;
}

}  // namespace tern::broker
