#include "broker/statistics/processors.hpp"

#include "broker/statistics/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> statistics_processors() {
  static const remoting::ProcessorRow<Services> kRows[] = {
      {protocol::RequestCode::kViewBrokerStatsData, "view_statistics", remoting::processor<&view_statistics>},
  };
  return kRows;
}

}  // namespace tern::broker
