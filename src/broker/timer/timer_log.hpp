#pragma once
// The timer log: one unit of 52 bytes for each message that was entered into the wheel, in files of one size, as
// Apache's brokers write it (docs/format/timer.md). The units of one slot of the wheel are a chain, from its last one
// back.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tern/base/result.hpp"
#include "tern/base/thread_annotations.hpp"
#include "tern/file/disk.hpp"

namespace tern::broker {

struct TimerUnit {
  static constexpr std::int64_t kSize = 52;
  static constexpr std::int32_t kDefault = 1, kRoll = 2, kCancel = 4;  // bits of magic
  std::int64_t previous = -1;                                          // unit of the same slot; -1: it is the first
  std::int32_t magic = kDefault;
  std::int64_t write_ms = 0;  // when it was entered
  std::int32_t delay_ms = 0;  // from there to its slot
  std::int64_t position = 0;  // of the record in the commit log
  std::int32_t size = 0;      // of the record
  std::int32_t topic_hash = 0;
  [[nodiscard]] std::int64_t slot_ms() const { return write_ms + delay_ms; }
  [[nodiscard]] bool rolls() const { return (magic & kRoll) != 0; }
  [[nodiscard]] bool cancels() const { return (magic & kCancel) != 0; }
};

/// append() only adds to memory; what is there goes to the files with write(), and can be read all the time. append(),
/// read() and the bounds from any thread; open(), write() and remove_before() one at a time.
class TimerLog {
 public:
  TimerLog(file::Disk& disk, const std::string& root, std::int64_t file_size);

  /// Finds the files. The text says why start-up must stop: a file of another size, or a gap.
  [[nodiscard]] std::optional<std::string> open();
  /// The log ends at `end`, a unit's begin, from now on: what stands behind is zeroed, synced or removed, lest it be
  /// taken for units later.
  Status cut(std::int64_t end);
  /// Starts anew: all files go.
  Status restart();

  [[nodiscard]] std::int64_t begin() const;      // of the first file
  [[nodiscard]] std::int64_t end() const;        // where the next unit goes, unless a file ends before
  [[nodiscard]] std::int64_t files_end() const;  // as open() found them
  [[nodiscard]] std::int64_t unwritten() const;  // bytes

  /// Where the unit is.
  std::int64_t append(const TimerUnit& unit);
  /// kNotFound: below begin, at or past end. kDamaged: what stands there is no unit.
  Result<TimerUnit> read(std::int64_t at) const;
  /// The first unit at or behind `at`, which is a unit's begin or a file's; -1: there is none.
  [[nodiscard]] std::int64_t next_unit(std::int64_t at) const;

  /// Units below `end` to the files, synced. Nothing is forgotten by a failure: try again.
  Status write(std::int64_t end);
  /// Removes the oldest file if its last unit is of a record below `position`: the record has left the log.
  Status remove_before(std::int64_t position);

 private:
  [[nodiscard]] std::string path_of(std::int64_t file_begin) const;
  Result<std::shared_ptr<file::File>> file_of(std::int64_t file_begin, bool creates) const TERN_REQUIRES(mutex_);
  [[nodiscard]] Result<TimerUnit> read_file(std::int64_t at) const TERN_REQUIRES(mutex_);
  [[nodiscard]] std::int64_t file_begin_of(std::int64_t at) const { return at / file_size_ * file_size_; }

  file::Disk& disk_;
  const std::string root_;
  const std::string directory_;
  const std::int64_t file_size_;
  mutable Mutex mutex_;
  std::int64_t begin_ TERN_GUARDED_BY(mutex_) = 0;
  std::int64_t end_ TERN_GUARDED_BY(mutex_) = 0;
  std::int64_t files_end_ TERN_GUARDED_BY(mutex_) = 0;
  std::string pending_ TERN_GUARDED_BY(mutex_);  // the bytes before end_ that are in no file yet
  mutable std::map<std::int64_t, std::shared_ptr<file::File>> files_ TERN_GUARDED_BY(mutex_);  // open ones, by begin
};

}  // namespace tern::broker
