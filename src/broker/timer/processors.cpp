#include "broker/timer/processors.hpp"

#include "broker/timer/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> timer_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kGetTimerMetrics, "get_timer_metrics", remoting::processor<&get_timer_metrics>},
      {RequestCode::kRecallMessage, "recall_message", remoting::processor<&recall_message>},
  };
  return kRows;
}

}  // namespace tern::broker
