#include "store/put/apache_lock_keys.hpp"

#include "tern/store/commit_log.hpp"

namespace tern::store {

std::span<const OptionRow<ApacheLockKeys>> apache_lock_rows() {
  static const OptionRow<ApacheLockKeys> kRows[] = {
      {"useABSLock", &ApacheLockKeys::use_abs_lock, "false", anything(),
       "Apache's key for the adaptive lock: true means putMessageLock=abs, unless putMessageLock is set."},
      {"useReentrantLockWhenPutMessage", &ApacheLockKeys::use_reentrant_lock, "true", anything(),
       "Apache's key: true means putMessageLock=mutex, false putMessageLock=kBackoff, unless putMessageLock or "
       "useABSLock says otherwise."},
  };
  return kRows;
}

void choose_put_strategy(const OptionSet& settings, const ApacheLockKeys& keys, LogOptions& log) {
  log.spin_limit_was_set = settings.was_set("spinLockCollisionRetreatOptimalDegree");
  if (settings.was_set("putMessageLock")) return;
  if (settings.was_set("useABSLock") && keys.use_abs_lock) {
    log.put_strategy = "abs";
  } else if (settings.was_set("useReentrantLockWhenPutMessage")) {
    log.put_strategy = keys.use_reentrant_lock ? "mutex" : "kBackoff";
  }
}

}  // namespace tern::store
