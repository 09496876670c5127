#include "store/inspect/log_reader.hpp"

#include <algorithm>

#include "tern/base/byte_order.hpp"

namespace tern::store {
namespace {

namespace offset_of = message::offset_of;

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

// Where the inner lengths stop making sense; the record's bytes are all there.
RecordProblem length_problem(std::span<const std::byte> bytes) {
  const auto total = static_cast<std::int64_t>(bytes.size());
  const RecordProblem unknown{0, total, fmt::format("the lengths inside do not add up to its {} bytes", total)};
  const auto sys_flag = load_be<std::int32_t>(bytes.data() + offset_of::kSysFlag);
  const int length_at =
      offset_of::body_length((sys_flag & message::kSysBornHostV6) != 0, (sys_flag & message::kSysStoreHostV6) != 0);
  if (total < length_at + 4) return unknown;
  const auto body_size = load_be<std::int32_t>(bytes.data() + length_at);
  if (body_size < 0 || body_size > total - length_at - 4) {
    return {length_at, 4, fmt::format("its body has {} bytes of a record of {}", body_size, total)};
  }
  return unknown;
}

}  // namespace

RecordProblem record_problem(std::span<const std::byte> bytes, LogPosition position, std::int64_t left) {
  const auto there = static_cast<std::int64_t>(bytes.size());
  if (there < message::kBlankSizeMin) {
    return {0, there, fmt::format("the file ends {} bytes behind the last record", there)};
  }
  const auto total = load_be<std::int32_t>(bytes.data() + offset_of::kTotalSize);
  const auto magic = static_cast<std::uint32_t>(load_be<std::int32_t>(bytes.data() + offset_of::kMagic));
  const auto peeked = message::peek_record(bytes);
  if (!peeked) {
    if (is_zero(bytes.first(message::kBlankSizeMin))) return {0, 0, "there are zeros instead of a record"};
    if (peeked.error().code == message::Errc::kBadMagic) {
      return {offset_of::kMagic, 4, fmt::format("0x{:08X} is not how a record begins", magic)};
    }
    return {offset_of::kTotalSize, 4, fmt::format("{} bytes are too few for a record", total)};
  }
  if (peeked->magic == message::kMagicBlank) {
    return {offset_of::kTotalSize, 8,
            fmt::format("the blank that ends a segment says {} bytes, but {} are left", total, left)};
  }
  if (total > left - message::kBlankSizeMin) {
    return {offset_of::kTotalSize, 4, fmt::format("a record of {} bytes does not fit into the {} left", total, left)};
  }
  if (there < offset_of::kPhysicalOffset + 8) {
    return {0, there, fmt::format("the file ends {} bytes behind the record's start", there)};
  }
  const auto stored = load_be<std::int64_t>(bytes.data() + offset_of::kPhysicalOffset);
  if (stored != position.value) {
    return {offset_of::kPhysicalOffset, 8, fmt::format("the record says that it stands at {}", stored)};
  }
  if (there < total) {
    return {0, there, fmt::format("the file ends {} bytes behind the start of a record of {}", there, total)};
  }
  const auto record = bytes.first(static_cast<std::size_t>(total));
  const auto parsed = message::parse_record(record, message::BodyCheck::kSkip);
  if (!parsed && parsed.error().code == message::Errc::kBadProperties) {
    const auto zero = std::find(record.rbegin(), record.rend(), std::byte{0}).base() - record.begin() - 1;
    return {zero, 1, "a zero byte stands in the record's properties"};
  }
  if (!parsed) return length_problem(record);
  return {parsed->body.data() - record.data(), static_cast<std::int64_t>(parsed->body.size()),
          fmt::format("the body of the record ({} bytes) is not the one that its CRC is of", parsed->body.size())};
}

const FoundFile* LogReader::find(LogPosition position) const {
  for (const auto& segment : segments_) {
    if (position.value >= segment.start && position < readable_end(segment)) return &segment;
  }
  return nullptr;
}

Place LogReader::place_of(LogPosition position) const {
  const FoundFile* last = nullptr;
  for (const auto& segment : segments_) {
    if (position.value >= segment.start) last = &segment;
  }
  return last == nullptr ? Place{} : Place{last->path, position.value - last->start};
}

Result<std::shared_ptr<LogSegment>> LogReader::open(const FoundFile& segment) {
  if (open_ && open_->start().value == segment.start) return open_;
  auto file = disk_.open(segment.path, file::OpenMode::kRead);
  if (!file) return file.error();
  open_ = std::make_shared<LogSegment>(LogPosition{segment.start}, segment_size_, std::move(*file));
  return open_;
}

Status LogReader::read(LogPosition position, std::span<std::byte> to) {
  while (!to.empty()) {
    const auto* const segment = find(position);
    if (segment == nullptr) return error(Errc::kNotFound, position.value);
    const auto opened = open(*segment);
    if (!opened) return opened.error();
    const auto part = to.first(static_cast<std::size_t>(
        std::min<std::int64_t>(static_cast<std::int64_t>(to.size()), readable_end(*segment) - position)));
    if (const auto status = (*opened)->file().read(position.value - segment->start, part); !status) return status;
    position += static_cast<std::int64_t>(part.size());
    to = to.subspan(part.size());
  }
  return {};
}

Result<std::vector<std::byte>> LogReader::readable_record(const FoundFile& segment, LogPosition start) {
  const auto readable = readable_end(segment) - start;
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::int64_t>(readable, message::kRecordSizeMinV1)));
  if (const auto status = read(start, bytes); !status) return status.error();
  const auto front = message::peek_record(bytes);
  if (!front || front->magic == message::kMagicBlank || front->total_size <= static_cast<std::int64_t>(bytes.size())) {
    return bytes;
  }
  bytes.resize(static_cast<std::size_t>(std::min<std::int64_t>(readable, front->total_size)));
  if (const auto status = read(start, bytes); !status) return status.error();
  return bytes;
}

Result<Held> LogReader::held_at(LogPosition start, message::BodyCheck check) {
  const auto* const segment = find(start);
  if (segment == nullptr) return error(Errc::kNotFound, start.value);
  const auto bytes = readable_record(*segment, start);
  if (!bytes) return bytes.error();
  const std::int64_t left = segment->start + segment_size_ - start.value;
  Held held;
  held.start = start;
  held.size = left;
  held.file = segment->path;
  held.at = start.value - segment->start;
  const auto record = message::parse_record(*bytes, check);
  if (record && record->is_blank() && record->total_size == left) {
    held.kind = Held::Kind::kBlank;
  } else if (record && !record->is_blank() && record->physical_offset == start.value &&
             record->total_size <= left - message::kBlankSizeMin) {
    held.kind = Held::Kind::kRecord;
    held.size = record->total_size;
    held.bytes.assign(reinterpret_cast<const char*>(bytes->data()), static_cast<std::size_t>(record->total_size));
  } else if (is_zero(*bytes)) {
    held.kind = Held::Kind::kZeros;
  } else {
    held.kind = Held::Kind::kDamaged;
    held.problem = record_problem(*bytes, start, left).text;
  }
  return held;
}

Result<RecordProblem> LogReader::problem_at(LogPosition start) {
  const auto* const segment = find(start);
  if (segment == nullptr) return RecordProblem{0, 0, "the file ends here"};
  const auto bytes = readable_record(*segment, start);
  if (!bytes) return bytes.error();
  return record_problem(*bytes, start, segment->start + segment_size_ - start.value);
}

}  // namespace tern::store
