#include "broker/transaction/transaction_options.hpp"

namespace tern::broker {

std::span<const OptionRow<TransactionOptions>> transaction_option_rows() {
  using O = TransactionOptions;
  constexpr std::int64_t kYearMs = std::int64_t{366} * 86'400'000;
  static const OptionRow<O> kRows[] = {
      {"rejectTransactionMessage", &O::rejects, "false", anything(),
       "Whether transactional sends are refused. Those that were taken before can still be committed or rolled back."},
      {"transactionTimeOut", &O::timeout_ms, "6000", range(0, kYearMs),
       "Milliseconds from a half message's birth, by its producer's clock, before its producer is asked."},
      {"transactionCheckMax", &O::checks_max, "15", range(1, 1'000'000),
       "How often producers are asked about a half message before it goes to TRANS_CHECK_MAX_TIME_TOPIC."},
      {"transactionCheckInterval", &O::check_interval_ms, "30000", range(100, 86'400'000),
       "Milliseconds from the end of one round of questions to the next."},
      {"transactionOpMsgMaxSize", &O::op_bytes_max, "4096", range(1, 1'000'000),
       "Bytes of marks of ended transactions at which they are written without waiting for "
       "transactionOpBatchInterval."},
      {"transactionOpBatchInterval", &O::op_interval_ms, "3000", range(0, 3'600'000),
       "Milliseconds that the mark of an ended transaction waits for others at most before it is written."},
  };
  return kRows;
}

}  // namespace tern::broker
