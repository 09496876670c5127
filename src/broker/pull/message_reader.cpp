#include "broker/pull/message_reader.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "tern/base/clock.hpp"
#include "tern/base/log.hpp"
#include "tern/message/record.hpp"

namespace tern::broker {
namespace {

constexpr std::size_t kEntriesAtOnce = 64;

/// What a filter by properties has cost one read so far. Behind its bounds, which are some milliseconds, nothing more
/// is looked at.
class FilterWork {
 public:
  explicit FilterWork(const PropertyFilter* filter) : filter_(filter) {}
  [[nodiscard]] bool filters() const { return filter_ != nullptr; }
  [[nodiscard]] bool is_used_up() const { return cost_ >= kCostMax || read_bytes_ >= kReadBytesMax; }
  void count_read(std::int64_t bytes) { read_bytes_ += bytes; }
  /// A record that cannot be read passes: its reader will see what is wrong with it.
  bool lets_pass(std::span<const std::byte> record) {
    if (!filters()) return true;
    const auto view = message::parse_record(record, message::BodyCheck::kSkip);
    if (!view) return true;
    cost_ += filter_->cost(view->properties.size());
    return filter_->matches(view->properties);
  }

 private:
  static constexpr std::int64_t kCostMax = 64 << 20;
  static constexpr std::int64_t kReadBytesMax = 4 << 20;  // of records that are not in the hot tail
  const PropertyFilter* filter_;
  std::int64_t cost_ = 0;
  std::int64_t read_bytes_ = 0;
};

/// One entry, of which `store.check_place` says that its record is there.
struct Found {
  const store::Queue& queue;
  std::int64_t offset;
  const store::QueueEntry& entry;
};

// Appends the record to `to`, from the hot tail if it stands there. False: the filter does not let it through.
Result<bool> append_record(const store::Store& store, const Found& found, bool no_wait, FilterWork& work,
                           std::string& to) {
  const auto& log = store.log();
  const auto& entry = found.entry;
  const auto size = static_cast<std::size_t>(entry.size);
  const auto check = [&](std::span<const std::byte> bytes) {
    return store::Store::check_front(found.queue, {found.offset}, entry, bytes);
  };
  if (const auto pinned = log.hot(entry.position, entry.size)) {
    if (const auto status = check(pinned->bytes); !status) return status.error();
    if (!work.lets_pass(pinned->bytes)) return false;
    to.append(reinterpret_cast<const char*>(pinned->bytes.data()), size);
    return true;
  }
  const std::size_t at = to.size();
  to.resize(at + size);
  const auto bytes = std::as_writable_bytes(std::span(to)).subspan(at, size);
  auto status = no_wait ? log.read_no_wait(entry.position, bytes) : log.read(entry.position, bytes);
  if (status) status = check(bytes);
  work.count_read(entry.size);
  const bool passes = status && work.lets_pass(bytes);
  if (!passes) to.resize(at);
  if (!status) return status.error();
  return passes;
}

// Whoever asks again must not have passed what is there and cannot be read now.
void log_unreadable(const store::Queue& queue, std::int64_t offset, const Error& why) {
  static LogRateLimit lines;
  const auto times = lines.admit(SystemClock());
  if (times == 0) return;
  log_error(
      "queue {}#{}: the message at offset {} cannot be read: {} ({} times); ternctl store verify says what is wrong "
      "with "
      "the files, and repair lets the next start make those of queues anew from the log",
      queue.topic(), queue.id(), offset, why.text(), times);
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
                         const ReadLimits& limits, const MessageFilter& filter, bool no_wait) {
  ReadResult result;
  result.bounds = queue.bounds();
  const std::int64_t min = result.bounds.min.value;
  const std::int64_t max = result.bounds.max.value;
  const auto stop = [&](ReadStatus status, std::int64_t next) {
    result.status = status;
    result.next_offset = next;
    return std::move(result);  // with the messages, which nobody copies
  };
  if (max == 0) return stop(ReadStatus::kNoMessageInQueue, 0);
  if (offset < min) return stop(ReadStatus::kOffsetTooSmall, min);
  if (offset == max) return stop(ReadStatus::kOffsetOverflowOne, offset);
  if (offset > max) return stop(ReadStatus::kOffsetOverflowBadly, max);

  const int count_max = std::max(limits.count_max, 1);
  const std::int64_t scan_max =
      std::max(limits.scan_bytes_max, std::int64_t{count_max} * store::kQueueEntrySize) / store::kQueueEntrySize;
  const std::int64_t scan_end = std::min(max, offset + scan_max);
  const auto log_min = store.min_position();
  std::array<store::QueueEntry, kEntriesAtOnce> entries;
  FilterWork work(filter.properties);
  bool removed = false;
  // In a batch queue an entry is a record with several messages, which the client gets whole.
  while (offset < scan_end && result.count < count_max && !work.is_used_up()) {
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(kEntriesAtOnce, scan_end - offset));
    const auto got = queue.read({offset}, std::span(entries).first(want), no_wait);
    if (!got && got.error().code == store::Errc::kWouldBlock) {
      if (result.count > 0) break;
      return stop(ReadStatus::kWouldBlock, offset);
    }
    if (!got || *got == 0) {
      if (result.count > 0) break;
      if (!got) log_unreadable(queue, offset, got.error());
      return stop(ReadStatus::kOffsetFoundNull, offset);
    }
    for (std::size_t i = 0; i < *got && offset < scan_end && result.count < count_max && !work.is_used_up();
         offset += entries[i++].count) {
      const auto& entry = entries[i];
      if (result.count > 0 && result.count + entry.count > count_max) return stop(ReadStatus::kFound, offset);
      if (filter.tags != nullptr && !store::is_ext_address(entry.tags_code) && !filter.tags->matches(entry.tags_code))
        continue;
      // What a look at the entry, or the read, says if it is not that the record is there.
      const auto fail = [&](const Error& why) -> std::optional<ReadResult> {
        if (why.code == store::Errc::kNotFound) {
          removed = true;
          return std::nullopt;
        }
        if (result.count > 0) return stop(ReadStatus::kFound, offset);
        if (why.code == store::Errc::kWouldBlock) return stop(ReadStatus::kWouldBlock, offset);
        log_unreadable(queue, offset, why);
        return stop(ReadStatus::kOffsetFoundNull, offset);
      };
      if (const auto there = store.check_place(queue, {offset}, entry, log_min, no_wait); !there) {
        if (auto failed = fail(there.error())) return std::move(*failed);
        continue;
      }
      if (result.count > 0 && static_cast<std::int64_t>(result.messages.size()) + entry.size > limits.bytes_max) {
        return stop(ReadStatus::kFound, offset);
      }
      if (result.count == 0 && !work.filters()) {
        const std::int64_t likely = std::min<std::int64_t>(
            limits.bytes_max, std::int64_t{entry.size} * std::min<std::int64_t>(count_max, max - offset));
        result.messages.reserve(static_cast<std::size_t>(std::max<std::int64_t>(likely, entry.size)));
      }
      const auto appended = append_record(store, {queue, offset, entry}, no_wait, work, result.messages);
      if (!appended) {
        if (auto failed = fail(appended.error())) return std::move(*failed);
        continue;
      }
      if (*appended) result.count += entry.count;
    }
  }
  if (result.count > 0) return stop(ReadStatus::kFound, offset);
  return stop(removed ? ReadStatus::kMessageWasRemoving : ReadStatus::kNoMatchedMessage, offset);
}

}  // namespace tern::broker
