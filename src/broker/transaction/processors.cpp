#include "broker/transaction/processors.hpp"

#include "broker/transaction/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> transaction_processors() {
  static const remoting::ProcessorRow<Services> kRows[] = {
      {protocol::RequestCode::kEndTransaction, "end_transaction", remoting::processor<&end_transaction>},
      {protocol::RequestCode::kResumeCheckHalfMessage, "resume_check", remoting::processor<&resume_check>},
  };
  return kRows;
}

}  // namespace tern::broker
