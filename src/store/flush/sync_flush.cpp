// Group commit without a timer: a sync begins as soon as something is pending, and what is published while it runs
// makes the next group. So one sender waits for one sync, and many share one.

#include "store/flush/flush_table.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kIdleMs = 1000;  // a publication wakes it; this only bounds the damage of a lost wake-up

class SyncFlush final : public FlushPolicy {
 public:
  explicit SyncFlush(std::string_view name) : name_(name) {}

  Decision decide(const State& state) override { return {state.pending_bytes > 0, kIdleMs}; }
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
