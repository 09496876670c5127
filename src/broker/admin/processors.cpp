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
      {RequestCode::kGetAllProducerInfo, "get_all_producers", remoting::processor<&get_all_producers>},
      {RequestCode::kQuerySubscriptionByConsumer, "query_subscription", remoting::processor<&query_subscription>},
      {RequestCode::kQueryConsumeTimeSpan, "query_consume_time_span", remoting::processor<&query_consume_time_span>},
      {RequestCode::kGetBrokerConsumeStats, "get_broker_consume_stats", remoting::processor<&get_broker_consume_stats>},
      {RequestCode::kQueryConsumeQueue, "query_consume_queue", remoting::processor<&query_consume_queue>},
      {RequestCode::kGetAllConsumerOffset, "get_all_consumer_offsets", remoting::processor<&get_all_consumer_offsets>},
      {RequestCode::kGetAllDelayOffset, "get_all_delay_offsets", remoting::processor<&get_all_delay_offsets>},
      {RequestCode::kDeleteExpiredCommitLog, "delete_expired_log", remoting::processor<&delete_expired_log>},
      {RequestCode::kCleanExpiredConsumeQueue, "clean_expired_queues", remoting::processor<&clean_expired_queues>},
      {RequestCode::kCleanUnusedTopic, "clean_unused_topics", remoting::processor<&clean_unused_topics>},
  };
  return kRows;
}

}  // namespace tern::broker
