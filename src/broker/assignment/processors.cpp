#include "broker/assignment/processors.hpp"

#include "broker/assignment/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> assignment_processors() {
  using protocol::RequestCode;
  using remoting::processor;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kQueryAssignment, "query_assignment", processor<&query_assignment>},
      {RequestCode::kSetMessageRequestMode, "set_request_mode", processor<&set_request_mode>},
      {RequestCode::kGetAllMessageRequestMode, "get_request_modes", processor<&get_request_modes>},
  };
  return kRows;
}

}  // namespace tern::broker
