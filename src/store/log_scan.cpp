// One read per 4 MiB and one look at each byte: a scan runs at the speed of the disk, or, from memory, of the CRC.

#include "store/log_scan.hpp"

#include <algorithm>
#include <vector>

#include "tern/base/byte_order.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kReadBytes = std::int64_t{4} << 20;
// From the first byte to the end of the record's own position: what is looked at before its size is believed.
constexpr std::int64_t kFrontBytes = message::offset_of::kPhysicalOffset + 8;

/// Bytes of one segment through a buffer that moves forward.
class SegmentReader {
 public:
  SegmentReader(const LogSegment& segment, LogPosition end) : segment_(segment), end_(end) {}

  /// [position, position + size), or as much of it as there is; valid until the next call.
  Result<std::span<const std::byte>> at(LogPosition position, std::int64_t size) {
    size = std::min(size, end_ - position);
    if (position < begin_ || position + size > begin_ + static_cast<std::int64_t>(buffer_.size())) {
      buffer_.resize(static_cast<std::size_t>(std::min(std::max(size, kReadBytes), end_ - position)));
      begin_ = position;
      if (auto read = segment_.file().read(position - segment_.start(), buffer_); !read) return read.error();
    }
    return std::span<const std::byte>(buffer_).subspan(static_cast<std::size_t>(position - begin_),
                                                       static_cast<std::size_t>(size));
  }

 private:
  const LogSegment& segment_;
  const LogPosition end_;
  LogPosition begin_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Result<SegmentScan> scan_segment(const LogSegment& segment, LogPosition readable_end, LogPosition from,
                                 message::BodyCheck check,
                                 const std::function<bool(const message::RecordView&, LogPosition)>& visit) {
  SegmentReader reader(segment, std::min(segment.end(), readable_end));
  SegmentScan scan{from};
  auto& position = scan.records_end;
  while (position < segment.end()) {
    const auto left = segment.end() - position;
    const auto front = reader.at(position, kFrontBytes);
    if (!front) return front.error();
    const auto peeked = message::peek_record(*front);
    if (!peeked) return scan;
    if (peeked->magic == message::kMagicBlank) {
      // Nothing is behind a blank that is not exactly the rest: then it is a part of something torn.
      scan.is_filled = peeked->total_size == left;
      return scan;
    }
    if (peeked->total_size > left - message::kBlankSizeMin) return scan;
    if (static_cast<std::int64_t>(front->size()) < kFrontBytes ||
        load_be<std::int64_t>(front->data() + message::offset_of::kPhysicalOffset) != position.value) {
      return scan;
    }
    const auto bytes = reader.at(position, peeked->total_size);
    if (!bytes) return bytes.error();
    const auto record = message::parse_record(*bytes, check);
    if (!record) return scan;
    scan.was_ended = !visit(*record, position);
    position += peeked->total_size;
    if (scan.was_ended) return scan;
  }
  scan.is_filled = true;
  return scan;
}

Result<LogPosition> scan_log(const SegmentList& segments, LogPosition from, message::BodyCheck check,
                             const std::function<bool(const message::RecordView&, LogPosition)>& visit) {
  if (from < segments.min_position() || from > segments.end()) return error(Errc::kNotFound, from.value);
  auto position = from;
  while (const auto segment = segments.find(position)) {
    const auto scan = scan_segment(*segment, segments.short_end().value_or(segment->end()), position, check, visit);
    if (!scan) return scan.error();
    if (!scan->is_filled || segments.end() == segment->end()) return scan->records_end;
    position = segment->end();
  }
  return position;
}

}  // namespace tern::store
