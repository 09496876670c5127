// Group commit: a sync begins as soon as something is pending, and what is published while it runs makes the next
// group. So one sender waits for one sync, and many share one.
//
// A device that syncs faster than a page of the log fills is made to write that page again and again: 10,000 messages
// of 1 KB a second at 90 us a sync are 5 bytes for each byte appended. So while others were seen to publish during a
// sync, the next one waits for company, until a page is pending and no longer than the last sync took: two senders in a
// closed loop share a sync instead of taking turns, and a lone one never waits. docs/decisions/0005 has the figures.

#include "store/flush/flush_table.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kIdleMs = 1000;  // a publication wakes it; this only bounds the damage of a lost wake-up
constexpr std::int64_t kPageBytes = 4096;
constexpr std::int64_t kPauseMaxUs = 500;  // a device this slow makes its groups by itself
constexpr int kLonelySyncs = 8;            // after so many without company nobody is expected

class SyncFlush final : public FlushPolicy {
 public:
  explicit SyncFlush(std::string_view name) : name_(name) {}

  Decision decide(const State& state) override {
    const bool expects_company = state.lonely_syncs < kLonelySyncs && state.pending_bytes < kPageBytes;
    const auto pause_us = expects_company && state.last_sync_us <= kPauseMaxUs ? state.last_sync_us : 0;
    return {state.pending_bytes > 0, kIdleMs, pause_us};
  }
  [[nodiscard]] bool acknowledges_durable() const noexcept override { return true; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }

 private:
  const std::string_view name_;
};

}  // namespace

std::unique_ptr<FlushPolicy> make_sync_flush(std::string_view name, const LogOptions&) {
  return std::make_unique<SyncFlush>(name);
}

}  // namespace tern::store
