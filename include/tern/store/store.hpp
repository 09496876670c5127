#pragma once
// The store: log, queues and index behind one door. What the broker knows of the disk.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/options.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/disk.hpp"
#include "tern/store/commit_log.hpp"
#include "tern/store/key_index.hpp"
#include "tern/store/queue.hpp"
#include "tern/store/side_file.hpp"

namespace tern::store {

struct StoreOptions {
  std::string root;  // storePathRootDir; empty: $HOME/store
  LogOptions log;
  QueueOptions queues;
  IndexOptions index;
  StoreIdentity identity;
  bool checks_crc_on_recovery = true;      // checkCRCOnRecover
  bool checks_appended_crc = false;        // forceVerifyPropCRC
  Live<std::int64_t> free_bytes_min;       // ours: below it sends are refused
  Live<int> disk_warning_percent;          // diskSpaceWarningLevelRatio
  Live<std::int64_t> file_reserved_hours;  // fileReservedTime
  std::string delete_when;                 // deleteWhen: local hours, ';' between
  Live<int> disk_max_used_percent;         // diskMaxUsedSpaceRatio
  Live<int> disk_clean_forcibly_percent;   // diskSpaceCleanForciblyRatio
  Live<bool> cleans_forcibly = true;       // cleanFileForciblyEnable
  Live<int> delete_batch_max = 10;         // deleteFileBatchMax: segments per round of ten seconds
  Live<std::int64_t> bytes_max = 0;        // ours, storeBytesMax: of the log; 0: no limit
};
std::span<const OptionRow<StoreOptions>> store_option_rows();
std::span<const OptionRow<LogOptions>> log_option_rows();
std::span<const OptionRow<QueueOptions>> queue_option_rows();
std::span<const OptionRow<IndexOptions>> index_option_rows();

/// What dispatch tells its listener about each record that has become readable.
struct Arrival {
  const Queue& queue;
  QueueOffset offset;
  std::int64_t tags_code = 0;
  std::int64_t store_timestamp = 0;
  std::string_view properties = {};  // a view of the log, while arrived() runs
};
class ArrivalListener {
 public:
  virtual ~ArrivalListener() = default;
  /// Dispatch role; short: parked requests are only marked here. `arrived_done` ends each round.
  virtual void arrived(const Arrival& arrival) = 0;
  virtual void arrived_done() = 0;
};

/// How the queue id of a record in the schedule topic becomes its due time (the tag field of its queue entry there).
using ScheduleTagsCode = std::function<std::int64_t(std::string_view properties, std::int64_t store_timestamp)>;

/// The largest offset that any group has committed for a queue.
struct CommittedOffset {
  std::string topic;
  std::int32_t queue_id = 0;
  std::int64_t offset = 0;
};

struct OpenReport {
  bool was_clean = true;
  bool used_side_file = false;
  std::int64_t scanned_bytes = 0;
  std::int64_t scanned_records = 0;
  std::int64_t took_ms = 0;
  std::vector<std::string> warnings;
};

/// Why a store did not open: an error, and the text for the operator (file, position, what to do).
struct OpenProblem {
  Error error;
  std::string text;
};
[[noreturn]] void throw_exception_from_error(const OpenProblem& problem, const boost::source_location& where);

enum class TimeBoundary : std::uint8_t { kLower, kUpper };

/// Owned by main. Opened once; steps run on main's threads; everything else from any thread unless said otherwise.
class Store {
 public:
  /// What the broker knows and recovery needs.
  struct Hooks {
    ScheduleTagsCode schedule_tags_code;  // empty: the tag hash
    /// Which kind of queues a topic has, by its attributes; any thread. Empty: nothing is known.
    QueueKindOf queue_kind = {};
    /// The directory is this process's (locked, of the right broker, of a kind that we read), and nothing has been
    /// changed in it: the broker reads its tables. `has_records`: the log holds, or once held, a record. The text, if
    /// any, says why the store must not be opened.
    std::function<std::optional<std::string>(bool has_records)> claimed;
    /// The store has this queue: the broker makes sure that it knows the topic. Once for each, after recovery.
    std::function<void(std::string_view topic, std::int32_t queue_id, QueueKind kind)> queue_found;
    /// How far groups have come. Asked for when no side file says where emptied queues stood: they continue at the
    /// largest offset that was committed, since consumers must never see an offset twice. While opening.
    std::function<std::vector<CommittedOffset>()> committed_offsets;
  };
  /// Locks the directory, claims its identity, recovers, starts the log. Progress lines go to the log when it takes
  /// long.
  static boost::system::result<std::unique_ptr<Store>, OpenProblem> open(file::Disk& disk, const Clock& clock,
                                                                         const StoreOptions& options, Hooks hooks,
                                                                         OpenReport& report);
  ~Store();

  /// Before any append and before the steps run. `arrivals` may be null. `dispatch_wanted` runs on the flush or upkeep
  /// thread when there is something to dispatch and no io thread knows: it posts dispatch() to one.
  void start(ArrivalListener* arrivals, std::function<void()> dispatch_wanted);

  // ---- writing (io threads)
  [[nodiscard]] QueuePtr queue(std::string_view topic, std::int32_t queue_id) {
    return queues_->get_or_create(topic, queue_id);
  }
  /// Places the batch. Groups refused with kNotReady may be tried again after on_prepared.
  void append(AppendBatch& batch) noexcept;
  /// Takes the dispatch role if it is free and dispatches at most one budget. True: there is more to do, and nobody is
  /// doing it; call again (from a posted handler, not in a loop).
  bool dispatch();
  [[nodiscard]] CommitLog& log() { return *log_; }
  [[nodiscard]] const CommitLog& log() const { return *log_; }

  // ---- reading
  [[nodiscard]] QueuePtr find_queue(std::string_view topic, std::int32_t queue_id) const {
    return queues_->find(topic, queue_id);
  }
  [[nodiscard]] std::vector<QueuePtr> queues_of(std::string_view topic) const { return queues_->of_topic(topic); }
  [[nodiscard]] QueueTable& queues() { return *queues_; }
  /// The whole record at a position that a queue entry or a client named. kNotFound unless a record starts there.
  Result<std::string> record_at(LogPosition position) const;
  /// The whole record that the entry at `offset` of `queue` names. kNotFound if it has left the log, or stands there
  /// and nobody can read it, which is logged; kDamaged if what stands there is not that record, as if the entry is
  /// wrong.
  Result<std::string> record_of(const Queue& queue, QueueOffset offset, const QueueEntry& entry) const;
  /// The first half of it, before room is made: an entry may name any place and size. `log_min` is a min_position() of
  /// before the entry was read. kWouldBlock only with `no_wait`.
  Status check_place(const Queue& queue, QueueOffset offset, const QueueEntry& entry, LogPosition log_min,
                     bool no_wait) const;
  /// The other half: whether `bytes`, read from there, begin as the record does.
  static Status check_front(const Queue& queue, QueueOffset offset, const QueueEntry& entry,
                            std::span<const std::byte> bytes);
  /// Store time of the record of a queue entry; kNotFound if it is gone.
  Result<std::int64_t> store_time(const Queue& queue, QueueOffset offset) const;
  /// Of the oldest record in the log; kNotFound if there is none. May ask the disk.
  Result<std::int64_t> earliest_store_time() const;
  /// By binary search, exact at ties: docs/format/remoting.md, "offset by time". May ask the disk.
  Result<QueueOffset> offset_by_time(const Queue& queue, std::int64_t timestamp_ms, TimeBoundary boundary) const;
  Result<KeyIndex::Found> query(std::string_view topic, std::string_view key, int count_max, std::int64_t begin_ms,
                                std::int64_t end_ms);
  /// Whether a record is young enough to count as being in memory: within 40 % of the machine's memory behind the tail.
  [[nodiscard]] bool is_in_memory(LogPosition position) const {
    return max_position() - position <= memory_bytes_ / 10 * 4;
  }
  [[nodiscard]] LogPosition min_position() const { return log_->min_position(); }
  [[nodiscard]] LogPosition max_position() const { return log_->watermarks().visible(); }

  /// The topic's queues go, and with them its records, dispatched or not, although they stay in the log until they
  /// expire. After a crash they may be found there again.
  Status remove_topic(std::string_view topic);

  // ---- steps (main's threads)
  StepResult flush_step() { return log_->flush_step(); }
  StepResult segments_step() { return log_->segments_step(); }
  /// upkeep thread: queue files and index in slices, side file and checkpoint, free space, retention.
  StepResult upkeep_step();
  Wakeup& upkeep_wakeup() { return upkeep_wakeup_; }

  /// The two below, from any thread, are done by the upkeep thread's next steps. Segments that are old enough go at
  /// once, as they do at `deleteWhen`, until none is left.
  void remove_expired_now();
  /// What queues and index have of records that have left the log goes.
  void tidy_queues_now();

  /// Clean stop: after the last append, from the thread that joins the others. Everything written and synced, side file
  /// marked clean, abort removed.
  Status close();

  [[nodiscard]] bool appends_crc() const { return options_.log.appends_crc; }
  [[nodiscard]] std::int64_t page_cache_busy_ms() const { return options_.log.page_cache_busy_ms.get(); }
  [[nodiscard]] double disk_used_percent() const { return disk_used_percent_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t dispatch_behind_bytes() const;
  /// Records that have become readable since the start, and their bytes.
  [[nodiscard]] std::int64_t dispatched_records() const { return dispatched_records_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t dispatched_bytes() const { return dispatched_bytes_.load(std::memory_order_relaxed); }
  /// Records that could not be entered in their queue or read, each of which was logged.
  [[nodiscard]] std::int64_t dispatch_failures() const { return dispatch_failures_.load(std::memory_order_relaxed); }

 private:
  class Recovery;  // recovery.cpp
  class Upkeep;    // upkeep.cpp
  Store(file::Disk& disk, const Clock& clock, const StoreOptions& options, Hooks hooks);
  void dispatch_round();
  void dispatch_record(std::span<const std::byte> bytes, LogPosition position);
  /// Queue entry and keys of one record. `queue` is a cache of the last record's queue.
  Status enter(const message::RecordView& record, LogPosition position, QueuePtr& queue, std::vector<IndexKey>& keys);
  void collect(const message::RecordView& record, LogPosition position, std::vector<IndexKey>& keys) const;
  [[nodiscard]] bool dispatch_must_pause() const;
  /// The store time in the record that starts at `position`; kNotFound if it is gone.
  [[nodiscard]] Result<std::int64_t> stored_at(LogPosition position) const;
  /// Makes the file that tells the next start of a crash, durably.
  Status write_abort();
  /// Dispatch does so from now on, with the topic's records up to here.
  void pass_over(std::string_view topic) TERN_EXCLUDES(removed_lock_);
  [[nodiscard]] bool is_removed(std::string_view topic, LogPosition position) TERN_EXCLUDES(removed_lock_);

  // Constant after construction.
  file::Disk& disk_;
  const Clock& clock_;
  const StoreOptions& options_;
  std::string root_;
  const std::int64_t memory_bytes_;  // of the machine
  std::unique_ptr<file::File> lock_file_;
  std::unique_ptr<CommitLog> log_;
  std::unique_ptr<QueueTable> queues_;
  std::unique_ptr<KeyIndex> index_;
  Hooks hooks_;
  ArrivalListener* arrivals_ = nullptr;
  std::function<void()> dispatch_wanted_;

  // The dispatch role: free, taken, or taken and asked to look again. A publisher's exchange follows its publication
  // and the holder's exchange ends its round, so in their total order one of the two sees the other's news.
  enum class Role : std::uint8_t { kFree, kTaken, kLookAgain };
  std::atomic<Role> dispatch_role_{Role::kFree};
  // Exchanged by the role's holder before it looks at the memory in use once more, and by upkeep after it has made
  // room: one of the two sees the other's news.
  std::atomic<bool> dispatch_paused_{false};
  // Owned by the holder of the dispatch role.
  std::vector<std::byte> dispatch_buffer_;
  std::vector<IndexKey> dispatch_keys_;
  QueuePtr dispatch_queue_;

  // Records of these topics below these positions were sent before the topic was removed: dispatch passes them over.
  Mutex removed_lock_;
  std::map<std::string, LogPosition, std::less<>> removed_ TERN_GUARDED_BY(removed_lock_);
  std::atomic<std::int64_t> removed_until_{0};  // the highest of them; release after the map, acquire by is_removed()

  // A topic was removed, or the log's oldest segments: the state is saved although the log did not grow. Release by who
  // did it, acquire by the round that saves.
  std::atomic<bool> queues_changed_{false};
  // Asked for by any thread, exchanged by the upkeep thread; relaxed, because nothing else is told by them.
  std::atomic<bool> expiry_asked_{false};
  std::atomic<bool> tidying_asked_{false};
  bool lacks_abort_ = false;        // set while opening, then owned by the upkeep thread: nothing may be appended yet
  std::unique_ptr<Upkeep> upkeep_;  // its state is owned by the upkeep thread
  Wakeup upkeep_wakeup_;
  std::atomic<double> disk_used_percent_{0};  // relaxed, as the next: numbers for people and for a limit
  std::atomic<std::int64_t> dispatch_failures_{0};
  // Counters that only the role's holder writes; relaxed, because nothing is derived from their order.
  std::atomic<std::int64_t> dispatched_records_{0};
  std::atomic<std::int64_t> dispatched_bytes_{0};
};

}  // namespace tern::store
