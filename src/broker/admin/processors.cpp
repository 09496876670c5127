#include "broker/admin/processors.hpp"

#include "broker/admin/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> admin_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kGetBrokerRuntimeInfo, "get_runtime_info", remoting::processor<&get_runtime_info>},
      {RequestCode::kGetBrokerConfig, "get_broker_config", remoting::processor<&get_broker_config>},
      {RequestCode::kUpdateBrokerConfig, "update_broker_config", remoting::processor<&update_broker_config>},
      {RequestCode::kGetConsumerConnectionList, "get_consumer_connections",
       remoting::processor<&get_consumer_connections>},
      {RequestCode::kGetProducerConnectionList, "get_producer_connections",
       remoting::processor<&get_producer_connections>},
      {RequestCode::kGetConsumeStats, "get_consume_stats", remoting::processor<&get_consume_stats>},
      {RequestCode::kQueryTopicConsumeByWho, "query_topic_consumers", remoting::processor<&query_topic_consumers>},
      {RequestCode::kQueryTopicsByConsumer, "query_topics_of_consumer", remoting::processor<&query_topics_of_consumer>},
  };
  return kRows;
}

}  // namespace tern::broker
