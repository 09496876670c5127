#include "broker/filter/processors.hpp"

#include "broker/filter/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> filter_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kCheckClientConfig, "check_client_config", remoting::processor<&check_client_config>},
  };
  return kRows;
}

}  // namespace tern::broker
