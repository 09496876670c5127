#pragma once
// The tail of the log as appenders see it: where the next record goes, and the prepared memory that it goes to.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "tern/base/clock.hpp"
#include "tern/base/log.hpp"
#include "tern/base/options.hpp"
#include "tern/base/thread_annotations.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/disk.hpp"
#include "tern/store/append_batch.hpp"
#include "tern/store/watermarks.hpp"

namespace tern::store {

/// Records are refused while the last one is further ahead of the clock than this.
inline constexpr std::int64_t kClockBehindMaxMs = 5000;

/// A mapped segment at the tail.
struct TailWindow {
  LogPosition start;
  file::MappedWindow* window = nullptr;
  std::byte* bytes = nullptr;
};

/// Shared by appenders (through a PutStrategy, which owns `append_role` while it appends), the segments thread, which
/// prepares memory ahead of them, and whoever closes the door (read-only, disk full). Owned by CommitLog.
///
/// Prepared memory: everything below `prepared` is allocated and populated, so storing there neither faults nor fails.
/// The segments thread offers the window of a segment in a slot before it raises `prepared` into that segment, and
/// reuses a slot once `published` has left the segment that it was of.
class LogTail {
 public:
  /// Segments that may be prepared at a time, behind the one of the published position.
  static constexpr int kSegmentsAheadMax = 6;

  struct Settings {
    std::int64_t segment_size = 0;
    std::int64_t prepare_ahead = 0;
    bool wakes_flush = false;  // the flush thread wants to know of each publication
    const Live<bool>& accepts_clock_behind;
  };
  LogTail(const Clock& clock, Watermarks& watermarks, Wakeup& segments_wakeup, Wakeup& flush_wakeup,
          const Settings& settings);

  // ---- opening thread
  /// The next record goes to `tail`, in the segment that starts at `segment_start`. Nothing is prepared yet.
  void start(LogPosition tail, LogPosition segment_start, std::int64_t last_store_timestamp) TERN_REQUIRES(append_role);

  // ---- appenders
  /// What the appender owes to others once it has let go of the append lock.
  struct Outcome {
    bool not_ready = false;
    bool clock_behind = false;
    bool published_others = false;  // appends whose callers have returned: they may wait for it
  };
  /// The critical section of a locked strategy; see the arithmetic at the top of log_tail.cpp. `now_ms` was read before
  /// the lock was taken: store times only grow, whichever appender comes first.
  Outcome append(AppendBatch& batch, std::int64_t now_ms) noexcept TERN_REQUIRES(append_role);
  /// The same in two parts, for a strategy that copies outside. place() is the critical section: positions, offsets and
  /// times, and the blank at the end of a segment; nothing is published. copy() may run beside others and in any order;
  /// what it wrote may be published once everything below has been copied too. `groups` is 0 if nothing was placed.
  struct Placed {
    std::size_t first_group = 0;
    std::size_t groups = 0;
    LogPosition end;
  };
  Outcome place(AppendBatch& batch, std::int64_t now_ms, Placed& placed) noexcept TERN_REQUIRES(append_role);
  void copy(AppendBatch& batch, const Placed& placed) const noexcept;
  /// Any thread: everything below `to` has been copied. Never takes published back.
  void publish_at_least(LogPosition to) noexcept { watermarks_.publish_at_least(to); }
  /// Outside the lock: wakes whom this append concerns.
  void settle(const Outcome& outcome) noexcept;
  [[nodiscard]] std::int64_t now_ms() const noexcept { return clock_.wall_ms(); }
  /// Held by who may append: the strategy asserts it where its lock is held.
  ThreadRole append_role;

  // ---- segments thread
  [[nodiscard]] LogPosition prepared() const noexcept { return {prepared_.load(std::memory_order_acquire)}; }
  /// Before prepare() first reaches beyond window.start. The window must live until published has left the segment.
  void offer(const TailWindow& window) noexcept;
  void prepare(LogPosition to) noexcept;
  /// The end of the largest group that got kNotReady.
  [[nodiscard]] LogPosition wanted() const noexcept { return {wanted_.load(std::memory_order_acquire)}; }
  /// Whether somebody asked since the last call. Then look at published(), wanted() and took_not_ready().
  bool take_request() noexcept { return segments_asked_.exchange(false, std::memory_order_seq_cst); }
  /// Whether a group got kNotReady since the last call.
  bool take_not_ready() noexcept { return not_ready_.exchange(false, std::memory_order_acq_rel); }
  /// wanted() has been prepared: nobody has a reason to wait.
  void end_waiting() noexcept { waiting_since_ms_.store(kNobodyWaits, std::memory_order_relaxed); }
  void set_no_space(bool no_space) noexcept { no_space_.store(no_space, std::memory_order_relaxed); }

  // ---- flush thread
  /// Before it looks at published(): an append after this wakes it again.
  void take_flush_request() noexcept { flush_asked_.exchange(false, std::memory_order_seq_cst); }

  /// See CommitLog::on_published(). Before the first append.
  void on_published(std::function<void()> advanced) { on_published_ = std::move(advanced); }

  // ---- any thread
  void close() noexcept { is_closed_.store(true, std::memory_order_release); }
  [[nodiscard]] bool is_closed() const noexcept { return is_closed_.load(std::memory_order_acquire); }
  void set_disk_full(bool is_full) noexcept { is_disk_full_.store(is_full, std::memory_order_relaxed); }
  /// Below the floor of free space, or without a block for what comes next.
  [[nodiscard]] bool is_disk_full() const noexcept {
    return is_disk_full_.load(std::memory_order_relaxed) || no_space_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t waiting_ms() const noexcept;
  [[nodiscard]] std::int64_t last_store_timestamp() const noexcept {
    return last_store_timestamp_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t records() const noexcept { return records_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t not_ready_groups() const noexcept {
    return not_ready_groups_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t clock_behind_batches() const noexcept {
    return static_cast<std::int64_t>(clock_behind_.total());
  }

 private:
  static constexpr std::size_t kSlots = 8;
  static_assert(kSlots >= kSegmentsAheadMax + 2, "the slot of a segment that is still in use would be overwritten");
  static constexpr std::int64_t kNobodyWaits = -1;

  [[nodiscard]] std::size_t slot_of(LogPosition position) const noexcept;
  [[nodiscard]] std::optional<Errc> refusal(std::int64_t now_ms) const noexcept TERN_REQUIRES(append_role);
  static void refuse(AppendBatch& batch, std::span<const StagedGroup> groups, Errc why) noexcept;
  void refuse_not_ready(AppendBatch& batch, LogPosition wanted) noexcept TERN_REQUIRES(append_role);
  template <bool kCopies>
  Outcome place_groups(AppendBatch& batch, std::int64_t now_ms, Placed& placed) noexcept TERN_REQUIRES(append_role);
  static void copy_record(AppendBatch& batch, const StagedRecord& record, const TailWindow& window) noexcept;
  void store_blank() noexcept TERN_REQUIRES(append_role);
  void enter_segment(LogPosition segment_start) noexcept TERN_REQUIRES(append_role);
  void commit(LogPosition from) noexcept TERN_REQUIRES(append_role);

  // Constant after construction.
  const Clock& clock_;
  Watermarks& watermarks_;
  Wakeup& segments_wakeup_;
  Wakeup& flush_wakeup_;
  const Settings settings_;
  std::function<void()> on_published_;
  const std::int64_t low_water_;  // less prepared than this: the segments thread is asked

  // Owned by the appender.
  alignas(64) LogPosition position_ TERN_GUARDED_BY(append_role);
  LogPosition segment_end_ TERN_GUARDED_BY(append_role);
  TailWindow current_ TERN_GUARDED_BY(append_role);  // of the segment of position_, once something is prepared there
  // Stored by the appender, relaxed: numbers that stand for nothing else.
  std::atomic<std::int64_t> last_store_timestamp_{0};
  std::atomic<std::int64_t> records_{0};
  std::atomic<std::int64_t> not_ready_groups_{0};
  // The end of what did not fit: stored (release) by the appender before segments_asked_, loaded by the segments
  // thread.
  std::atomic<std::int64_t> wanted_{0};
  // steady_ms of the first kNotReady since end_waiting(); relaxed, a number for people and PAGE_CACHE_BUSY.
  std::atomic<std::int64_t> waiting_since_ms_{kNobodyWaits};

  // Stored (release) by the segments thread after it has stored the slot and populated the memory; loaded (acquire) by
  // appenders before they read the slot and store.
  alignas(64) std::atomic<std::int64_t> prepared_{0};
  std::array<TailWindow, kSlots> slots_;
  // Two requests, exchanged by both sides: an appender's exchange follows its publication, the thread's precedes its
  // look at published, so one of the two sees the other's news.
  std::atomic<bool> segments_asked_{false};
  // Stored (release) by appenders before segments_asked_, exchanged (acquire) by the segments thread after it.
  std::atomic<bool> not_ready_{false};
  alignas(64) std::atomic<bool> flush_asked_{false};

  // Doors. Release and acquire for the one behind which there is a reason to be read. Relaxed is enough for the other
  // two: who shuts them promises nothing about appends under way.
  alignas(64) std::atomic<bool> is_closed_{false};
  std::atomic<bool> is_disk_full_{false};
  std::atomic<bool> no_space_{false};
  LogRateLimit clock_behind_;
};

}  // namespace tern::store
