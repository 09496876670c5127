// Reading by position, by time and by key: everything that is not the pull path.
#include <array>

#include "tern/base/byte_order.hpp"
#include "tern/base/log.hpp"
#include "tern/message/record_layout.hpp"
#include "tern/message/topic_name.hpp"
#include "tern/store/store.hpp"

#include "store/entry_layout.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kStoreTimestampEnd = 12 + message::offset_of::kBornHost + 8 + 12;  // with an IPv6 born host
static_assert(kStoreTimestampEnd <= message::kRecordSizeMinV1, "it is inside of every record");

}  // namespace

Result<std::string> Store::record_at(LogPosition position) const {
  std::array<std::byte, 8> front_bytes{};
  if (position < min_position() || max_position() - position < 8) return error(Errc::kNotFound, position.value);
  if (const auto status = log_->read(position, front_bytes); !status) return status.error();
  const auto front = message::peek_record(front_bytes);
  // A client names any position it likes: the size that stands there is believed only as far as the segment reaches.
  if (!front || front->magic == message::kMagicBlank || front->total_size < message::kRecordSizeMinV1 ||
      position + front->total_size > std::min(log_->next_segment(position), max_position())) {
    return error(Errc::kNotFound, position.value);
  }
  std::string record(static_cast<std::size_t>(front->total_size), '\0');
  if (const auto status = log_->read(position, std::as_writable_bytes(std::span(record))); !status)
    return status.error();
  const auto view = message::parse_record(std::as_bytes(std::span(record)), message::BodyCheck::kSkip);
  if (!view || view->physical_offset != position.value) return error(Errc::kNotFound, position.value);
  return record;
}

Status Store::check_place(const Queue& queue, QueueOffset offset, const QueueEntry& entry, LogPosition log_min,
                          bool no_wait) const {
  const Error gone = error(Errc::kNotFound, entry.position.value);
  const Error damaged = error(Errc::kDamaged, entry.position.value);
  if (is_prefill(entry)) return gone;
  if (entry.position >= log_min) {
    const auto published = log_->watermarks().published();
    if (entry.position >= published || entry.size < message::kRecordSizeMinV1) return damaged;
    return entry.size <= std::min(log_->next_segment(entry.position), published) - entry.position ? Status() : damaged;
  }
  // Records leave the log in order, and entries their queue behind them: where the record of the entry before is still
  // in the log, this one has not left it.
  if (offset <= queue.bounds().min) return gone;
  std::array<QueueEntry, 1> before;
  const auto got = queue.read({offset.value - 1}, before, no_wait);
  if (!got && got.error().code != Errc::kDamaged) return got.error();
  return got && *got == 1 && before[0].position >= log_min && !is_prefill(before[0]) ? damaged : gone;
}

Status Store::check_front(const Queue& queue, QueueOffset offset, const QueueEntry& entry,
                          std::span<const std::byte> bytes) {
  const auto front = message::peek_record(bytes);
  if (front && front->magic != message::kMagicBlank && front->total_size == entry.size) {
    const auto position = load_be<std::int64_t>(bytes.data() + message::offset_of::kPhysicalOffset);
    const auto queue_offset = load_be<std::int64_t>(bytes.data() + message::offset_of::kQueueOffset);
    // A batch may be met from its middle, and a light queue's entries name records of other topics.
    const bool counts_alike = queue.kind() == QueueKind::kSimple && !message::is_light(queue.topic());
    if (position == entry.position.value && (!counts_alike || queue_offset == offset.value)) return {};
  }
  return error(Errc::kDamaged, entry.position.value);
}

Result<std::string> Store::record_of(const Queue& queue, QueueOffset offset, const QueueEntry& entry) const {
  if (const auto status = check_place(queue, offset, entry, min_position(), false); !status) return status.error();
  std::string record(static_cast<std::size_t>(entry.size), '\0');
  const auto bytes = std::as_writable_bytes(std::span(record));
  if (const auto status = log_->read(entry.position, bytes); !status) return status.error();
  if (const auto status = check_front(queue, offset, entry, bytes); !status) return status.error();
  if (const auto view = message::parse_record(bytes, message::BodyCheck::kSkip); !view) {
    // Nothing makes it whole again, and what stands behind it must not wait for that.
    log_error("{}#{}: the message at offset {} is damaged in the log, at position {}, and is passed over: {}",
              queue.topic(), queue.id(), offset, entry.position, view.error().text());
    return error(Errc::kNotFound, entry.position.value);
  }
  return record;
}

Result<std::int64_t> Store::store_time(const Queue& queue, QueueOffset offset) const {
  std::array<QueueEntry, 1> entry;
  const auto count = queue.read(offset, entry, false);
  if (!count) return count.error();
  if (*count == 0) return error(Errc::kNotFound, offset.value);
  if (entry[0].size < message::kRecordSizeMinV1) return error(Errc::kNotFound, offset.value);
  return stored_at(entry[0].position);
}

Result<std::int64_t> Store::earliest_store_time() const {
  const LogPosition oldest = min_position();
  if (oldest >= max_position()) return error(Errc::kNotFound, oldest.value);
  return stored_at(oldest);
}

Result<std::int64_t> Store::stored_at(LogPosition position) const {
  std::array<std::byte, kStoreTimestampEnd> head{};
  if (const auto status = log_->read(position, head); !status) return status.error();
  const auto sys_flag = load_be<std::int32_t>(head.data() + message::offset_of::kSysFlag);
  const int born_size = (sys_flag & message::kSysBornHostV6) != 0 ? 20 : 8;
  return load_be<std::int64_t>(head.data() + message::offset_of::kBornHost + born_size);
}

Result<QueueOffset> Store::offset_by_time(const Queue& queue, std::int64_t timestamp_ms, TimeBoundary boundary) const {
  const auto [min, max] = queue.bounds();
  if (min >= max) return min;
  // First offset whose store time is at or after the time (kLower), or after it (kUpper).
  std::int64_t low = min.value;
  std::int64_t high = max.value;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto time = store_time(queue, {middle});
    if (!time) return time.error();
    const bool is_before = boundary == TimeBoundary::kLower ? *time < timestamp_ms : *time <= timestamp_ms;
    if (is_before)
      low = middle + 1;
    else
      high = middle;
  }
  // In a batch queue, offsets are those of whole records, and behind the last time there is the last one: Apache's
  // answers.
  const bool is_behind_last = low == max.value && queue.kind() == QueueKind::kBatch;
  if (boundary == TimeBoundary::kUpper || is_behind_last) low = std::max(min.value, low - 1);
  return low < max.value ? queue.begin_of({low}) : QueueOffset{low};
}

Result<KeyIndex::Found> Store::query(std::string_view topic, std::string_view key, int count_max, std::int64_t begin_ms,
                                     std::int64_t end_ms) {
  return index_->query(topic, key, count_max, begin_ms, end_ms);
}

}  // namespace tern::store
