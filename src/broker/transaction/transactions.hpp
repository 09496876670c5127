#pragma once
// What the parts of this folder share, and the marks' way into the op queue.

#include <functional>

#include "tern/base/clock.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/store/store.hpp"

#include "broker/identity.hpp"
#include "broker/send/send_stage.hpp"
#include "broker/transaction/transaction_marks.hpp"
#include "broker/transaction/transaction_options.hpp"

namespace tern::broker {

/// Constant after construction, but for the marks, which have their own lock.
struct Transactions {
  using OnIoThread = std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)>;
  const TransactionOptions& options;
  const BrokerOptions& broker_options;
  const BrokerIdentity& identity;
  const Clock& clock;
  store::Store& store;
  WorkQueue& blocking;  // where half messages are read that are not in memory
  OnIoThread on_io_thread;
  /// Half messages below were there when this process began: marks of theirs may be missing.
  store::LogPosition began_at;
  TransactionMarks marks;

  [[nodiscard]] bool may_lack_marks(std::int64_t position) const { return position < began_at.value; }
};

/// What a transaction led to is in the log: its mark waits, and is written from here if enough do
/// (transactionOpMsgMaxSize). On the stage's thread.
void mark_ended(Transactions& transactions, SendStage& stage, std::int64_t half);
/// Writes marks until fewer than `bytes_min` wait. On the stage's thread.
void write_marks(Transactions& transactions, SendStage& stage, std::size_t bytes_min);

}  // namespace tern::broker
