#include "broker/pull/message_reader.hpp"

#include <algorithm>
#include <array>

namespace tern::broker {
namespace {

constexpr std::size_t kEntriesAtOnce = 64;
constexpr std::int64_t kScanBytesMin = 16'000;  // of queue entries, while filtering (maxFilterMessageSize)

// Appends one record to `to`, from the hot tail if it stands there.
Status append_record(const store::Store& store, const store::QueueEntry& entry, bool no_wait, std::string& to) {
  const auto& log = store.log();
  const auto size = static_cast<std::size_t>(entry.size);
  if (const auto pinned = log.hot(entry.position, entry.size)) {
    to.append(reinterpret_cast<const char*>(pinned->bytes.data()), size);
    return {};
  }
  const std::size_t at = to.size();
  to.resize(at + size);
  const auto bytes = std::as_writable_bytes(std::span(to)).subspan(at, size);
  const auto status = no_wait ? log.read_no_wait(entry.position, bytes) : log.read(entry.position, bytes);
  if (!status) to.resize(at);
  return status;
}

}  // namespace

std::string_view to_text(ReadStatus status) {
  switch (status) {
    case ReadStatus::kFound:
      return "FOUND";
    case ReadStatus::kNoMatchedMessage:
      return "NO_MATCHED_MESSAGE";
    case ReadStatus::kMessageWasRemoving:
      return "MESSAGE_WAS_REMOVING";
    case ReadStatus::kNoMessageInQueue:
      return "NO_MESSAGE_IN_QUEUE";
    case ReadStatus::kOffsetTooSmall:
      return "OFFSET_TOO_SMALL";
    case ReadStatus::kOffsetOverflowOne:
      return "OFFSET_OVERFLOW_ONE";
    case ReadStatus::kOffsetOverflowBadly:
      return "OFFSET_OVERFLOW_BADLY";
    case ReadStatus::kOffsetFoundNull:
      return "OFFSET_FOUND_NULL";
    case ReadStatus::kOffsetReset:
      return "OFFSET_RESET";
    case ReadStatus::kWouldBlock:
      return "WOULD_BLOCK";
  }
  return "UNKNOWN";
}

ReadResult read_messages(const store::Store& store, const store::Queue& queue, std::int64_t offset,
                         const ReadLimits& limits, const Subscription* filter, bool no_wait) {
  ReadResult result;
  result.bounds = queue.bounds();
  const std::int64_t min = result.bounds.min.value;
  const std::int64_t max = result.bounds.max.value;
  const auto stop = [&](ReadStatus status, std::int64_t next) {
    result.status = status;
    result.next_offset = next;
    return result;
  };
  if (max == 0) return stop(ReadStatus::kNoMessageInQueue, 0);
  if (offset < min) return stop(ReadStatus::kOffsetTooSmall, min);
  if (offset == max) return stop(ReadStatus::kOffsetOverflowOne, offset);
  if (offset > max) return stop(ReadStatus::kOffsetOverflowBadly, max);

  const int count_max = std::max(limits.count_max, 1);
  const std::int64_t scan_max =
      std::max(kScanBytesMin, std::int64_t{count_max} * store::kQueueEntrySize) / store::kQueueEntrySize;
  const std::int64_t scan_end = std::min(max, offset + scan_max);
  const auto log_min = store.min_position();
  std::array<store::QueueEntry, kEntriesAtOnce> entries;
  bool removed = false;
  while (offset < scan_end && result.count < count_max) {
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(kEntriesAtOnce, scan_end - offset));
    const auto got = queue.read({offset}, std::span(entries).first(want), no_wait);
    if (!got && got.error().code == store::Errc::kWouldBlock) {
      if (result.count > 0) break;
      return stop(ReadStatus::kWouldBlock, offset);
    }
    if (!got || *got == 0) {
      if (result.count > 0) break;
      return stop(ReadStatus::kOffsetFoundNull, offset);
    }
    for (std::size_t i = 0; i < *got && result.count < count_max; ++i, ++offset) {
      const auto& entry = entries[i];
      if (filter != nullptr && !store::is_ext_address(entry.tags_code) && !filter->matches(entry.tags_code)) continue;
      if (entry.position < log_min) {
        removed = true;
        continue;
      }
      if (result.count > 0 && static_cast<std::int64_t>(result.messages.size()) + entry.size > limits.bytes_max) {
        return stop(ReadStatus::kFound, offset);
      }
      if (result.count == 0) {
        const std::int64_t likely = std::min<std::int64_t>(
            limits.bytes_max, std::int64_t{entry.size} * std::min<std::int64_t>(count_max, max - offset));
        result.messages.reserve(static_cast<std::size_t>(std::max<std::int64_t>(likely, entry.size)));
      }
      const auto status = append_record(store, entry, no_wait, result.messages);
      if (!status) {
        if (result.count > 0) return stop(ReadStatus::kFound, offset);
        if (status.error().code == store::Errc::kWouldBlock) return stop(ReadStatus::kWouldBlock, offset);
        removed = true;  // it left the log between the two looks
        continue;
      }
      ++result.count;
    }
  }
  if (result.count > 0) return stop(ReadStatus::kFound, offset);
  return stop(removed ? ReadStatus::kMessageWasRemoving : ReadStatus::kNoMatchedMessage, offset);
}

}  // namespace tern::broker
