#pragma once
// Which records the queues and the key index are made of: one rule for dispatch and for those who check its work.

#include <cstdint>

#include "tern/message/record.hpp"
#include "tern/store/queue.hpp"

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

/// The queue offsets that a record stands for.
struct OffsetRange {
  std::int64_t first = 0;
  std::int32_t count = 1;
  [[nodiscard]] std::int64_t end() const { return first + count; }
};
/// In a batch queue, those that its properties INNER_BASE and INNER_NUM name, if it has both of them; otherwise one.
[[nodiscard]] OffsetRange offsets_of(const message::RecordView& record, QueueKind kind);

/// What its queue holds of it, but for the tag code.
[[nodiscard]] inline QueueEntry entry_of(const message::RecordView& record, LogPosition position,
                                         const OffsetRange& offsets) {
  return {position, record.total_size, 0, offsets.count, 0, record.store_timestamp};
}

}  // namespace tern::store
