#include "broker/clients/processors.hpp"

#include "broker/clients/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> client_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kHeartBeat, "heart_beat", remoting::processor<&heart_beat>},
      {RequestCode::kUnregisterClient, "unregister_client", remoting::processor<&unregister_client>},
      {RequestCode::kGetConsumerListByGroup, "get_consumer_list", remoting::processor<&get_consumer_list>},
  };
  return kRows;
}

}  // namespace tern::broker
