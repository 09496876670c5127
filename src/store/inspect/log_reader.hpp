#pragma once
// The log's bytes for those who only look, and what is wrong where a record is not whole.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/inspect/store_files.hpp"
#include "store/log_scan.hpp"

namespace tern::store {

struct RecordProblem {
  std::int64_t at = 0;    // from the record's first byte
  std::int64_t size = 0;  // bytes in doubt; 0: not known
  std::string text;
};
/// Why no whole record begins with `bytes`: all that is readable of it, `left` bytes before its segment's end.
[[nodiscard]] RecordProblem record_problem(std::span<const std::byte> bytes, LogPosition position, std::int64_t left);

/// Where a position stands.
struct Place {
  std::string file;
  std::int64_t at = 0;
};

/// Keeps one segment open, for reading.
class LogReader {
 public:
  LogReader(file::Disk& disk, const StoreFiles& files)
      : disk_(disk), segments_(files.segments), segment_size_(files.segment_size_bytes) {}

  [[nodiscard]] const std::vector<FoundFile>& segments() const { return segments_; }
  [[nodiscard]] std::int64_t segment_size() const { return segment_size_; }
  [[nodiscard]] LogPosition min_position() const { return {segments_.empty() ? 0 : segments_.front().start}; }
  /// Where the last file ends.
  [[nodiscard]] LogPosition end() const { return segments_.empty() ? LogPosition{0} : readable_end(segments_.back()); }
  [[nodiscard]] LogPosition readable_end(const FoundFile& segment) const {
    return {segment.start + std::min(segment.size, segment_size_)};
  }
  /// nullptr if no file holds it.
  [[nodiscard]] const FoundFile* find(LogPosition position) const;
  [[nodiscard]] Place place_of(LogPosition position) const;

  Result<std::shared_ptr<LogSegment>> open(const FoundFile& segment);
  /// May cross segments. kNotFound, with the position, where there is nothing.
  Status read(LogPosition position, std::span<std::byte> to);
  /// What stands at a record's start.
  Result<Held> held_at(LogPosition start, message::BodyCheck check);
  /// The same in detail, where held_at() says kDamaged.
  Result<RecordProblem> problem_at(LogPosition start);

 private:
  /// As much of the record as its size says and the file has.
  Result<std::vector<std::byte>> readable_record(const FoundFile& segment, LogPosition start);

  file::Disk& disk_;
  const std::vector<FoundFile> segments_;
  const std::int64_t segment_size_;
  std::shared_ptr<LogSegment> open_;
};

}  // namespace tern::store
