#pragma once
// One queue of the table: its entries in memory, and where those in its files end. Only queue_table.cpp makes them.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tern/store/queue.hpp"

#include "store/entry_layout.hpp"
#include "store/queue_ext_file.hpp"
#include "store/queue_file.hpp"
#include "store/queue_tail.hpp"

namespace tern::store {

class StoredQueue;

/// What queues need of their table; it lives as long as the last of them.
struct QueueShare {
  QueueShare(file::Disk& disk, const QueueOptions& options, const EntryLayout& of_entries, std::int64_t file_size_bytes,
             std::size_t open_files_max)
      : layout(of_entries),
        files(disk, options.directory, file_size_bytes, open_files_max, layout),
        pool(options.memory_bytes_max, layout.size) {}

  static constexpr std::size_t kLocks = 64;
  struct alignas(64) PaddedMutex {
    Mutex mutex;
  };

  const EntryLayout& layout;
  QueueFiles files;
  std::unique_ptr<QueueExtFiles> ext;  // constant once the table is open; null: there are none, and none are wanted
  TailPool pool;
  std::array<PaddedMutex, kLocks> locks;      // a queue's lock is one of these: 40 bytes less for each idle queue
  std::atomic<std::uint64_t> next_serial{1};  // relaxed: only uniqueness counts
  Mutex dirty_lock;
  std::vector<StoredQueue*> dirty TERN_GUARDED_BY(dirty_lock);  // have entries that upkeep has not seen
};

/// Lock order: the table's upkeep lock, this queue's lock, then the pool's or the dirty list's. Entries [written, max)
/// are in memory alone; those from the tail's first on may be in both; below they are in files. Its blocks go when its
/// topic is removed, or with the pool: a queue that is destroyed has none, or is the last one of a table that is gone.
class StoredQueue final : public Queue {
 public:
  StoredQueue(std::shared_ptr<QueueShare> shared, std::shared_ptr<const std::string> topic, std::int32_t id)
      : shared_(std::move(shared)),
        topic_(std::move(topic)),
        id_(id),
        is_safe_(id >= 0 && is_safe_topic(*topic_)),
        serial_(shared_->next_serial.fetch_add(1, std::memory_order_relaxed)),
        lock_(shared_->locks[serial_ % QueueShare::kLocks].mutex) {}

  [[nodiscard]] const std::string& topic() const noexcept override { return *topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return id_; }
  [[nodiscard]] bool is_deleted() const noexcept override { return is_deleted_.load(std::memory_order_acquire); }

  Status append(QueueOffset offset, const QueueEntry& entry) override TERN_EXCLUDES(lock_) {
    const MutexLock hold(lock_);
    const std::int64_t max = max_.load(std::memory_order_relaxed);
    const std::int64_t end = end_.load(std::memory_order_relaxed);
    // Before the last record's end: it is here already, or of a life of the topic that has been removed. A lower offset
    // behind it: the topic was removed and has begun anew.
    const bool begins_anew = offset.value < max && end >= 0;
    if ((end >= 0 ? entry.position.value < end : offset.value < max) || is_deleted()) return {};
    if (!is_safe_ || !is_valid(entry)) return error(Errc::kDamaged, offset.value);
    bool is_empty = min_.load(std::memory_order_relaxed) == max;
    if (offset.value > max || begins_anew) {
      if (!is_empty && !begins_anew) return error(Errc::kDamaged, offset.value);
      start_anew(offset.value);
      is_empty = true;
    }
    shared_->layout.store(tail_.extend(shared_->pool, this, offset.value), entry);
    if (is_empty) first_.store(entry.position.value, std::memory_order_relaxed);
    end_.store(entry.position.value + entry.size, std::memory_order_relaxed);
    max_.store(offset.value + 1, std::memory_order_release);  // after the entry: a reader that sees it finds the entry
    if (!is_dirty_) mark_dirty();
    return {};
  }

  [[nodiscard]] QueueBounds bounds() const noexcept override {
    const std::int64_t min = min_.load(std::memory_order_acquire);
    return {{min}, {max_.load(std::memory_order_acquire)}};
  }
  [[nodiscard]] QueuePositions positions() const noexcept override {
    return {{first_.load(std::memory_order_relaxed)}, {end_.load(std::memory_order_relaxed)}};
  }

  Result<std::size_t> read(QueueOffset from, std::span<QueueEntry> to, bool no_wait) const override
      TERN_EXCLUDES(lock_);

 private:
  friend class StoredQueueTable;

  void mark_dirty() TERN_REQUIRES(lock_) {
    is_dirty_ = true;
    const MutexLock hold(shared_->dirty_lock);
    shared_->dirty.push_back(this);
  }
  /// The queue is empty and begins at `offset`: what its files hold, if anything, goes before the next write.
  void start_anew(std::int64_t offset) TERN_REQUIRES(lock_) {
    tail_.clear(shared_->pool, this);
    has_old_files_ = true;
    serial_ = shared_->next_serial.fetch_add(1, std::memory_order_relaxed);
    written_ = offset;
    first_.store(-1, std::memory_order_relaxed);
    end_.store(-1, std::memory_order_relaxed);
    max_.store(offset, std::memory_order_release);
    min_.store(offset, std::memory_order_release);
  }
  [[nodiscard]] QueueName name() const TERN_REQUIRES(lock_) { return {*topic_, id_, serial_}; }
  /// Puts the tag codes in the place of their addresses; how many of the entries may be used. kWouldBlock: not one.
  Result<std::size_t> look_up_tags(std::span<QueueEntry> entries, std::uint64_t serial, bool no_wait) const;

  // Constant after construction.
  const std::shared_ptr<QueueShare> shared_;
  const std::shared_ptr<const std::string> topic_;
  const std::int32_t id_;
  const bool is_safe_;
  std::atomic<bool> is_deleted_{false};                // release by who removes the topic, acquire by is_deleted()
  bool is_dirty_ TERN_GUARDED_BY(lock_) = false;       // on the dirty list or on upkeep's
  bool has_old_files_ TERN_GUARDED_BY(lock_) = false;  // of an earlier life
  bool is_end_clean_ = false;                          // upkeep: nothing stands behind the end in the files
  bool has_unsynced_names_ = false;                    // upkeep: a life before, or a write that failed, has made files
  std::uint64_t serial_;                               // stored under lock_; begins as the choice of the lock
  Mutex& lock_;
  // Stored under lock_ (min by upkeep, max by dispatch), read by anyone. Release of min and max with the acquire in
  // bounds(); the other two are relaxed, a hint where the queue stands in the log.
  std::atomic<std::int64_t> min_{0};
  std::atomic<std::int64_t> max_{0};
  std::atomic<std::int64_t> first_{-1};
  std::atomic<std::int64_t> end_{-1};
  QueueTail tail_ TERN_GUARDED_BY(lock_);
  std::int64_t written_ TERN_GUARDED_BY(lock_) = 0;
  std::int64_t unsynced_start_ = -1;      // upkeep: the file of it that stands in the list of unsynced ones
  std::int64_t unsynced_ext_start_ = -1;  // upkeep: the same of its extension files
  std::int64_t ext_end_ = -1;             // upkeep: where its next unit goes; -1: not known
};

}  // namespace tern::store
