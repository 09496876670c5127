#include "broker/groups/processors.hpp"

#include "broker/groups/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> group_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kUpdateAndCreateSubscriptionGroup, "update_group", remoting::processor<&update_group>},
      {RequestCode::kUpdateAndCreateSubscriptionGroupList, "update_group_list",
       remoting::processor<&update_group_list>},
      {RequestCode::kUpdateAndGetGroupForbidden, "update_group_forbidden",
       remoting::processor<&update_group_forbidden>},
      {RequestCode::kDeleteSubscriptionGroup, "delete_group", remoting::processor<&delete_group>},
      {RequestCode::kGetSubscriptionGroupConfig, "get_group_config", remoting::processor<&get_group_config>},
      {RequestCode::kGetAllSubscriptionGroupConfig, "get_all_group_config", remoting::processor<&get_all_group_config>},
  };
  return kRows;
}

}  // namespace tern::broker
