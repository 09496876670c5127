#pragma once
// Queues: the index of the log by (topic, queue id). Files in Apache's consume queue format; newest entries in memory.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/disk.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

struct QueueBounds {
  QueueOffset min;  // first offset whose record is still in the log
  QueueOffset max;  // next to be dispatched: what GET_MAX_OFFSET answers
};

/// How a topic's queues count, its attribute queue.type: by records (SimpleCQ), or by the messages in them (BatchCQ),
/// of which a record may hold several.
enum class QueueKind : std::uint8_t { kSimple, kBatch };
/// What is known of a topic's kind: nullopt if it has no attributes because there is no such topic.
using QueueKindOf = std::function<std::optional<QueueKind>(std::string_view topic)>;

/// Which entries of a batch queue's files its bounds are. In a simple queue they are numbered as the offsets.
struct EntryRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Where in the log the record of offset min begins and that of max - 1 ends; -1 if there is none or it is not known.
/// Read it after bounds(): `end` may then be that of a later record, never that of an earlier one.
struct QueuePositions {
  LogPosition first{-1};
  LogPosition end{-1};
};

/// One queue. Created by QueueTable; held by shared_ptr (staged records, parked pulls), so that a deleted topic's queue
/// stays valid for those who still have it, and is_deleted() tells them.
class Queue {
 public:
  virtual ~Queue() = default;
  [[nodiscard]] virtual const std::string& topic() const noexcept = 0;
  [[nodiscard]] virtual std::int32_t id() const noexcept = 0;
  [[nodiscard]] virtual bool is_deleted() const noexcept = 0;
  [[nodiscard]] virtual QueueKind kind() const noexcept { return QueueKind::kSimple; }

  /// The next offset to assign. Guarded by the append lock: only a PutStrategy touches it (and recovery, before start).
  std::int64_t next_offset = 0;

  /// Adds the entry of the record whose first offset this is; entry.count of them, in a batch queue. Dispatch role
  /// only. An offset below max is ignored (already there, after a restart), unless the record stands behind the last
  /// one: then the queue begins anew with it; above max leaves a gap that is filled with Apache's pre-fill entries (0,
  /// 0x7FFFFFFF, 0) only if the queue is empty, else kDamaged.
  virtual Status append(QueueOffset offset, const QueueEntry& entry) = 0;

  [[nodiscard]] virtual QueueBounds bounds() const noexcept = 0;                  // any thread
  [[nodiscard]] virtual QueuePositions positions() const noexcept { return {}; }  // any thread; for the side file
  /// Copies entries from that of offset `from` on as far as they exist and stand in one file or in memory; returns how
  /// many: 0 outside of the bounds. Of a batch, what begins at `from`: so offsets and counts always add up. kWouldBlock
  /// (only with no_wait) if they are in a file that is not open or not in the page cache; kDamaged, with the offset, if
  /// what the file holds there is no entry. Any thread.
  virtual Result<std::size_t> read(QueueOffset from, std::span<QueueEntry> to, bool no_wait) const = 0;
  /// The first offset of the record that holds this one, which is inside of the bounds. May ask the disk.
  virtual Result<QueueOffset> begin_of(QueueOffset offset) const { return offset; }
  /// For the side file; nullopt if the bounds say it. kNotFound if they are not the queue's any more.
  virtual Result<std::optional<EntryRange>> entries_of(QueueBounds /*bounds*/) const { return std::nullopt; }
};
using QueuePtr = std::shared_ptr<Queue>;

struct QueueOptions {
  std::string directory;              // <root>/consumequeue
  std::int64_t file_size_bytes = 0;   // mappedFileSizeConsumeQueue, rounded up to a multiple of 20
  std::int64_t memory_bytes_max = 0;  // queueMemoryBytesMax: bound of all entries kept in memory
  int open_files_max = 0;  // queueOpenFilesMax: descriptors; never more than a quarter of the process's limit
  // Extension files, in <directory>_ext: read where there are any, written only if asked.
  bool writes_ext = false;                      // enableConsumeQueueExt
  std::int64_t ext_file_size_bytes = 48 << 20;  // mappedFileSizeConsumeQueueExt
  // Of batch queues; of memory and descriptors they have a quarter as much beside. Empty: there are none.
  std::string batch_directory = {};                 // <root>/batchconsumequeue
  std::int64_t batch_file_size_bytes = 13'800'000;  // mapperFileSizeBatchConsumeQueue, rounded up to a multiple of 46
};

/// All queues of a store. find, get_or_create, all, of_topic and remove_topic from any thread (remove_topic asks the
/// disk); recovery before the store starts; upkeep and retention from the upkeep thread.
///
/// After a crash there may be entries behind a queue's end in its files: of records that the log has lost. They are
/// zeroed before the first write behind them, and, where nothing is written, by and by in write_step; flush_all
/// finishes that.
class QueueTable {
 public:
  /// `kind_of` is asked when a topic's first queue is created, from the thread that does; without it, or if it does not
  /// know, that is a simple one.
  static Result<std::unique_ptr<QueueTable>> open(file::Disk& disk, const QueueOptions& options, std::string& problem,
                                                  QueueKindOf kind_of = {});
  virtual ~QueueTable() = default;
  /// Extension files hold the store time of each record: who knows it. Before the first write_step; 0 without it.
  using StoreTimeOf = std::function<std::int64_t(LogPosition)>;
  virtual void ask_store_times(StoreTimeOf store_time_of) = 0;

  [[nodiscard]] virtual QueuePtr find(std::string_view topic, std::int32_t id) const = 0;
  virtual QueuePtr get_or_create(std::string_view topic, std::int32_t id) = 0;
  [[nodiscard]] virtual std::vector<QueuePtr> all() const = 0;
  [[nodiscard]] virtual std::vector<QueuePtr> of_topic(std::string_view topic) const = 0;

  /// Recovery: what a side file or the queue's own files say. `load_from_files` finds each queue's end by its files as
  /// Apache does (third-last file on, first invalid entry); `restore` trusts given bounds. Then `truncate_to` forgets
  /// entries that point at or past `end`.
  /// `problem`, if given, gets the text for the operator of what stopped loading: file, both sizes. Unless `is_synced`
  /// (the last stop was clean), what the files hold is written and synced again before anyone relies on it.
  virtual Status load_from_files(std::string* problem = nullptr, bool is_synced = true) = 0;
  /// Costs no system call. With `positions` neither truncate_to nor forget_before opens a file to see that nothing
  /// changes.
  /// `entries` of a batch queue; without them, if the topic has such queues, the bounds must be empty.
  virtual Status restore(std::string_view topic, std::int32_t id, QueueBounds bounds, QueuePositions positions = {},
                         const std::optional<EntryRange>& entries = {}) = 0;
  /// After `restore` from a clean stop: nothing stands behind the ends of the restored queues, so nobody has to look.
  virtual void trust_ends() = 0;
  virtual Status truncate_to(LogPosition end) = 0;
  /// The queue ends at `end`, which is not above its max: after a scan of the whole log, behind its last record there.
  /// A batch of which `end` is in the middle goes.
  virtual Status cut(Queue& queue, QueueOffset end) = 0;
  /// A queue whose files are gone or wrong starts again at `first` (the offset of its first record in the log).
  virtual Status reset(Queue& queue, QueueOffset first) = 0;

  /// The entries waiting for upkeep are at their bound: dispatch pauses.
  [[nodiscard]] virtual bool is_memory_full() const noexcept = 0;
  /// upkeep thread: writes entries to the files, at most about `budget_bytes`; then drops blocks beyond the memory
  /// bound. `done`: bytes written. `next_ms` 0: the budget ended before what had been pending at the call; otherwise
  /// all of that is in the files, although more may have come meanwhile (under load `done` is never 0: do not wait for
  /// that).
  virtual Result<StepResult> write_step(std::int64_t budget_bytes) = 0;
  /// The first call of a round takes the files written so far; each call syncs at most `files_max` of them; true when
  /// none of them is left. So a snapshot of bounds, taken before write_steps that ended with everything pending
  /// written, is durable once this has returned true. After a failed sync it fails for good: nobody knows what the
  /// files hold.
  virtual Result<bool> sync_step(int files_max) = 0;
  /// The first sync that failed, if any. Upkeep thread.
  [[nodiscard]] virtual Status sync_status() const = 0;
  /// min moves to the first entry at or after `min_position`; whole files below are removed.
  virtual Status forget_before(LogPosition min_position) = 0;
  virtual Status remove_topic(std::string_view topic) = 0;
  virtual Status flush_all() = 0;  // clean stop: everything written and synced
};

}  // namespace tern::store
