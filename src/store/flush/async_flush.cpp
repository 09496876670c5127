// Every interval: sync if enough is pending, or if the last sync is a thorough interval ago. A record is at most
// thorough interval + interval old when it is synced.

#include <algorithm>
#include <optional>

#include "store/flush/flush_table.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kPageSize = 4096;  // of flushCommitLogLeastPages

class AsyncFlush final : public FlushPolicy {
 public:
  AsyncFlush(std::string_view name, const LogOptions& options) : name_(name), options_(options) {}

  Decision decide(const State& state) override {
    const auto interval_ms = options_.flush_interval_ms.get();
    if (!next_look_ms_) {
      next_look_ms_ = state.now_ms + interval_ms;
      last_sync_ms_ = state.now_ms;
    }
    if (state.now_ms < *next_look_ms_) return {false, std::min(interval_ms, *next_look_ms_ - state.now_ms)};
    next_look_ms_ = state.now_ms + interval_ms;
    const bool is_enough = state.pending_bytes >= options_.flush_least_pages.get() * kPageSize;
    const bool is_late = state.now_ms - last_sync_ms_ >= options_.flush_thorough_interval_ms.get();
    if (state.pending_bytes == 0 || (!is_enough && !is_late)) return {false, interval_ms};
    last_sync_ms_ = state.now_ms;
    return {true, interval_ms};
  }
  [[nodiscard]] bool acknowledges_durable() const noexcept override { return false; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

 private:
  const std::string_view name_;
  const LogOptions& options_;
  // Owned by the flush thread.
  std::optional<std::int64_t> next_look_ms_;
  std::int64_t last_sync_ms_ = 0;
};

}  // namespace

std::unique_ptr<FlushPolicy> make_async_flush(std::string_view name, const LogOptions& options) {
  return std::make_unique<AsyncFlush>(name, options);
}

}  // namespace tern::store
