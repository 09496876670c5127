// All queues of a store. An append costs a lock that nobody else wants and 20 bytes; everything that asks the disk is
// upkeep's, in slices. Arithmetic: at 500,000 records/s the tails take 10 MB/s, so the default bound of 16 MiB gives
// upkeep more than a second; a queue without pending entries owns no block once the bound has been reached, and no
// descriptor.
#include <algorithm>
#include <sys/resource.h>
#include <utility>

#include <fmt/format.h>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"
#include "tern/store/queue.hpp"

#include "store/entry_table.hpp"
#include "store/queue_scan.hpp"
#include "store/stored_queues.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kWriteEntries = 3276;  // 64 KiB a write at most
constexpr std::size_t kEndsPerStep = 256;     // looked behind in one write_step: an open and a read each
constexpr std::int64_t kNextMs = 1000;

/// Of <directory>/<topic>/<queue>/<file>, with its path; nullopt: there is none.
Result<std::optional<file::DirectoryEntry>> first_file_below(file::Disk& disk, const std::string& directory) {
  const auto listed = disk.list(directory);
  if (!listed) return listed.error();
  for (auto entry : *listed) {
    entry.name = file::join(directory, entry.name);
    if (!entry.is_directory) return std::optional(std::move(entry));
    auto found = first_file_below(disk, entry.name);
    if (!found || *found) return found;
  }
  return std::optional<file::DirectoryEntry>();
}

}  // namespace

class StoredQueueTable final : public QueueTable {
 public:
  StoredQueueTable(file::Disk& disk, const QueueOptions& options, const EntryLayout& layout,
                   std::int64_t file_size_bytes, std::size_t open_files_max)
      : disk_(disk),
        shared_(std::make_shared<QueueShare>(disk, options, layout, file_size_bytes, open_files_max)),
        queues_(shared_),
        writes_ext_(options.writes_ext),
        unsynced_max_(open_files_max) {}

  /// Before anything else: extension files are used if there are any, or if some are to be written.
  /// kWrongSegmentSize, with the text, if they have another size than configured: all have the same.
  Status open_ext(const QueueOptions& options, std::size_t open_files_max, std::string& problem);
  void ask_store_times(StoreTimeOf store_time_of) override TERN_EXCLUDES(upkeep_lock_) {
    const MutexLock hold(upkeep_lock_);
    store_time_of_ = std::move(store_time_of);
  }

  ~StoredQueueTable() override;

  [[nodiscard]] QueuePtr find(std::string_view topic, std::int32_t id) const override {
    return queues_.find(topic, id);
  }
  QueuePtr get_or_create(std::string_view topic, std::int32_t id) override { return queues_.get_or_create(topic, id); }
  [[nodiscard]] std::vector<QueuePtr> all() const override;
  [[nodiscard]] std::vector<QueuePtr> of_topic(std::string_view topic) const override;

  Status load_from_files(std::string* problem, bool is_synced) override TERN_EXCLUDES(upkeep_lock_);
  Status restore(std::string_view topic, std::int32_t id, QueueBounds bounds, QueuePositions positions,
                 const std::optional<EntryRange>& entries) override TERN_EXCLUDES(upkeep_lock_);
  void trust_ends() override TERN_EXCLUDES(upkeep_lock_);
  Status truncate_to(LogPosition end) override TERN_EXCLUDES(upkeep_lock_);
  Status cut(Queue& queue, QueueOffset end) override TERN_EXCLUDES(upkeep_lock_);
  Status reset(Queue& queue, QueueOffset first) override TERN_EXCLUDES(upkeep_lock_);

  [[nodiscard]] bool is_memory_full() const noexcept override { return shared_->pool.is_full(); }
  Result<StepResult> write_step(std::int64_t budget_bytes) override TERN_EXCLUDES(upkeep_lock_);
  Result<bool> sync_step(int files_max) override TERN_EXCLUDES(upkeep_lock_);
  [[nodiscard]] Status sync_status() const override TERN_EXCLUDES(upkeep_lock_) {
    const MutexLock hold(upkeep_lock_);
    return sync_status_;
  }
  Status forget_before(LogPosition min_position) override TERN_EXCLUDES(upkeep_lock_);
  Status remove_topic(std::string_view topic) override TERN_EXCLUDES(upkeep_lock_);
  Status flush_all() override TERN_EXCLUDES(upkeep_lock_);

 private:
  struct Unsynced {
    StoredQueue* queue = nullptr;
    QueueFiles::Touched touched;
    bool is_ext = false;
  };
  /// Which file of the queue stands in unsynced_.
  static std::int64_t& unsynced_start(StoredQueue& queue, bool is_ext) {
    return is_ext ? queue.unsynced_ext_start_ : queue.unsynced_start_;
  }

  Result<std::int64_t> write_pending(std::int64_t budget_bytes) TERN_REQUIRES(upkeep_lock_);
  /// Writes one stretch of a queue's pending entries; how many bytes, and whether the queue has no more.
  struct Wrote {
    std::int64_t bytes = 0;
    bool is_done = false;
  };
  Result<Wrote> write_some(StoredQueue& queue) TERN_REQUIRES(upkeep_lock_);
  Status clean_ends(std::size_t count_max) TERN_REQUIRES(upkeep_lock_);
  Status cut_files(StoredQueue& queue, const QueueName& name, std::int64_t end) TERN_REQUIRES(upkeep_lock_);
  Status cut_at(StoredQueue& queue, std::int64_t keep, LogPosition new_end) TERN_REQUIRES(upkeep_lock_);
  /// Moves the tag codes of entries to the extension files, if these are written: `entries` then hold addresses.
  Status extend(StoredQueue& queue, const QueueName& name, std::int64_t from, std::span<std::byte> entries)
      TERN_REQUIRES(upkeep_lock_);
  Status remove_all_files(StoredQueue& queue, const QueueName& name) TERN_REQUIRES(upkeep_lock_);
  Status note_unsynced(StoredQueue& queue, QueueFiles::Touched touched, bool is_ext = false)
      TERN_REQUIRES(upkeep_lock_);
  Status sync_one(std::vector<Unsynced>& list) TERN_REQUIRES(upkeep_lock_);
  void evict() TERN_REQUIRES(upkeep_lock_);
  Status forget_before(StoredQueue& queue, LogPosition min_position) TERN_REQUIRES(upkeep_lock_);
  void forget_work(StoredQueue& queue) TERN_REQUIRES(upkeep_lock_);

  file::Disk& disk_;
  const std::shared_ptr<QueueShare> shared_;
  StoredQueues queues_;
  const bool writes_ext_;
  const std::size_t unsynced_max_;  // descriptors that wait for their sync

  // One at a time: the upkeep thread's steps, and remove_topic from elsewhere.
  mutable Mutex upkeep_lock_;
  std::vector<StoredQueue*> work_ TERN_GUARDED_BY(upkeep_lock_);     // with pending entries, first come first served
  std::vector<StoredQueue*> unclean_ TERN_GUARDED_BY(upkeep_lock_);  // may have something behind their ends
  std::vector<Unsynced> unsynced_ TERN_GUARDED_BY(upkeep_lock_);     // written since the round of syncs began
  std::vector<Unsynced> syncing_ TERN_GUARDED_BY(upkeep_lock_);      // what is left of the round
  bool is_syncing_ TERN_GUARDED_BY(upkeep_lock_) = false;
  Status sync_status_ TERN_GUARDED_BY(upkeep_lock_);  // the first failure of a sync stays
  std::vector<std::byte> buffer_ TERN_GUARDED_BY(upkeep_lock_);
  StoreTimeOf store_time_of_ TERN_GUARDED_BY(upkeep_lock_);
  std::vector<QueueExtFiles::NewUnit> units_ TERN_GUARDED_BY(upkeep_lock_);
  std::vector<QueueFiles::Touched> touched_ext_ TERN_GUARDED_BY(upkeep_lock_);
  bool said_wrong_ext_size_ TERN_GUARDED_BY(upkeep_lock_) = false;
};

StoredQueueTable::~StoredQueueTable() {
  // Whoever still holds a queue finds it deleted: nobody is left who would write what is appended.
  for (const auto& queue : queues_.all()) queue->is_deleted_.store(true, std::memory_order_release);
}

std::vector<QueuePtr> StoredQueueTable::all() const {
  const auto queues = queues_.all();
  return {queues.begin(), queues.end()};
}

std::vector<QueuePtr> StoredQueueTable::of_topic(std::string_view topic) const {
  const auto queues = queues_.of_topic(topic);
  return {queues.begin(), queues.end()};
}

// ---- recovery

Status StoredQueueTable::load_from_files(std::string* problem, bool is_synced) {
  const MutexLock hold(upkeep_lock_);
  return scan_queue_files(disk_, shared_->files, shared_->next_serial, is_synced, problem,
                          [this](std::string_view topic, std::int32_t id, const QueueFiles::Extent& extent) {
                            const auto queue = queues_.get_or_create(topic, id);
                            const MutexLock hold_queue(queue->lock_);
                            queue->written_ = extent.max;
                            queue->max_.store(extent.max, std::memory_order_release);
                            queue->min_.store(extent.min, std::memory_order_release);
                            queue->end_.store(extent.end.value, std::memory_order_relaxed);
                          });
}

Status StoredQueueTable::restore(std::string_view topic, std::int32_t id, QueueBounds bounds, QueuePositions positions,
                                 const std::optional<EntryRange>& /*entries*/) {
  if (bounds.min.value < 0 || bounds.max < bounds.min || id < 0 || !is_safe_topic(topic)) {
    return error(Errc::kDamaged, bounds.max.value);
  }
  const MutexLock hold(upkeep_lock_);
  const auto queue = queues_.get_or_create(topic, id);
  const MutexLock hold_queue(queue->lock_);
  queue->written_ = bounds.max.value;
  queue->max_.store(bounds.max.value, std::memory_order_release);
  queue->min_.store(bounds.min.value, std::memory_order_release);
  if (bounds.min < bounds.max) {
    queue->first_.store(positions.first.value, std::memory_order_relaxed);
    queue->end_.store(positions.end.value, std::memory_order_relaxed);
  }
  unclean_.push_back(queue.get());
  return {};
}

void StoredQueueTable::trust_ends() {
  const MutexLock hold(upkeep_lock_);
  for (auto* queue : unclean_) queue->is_end_clean_ = true;
  unclean_.clear();
}

Status StoredQueueTable::truncate_to(LogPosition end) {
  const MutexLock hold(upkeep_lock_);
  for (const auto& queue : queues_.all()) {
    const auto known_end = queue->positions().end;
    if (known_end.value >= 0 && known_end <= end) continue;
    const auto found = find_cut(*queue, end);
    if (!found) return found.error();
    if (const auto status = cut_at(*queue, found->max.value, found->end); !status) return status;
  }
  return {};
}

Status StoredQueueTable::cut_at(StoredQueue& queue, std::int64_t keep, LogPosition new_end) {
  QueueName name;
  {
    const MutexLock hold(queue.lock_);
    queue.end_.store(new_end.value, std::memory_order_relaxed);
    if (keep == queue.max_.load(std::memory_order_relaxed)) return {};
    queue.tail_.truncate(shared_->pool, &queue, keep);
    queue.max_.store(keep, std::memory_order_release);
    if (queue.written_ < keep) return {};  // what goes was in memory alone
    queue.written_ = keep;
    name = queue.name();
  }
  return cut_files(queue, name, keep);
}

Status StoredQueueTable::cut(Queue& wanted, QueueOffset end) {
  const MutexLock hold(upkeep_lock_);
  auto& queue = static_cast<StoredQueue&>(wanted);
  const auto [min, max] = queue.bounds();
  TERN_CHECK(end <= max, "cut at {} of {}", end, max);
  if (end == max) return {};
  if (end < min) {
    const MutexLock hold_queue(queue.lock_);
    queue.min_.store(end.value, std::memory_order_release);
  }
  return cut_at(queue, end.value, {-1});
}

Status StoredQueueTable::cut_files(StoredQueue& queue, const QueueName& name, std::int64_t end) {
  auto touched = shared_->files.cut(name, end);
  if (!touched) return touched.error();
  queue.is_end_clean_ = true;
  queue.ext_end_ = -1;
  return *touched ? note_unsynced(queue, std::move(**touched)) : Status();
}

Status StoredQueueTable::reset(Queue& wanted, QueueOffset first) {
  const MutexLock hold(upkeep_lock_);
  auto& queue = static_cast<StoredQueue&>(wanted);
  forget_work(queue);
  QueueName name;
  {
    const MutexLock hold_queue(queue.lock_);
    name = queue.name();
    queue.start_anew(first.value);
    queue.has_old_files_ = false;
    queue.is_dirty_ = false;
  }
  shared_->files.forget(name);
  if (shared_->ext) shared_->ext->forget(name);
  queue.is_end_clean_ = true;
  return remove_all_files(queue, name);
}

Status StoredQueueTable::remove_all_files(StoredQueue& queue, const QueueName& name) {
  if (const auto status = shared_->files.remove_all(name); !status || !shared_->ext) return status;
  queue.ext_end_ = -1;
  return shared_->ext->remove_all(name);
}

// ---- upkeep

Result<StepResult> StoredQueueTable::write_step(std::int64_t budget_bytes) {
  const MutexLock hold(upkeep_lock_);
  const auto written = write_pending(budget_bytes);
  evict();
  if (!written) return written.error();
  if (!unclean_.empty()) {
    if (const auto status = clean_ends(kEndsPerStep); !status) return status.error();
  }
  return StepResult{*written, work_.empty() ? kNextMs : 0};
}

Result<std::int64_t> StoredQueueTable::write_pending(std::int64_t budget_bytes) {
  {
    const MutexLock hold(shared_->dirty_lock);
    work_.insert(work_.end(), shared_->dirty.begin(), shared_->dirty.end());
    shared_->dirty.clear();
  }
  std::int64_t done = 0;
  std::size_t finished = 0;
  Status status;
  while (finished < work_.size() && done < budget_bytes) {
    const auto wrote = write_some(*work_[finished]);
    if (!wrote) {
      // It goes to the end of the line: what is wrong may be wrong with this queue alone.
      std::rotate(work_.begin() + static_cast<std::ptrdiff_t>(finished),
                  work_.begin() + static_cast<std::ptrdiff_t>(finished) + 1, work_.end());
      status = wrote.error();
      break;
    }
    done += wrote->bytes;
    if (wrote->is_done) ++finished;
  }
  work_.erase(work_.begin(), work_.begin() + static_cast<std::ptrdiff_t>(finished));
  if (!status) return status.error();
  return done;
}

Result<StoredQueueTable::Wrote> StoredQueueTable::write_some(StoredQueue& queue) {
  auto& files = shared_->files;
  QueueName name;
  std::int64_t from = 0;
  std::int64_t count = 0;
  bool has_old_files = false;
  const std::int64_t entry_size = shared_->layout.size;
  buffer_.resize(static_cast<std::size_t>(kWriteEntries * entry_size));
  {
    const MutexLock hold(queue.lock_);
    name = queue.name();
    from = queue.written_;
    has_old_files = queue.has_old_files_;
    count = std::min({queue.max_.load(std::memory_order_relaxed) - from, files.left_in_file(from), kWriteEntries});
    std::byte* to = buffer_.data();
    queue.tail_.for_each(shared_->pool, from, count,
                         [&](std::span<const std::byte> bytes) { to = std::copy(bytes.begin(), bytes.end(), to); });
    if (count == 0) {
      queue.is_dirty_ = false;
      return Wrote{0, true};
    }
  }
  if (has_old_files) {
    if (const auto status = remove_all_files(queue, name); !status) return status.error();
    queue.is_end_clean_ = true;
    const MutexLock hold(queue.lock_);
    queue.has_old_files_ = false;
  }
  if (!queue.is_end_clean_) {
    if (const auto status = cut_files(queue, name, from); !status) return status.error();
    queue.has_unsynced_names_ = true;
  }
  const std::int64_t bytes = count * entry_size;
  const auto entries = std::span(buffer_).first(static_cast<std::size_t>(bytes));
  if (writes_ext_) {  // before the entries that name the units
    if (const auto status = extend(queue, name, from, entries); !status) return status.error();
  }
  auto touched = files.write(name, from, entries);
  if (!touched) {
    queue.has_unsynced_names_ = true;
    return touched.error();
  }
  const bool is_new = touched->needs_directory_sync;
  touched->needs_directory_sync |= std::exchange(queue.has_unsynced_names_, false);
  if (const auto status = note_unsynced(queue, std::move(*touched)); !status) return status.error();
  const MutexLock hold(queue.lock_);
  if (is_new && from != queue.min_.load(std::memory_order_relaxed) && files.start_of(from) != from * entry_size) {
    log_error("queue {}#{}: the file of its offset {} is gone; it now begins there", queue.topic(), queue.id(), from);
    queue.first_.store(-1, std::memory_order_relaxed);
    queue.min_.store(from, std::memory_order_release);
  }
  queue.written_ = from + count;
  const bool is_done = queue.written_ == queue.max_.load(std::memory_order_relaxed);
  if (is_done) queue.is_dirty_ = false;
  return Wrote{bytes, is_done};
}

Status StoredQueueTable::extend(StoredQueue& queue, const QueueName& name, std::int64_t from,
                                std::span<std::byte> entries) {
  units_.clear();
  for (std::size_t at = 0; at < entries.size(); at += kQueueEntrySize) {
    const auto entry = load_entry(entries.data() + at);
    units_.push_back({entry.tags_code, store_time_of_ ? store_time_of_(entry.position) : 0});
  }
  if (queue.ext_end_ < 0) {
    const auto end = find_ext_end(shared_->files, *shared_->ext, name, queue.bounds().min.value, from);
    if (!end) return end.error();
    queue.ext_end_ = *end;
  }
  touched_ext_.clear();
  const auto end = shared_->ext->append(name, queue.ext_end_, units_, touched_ext_);
  for (auto& touched : touched_ext_) {
    if (const auto status = note_unsynced(queue, std::move(touched), true); !status) return status;
  }
  if (!end) {
    // Entries without an extension are valid too, and it is no reason to stop dispatching.
    if (end.error().code != Errc::kWrongSegmentSize) return end.error();
    if (!std::exchange(said_wrong_ext_size_, true)) {
      log_error(
          "queue {}#{}: an extension file has {} bytes, but mappedFileSizeConsumeQueueExt is {}: entries are written "
          "without their extension",
          queue.topic(), queue.id(), end.error().detail, shared_->ext->file_size_bytes());
    }
    return {};
  }
  queue.ext_end_ = *end;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    std::byte* const to = entries.data() + i * kQueueEntrySize;
    auto entry = load_entry(to);
    entry.tags_code = units_[i].tags_code;
    store_entry(to, entry);
  }
  return {};
}

Status StoredQueueTable::clean_ends(std::size_t count_max) {
  for (; count_max > 0 && !unclean_.empty(); --count_max) {
    StoredQueue& queue = *unclean_.back();
    unclean_.pop_back();
    if (queue.is_end_clean_) continue;
    QueueName name;
    std::int64_t end = 0;
    {
      const MutexLock hold(queue.lock_);
      name = queue.name();
      end = queue.written_;
      if (queue.is_dirty_ || queue.has_old_files_) continue;  // the first write looks
    }
    // Only what stands right behind the end could be taken for the queue's next entry; the first write removes the
    // rest.
    const auto holds = shared_->files.holds(name, end);
    if (!holds) return holds.error();
    if (!*holds) continue;
    if (const auto status = cut_files(queue, name, end); !status) return status;
  }
  return {};
}

Status StoredQueueTable::note_unsynced(StoredQueue& queue, QueueFiles::Touched touched, bool is_ext) {
  if (unsynced_start(queue, is_ext) == touched.start && !touched.needs_directory_sync) return {};
  // Its descriptor stays open until the sync, which therefore comes early if there are too many.
  while (unsynced_.size() + syncing_.size() >= unsynced_max_) {
    if (const auto status = sync_one(syncing_.empty() ? unsynced_ : syncing_); !status) return status;
  }
  unsynced_start(queue, is_ext) = touched.start;
  unsynced_.push_back({&queue, std::move(touched), is_ext});
  return {};
}

Status StoredQueueTable::sync_one(std::vector<Unsynced>& list) {
  if (!sync_status_) return sync_status_;
  Unsynced item = std::move(list.back());
  list.pop_back();
  if (auto& start = unsynced_start(*item.queue, item.is_ext); &list == &unsynced_ && start == item.touched.start)
    start = -1;
  sync_status_ = item.touched.file->sync();
  if (sync_status_ && item.touched.needs_directory_sync) {
    const QueueName name{item.queue->topic(), item.queue->id(), 0};
    sync_status_ = item.is_ext ? shared_->ext->sync_directories(name) : shared_->files.sync_directories(name);
  }
  return sync_status_;
}

Result<bool> StoredQueueTable::sync_step(int files_max) {
  const MutexLock hold(upkeep_lock_);
  if (!sync_status_) return sync_status_.error();
  if (!is_syncing_) {
    for (const auto& item : unsynced_) unsynced_start(*item.queue, item.is_ext) = -1;
    syncing_.swap(unsynced_);
    is_syncing_ = true;
  }
  for (; files_max > 0 && !syncing_.empty(); --files_max) {
    if (const auto status = sync_one(syncing_); !status) return status.error();
  }
  if (!syncing_.empty()) return false;
  is_syncing_ = false;
  return true;
}

Status StoredQueueTable::flush_all() {
  const MutexLock hold(upkeep_lock_);
  for (;;) {
    const auto written = write_pending(INT64_MAX);
    if (!written) return written.error();
    if (*written == 0 && work_.empty()) break;
  }
  if (const auto status = clean_ends(unclean_.size()); !status) return status;
  for (auto* list : {&syncing_, &unsynced_}) {
    while (!list->empty()) {
      if (const auto status = sync_one(*list); !status) return status;
    }
  }
  is_syncing_ = false;
  evict();
  return sync_status_;
}

void StoredQueueTable::evict() {
  // A block whose entries are not all written is passed over; so many in a row mean that all are like that.
  for (std::int64_t passed = 0; shared_->pool.is_above_low_mark() && passed < shared_->pool.used_blocks();) {
    StoredQueue* const queue = shared_->pool.pop_ticket();
    if (queue == nullptr) return;
    const MutexLock hold(queue->lock_);
    if (queue->tail_.drop_oldest(shared_->pool, queue->written_, queue->max_.load(std::memory_order_relaxed))) {
      passed = 0;
    } else {
      if (!queue->tail_.is_empty()) shared_->pool.push_ticket(queue);
      ++passed;
    }
  }
}

Status StoredQueueTable::forget_before(LogPosition min_position) {
  const MutexLock hold(upkeep_lock_);
  Status first_failure;
  for (const auto& queue : queues_.all()) {
    const auto [min, max] = queue->bounds();
    if (min == max) continue;
    const auto first = queue->positions().first;
    if (first.value >= 0 && first >= min_position) continue;
    const auto status = forget_before(*queue, min_position);
    if (!status && first_failure) first_failure = status;
  }
  return first_failure;
}

Status StoredQueueTable::forget_before(StoredQueue& queue, LogPosition min_position) {
  const auto [min, max] = queue.bounds();
  const auto begin = find_begin(queue, {min, max}, min_position);
  if (!begin) return begin.error();
  const std::int64_t low = begin->min.value;
  QueueName name;
  {
    const MutexLock hold(queue.lock_);
    // Dispatch may have added entries meanwhile; those of a queue that was found empty begin at what was its end.
    queue.first_.store(begin->first.value, std::memory_order_relaxed);
    queue.min_.store(low, std::memory_order_release);
    name = queue.name();
  }
  // The last file stays even if all its records are gone: it says where the queue ends.
  const std::int64_t kept = shared_->files.start_of(std::max<std::int64_t>(0, std::min(low, max.value - 1)));
  if (kept == shared_->files.start_of(min.value)) return {};
  if (const auto status = shared_->files.remove_below(name, kept); !status || !shared_->ext) return status;
  // Units stand in the order of their entries: those before the first entry's are of no use.
  std::array<std::byte, kQueueEntrySize> bytes;
  if (low >= max.value || !shared_->files.read(name, low, bytes, false)) return {};
  const auto tags_code = load_entry(bytes.data()).tags_code;
  if (!is_ext_address(tags_code)) return {};
  return shared_->ext->remove_below(name, shared_->ext->start_of(ext_offset(tags_code)));
}

void StoredQueueTable::forget_work(StoredQueue& queue) {
  {
    const MutexLock hold(shared_->dirty_lock);
    std::erase(shared_->dirty, &queue);
  }
  std::erase(work_, &queue);
  std::erase(unclean_, &queue);
  for (auto* list : {&unsynced_, &syncing_}) {
    std::erase_if(*list, [&](const Unsynced& item) { return item.queue == &queue; });
  }
  queue.unsynced_start_ = queue.unsynced_ext_start_ = -1;
}

Status StoredQueueTable::remove_topic(std::string_view topic) {
  const MutexLock hold(upkeep_lock_);
  for (const auto& queue : queues_.remove_topic(topic)) {
    QueueName name;
    {
      const MutexLock hold_queue(queue->lock_);
      queue->is_deleted_.store(true, std::memory_order_release);  // append looks under the lock: nothing comes after
      queue->tail_.clear(shared_->pool, queue.get());
      queue->written_ = queue->max_.load(std::memory_order_relaxed);
      name = queue->name();
    }
    forget_work(*queue);
    shared_->files.forget(name);
    if (shared_->ext) shared_->ext->forget(name);
  }
  if (const auto status = shared_->files.remove_topic(topic); !status || !shared_->ext) return status;
  return shared_->ext->remove_topic(topic);
}

Status StoredQueueTable::open_ext(const QueueOptions& options, std::size_t open_files_max, std::string& problem) {
  const auto directory = options.directory + "_ext";
  const auto exists = disk_.exists(directory);
  if (!exists) return exists.error();
  if (!*exists && !options.writes_ext) return {};
  Result<std::optional<file::DirectoryEntry>> file = std::optional<file::DirectoryEntry>();
  if (*exists) file = first_file_below(disk_, directory);
  if (!file) return file.error();
  if (*file && (*file)->size > 0 && (*file)->size != options.ext_file_size_bytes) {
    problem = fmt::format("{}: it has {} bytes, but mappedFileSizeConsumeQueueExt is {}", (*file)->name, (*file)->size,
                          options.ext_file_size_bytes);
    return error(Errc::kWrongSegmentSize, (*file)->size);
  }
  shared_->ext = std::make_unique<QueueExtFiles>(disk_, directory, options.ext_file_size_bytes, open_files_max);
  return {};
}

Result<std::unique_ptr<QueueTable>> open_entry_table(file::Disk& disk, const QueueOptions& options,
                                                     const EntryLayout& layout, std::string& problem) {
  if (options.file_size_bytes <= 0) {
    problem = fmt::format("{} is {}", layout.size_setting, options.file_size_bytes);
    return error(Errc::kWrongSegmentSize, options.file_size_bytes);
  }
  const std::int64_t file_size_bytes = whole_entries(options.file_size_bytes, layout);
  constexpr rlim_t kDescriptorsMin = 16;
  rlimit limit{};
  const rlim_t process_max = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
  const auto open_files_max = std::max(
      kDescriptorsMin, std::min<rlim_t>(process_max / 4, static_cast<rlim_t>(std::max(0, options.open_files_max))));
  // Half for the cache, half for those that wait for their sync; extension files are few, and have a cache beside.
  const auto half = static_cast<std::size_t>(open_files_max) / 2;
  auto table = std::make_unique<StoredQueueTable>(disk, options, layout, file_size_bytes, half);
  if (const auto status = table->open_ext(options, half / 2, problem); !status) return status.error();
  return std::unique_ptr<QueueTable>(std::move(table));
}

}  // namespace tern::store
