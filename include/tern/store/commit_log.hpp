#pragma once
// The append-only file that every message passes through, as segments of one size.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/options.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/disk.hpp"
#include "tern/message/record.hpp"
#include "tern/store/put_strategy.hpp"
#include "tern/store/watermarks.hpp"

namespace tern::store {

/// The defaults are those of the option rows (src/store/log_options.cpp); a test holds them together.
struct LogOptions {
  std::string directory;                                    // <root>/commitlog unless storePathCommitLog says otherwise
  std::int64_t segment_size_bytes = std::int64_t{1} << 30;  // mappedFileSizeCommitLog
  std::int64_t prepare_ahead_bytes = 16 << 20;              // how much of the tail is allocated and populated ahead
  std::int64_t hot_bytes = 64 << 20;                        // how far behind the tail readers may use the mapping
  Live<std::string> put_strategy = std::string("mutex");    // putMessageLock: a row of the put table
  int spin_limit = 1000;                                    // spinLockCollisionRetreatOptimalDegree
  bool spin_limit_was_set = false;                          // by the file, not by default
  std::string flush_policy = "ASYNC_FLUSH";                 // flushDiskType: a row of the flush table
  bool flush_timed = true;                                  // flushCommitLogTimed: false makes ASYNC_FLUSH real-time
  bool appends_crc = false;                                 // enabledAppendPropCRC
  Live<std::int64_t> flush_interval_ms = 500;               // flushIntervalCommitLog
  Live<int> flush_least_pages = 4;                          // flushCommitLogLeastPages
  Live<std::int64_t> flush_thorough_interval_ms = 10'000;
  Live<std::int64_t> page_cache_busy_ms = 1000;  // osPageCacheBusyTimeOutMills
  Live<bool> accepts_clock_behind = false;       // ours, acceptClockBehind
};

/// Bytes of the log that stay valid as long as `owner` lives.
struct PinnedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

/// Owned by Store; outlives every reader. append() from any io thread. Steps each from their own thread. Reads from any
/// thread, up to the visible position. After a failed sync the log is read-only until restart: the disk may hold less
/// than what was acknowledged.
class CommitLog {
 public:
  /// Finds the segments and their sizes. kWrongSegmentSize, kForeign (a name that is no position, a gap between
  /// segments) with the file in `problem`. The last segment may be missing its preallocated successor or have it empty
  /// (Apache leaves one); an empty (size 0) last file is removed. A last file that is shorter but ends exactly with a
  /// whole record is what a start() leaves when it is interrupted between its two resizes; only for this are records
  /// read, and the next start() gives it its size back. Until start(), reads reach to files_end(). The options and the
  /// clock must outlive the log: they are read again.
  static Result<std::unique_ptr<CommitLog>> open(file::Disk& disk, const Clock& clock, const LogOptions& options,
                                                 std::string& problem);
  ~CommitLog();

  /// The first byte there is, and (before start()) the end of the last segment file.
  [[nodiscard]] LogPosition min_position() const;
  [[nodiscard]] LogPosition files_end() const;

  /// Walks records from `from` (a record's start or a segment's start) while they are whole: size fits the segment and
  /// leaves room for a blank, stored position is the position, lengths add up, properties hold no zero byte, body CRC
  /// fits (if `check`). Blanks that fill their segment are stepped over silently. Returns where it stopped: the end of
  /// the last whole record, the start of the segment behind a blank, or the position of a blank that has no segment
  /// behind it. `visit` may return false to stop behind the record it was given; the view lives until it returns.
  /// Errors are the disk's, or kNotFound for a `from` outside the files. Before start(), on the opening thread.
  using Visit = std::function<bool(const message::RecordView& record, LogPosition position)>;
  Result<LogPosition> scan(LogPosition from, message::BodyCheck check, const Visit& visit);

  /// Ends the log at `tail`: what stands behind it in its segment is zeroed and synced, later segments are removed.
  /// [sync_from, tail) was readable but is not known to be durable: it is written and synced again (the page cache may
  /// call it clean after a failed sync), at the cost of reading and writing all of it; sync_from == tail if it is
  /// known. Then prepares the first window. `last_store_timestamp`: the highest of all records, 0 if none. Opening
  /// thread.
  Status start(LogPosition tail, LogPosition sync_from, std::int64_t last_store_timestamp);

  /// PutStrategy::append() of the strategy in use. Any io thread.
  void append(AppendBatch& batch) noexcept;
  [[nodiscard]] std::string_view put_strategy() const;
  /// putMessageLock may have changed: from its return on, appends go by the strategy that it names. Waits for an append
  /// or two, so not on an io thread; appends go on meanwhile.
  void apply_put_strategy();
  Watermarks& watermarks();
  [[nodiscard]] const Watermarks& watermarks() const;

  /// The bytes [position, position + size) if they stand in the hot part of the tail (appended by this process, at most
  /// hot_bytes behind published, in one segment); nullopt: use read_no_wait or read.
  [[nodiscard]] std::optional<PinnedBytes> hot(LogPosition position, std::int64_t size) const;
  /// kNotFound below min_position() or beyond published; kWouldBlock if the disk would have to be asked.
  Status read_no_wait(LogPosition position, std::span<std::byte> to) const;
  Status read(LogPosition position, std::span<std::byte> to) const;
  /// Start of the segment after the one that holds `position`, also if there is none yet.
  [[nodiscard]] LogPosition next_segment(LogPosition position) const;

  /// segments thread: keeps the tail prepared, the next segment ready, drops mappings that have cooled down.
  StepResult segments_step();
  Wakeup& segments_wakeup();
  /// Runs (on the segments thread) after every step that prepared space, or found that space had been prepared between
  /// a kNotReady and now, or found the disk full: groups that got kNotReady may try again. It may run before the
  /// append() that got kNotReady has returned, so it must reach an io thread by being posted, never by looking who
  /// waits. Set it before the steps run.
  void on_prepared(std::function<void()> ready);

  /// Runs (on an io thread, inside append()) when that append has published records of others that had returned before
  /// (`reserve` alone): who waits for published must look again. Like on_prepared it has to be posted. Set it before
  /// the first append.
  void on_published(std::function<void()> advanced);

  /// flush thread: syncs what the policy asks for and advances durable; a failure makes the log read-only.
  StepResult flush_step();
  Wakeup& flush_wakeup();
  /// Runs (on the flush thread) whenever durable has advanced, or the log has become read-only. Set it before the steps
  /// run.
  void on_durable(std::function<void()> advanced);
  /// Whether a record with WAIT=true is acknowledged at durable rather than at published.
  [[nodiscard]] bool acknowledges_durable() const;
  [[nodiscard]] std::string_view flush_policy() const;

  /// Empty, or why the log takes no more appends.
  [[nodiscard]] std::string read_only_reason() const;
  void make_read_only(std::string reason);
  /// The free-space floor (set by upkeep): appends get kDiskFull while true.
  void set_disk_full(bool is_full);
  /// Whether appends get kDiskFull, for that or because no block is left for the tail.
  [[nodiscard]] bool is_disk_full() const;
  /// How long groups have been waiting for prepared space without any having been prepared for them, in ms; 0 if none
  /// waits. For PAGE_CACHE_BUSY.
  [[nodiscard]] std::int64_t not_ready_for_ms() const;

  struct Segment {
    LogPosition start;
    std::int64_t size = 0;
    std::int64_t modified_ms = 0;
    std::string path;
  };
  /// In log order; asks the disk for the times, and is empty if it does not answer.
  [[nodiscard]] std::vector<Segment> segments() const;
  /// Removes segments that end at or before `position`, never one that is not wholly durable, never the one of the
  /// tail. A reader that pins one keeps its bytes.
  Status remove_before(LogPosition position);

  /// No append succeeds any more, and everything published is synced. For a clean stop, from the thread that has joined
  /// the steps' threads; also removes the prepared, unused segments. Reads go on.
  Status close();

  [[nodiscard]] std::int64_t last_store_timestamp() const;

  struct Counters {
    std::int64_t syncs = 0;
    std::int64_t synced_records = 0;  // acknowledged-durable records per sync = synced_records / syncs
    std::int64_t not_ready = 0;       // groups refused because the tail was not prepared
    std::int64_t clock_behind = 0;    // batches refused because the last record is ahead of the clock
    PutCounters put;
  };
  [[nodiscard]] Counters counters() const;

 private:
  class Impl;
  explicit CommitLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern::store
