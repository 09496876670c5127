#pragma once
// Apache's keys for the lock on the put path. putMessageLock wins over them; else those set in the file count,
// useABSLock first; else our default.

#include <span>

#include "tern/base/options.hpp"

namespace tern::store {

struct LogOptions;

struct ApacheLockKeys {
  bool use_abs_lock = false;       // useABSLock
  bool use_reentrant_lock = true;  // useReentrantLockWhenPutMessage; false: spin, k times and then yield
};
std::span<const OptionRow<ApacheLockKeys>> apache_lock_rows();

/// Sets what the file says about the lock beyond the rows of the log: which one, and whether k was given.
void choose_put_strategy(const OptionSet& settings, const ApacheLockKeys& keys, LogOptions& log);

}  // namespace tern::store
