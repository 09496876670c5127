#pragma once
// The files of the log: which there are, how they are opened, created and removed, and which of them are mapped.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/file/disk.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

/// "00000000001073741824": the decimal position of its first byte, 20 digits.
inline constexpr std::size_t kSegmentNameSize = 20;
[[nodiscard]] std::string segment_name(LogPosition start);
/// nullopt: no such name, or a number beyond int64.
[[nodiscard]] std::optional<LogPosition> parse_segment_name(std::string_view name);

/// One file of the log. Its descriptor stays open as long as somebody holds it, so a sync reports on every earlier
/// write. Constant after construction.
class LogSegment {
 public:
  LogSegment(LogPosition start, std::int64_t size, std::unique_ptr<file::File> file)
      : start_(start), size_(size), file_(std::move(file)) {}

  [[nodiscard]] LogPosition start() const { return start_; }
  [[nodiscard]] LogPosition end() const { return start_ + size_; }
  [[nodiscard]] file::File& file() const { return *file_; }

 private:
  const LogPosition start_;
  const std::int64_t size_;
  const std::unique_ptr<file::File> file_;
};
using SegmentPtr = std::shared_ptr<LogSegment>;
using WindowPtr = std::shared_ptr<file::MappedWindow>;

/// All segments, in order and without a gap. Any thread; `mutex_` is a leaf and held for a few instructions, never
/// during an operation of the disk. add() on the segments thread, remove_first() on the upkeep thread; whoever removes
/// at either end makes it durable before the next, so that no crash leaves a gap.
class SegmentList {
 public:
  SegmentList(file::Disk& disk, std::string directory, std::int64_t segment_size);

  /// Finds what is there. kForeign, kWrongSegmentSize: `problem` names the file. An empty last file is removed. A last
  /// file that is too short is taken, and said by short_end(): the caller decides.
  Status load(std::string& problem);
  /// Where the last file really ends, if it is shorter than a segment.
  [[nodiscard]] std::optional<LogPosition> short_end() const { return short_end_; }

  [[nodiscard]] LogPosition min_position() const;
  [[nodiscard]] LogPosition end() const;
  [[nodiscard]] std::int64_t segment_size() const { return segment_size_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// Start of the segment that holds `position`, or would.
  [[nodiscard]] LogPosition start_of(LogPosition position) const;
  /// nullptr outside [min_position(), end()).
  [[nodiscard]] SegmentPtr find(LogPosition position) const;
  /// nullptr if the segment is not mapped, or not there.
  [[nodiscard]] WindowPtr find_window(LogPosition position) const;
  [[nodiscard]] std::vector<SegmentPtr> all() const;
  [[nodiscard]] std::vector<SegmentPtr> overlapping(LogPosition from, LogPosition to) const;

  /// Creates the segment at end(): a hole of full size, durable under its name when this returns.
  Result<SegmentPtr> add();
  Status remove_first();
  Status remove_last();

  /// Maps a whole segment for appending.
  Result<WindowPtr> map(const LogSegment& segment);
  /// Takes the mapping of a segment out of the list; whoever holds it keeps it.
  [[nodiscard]] std::vector<WindowPtr> take_windows_below(LogPosition end);

 private:
  struct Entry {
    SegmentPtr segment;
    WindowPtr window;
  };
  [[nodiscard]] const Entry* find_entry(LogPosition position) const TERN_REQUIRES(mutex_);
  [[nodiscard]] std::string path_of(LogPosition start) const;
  Result<bool> remove_if_unused(std::span<const file::DirectoryEntry> files);

  // Constant after load().
  file::Disk& disk_;
  const std::string directory_;
  const std::int64_t segment_size_;
  LogPosition base_;  // a segment's start: all others are whole segments away from it
  std::optional<LogPosition> short_end_;

  mutable Mutex mutex_;
  std::deque<Entry> entries_ TERN_GUARDED_BY(mutex_);
  LogPosition end_ TERN_GUARDED_BY(mutex_);
};

}  // namespace tern::store
