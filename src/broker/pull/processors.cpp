#include "broker/pull/processors.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> pull_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kPullMessage, "pull_message", remoting::processor<&pull_message>, /*on_fast_listener=*/false},
      {RequestCode::kLitePullMessage, "pull_message", remoting::processor<&pull_message>, /*on_fast_listener=*/false},
  };
  return kRows;
}

}  // namespace tern::broker
