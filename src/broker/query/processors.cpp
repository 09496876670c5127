#include "broker/query/processors.hpp"

#include "broker/query/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> query_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kQueryMessage, "query_message", remoting::processor<&query_message>},
      {RequestCode::kViewMessageById, "view_message", remoting::processor<&view_message>},
  };
  return kRows;
}

}  // namespace tern::broker
