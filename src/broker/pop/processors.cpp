#include "broker/pop/processors.hpp"

#include "broker/pop/pop_message.hpp"
#include "broker/pop/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> pop_processors() {
  using protocol::RequestCode;
  using remoting::processor;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kPopMessage, "pop_message", processor<&pop_message>, /*on_fast_listener=*/false},
      {RequestCode::kAckMessage, "ack_message", processor<&ack_message>},
      {RequestCode::kBatchAckMessage, "batch_ack_message", processor<&batch_ack_message>},
      {RequestCode::kChangeMessageInvisibleTime, "change_invisible_time", processor<&change_invisible_time>},
      {RequestCode::kPeekMessage, "peek_message", processor<&peek_message>, /*on_fast_listener=*/false},
      {RequestCode::kNotification, "notification", processor<&notification>, /*on_fast_listener=*/false},
      {RequestCode::kPollingInfo, "polling_info", processor<&polling_info>, /*on_fast_listener=*/false},
  };
  return kRows;
}

}  // namespace tern::broker
