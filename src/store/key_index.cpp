// Keys wait in memory as 24 bytes each (300,000/s at 100,000 messages/s with three keys: 7 MB/s) until upkeep stores
// them.
#include "tern/store/key_index.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>

#include <fmt/format.h>

#include "tern/base/check.hpp"
#include "tern/base/java_hash.hpp"
#include "tern/base/log.hpp"
#include "tern/base/thread_annotations.hpp"
#include "tern/message/properties.hpp"

#include "store/durable_directory.hpp"
#include "store/index_file.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kNameDigits = 17;
constexpr std::int64_t kNothingWaits = INT64_MAX;
constexpr std::size_t kMovedAtOnce = 1024;       // between two looks at the lock
constexpr std::uint64_t kSearchedAtOnce = 4096;  // of the waiting keys, per hold of the lock that dispatch needs
constexpr int kFoundMax = 1024;                  // whatever the caller asks for

std::string index_name(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}{:03}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec, wall_ms % 1000);
}

bool is_index_name(std::string_view name) {
  return name.size() == kNameDigits && name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Keys that wait for upkeep, by sequence number. Grows until it has its size, then allocates no more.
class PendingKeys {
 public:
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  [[nodiscard]] const IndexKey& operator[](std::uint64_t sequence) const {
    return ring_[sequence & (ring_.size() - 1)];
  }

  void push(const IndexKey& key) {
    if (size() == ring_.size()) {
      std::vector<IndexKey> larger(std::max<std::size_t>(1024, 2 * ring_.size()));
      for (std::uint64_t i = begin_; i < end_; ++i) larger[i & (larger.size() - 1)] = (*this)[i];
      ring_ = std::move(larger);
    }
    ring_[end_++ & (ring_.size() - 1)] = key;
  }
  void pop(std::size_t count) { begin_ += count; }

 private:
  std::vector<IndexKey> ring_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

class FileKeyIndex final : public KeyIndex {
 public:
  FileKeyIndex(file::Disk& disk, const Clock& clock, const IndexOptions& options)
      : disk_(disk), clock_(clock), options_(options), shape_{options.hash_slots, options.entries_max} {}

  Status load(bool trusts_files, std::int64_t checkpoint_timestamp, LogPosition synced_to, std::string& problem);

  [[nodiscard]] std::vector<Extent> extents() const override TERN_EXCLUDES(files_lock_);
  Status remove_from(LogPosition first) override TERN_EXCLUDES(files_lock_);
  Status truncate_to(LogPosition end) override TERN_EXCLUDES(files_lock_);
  void add(std::span<const IndexKey> keys) override TERN_EXCLUDES(pending_lock_);
  [[nodiscard]] bool is_pending_full() const noexcept override {
    return pending_count_.load(std::memory_order_relaxed) >= options_.pending_max;
  }
  Result<std::size_t> write_step(std::size_t budget_entries) override TERN_EXCLUDES(pending_lock_, files_lock_);
  Result<Found> query(std::string_view topic, std::string_view key, int count_max, std::int64_t begin_ms,
                      std::int64_t end_ms) override TERN_EXCLUDES(pending_lock_, files_lock_);
  [[nodiscard]] LogPosition written_to() const noexcept override TERN_EXCLUDES(pending_lock_);
  Status sync() override;
  [[nodiscard]] Status sync_status() const override { return sync_status_; }
  Status forget_before(LogPosition min_position) override TERN_EXCLUDES(files_lock_);
  [[nodiscard]] std::int64_t checkpoint_timestamp() const noexcept override {
    return synced_timestamp_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t finished_timestamp() const noexcept override {
    return options_.is_enabled ? finished_timestamp_.load(std::memory_order_relaxed) : INT64_MAX;
  }

 private:
  using FilePtr = std::shared_ptr<IndexFile>;
  [[nodiscard]] std::vector<FilePtr> files() const TERN_EXCLUDES(files_lock_) {
    const MutexLock hold(files_lock_);
    return files_;
  }
  Status remove_empty_at_end() TERN_REQUIRES(files_lock_);
  /// Everything in the newest file, if there is one, is synced: by what its header was then.
  void note_synced(const IndexHeader& newest);
  void note_synced() { note_synced(newest_ ? newest_->header() : IndexHeader{}); }
  /// The file to write to: the newest, or a new one if there is none or it is full or damaged.
  Result<FilePtr> writable();
  [[nodiscard]] std::string new_path(const std::string& last_name) const;
  void find_pending(std::int32_t hash, std::int64_t begin_ms, std::int64_t end_ms, std::size_t count_max,
                    Found& found) const TERN_EXCLUDES(pending_lock_);

  // Constant after construction.
  file::Disk& disk_;
  const Clock& clock_;
  const IndexOptions options_;
  const IndexShape shape_;

  mutable Mutex pending_lock_;
  PendingKeys pending_ TERN_GUARDED_BY(pending_lock_);
  // Stored under pending_lock_, read by anyone as a hint; Store::dispatch_paused_ orders it where that counts.
  std::atomic<std::size_t> pending_count_{0};

  mutable Mutex files_lock_;
  std::vector<FilePtr> files_ TERN_GUARDED_BY(files_lock_);  // oldest first; changed by upkeep

  // Owned by the upkeep thread.
  FilePtr newest_;
  bool has_new_name_ = false;
  bool has_unsynced_ = false;
  Status sync_status_;
  // Read by anyone, relaxed: times alone.
  std::atomic<std::int64_t> synced_timestamp_{0};
  std::atomic<std::int64_t> finished_timestamp_{0};
};

Status FileKeyIndex::load(bool trusts_files, std::int64_t checkpoint_timestamp, LogPosition synced_to,
                          std::string& problem) {
  if (!options_.is_enabled) return {};
  TERN_CHECK(shape_.slots > 0 && shape_.entries_max > 1, "{} slots, {} entries", shape_.slots, shape_.entries_max);
  const auto entries = disk_.list(options_.directory);
  if (!entries) return entries.error().code == std::errc::no_such_file_or_directory ? Status() : entries.error();
  const MutexLock hold(files_lock_);
  for (const auto& entry : *entries) {
    if (entry.is_directory || !is_index_name(entry.name)) continue;
    const auto path = file::join(options_.directory, entry.name);
    if (entry.size == 0) {  // a crash while it was made
      if (const auto status = disk_.remove(path); !status) return status;
      continue;
    }
    auto opened = IndexFile::open(disk_, path, shape_);
    if (!opened) {
      problem = opened.error().code == Errc::kWrongSegmentSize
                    ? fmt::format("{}: it has {} bytes, but maxHashSlotNum={} and maxIndexNum={} make {}", path,
                                  opened.error().detail, shape_.slots, shape_.entries_max, shape_.file_size())
                    : fmt::format("{}: {}", path, opened.error().text());
      return opened.error();
    }
    if ((*opened)->is_damaged()) log_warning("{}: its header is damaged; it is not searched", path);
    // The header may be older than the rest of what has reached the disk.
    bool may_stay = trusts_files || (*opened)->is_damaged();
    if (!may_stay && (*opened)->header().end_timestamp <= checkpoint_timestamp) {
      const auto is_whole = (*opened)->is_whole();
      if (!is_whole) {
        problem = fmt::format("{}: {}", path, is_whole.error().text());
        return is_whole.error();
      }
      may_stay = *is_whole;
    }
    if (!may_stay) {
      log_info("{}: removed, it may not be whole; its keys come back as far as the log is read", path);
      if (const auto status = disk_.remove(path); !status) return status;
      continue;
    }
    files_.push_back(std::move(*opened));
  }
  if (const auto status = remove_empty_at_end(); !status) return status;
  // A file is synced before the next one is made: only the last one that has entries can be torn.
  if (synced_to.value >= 0 && !files_.empty()) {
    const auto repaired = files_.back()->repair(synced_to);
    if (!repaired) {
      problem = fmt::format("{}: {}", files_.back()->path(), repaired.error().text());
      return repaired.error();
    }
    if (*repaired)
      log_warning("{}: keys of the last moments before the power cut are indexed again", files_.back()->path());
  }
  const auto status = remove_empty_at_end();  // nothing of it was whole
  newest_ = files_.empty() ? nullptr : files_.back();
  // What a killed process has written is not written again, and may not be synced.
  has_unsynced_ = has_new_name_ = newest_ != nullptr;
  note_synced();
  return status;
}

void FileKeyIndex::note_synced(const IndexHeader& newest) {
  const bool is_full = newest.next_entry >= shape_.entries_max;
  synced_timestamp_.store(newest.end_timestamp, std::memory_order_relaxed);
  finished_timestamp_.store(is_full ? newest.end_timestamp : newest.begin_timestamp, std::memory_order_relaxed);
}

std::vector<KeyIndex::Extent> FileKeyIndex::extents() const {
  std::vector<Extent> extents;
  for (const auto& file : files()) {
    const auto header = file->header();
    if (file->is_damaged() || header.next_entry <= 1) continue;
    extents.push_back({{header.begin_position}, {header.end_position}});
  }
  return extents;
}

Status FileKeyIndex::remove_from(LogPosition first) {
  const MutexLock hold(files_lock_);
  // The newest first: a crash leaves the oldest ones, which follow each other.
  for (bool is_found = false; !is_found && !files_.empty();) {
    const auto header = files_.back()->header();
    is_found = !files_.back()->is_damaged() && header.next_entry > 1 && header.begin_position == first.value;
    if (const auto status = disk_.remove(files_.back()->path()); !status) return status;
    files_.pop_back();
  }
  newest_ = files_.empty() ? nullptr : files_.back();
  if (!newest_) has_unsynced_ = has_new_name_ = false;
  note_synced();
  return {};
}

Status FileKeyIndex::truncate_to(LogPosition end) {
  const MutexLock hold(files_lock_);
  for (auto file = files_.end(); file != files_.begin();) {
    --file;
    if ((*file)->is_damaged()) continue;  // not searched
    const auto header = (*file)->header();
    if (header.next_entry > 1) {
      if (header.end_position < end.value) break;
      const auto is_left = (*file)->truncate_to(end);
      if (!is_left) return is_left.error();
      if (*is_left) break;
    }
    if (const auto status = disk_.remove((*file)->path()); !status) return status;
    if (const auto status = disk_.sync_directory(options_.directory); !status) return status;
    file = files_.erase(file);
  }
  newest_ = files_.empty() ? nullptr : files_.back();
  if (!newest_) has_unsynced_ = has_new_name_ = false;
  note_synced();
  return {};
}

// Made, but a power cut has taken its header, or came before the first entry.
Status FileKeyIndex::remove_empty_at_end() {
  while (!files_.empty() && !files_.back()->is_damaged() && files_.back()->header().next_entry <= 1) {
    if (const auto status = disk_.remove(files_.back()->path()); !status) return status;
    files_.pop_back();
  }
  return {};
}

void FileKeyIndex::add(std::span<const IndexKey> keys) {
  if (!options_.is_enabled || keys.empty()) return;
  const MutexLock hold(pending_lock_);
  for (const auto& key : keys) pending_.push(key);
  pending_count_.store(pending_.size(), std::memory_order_relaxed);
}

std::string FileKeyIndex::new_path(const std::string& last_name) const {
  // Names are local time, which may go back an hour; their order must not.
  std::int64_t wall_ms = clock_.wall_ms();
  std::string name = index_name(wall_ms);
  for (int tries = 0; name <= last_name; ++tries) {
    wall_ms += tries < 100 ? 1 : 60'000;
    name = index_name(wall_ms);
  }
  return file::join(options_.directory, name);
}

Result<FileKeyIndex::FilePtr> FileKeyIndex::writable() {
  if (newest_ && !newest_->is_full() && !newest_->is_damaged()) {
    if (const auto status = newest_->prepare(); !status) return status.error();
    return newest_;
  }
  // Later syncs are of the new file alone.
  if (const auto status = sync(); !status) return status.error();
  if (const auto status = disk_.make_directories(options_.directory); !status) return status.error();
  const auto path = new_path(newest_ ? newest_->path().substr(newest_->path().size() - kNameDigits) : std::string());
  const bool has_end = newest_ && !newest_->is_damaged();
  auto made = IndexFile::create(disk_, path, shape_, has_end ? newest_->header() : IndexHeader{});
  if (!made) return made.error();
  has_new_name_ = true;
  newest_ = *made;
  const MutexLock hold(files_lock_);
  files_.push_back(*made);
  return *made;
}

Result<std::size_t> FileKeyIndex::write_step(std::size_t budget_entries) {
  std::size_t done = 0;
  std::size_t at_call = 0;
  {
    const MutexLock hold(pending_lock_);
    at_call = pending_.size();
  }
  std::vector<IndexKey> keys;
  while (done < std::min(at_call, budget_entries)) {
    keys.clear();
    {
      const MutexLock hold(pending_lock_);
      const auto count = std::min(kMovedAtOnce, std::min(at_call, budget_entries) - done);
      for (std::uint64_t i = 0; i < count; ++i) keys.push_back(pending_[pending_.begin() + i]);
    }
    std::size_t moved = 0;
    Status status;
    while (moved < keys.size()) {
      const auto file = writable();
      if (!file) {
        status = file.error();
        break;
      }
      // What the log is read for again after a crash may be here already. An equal position is stored again, as by
      // Apache.
      const IndexKey& key = keys[moved];
      if (key.position.value < (*file)->header().end_position) {
        ++moved;
        continue;
      }
      status = (*file)->add(key);
      if (!status) break;
      has_unsynced_ = true;
      ++moved;
    }
    {
      const MutexLock hold(pending_lock_);
      pending_.pop(moved);
      pending_count_.store(pending_.size(), std::memory_order_relaxed);
    }
    done += moved;
    if (!status) return status.error();
  }
  return done;
}

void FileKeyIndex::find_pending(std::int32_t hash, std::int64_t begin_ms, std::int64_t end_ms, std::size_t count_max,
                                Found& found) const {
  std::uint64_t at = UINT64_MAX;
  while (found.positions.size() < count_max) {
    const MutexLock hold(pending_lock_);
    at = std::min(at, pending_.end());
    if (at <= pending_.begin()) return;  // the rest, if there was any, is in the files now
    if (found.last_timestamp == 0) {
      found.last_timestamp = pending_[at - 1].store_timestamp;
      found.last_position = pending_[at - 1].position;
    }
    const std::uint64_t stop = at - std::min(kSearchedAtOnce, at - pending_.begin());
    while (at > stop && found.positions.size() < count_max) {
      const IndexKey& key = pending_[--at];
      if (key.hash != hash || key.store_timestamp < begin_ms || key.store_timestamp > end_ms) continue;
      if (std::find(found.positions.begin(), found.positions.end(), key.position) == found.positions.end()) {
        found.positions.push_back(key.position);
      }
    }
  }
}

Result<KeyIndex::Found> FileKeyIndex::query(std::string_view topic, std::string_view key, int count_max,
                                            std::int64_t begin_ms, std::int64_t end_ms) {
  Found found;
  const auto wanted = static_cast<std::size_t>(std::clamp(count_max, 0, kFoundMax));
  const std::int32_t hash = key_hash(topic, key);
  // Waiting keys first: one that moves meanwhile is then met in the files.
  find_pending(hash, begin_ms, end_ms, wanted, found);
  const auto known = files();
  for (auto file = known.rbegin(); file != known.rend(); ++file) {
    if ((*file)->is_damaged()) continue;
    const auto header = (*file)->header();
    if (found.last_timestamp == 0) {
      found.last_timestamp = header.end_timestamp;
      found.last_position = {header.end_position};
    }
    if (found.positions.size() >= wanted) break;
    if (header.next_entry <= 1) continue;
    if (header.begin_timestamp <= end_ms && header.end_timestamp >= begin_ms) {
      const auto status = (*file)->find(hash, begin_ms, end_ms, wanted, found.positions);
      if (!status) return status.error();
    }
    if (header.begin_timestamp < begin_ms) break;  // older files hold only older records
  }
  return found;
}

LogPosition FileKeyIndex::written_to() const noexcept {
  const MutexLock hold(pending_lock_);
  return pending_.size() == 0 ? LogPosition{kNothingWaits} : pending_[pending_.begin()].position;
}

Status FileKeyIndex::sync() {
  if (!sync_status_) return sync_status_;  // nobody knows what the file holds
  if (has_unsynced_) {
    const auto header = newest_->header();
    sync_status_ = newest_->sync();
    if (!sync_status_) return sync_status_;
    has_unsynced_ = false;
    note_synced(header);
  }
  if (has_new_name_) {
    sync_status_ = disk_.sync_directory(options_.directory);
    if (sync_status_) sync_status_ = make_durable_directory(disk_, options_.directory);
    if (!sync_status_) return sync_status_;
    has_new_name_ = false;
  }
  return {};
}

Status FileKeyIndex::forget_before(LogPosition min_position) {
  for (;;) {
    FilePtr oldest;
    {
      const MutexLock hold(files_lock_);
      if (files_.size() < 2 || files_.front()->header().end_position >= min_position.value) return {};
      oldest = std::move(files_.front());
      files_.erase(files_.begin());
    }
    if (const auto status = disk_.remove(oldest->path()); !status) return status;
  }
}

}  // namespace

std::int32_t key_hash(std::string_view topic, std::string_view key) noexcept {
  const std::int32_t hash = java_hash(key, java_hash("#", java_hash(topic)));
  if (hash == INT32_MIN) return 0;
  return hash < 0 ? -hash : hash;
}

void collect_keys(std::string_view topic, std::string_view properties, LogPosition position,
                  std::int64_t store_timestamp, std::vector<IndexKey>& to) {
  std::string_view unique_key;
  std::string_view keys;
  std::string_view tags;
  message::for_each_property(properties, [&](std::string_view name, std::string_view value) {
    if (name == message::property::kUniqueKey)
      unique_key = value;
    else if (name == message::property::kKeys)
      keys = value;
    else if (name == message::property::kTags)
      tags = value;
  });
  if (unique_key.empty() && keys.empty() && tags.empty()) return;
  const std::int32_t begun = java_hash("#", java_hash(topic));
  const auto add = [&](std::int32_t hash) {
    to.push_back({hash == INT32_MIN ? 0 : (hash < 0 ? -hash : hash), position, store_timestamp});
  };
  if (!unique_key.empty()) add(java_hash(unique_key, begun));
  while (!keys.empty()) {
    const auto key = keys.substr(0, keys.find(' '));
    if (!key.empty()) add(java_hash(key, begun));
    keys.remove_prefix(std::min(keys.size(), key.size() + 1));
  }
  if (!tags.empty()) add(java_hash(tags, java_hash("T#", begun)));
}

Result<std::unique_ptr<KeyIndex>> KeyIndex::open(file::Disk& disk, const Clock& clock, const IndexOptions& options,
                                                 bool last_exit_was_clean, std::int64_t checkpoint_index_timestamp,
                                                 std::string& problem, LogPosition synced_to) {
  auto index = std::make_unique<FileKeyIndex>(disk, clock, options);
  if (const auto status = index->load(last_exit_was_clean, checkpoint_index_timestamp, synced_to, problem); !status) {
    return status.error();
  }
  return std::unique_ptr<KeyIndex>(std::move(index));
}

}  // namespace tern::store
