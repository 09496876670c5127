#include "broker/consumer_control/processors.hpp"

#include "broker/consumer_control/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> consumer_control_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kGetConsumerRunningInfo, "get_consumer_running_info",
       remoting::processor<&get_consumer_running_info>},
      {RequestCode::kConsumeMessageDirectly, "consume_directly", remoting::processor<&consume_directly>},
      {RequestCode::kInvokeBrokerToGetConsumerStatus, "get_consumer_status", remoting::processor<&get_consumer_status>},
      {RequestCode::kInvokeBrokerToResetOffset, "reset_offset", remoting::processor<&reset_offset>},
  };
  return kRows;
}

}  // namespace tern::broker
