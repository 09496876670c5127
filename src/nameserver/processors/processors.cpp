#include "nameserver/processors/processors.hpp"

#include "nameserver/services.hpp"

namespace tern::nameserver {

std::span<const remoting::ProcessorRow<Services>> processor_rows() {
  using protocol::RequestCode;
  using remoting::processor;
  static constexpr remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kPutKvConfig, "put_kv_config", processor<&put_kv_config>},
      {RequestCode::kGetKvConfig, "get_kv_config", processor<&get_kv_config>},
      {RequestCode::kDeleteKvConfig, "delete_kv_config", processor<&delete_kv_config>},
      {RequestCode::kGetKvListByNamespace, "get_kv_list", processor<&get_kv_list>},
      {RequestCode::kRegisterBroker, "register_broker", processor<&register_broker>},
      {RequestCode::kUnregisterBroker, "unregister_broker", processor<&unregister_broker>},
      {RequestCode::kBrokerHeartbeat, "broker_heartbeat", processor<&broker_heartbeat>},
      {RequestCode::kQueryDataVersion, "query_data_version", processor<&query_data_version>},
      {RequestCode::kGetRouteInfoByTopic, "get_route_info", processor<&get_route_info>},
      {RequestCode::kGetBrokerClusterInfo, "get_cluster_info", processor<&get_cluster_info>},
      {RequestCode::kGetBrokerMemberGroup, "get_broker_member_group", processor<&get_broker_member_group>},
      {RequestCode::kGetAllTopicListFromNameserver, "get_all_topics", processor<&get_all_topics>},
      {RequestCode::kGetTopicsByCluster, "get_topics_by_cluster", processor<&get_topics_by_cluster>},
      {RequestCode::kGetSystemTopicListFromNameserver, "get_system_topics", processor<&get_system_topics>},
      {RequestCode::kGetUnitTopicList, "get_unit_topics", processor<&get_unit_topics>},
      {RequestCode::kGetHasUnitSubTopicList, "get_unit_sub_topics", processor<&get_unit_sub_topics>},
      {RequestCode::kGetHasUnitSubUnunitTopicList, "get_unit_sub_ununit_topics",
       processor<&get_unit_sub_ununit_topics>},
      {RequestCode::kDeleteTopicInNameserver, "delete_topic", processor<&delete_topic>},
      {RequestCode::kRegisterTopicInNameserver, "register_topic", processor<&register_topic>},
      {RequestCode::kWipeWritePermOfBroker, "wipe_write_permission", processor<&wipe_write_permission>},
      {RequestCode::kAddWritePermOfBroker, "add_write_permission", processor<&add_write_permission>},
      {RequestCode::kUpdateNameserverConfig, "update_server_config", processor<&update_server_config>},
      {RequestCode::kGetNameserverConfig, "get_server_config", processor<&get_server_config>},
  };
  return kRows;
}

}  // namespace tern::nameserver
