#pragma once
// How far the log is what. Positions only grow; all loads and stores from any thread.

#include <algorithm>
#include <atomic>

#include "tern/store/types.hpp"

namespace tern::store {

/// Each position is stored with release by the one who advances it and loaded with acquire: who sees a position also
/// sees what was done below it.
class Watermarks {
 public:
  /// Every byte below is in place. Advanced by the put strategy (release), observed by dispatch, flush and readers
  /// (acquire).
  [[nodiscard]] LogPosition published() const noexcept { return {published_.load(std::memory_order_acquire)}; }
  /// Every byte below survives a power cut. Advanced by the flush thread (release).
  [[nodiscard]] LogPosition durable() const noexcept { return {durable_.load(std::memory_order_acquire)}; }
  /// What readers may see: published, and also durable if the flush policy waits for it.
  [[nodiscard]] LogPosition visible() const noexcept {
    return waits_for_durable_ ? std::min(published(), durable()) : published();
  }
  /// Queue and index entries exist for every record below. Advanced by the holder of the dispatch role (release).
  [[nodiscard]] LogPosition dispatched() const noexcept { return {dispatched_.load(std::memory_order_acquire)}; }

  void publish(LogPosition to) noexcept { published_.store(to.value, std::memory_order_release); }
  /// For a strategy in which several threads publish: published never goes back. Acquire-release: who advances it
  /// further hands on what was done below it.
  void publish_at_least(LogPosition to) noexcept {
    auto seen = published_.load(std::memory_order_relaxed);
    while (seen < to.value &&
           !published_.compare_exchange_weak(seen, to.value, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
  }
  void make_durable(LogPosition to) noexcept { durable_.store(to.value, std::memory_order_release); }
  void dispatch(LogPosition to) noexcept { dispatched_.store(to.value, std::memory_order_release); }
  /// Before the first append.
  void start(LogPosition at, bool waits_for_durable) noexcept {
    publish(at), make_durable(at), dispatch(at);
    waits_for_durable_ = waits_for_durable;
  }

 private:
  // Three lines: appenders, the flush thread and the dispatcher each write one of them at full rate.
  alignas(64) std::atomic<std::int64_t> published_{0};
  alignas(64) std::atomic<std::int64_t> durable_{0};
  alignas(64) std::atomic<std::int64_t> dispatched_{0};
  bool waits_for_durable_ = false;  // constant after start()
};

}  // namespace tern::store
