#include "store/entry_layout.hpp"

#include "tern/base/byte_order.hpp"

namespace tern::store {
namespace {

// Of batch entries, behind what both kinds begin with.
constexpr int kStoreTime = 20, kBase = 28, kCount = 36, kCompacted = 38, kReserved = 42;
static_assert(kReserved + 4 == kBatchEntrySize);
constexpr std::int32_t kNotCompacted = -1;

}  // namespace

const EntryLayout kSimpleLayout{kQueueEntrySize, &store_entry, &load_entry, "mappedFileSizeConsumeQueue"};
const EntryLayout kBatchLayout{kBatchEntrySize, &store_batch_entry, &load_batch_entry,
                               "mapperFileSizeBatchConsumeQueue"};

void store_entry(std::byte* to, const QueueEntry& entry) {
  store_be(to, entry.position.value);
  store_be(to + 8, entry.size);
  store_be(to + 12, entry.tags_code);
}

QueueEntry load_entry(const std::byte* from) {
  return {{load_be<std::int64_t>(from)}, load_be<std::int32_t>(from + 8), load_be<std::int64_t>(from + 12)};
}

void store_batch_entry(std::byte* to, const QueueEntry& entry) {
  store_entry(to, entry);
  store_be(to + kStoreTime, entry.store_timestamp);
  store_be(to + kBase, entry.base);
  store_be(to + kCount, static_cast<std::int16_t>(entry.count));
  store_be(to + kCompacted, kNotCompacted);
  store_be(to + kReserved, std::int32_t{0});
}

QueueEntry load_batch_entry(const std::byte* from) {
  auto entry = load_entry(from);
  entry.store_timestamp = load_be<std::int64_t>(from + kStoreTime);
  entry.base = load_be<std::int64_t>(from + kBase);
  entry.count = load_be<std::int16_t>(from + kCount);
  return entry;
}

}  // namespace tern::store
