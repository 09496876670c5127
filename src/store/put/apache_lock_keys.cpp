#include "store/put/apache_lock_keys.hpp"

#include "tern/store/commit_log.hpp"

#include "store/put/put_table.hpp"

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

std::optional<std::string> choose_put_strategy(const OptionSet& settings, const ApacheLockKeys& keys, LogOptions& log) {
  if (settings.was_set("putMessageLock")) return std::nullopt;  // its row has checked it
  std::string_view key;
  if (settings.was_set("useABSLock") && keys.use_abs_lock) {
    key = "useABSLock=true", log.put_strategy = "abs";
  } else if (settings.was_set("useReentrantLockWhenPutMessage")) {
    key = keys.use_reentrant_lock ? "useReentrantLockWhenPutMessage=true" : "useReentrantLockWhenPutMessage=false";
    log.put_strategy = keys.use_reentrant_lock ? "mutex" : "kBackoff";
  }
  if (find_put_strategy(log.put_strategy) != nullptr) return std::nullopt;
  std::string names;
  for (const auto& row : kPutStrategies) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return fmt::format("{} asks for the put lock {}, which is not built yet; putMessageLock may be {}", key,
                     log.put_strategy, names);
}

}  // namespace tern::store
