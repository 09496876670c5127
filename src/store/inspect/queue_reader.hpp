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
  QueueReader(file::Disk& disk, const FoundQueue& queue, std::int64_t file_size)
      : disk_(disk), queue_(queue), file_size_(file_size) {}

  [[nodiscard]] const FoundQueue& queue() const { return queue_; }
  /// Offsets that the files have room for.
  [[nodiscard]] std::int64_t begin() const { return queue_.files.front().start / kQueueEntrySize; }
  [[nodiscard]] std::int64_t end() const { return (queue_.files.back().start + file_size_) / kQueueEntrySize; }
  /// What stands there, valid or not; nullopt if no file reaches so far, or it has been removed meanwhile.
  Result<std::optional<QueueEntry>> at(std::int64_t offset);
  /// The file that holds the entry, or should.
  [[nodiscard]] Place place_of(std::int64_t offset) const;
  /// By binary search in the last file: entries stand in a row, and nothing behind them. Behind the last valid one.
  Result<std::int64_t> find_end();
  /// The first whose record is at or behind `min`, by binary search over [begin, end); entries are in log order.
  Result<std::int64_t> find_first(LogPosition min, std::int64_t end);

 private:
  file::Disk& disk_;
  const FoundQueue& queue_;
  const std::int64_t file_size_;
  std::vector<std::byte> bytes_;
  std::int64_t bytes_from_ = 0;  // offset of the first entry in bytes_
};

}  // namespace tern::store
