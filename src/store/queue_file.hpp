#pragma once
// One queue's files on the disk: docs/format/consume_queue.md. All knowledge of names, sizes, pre-filling and cutting.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/file/disk.hpp"
#include "tern/store/queue.hpp"

#include "store/entry_layout.hpp"
#include "store/file_cache.hpp"

namespace tern::store {

/// A topic that can be a directory's name: what stands in a log may have been put there by anyone.
[[nodiscard]] bool is_safe_topic(std::string_view topic);
/// The number a directory is named by, if it is one that a queue id prints as.
[[nodiscard]] std::optional<std::int32_t> parse_queue_id(std::string_view name);

/// Which queue, in which of its lives (see FileCache::Key).
struct QueueName {
  std::string_view topic;
  std::int32_t id = 0;
  std::uint64_t serial = 0;
};

/// Files that have been written, and the directories that name them: synced together, a directory that many of them
/// stand below is synced once, and the file system's journal is committed for all of them at once.
class UnsyncedFiles {
 public:
  static constexpr std::size_t kMax = 256;  // files: each has a descriptor open until it is synced
  void add(std::shared_ptr<file::File> file) { files_.push_back(std::move(file)); }
  void add_directory(std::string path) { directories_.insert(std::move(path)); }
  [[nodiscard]] bool is_full() const { return files_.size() >= kMax; }
  /// Leaves nothing in here, unless it fails.
  Status sync(file::Disk& disk);

 private:
  std::vector<std::shared_ptr<file::File>> files_;  // open, as a failed write is told to those alone
  std::set<std::string> directories_;
};

/// One directory per topic, in it one per queue, in it files of one size that are named by their first byte: what queue
/// files and their extension files have in common. By one caller at a time, but for the cache of open files.
class QueueFileSet {
 public:
  QueueFileSet(file::Disk& disk, std::string directory, std::int64_t file_size_bytes, std::size_t open_files_max)
      : disk_(disk), directory_(std::move(directory)), file_size_bytes_(file_size_bytes), cache_(open_files_max) {}

  /// A file's descriptor is in here until it has been synced, as long as the caller holds it.
  struct Touched {
    std::shared_ptr<file::File> file;
    std::int64_t start = 0;
    bool needs_directory_sync = false;  // its name is new
  };

  Status remove_below(const QueueName& name, std::int64_t start);
  Status remove_all(const QueueName& name);
  /// Every queue's files and directories, and the topic's, as far as nothing foreign is in them.
  Status remove_topic(std::string_view topic);
  /// Makes the names of the queue's files and directories durable.
  Status sync_directories(const QueueName& name);
  /// The same, once `to` is synced.
  Status add_directories(const QueueName& name, UnsyncedFiles& to);

  void forget(const QueueName& name) { cache_.erase_all(name.serial); }
  [[nodiscard]] std::string directory_of(std::string_view topic) const { return file::join(directory_, topic); }
  [[nodiscard]] std::string directory_of(std::string_view topic, std::int32_t id) const {
    return file::join(directory_of(topic), std::to_string(id));
  }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 protected:
  struct Listed {
    std::int64_t start = 0;
    std::int64_t size = 0;
    std::string name;
  };
  /// The queue's files, ascending; empty if it has no directory.
  Result<std::vector<Listed>> list(const QueueName& name);
  [[nodiscard]] std::string path_of(const QueueName& name, std::int64_t start) const;
  Status remove_file(const QueueName& name, const Listed& listed);
  [[nodiscard]] static bool is_missing(const Error& error) {
    return error.code == std::errc::no_such_file_or_directory;
  }

  file::Disk& disk_;
  const std::string directory_;
  const std::int64_t file_size_bytes_;
  FileCache cache_;

 private:
  bool is_directory_durable_ = false;
};

/// The files of all queues of one kind. read() from any thread; the rest by one caller at a time. Offsets count
/// entries.
class QueueFiles : public QueueFileSet {
 public:
  QueueFiles(file::Disk& disk, std::string directory, std::int64_t file_size_bytes, std::size_t open_files_max,
             const EntryLayout& layout = kSimpleLayout);

  [[nodiscard]] std::int64_t start_of(std::int64_t offset) const {
    return offset * layout_.size / file_size_bytes_ * file_size_bytes_;
  }
  /// Entries from `offset` to the end of its file.
  [[nodiscard]] std::int64_t left_in_file(std::int64_t offset) const {
    return (start_of(offset) + file_size_bytes_) / layout_.size - offset;
  }

  /// Fills `to` with the entries from `from` on; they must stand in one file.
  Status read(const QueueName& name, std::int64_t from, std::span<std::byte> to, bool no_wait);
  /// Writes entries, which must stand in one file. A file that is not there is created, pre-filled before `from`.
  Result<Touched> write(const QueueName& name, std::int64_t from, std::span<const std::byte> entries);
  /// Nothing stands at and behind `end` any more: later files are removed, the rest of its file is zeroed.
  Result<std::optional<Touched>> cut(const QueueName& name, std::int64_t end);
  /// Whether anything stands at `offset`.
  Result<bool> holds(const QueueName& name, std::int64_t offset);
  /// All entries below `end` are written again, and synced with `to` (or before, if that is full), as are the files'
  /// names: the page cache may hold what the disk has not got, even if it calls it clean.
  Status write_again(const QueueName& name, std::int64_t end, UnsyncedFiles& to);

  /// Where a queue ends according to its files, as Apache's recovery finds it.
  struct Extent {
    std::int64_t min = 0;  // of the first file
    std::int64_t max = 0;
    LogPosition end{-1};  // of the last entry's record
  };
  /// nullopt if there is no file. kWrongSegmentSize, with the text in `problem`, if a file has another size.
  Result<std::optional<Extent>> find_extent(const QueueName& name, std::string& problem);

 private:
  /// With its size made right if a crash has left it unfinished.
  Result<std::shared_ptr<file::File>> open_existing(const QueueName& name, std::int64_t start);
  Result<std::shared_ptr<file::File>> create(const QueueName& name, std::int64_t start, std::int64_t prefill_bytes);
  [[nodiscard]] bool is_unfinished(std::int64_t size) const;

  const EntryLayout& layout_;
};

}  // namespace tern::store
