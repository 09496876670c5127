#pragma once
// One file of the key index: docs/format/index_file.md.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/file/disk.hpp"
#include "tern/store/key_index.hpp"

namespace tern::store {

struct IndexHeader {
  std::int64_t begin_timestamp = 0;
  std::int64_t end_timestamp = 0;
  std::int64_t begin_position = 0;
  std::int64_t end_position = 0;
  std::int32_t used_slots = 0;
  std::int32_t next_entry = 1;  // entry 0 is never used: 0 ends a chain
};
struct IndexEntry {
  std::int32_t hash = 0;
  std::int64_t position = 0;
  std::int32_t seconds = 0;  // since the file's begin_timestamp; in entry 1, with Apache's, since the file before ended
  std::int32_t previous = 0;  // in its slot's chain
};

/// The layout of a file, as configured.
struct IndexShape {
  static constexpr std::int64_t kHeaderSize = 40, kSlotSize = 4, kEntrySize = 20;
  std::int64_t slots = 0;
  std::int64_t entries_max = 0;  // entry 0 included
  [[nodiscard]] std::int64_t slot_at(std::int64_t slot) const { return kHeaderSize + kSlotSize * slot; }
  [[nodiscard]] std::int64_t entry_at(std::int64_t entry) const { return slot_at(slots) + kEntrySize * entry; }
  [[nodiscard]] std::int64_t file_size() const { return entry_at(entries_max); }
};

void store_index_header(std::byte* to, const IndexHeader& header);
[[nodiscard]] IndexHeader load_index_header(const std::byte* from);
void store_index_entry(std::byte* to, const IndexEntry& entry);
[[nodiscard]] IndexEntry load_index_entry(const std::byte* from);
/// Store time (ms) of the entry's record, less than a second too early.
[[nodiscard]] std::int64_t index_entry_time(const IndexHeader& header, std::int32_t number, const IndexEntry& entry);

/// add, sync and repair from one thread (upkeep, or the opening one); find and header from any. A reader asks the file,
/// not the window: entries are stored before the slot that names them, slots before the header that counts them.
class IndexFile {
 public:
  /// The file must have its full size.
  static Result<std::shared_ptr<IndexFile>> open(file::Disk& disk, const std::string& path, const IndexShape& shape);
  /// A new file, begun with the end of the one before it.
  static Result<std::shared_ptr<IndexFile>> create(file::Disk& disk, const std::string& path, const IndexShape& shape,
                                                   const IndexHeader& previous);

  [[nodiscard]] IndexHeader header() const TERN_EXCLUDES(lock_) {
    const MutexLock hold(lock_);
    return header_;
  }
  [[nodiscard]] const std::string& path() const noexcept { return file_->path(); }
  [[nodiscard]] bool is_full() const { return header().next_entry >= shape_.entries_max; }
  /// Its header contradicts the file's layout: neither read nor continued.
  [[nodiscard]] bool is_damaged() const { return is_damaged_; }

  /// Before the first add: maps the file and makes its slots real blocks.
  Status prepare();
  /// The file must not be full.
  Status add(const IndexKey& key) TERN_EXCLUDES(lock_);
  Status sync();

  /// Appends entries with this hash and store time in [begin, end], newest first, until there are `count_max`
  /// positions. Links that lead nowhere or not backwards end the walk.
  Status find(std::int32_t hash, std::int64_t begin_ms, std::int64_t end_ms, std::size_t count_max,
              std::vector<LogPosition>& to) const;

  /// Whether every entry is there and found. Reads the whole file.
  [[nodiscard]] Result<bool> is_whole() const;
  /// After a power cut: everything up to `synced_to` is whole, of the rest any part may be missing. If so, forgets the
  /// rest. Returns whether it did. May be cut off by another power cut: then it is to be called again.
  Result<bool> repair(LogPosition synced_to) TERN_EXCLUDES(lock_);
  /// Forgets the entries of records at or past `end`, which are the last ones, and syncs. Those before are whole.
  /// Returns whether any entry is left.
  Result<bool> truncate_to(LogPosition end) TERN_EXCLUDES(lock_);

 private:
  IndexFile(std::unique_ptr<file::File> file, const IndexShape& shape, const IndexHeader& header, bool is_damaged)
      : file_(std::move(file)), shape_(shape), is_damaged_(is_damaged), header_(header) {}
  [[nodiscard]] std::byte* at(std::int64_t position) { return window_->bytes().data() + position; }
  void store_slot(std::int64_t slot, std::int32_t entry);
  void store_header(const IndexHeader& header) TERN_EXCLUDES(lock_);
  /// Entries [1, n) whose positions are below `synced_to`; n.
  Result<std::int32_t> first_unsynced(LogPosition synced_to) const;
  [[nodiscard]] Result<std::vector<std::int32_t>> slots() const;
  [[nodiscard]] Result<bool> is_whole_from(std::int32_t first, std::span<const std::int32_t> slots) const;
  /// Of entries [end, ...), whatever they are: takes them out of the chains and the count, durably.
  Status forget_from(std::int32_t end) TERN_EXCLUDES(lock_);
  /// Zeroes, durably.
  Status clear(std::int64_t from, std::int64_t size);

  const std::unique_ptr<file::File> file_;
  const IndexShape shape_;
  const bool is_damaged_;
  mutable Mutex lock_;
  IndexHeader header_ TERN_GUARDED_BY(lock_);
  // Owned by the writer.
  std::unique_ptr<file::MappedWindow> window_;
  std::int64_t allocated_to_ = 0;
};

}  // namespace tern::store
