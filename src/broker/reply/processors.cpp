#include "broker/reply/processors.hpp"

#include "broker/reply/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> reply_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kSendReplyMessage, "send_reply", remoting::processor<&send_reply>},
      {RequestCode::kSendReplyMessageV2, "send_reply", remoting::processor<&send_reply>},
  };
  return kRows;
}

}  // namespace tern::broker
