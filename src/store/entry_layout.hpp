#pragma once
// How an entry of each kind of queue stands on the disk: docs/format/consume_queue.md, batch_consume_queue.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/store/types.hpp"

namespace tern::store {

/// One row for each kind. Files hold entries side by side; the n-th begins at byte n * size.
struct EntryLayout {
  std::int64_t size;
  void (*store)(std::byte* to, const QueueEntry& entry);
  QueueEntry (*load)(const std::byte* from);
  std::string_view size_setting;  // of a file
};
extern const EntryLayout kSimpleLayout;
extern const EntryLayout kBatchLayout;
inline constexpr std::int64_t kEntrySizeMax = kBatchEntrySize;

/// The files' size as it is used: whole entries.
[[nodiscard]] inline std::int64_t whole_entries(std::int64_t size_bytes, const EntryLayout& layout) {
  return (size_bytes + layout.size - 1) / layout.size * layout.size;
}

/// What a crash while a file got its size leaves: it is made whole, and holds nothing.
[[nodiscard]] inline bool is_unfinished(std::int64_t size, std::int64_t file_size_bytes, const EntryLayout& layout) {
  return size == 0 || (size < file_size_bytes && size % layout.size == 1);
}

inline constexpr std::int32_t kPrefillSize =
    0x7FFF'FFFF;  // with position 0 and tags 0: stands before a queue's first entry

void store_entry(std::byte* to, const QueueEntry& entry);          // 20 bytes
[[nodiscard]] QueueEntry load_entry(const std::byte* from);        // 20 bytes
void store_batch_entry(std::byte* to, const QueueEntry& entry);    // 46 bytes
[[nodiscard]] QueueEntry load_batch_entry(const std::byte* from);  // 46 bytes

/// What Apache's recovery takes for an entry; pre-filled ones are. No record ends behind the last position there can
/// be, and no offsets are counted behind the last one.
[[nodiscard]] inline bool is_valid(const QueueEntry& entry) {
  return entry.size > 0 && entry.position.value >= 0 && entry.position.value <= INT64_MAX - entry.size &&
         entry.count > 0 && entry.base >= 0 && entry.base <= INT64_MAX - entry.count;
}
/// Where the record of a valid entry ends.
[[nodiscard]] inline LogPosition end_of(const QueueEntry& entry) {
  return entry.size == kPrefillSize && entry.position.value == 0 ? LogPosition{0} : entry.position + entry.size;
}
[[nodiscard]] inline bool is_prefill(const QueueEntry& entry) {
  return entry.size == kPrefillSize && entry.position.value == 0;
}

}  // namespace tern::store
