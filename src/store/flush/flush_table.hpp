#pragma once
// The flush policies that `flushDiskType` may name: one row each.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tern/store/commit_log.hpp"

namespace tern::store {

/// When the log is synced, and whether acknowledgements wait for it. Says what to do and does nothing itself.
/// Owned by the flush thread; the constants from any thread.
class FlushPolicy {
 public:
  virtual ~FlushPolicy() = default;
  struct State {
    std::int64_t pending_bytes = 0;  // published, not durable
    std::int64_t now_ms = 0;         // steady
    std::int64_t last_sync_us = 0;   // how long the last sync took
    int lonely_syncs = 0;            // that nothing was published during, in a row
  };
  struct Decision {
    bool sync = false;          // everything pending, now
    std::int64_t next_ms = 0;   // ask again after this time at the latest
    std::int64_t pause_us = 0;  // with `sync`: not before this time, and then without asking again
  };
  virtual Decision decide(const State& state) = 0;
  /// An acknowledgement means durable, and readers see durable records only.
  [[nodiscard]] virtual bool acknowledges_durable() const noexcept = 0;
  /// Every publication wakes the flush thread.
  [[nodiscard]] virtual bool wants_publications() const noexcept { return acknowledges_durable(); }
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

struct FlushRow {
  std::string_view name;
  std::unique_ptr<FlushPolicy> (*make)(std::string_view name, const LogOptions& options);
  std::string_view meaning;
};
extern const std::span<const FlushRow> kFlushPolicies;
/// nullptr: no such name.
[[nodiscard]] const FlushRow* find_flush_policy(std::string_view name);
/// The row's name for the settings: flushDiskType, but for Apache's second key to the same choice, flushCommitLogTimed.
[[nodiscard]] std::string_view chosen_flush_policy(const LogOptions& options);

// The policies, one file each. `name` is the row's; `options` must outlive the policy.
std::unique_ptr<FlushPolicy> make_async_flush(std::string_view name, const LogOptions& options);
std::unique_ptr<FlushPolicy> make_real_time_flush(std::string_view name, const LogOptions& options);
std::unique_ptr<FlushPolicy> make_sync_flush(std::string_view name, const LogOptions& options);

}  // namespace tern::store
