#pragma once
// The settings of transactions.

#include <cstdint>
#include <span>

#include "tern/base/options.hpp"

namespace tern::broker {

struct TransactionOptions {
  Live<bool> rejects = false;                     // rejectTransactionMessage
  Live<std::int64_t> timeout_ms = 6'000;          // transactionTimeOut
  Live<int> checks_max = 15;                      // transactionCheckMax
  Live<std::int64_t> check_interval_ms = 30'000;  // transactionCheckInterval
  Live<int> op_bytes_max = 4096;                  // transactionOpMsgMaxSize
  Live<std::int64_t> op_interval_ms = 3'000;      // transactionOpBatchInterval
};
std::span<const OptionRow<TransactionOptions>> transaction_option_rows();

}  // namespace tern::broker
