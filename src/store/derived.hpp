#pragma once
// Which records the queues and the key index are made of: one rule for dispatch and for those who check its work.

#include <cstdint>

#include "tern/message/record_layout.hpp"

namespace tern::store {

/// Prepared and rollback records are in the log alone; half messages have the bits cleared and enter their topic's
/// queue.
[[nodiscard]] inline bool enters_queue(std::int32_t sys_flag) {
  const auto kind = sys_flag & message::kSysTransactionMask;
  return kind == 0 || kind == message::kSysTransactionCommit;
}

[[nodiscard]] inline bool enters_index(std::int32_t sys_flag) {
  return (sys_flag & message::kSysTransactionMask) != message::kSysTransactionRollback;
}

}  // namespace tern::store
