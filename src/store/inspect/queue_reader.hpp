#pragma once
// A queue's entries for those who only look. The files may be of any size and incomplete.

#include <optional>
#include <vector>

#include "store/inspect/log_reader.hpp"
#include "store/inspect/store_files.hpp"
#include "store/queue_file.hpp"

namespace tern::store {

/// Forward reading costs an open and a read for every 128 entries, and no descriptor between: there may be ten thousand
/// queues.
class QueueReader {
 public:
  QueueReader(file::Disk& disk, const FoundQueue& queue)
      : disk_(disk), queue_(queue), layout_(queue.layout()), file_size_(queue.file_size) {}

  [[nodiscard]] const FoundQueue& queue() const { return queue_; }
  /// Numbers of the entries that the files have room for: offsets, in a simple queue.
  [[nodiscard]] std::int64_t begin() const { return queue_.files.front().start / layout_.size; }
  [[nodiscard]] std::int64_t end() const { return (queue_.files.back().start + file_size_) / layout_.size; }
  /// What stands there, valid or not; nullopt if no file reaches so far, or it has been removed meanwhile.
  Result<std::optional<QueueEntry>> at(std::int64_t number);
  /// The file that holds the entry, or should.
  [[nodiscard]] Place place_of(std::int64_t number) const;
  /// By binary search in the last file: entries stand in a row, and nothing behind them. Behind the last valid one.
  Result<std::int64_t> find_end();
  /// The first whose record is at or behind `min`, by binary search over [begin, end); entries are in log order.
  Result<std::int64_t> find_first(LogPosition min, std::int64_t end);
  /// The entry that holds `offset`, or the first behind it, by binary search over [begin, end).
  Result<std::int64_t> find_offset(QueueOffset offset, std::int64_t end);
  /// The offset with which an entry begins.
  [[nodiscard]] QueueOffset offset_of(std::int64_t number, const QueueEntry& entry) const {
    return {queue_.kind == QueueKind::kBatch ? entry.base : number};
  }

 private:
  file::Disk& disk_;
  const FoundQueue& queue_;
  const EntryLayout& layout_;
  const std::int64_t file_size_;
  std::vector<std::byte> bytes_;
  std::int64_t bytes_from_ = 0;  // number of the first entry in bytes_
};

}  // namespace tern::store
