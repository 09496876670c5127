#include "broker/send/processors.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> send_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kSendMessage, "send_message", remoting::processor<&send_message>},
      {RequestCode::kSendMessageV2, "send_message", remoting::processor<&send_message>},
      {RequestCode::kSendBatchMessage, "send_message", remoting::processor<&send_message>},
      {RequestCode::kConsumerSendMessageBack, "consumer_send_back", remoting::processor<&consumer_send_back>},
  };
  return kRows;
}

}  // namespace tern::broker
