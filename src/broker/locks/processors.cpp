#include "broker/locks/processors.hpp"

#include "broker/locks/lock_batch.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> lock_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kLockBatchMq, "lock_batch", remoting::processor<&lock_batch>},
      {RequestCode::kUnlockBatchMq, "unlock_batch", remoting::processor<&unlock_batch>},
  };
  return kRows;
}

}  // namespace tern::broker
