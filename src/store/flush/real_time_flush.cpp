// Woken by every publication: a sync begins as soon as flushCommitLogLeastPages are pending, and what is less waits for
// flushIntervalCommitLog at most. So a power cut takes what one sync and one interval hold; the price is a device that
// is always busy under load.

#include <algorithm>
#include <optional>

#include "store/flush/flush_table.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kPageSize = 4096;  // of flushCommitLogLeastPages
constexpr std::int64_t kIdleMs = 1000;    // a publication wakes it; this only bounds the damage of a lost wake-up

class RealTimeFlush final : public FlushPolicy {
 public:
  RealTimeFlush(std::string_view name, const LogOptions& options) : name_(name), options_(options) {}

  Decision decide(const State& state) override {
    if (state.pending_bytes == 0) {
      pending_since_ms_.reset();
      return {false, kIdleMs};
    }
    if (!pending_since_ms_) pending_since_ms_ = state.now_ms;
    const auto waited_ms = state.now_ms - *pending_since_ms_;
    const auto interval_ms = options_.flush_interval_ms.get();
    const bool is_enough = state.pending_bytes >= options_.flush_least_pages.get() * kPageSize;
    if (!is_enough && waited_ms < interval_ms) return {false, interval_ms - waited_ms};
    pending_since_ms_.reset();
    return {true, std::min(interval_ms, kIdleMs)};
  }
  [[nodiscard]] bool acknowledges_durable() const noexcept override { return false; }
  [[nodiscard]] bool wants_publications() const noexcept override { return true; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

 private:
  const std::string_view name_;
  const LogOptions& options_;
  // Owned by the flush thread.
  std::optional<std::int64_t> pending_since_ms_;
};

}  // namespace

std::unique_ptr<FlushPolicy> make_real_time_flush(std::string_view name, const LogOptions& options) {
  return std::make_unique<RealTimeFlush>(name, options);
}

}  // namespace tern::store
