#pragma once
// The tail of the log over plain memory that has been touched: what appending costs without a disk and without page
// faults.

#include <array>
#include <mutex>
#include <vector>

#include "offsets_only.hpp"
#include "store/log_tail.hpp"
#include "store/put/put_switch.hpp"

namespace tern::store {

/// A clock by which an adaptive lock's windows of a second pass `speed` times as fast, so that it has adapted after a
/// moment. What it counts are ratios, so that it decides as it would in full seconds.
class FastClock final : public Clock {
 public:
  explicit FastClock(int speed) : speed_(speed) {}
  [[nodiscard]] std::int64_t wall_ms() const override { return clock_.wall_ms(); }
  [[nodiscard]] std::int64_t steady_ns() const override { return clock_.steady_ns() * speed_; }
  [[nodiscard]] int speed() const { return speed_; }

 private:
  const SystemClock clock_;
  const int speed_;
};

class MemoryWindow final : public file::MappedWindow {
 public:
  explicit MemoryWindow(std::int64_t size) : bytes_(static_cast<std::size_t>(size)) {}
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] std::int64_t file_position() const noexcept override { return 0; }
  void commit(std::size_t, std::size_t) noexcept override {}
  Status populate(std::size_t, std::size_t) override { return {}; }

 private:
  std::vector<std::byte> bytes_;
};

/// Segments in turn over a ring of memory.
class MemoryLog {
 public:
  MemoryLog(const PutRow& row, const PutSettings& settings)
      : tail_(clock_, watermarks_, wakeup_, wakeup_, {kSegmentSize, kSegmentSize, false, accepts_clock_behind_}),
        put_(row, tail_, settings) {
    tail_.append_role.assert_held();
    watermarks_.start({0}, false);
    tail_.start({0}, {0}, 0);
    prepare_more();
  }
  /// Places all of it, however often the ring has to be turned.
  void append(AppendBatch& batch) {
    for (put_.append(batch); !batch.is_settled(); put_.append(batch)) prepare_more();
  }
  [[nodiscard]] LogPosition published() const { return watermarks_.published(); }
  [[nodiscard]] const PutSwitch& put() const { return put_; }

 private:
  static constexpr std::int64_t kSegmentSize = 64 << 20;
  static constexpr std::int64_t kWindows = 3;

  void prepare_more() {
    const std::lock_guard lock(mutex_);
    const auto segment = published().value / kSegmentSize;
    while (tail_.prepared().value / kSegmentSize < segment + kWindows - 1) {
      const LogPosition start{tail_.prepared().value / kSegmentSize * kSegmentSize};
      auto& window = windows_[static_cast<std::size_t>(start.value / kSegmentSize % kWindows)];
      tail_.offer({start, &window, window.bytes().data()});
      tail_.prepare(start + kSegmentSize);
    }
  }

  const SystemClock clock_;
  const Live<bool> accepts_clock_behind_ = false;
  Watermarks watermarks_;
  Wakeup wakeup_;
  LogTail tail_;
  PutSwitch put_;
  std::mutex mutex_;
  // Of one log at a time; touching them anew would take longer than a run.
  static inline std::array<MemoryWindow, kWindows> windows_{MemoryWindow(kSegmentSize), MemoryWindow(kSegmentSize),
                                                            MemoryWindow(kSegmentSize)};
};

}  // namespace tern::store
