#include "store/index_file.hpp"

#include <algorithm>
#include <array>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/base/log.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kSectorSize = 512;
constexpr std::int64_t kNextEntryAt = 36;  // in the header
constexpr std::int64_t kAllocationStep = 4 << 20;
constexpr int kLinksMax = 1'000'000;  // about a second: a tag that every message has makes one chain of a whole file
constexpr std::int64_t kTimeMax = std::int64_t{1} << 60;  // sums with it do not overflow
constexpr std::int64_t kSecondsMax = 0x7FFF'FFFF;
constexpr std::size_t kScanBytes = 20 * 13'107;  // whole entries, and whole slots

bool is_time(std::int64_t timestamp) {
  return timestamp >= 0 && timestamp <= kTimeMax;
}

bool is_nothing(const IndexEntry& entry) {
  return entry.hash == 0 && entry.position == 0 && entry.seconds == 0 && entry.previous == 0;
}

bool spans_sectors(std::int64_t entry_at) {
  return entry_at / kSectorSize != (entry_at + IndexShape::kEntrySize - 1) / kSectorSize;
}

}  // namespace

void store_index_header(std::byte* to, const IndexHeader& header) {
  store_be(to, header.begin_timestamp);
  store_be(to + 8, header.end_timestamp);
  store_be(to + 16, header.begin_position);
  store_be(to + 24, header.end_position);
  store_be(to + 32, header.used_slots);
  store_be(to + kNextEntryAt, header.next_entry);
}

IndexHeader load_index_header(const std::byte* from) {
  return {load_be<std::int64_t>(from),      load_be<std::int64_t>(from + 8),
          load_be<std::int64_t>(from + 16), load_be<std::int64_t>(from + 24),
          load_be<std::int32_t>(from + 32), load_be<std::int32_t>(from + kNextEntryAt)};
}

void store_index_entry(std::byte* to, const IndexEntry& entry) {
  store_be(to, entry.hash);
  store_be(to + 4, entry.position);
  store_be(to + 12, entry.seconds);
  store_be(to + 16, entry.previous);
}

IndexEntry load_index_entry(const std::byte* from) {
  return {load_be<std::int32_t>(from), load_be<std::int64_t>(from + 4), load_be<std::int32_t>(from + 12),
          load_be<std::int32_t>(from + 16)};
}

std::int64_t index_entry_time(const IndexHeader& header, std::int32_t number, const IndexEntry& entry) {
  // The file begins with its first entry, whatever that counts from.
  return header.begin_timestamp + (number > 1 ? entry.seconds * std::int64_t{1000} : 0);
}

Result<std::shared_ptr<IndexFile>> IndexFile::open(file::Disk& disk, const std::string& path, const IndexShape& shape) {
  auto file = disk.open(path, file::OpenMode::kReadWrite);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size != shape.file_size()) return error(Errc::kWrongSegmentSize, *size);
  std::array<std::byte, IndexShape::kHeaderSize> bytes{};
  if (const auto status = (*file)->read(0, bytes); !status) return status.error();
  IndexHeader header = load_index_header(bytes.data());
  if (header.next_entry <= 0) header.next_entry = 1;  // created, and nothing stored before the crash
  const bool is_damaged = header.next_entry > shape.entries_max || header.used_slots < 0 || header.begin_position < 0 ||
                          header.end_position < 0 || !is_time(header.begin_timestamp) || !is_time(header.end_timestamp);
  return std::shared_ptr<IndexFile>(new IndexFile(std::move(*file), shape, header, is_damaged));
}

Result<std::shared_ptr<IndexFile>> IndexFile::create(file::Disk& disk, const std::string& path, const IndexShape& shape,
                                                     const IndexHeader& previous) {
  auto file = disk.open(path, file::OpenMode::kCreateNew);
  if (!file) return file.error();
  const IndexHeader header{
      previous.end_timestamp, previous.end_timestamp, previous.end_position, previous.end_position, 0, 1};
  auto made = std::shared_ptr<IndexFile>(new IndexFile(std::move(*file), shape, header, false));
  auto status = made->file_->resize(shape.file_size());
  if (status) status = made->prepare();
  if (!status) {
    // Without its slots it is of no use, and it would stand in the way of the next attempt's name.
    static_cast<void>(disk.remove(path));
    return status.error();
  }
  made->store_header(header);
  return made;
}

Status IndexFile::prepare() {
  if (window_) return {};
  if (const auto status = file_->allocate(0, shape_.entry_at(0)); !status) return status;
  auto window = file_->map(0, shape_.file_size(), file::WindowUse::kRandom);
  if (!window) return window.error();
  allocated_to_ = shape_.entry_at(0);
  window_ = std::move(*window);
  return {};
}

void IndexFile::store_slot(std::int64_t slot, std::int32_t entry) {
  const std::int64_t position = shape_.slot_at(slot);
  auto& value = *reinterpret_cast<std::int32_t*>(at(position));  // aligned: the window begins with the file
  // Release: after the entry. Its partner is the read of the file by whoever queries.
  std::atomic_ref<std::int32_t>(value).store(swap_to_big_endian(entry), std::memory_order_release);
  window_->commit(static_cast<std::size_t>(position), IndexShape::kSlotSize);
}

void IndexFile::store_header(const IndexHeader& header) {
  store_index_header(at(0), header);
  window_->commit(0, IndexShape::kHeaderSize);
  const MutexLock hold(lock_);
  header_ = header;
}

Status IndexFile::add(const IndexKey& key) {
  const std::int64_t timestamp = std::clamp<std::int64_t>(key.store_timestamp, 0, kTimeMax);
  IndexHeader next = header();
  const std::int32_t number = next.next_entry;
  TERN_CHECK(window_ != nullptr && number >= 1 && number < shape_.entries_max, "entry {} of {}", number,
             shape_.entries_max);
  // Only we write here; but Apache's broker, started on this directory by mistake, enters what it finds at the end of
  // the log before it asks for the lock. Our entries take the place of its own, and what it linked would lead astray.
  if (const auto counted = load_be<std::int32_t>(at(kNextEntryAt)); std::max(1, counted) != number) {
    log_warning("{}: somebody else has written to it (entry {} instead of {}); its chains are linked anew", path(),
                counted, number);
    if (const auto status = forget_from(number); !status) return status;
    allocated_to_ = std::min(allocated_to_, shape_.entry_at(number));  // what it stored is cleared
    next = header();
  }
  const std::int64_t position = shape_.entry_at(number);
  while (position + IndexShape::kEntrySize > allocated_to_) {
    // Never a store into what is not allocated: on a full disk that would end the process.
    const std::int64_t from = std::max(allocated_to_, shape_.entry_at(number));
    const std::int64_t size = std::min(kAllocationStep, shape_.file_size() - from);
    if (const auto status = file_->allocate(from, size); !status) return status;
    if (const auto status = clear(from, size); !status) return status;
    allocated_to_ = from + size;
  }
  const std::int64_t slot = key.hash % shape_.slots;
  std::int32_t previous = load_be<std::int32_t>(at(shape_.slot_at(slot)));
  if (previous <= 0 || previous >= number) previous = 0;
  std::int64_t seconds = 0;
  if (number > 1 && next.begin_timestamp > 0) {  // a file begins with its first entry
    seconds = std::clamp<std::int64_t>((timestamp - next.begin_timestamp) / 1000, 0, kSecondsMax);
  }
  store_index_entry(at(position), {key.hash, key.position.value, static_cast<std::int32_t>(seconds), previous});
  window_->commit(static_cast<std::size_t>(position), IndexShape::kEntrySize);
  store_slot(slot, number);

  if (number <= 1) {
    next.begin_position = key.position.value;
    next.begin_timestamp = timestamp;
  }
  if (previous == 0) ++next.used_slots;
  ++next.next_entry;
  next.end_position = key.position.value;
  next.end_timestamp = timestamp;
  store_header(next);
  return {};
}

// What a life before has left behind the last entry that counts: a power cut could show it again in the place of an
// entry that it takes away.
Status IndexFile::clear(std::int64_t from, std::int64_t size) {
  std::vector<std::byte> bytes(kScanBytes);
  bool has_left_overs = false;
  for (const std::int64_t end = from + size; from < end;) {
    const auto part = std::span(bytes).first(static_cast<std::size_t>(std::min<std::int64_t>(kScanBytes, end - from)));
    if (const auto status = file_->read(from, part); !status) return status;
    if (std::any_of(part.begin(), part.end(), [](std::byte byte) { return byte != std::byte{0}; })) {
      std::fill(part.begin(), part.end(), std::byte{0});
      if (const auto status = file_->write(from, part); !status) return status;
      has_left_overs = true;
    }
    from += static_cast<std::int64_t>(part.size());
  }
  return has_left_overs ? sync() : Status();
}

Status IndexFile::sync() {
  return file_->sync();
}

Status IndexFile::find(std::int32_t hash, std::int64_t begin_ms, std::int64_t end_ms, std::size_t count_max,
                       std::vector<LogPosition>& to) const {
  const IndexHeader header = this->header();
  std::array<std::byte, IndexShape::kEntrySize> bytes{};
  const auto slot_bytes = std::span(bytes).first(IndexShape::kSlotSize);
  if (const auto status = file_->read(shape_.slot_at(hash % shape_.slots), slot_bytes); !status) return status;
  // Newer entries than the header counts may be linked already: their chains lead back to the counted ones.
  std::int32_t number = load_be<std::int32_t>(bytes.data());
  std::int64_t bound = shape_.entries_max;
  for (int links = 0; links < kLinksMax && number > 0 && number < bound && to.size() < count_max; ++links) {
    if (const auto status = file_->read(shape_.entry_at(number), bytes); !status) return status;
    const IndexEntry entry = load_index_entry(bytes.data());
    const std::int64_t time = index_entry_time(header, number, entry);
    if (entry.hash == hash && entry.position >= 0 && time + 999 >= begin_ms && time <= end_ms) {
      if (std::find(to.begin(), to.end(), LogPosition{entry.position}) == to.end()) to.push_back({entry.position});
    }
    if (time + 999 < begin_ms) break;
    bound = number;  // each link leads to an older entry, or the chain is damaged
    number = entry.previous;
  }
  return {};
}

// ---- after a power cut

Result<std::int32_t> IndexFile::first_unsynced(LogPosition synced_to) const {
  // Backwards, in chunks, for what is torn is among the last. Where a lost stretch ends, half an entry may look like an
  // old one: hence three in a row.
  constexpr int kRun = 3;
  std::vector<std::byte> bytes(kScanBytes);
  std::int32_t end = header().next_entry;
  std::int32_t candidate = 1;
  std::int64_t newer_position = 0;
  int run = 0;
  while (end > 1) {
    const std::int32_t from = std::max(1, end - static_cast<std::int32_t>(kScanBytes / IndexShape::kEntrySize));
    const auto part = std::span(bytes).first(static_cast<std::size_t>((end - from) * IndexShape::kEntrySize));
    if (const auto status = file_->read(shape_.entry_at(from), part); !status) return status.error();
    for (std::int32_t number = end; number-- > from;) {
      const IndexEntry entry = load_index_entry(part.data() + (number - from) * IndexShape::kEntrySize);
      const bool is_old = !is_nothing(entry) && entry.position < synced_to.value;
      if (!is_old || entry.position > newer_position) run = 0;
      if (!is_old) continue;
      if (run == 0) candidate = number + 1;
      newer_position = entry.position;
      if (++run == kRun) return candidate;
    }
    end = from;
  }
  return run > 0 ? candidate : 1;
}

Result<std::vector<std::int32_t>> IndexFile::slots() const {
  std::vector<std::int32_t> slots(static_cast<std::size_t>(shape_.slots));
  const auto bytes = std::as_writable_bytes(std::span(slots));
  if (const auto status = file_->read(shape_.slot_at(0), bytes); !status) return status.error();
  for (auto& slot : slots) slot = swap_to_big_endian(slot);
  return slots;
}

Result<bool> IndexFile::is_whole_from(std::int32_t first, std::span<const std::int32_t> slots) const {
  const std::int32_t end = header().next_entry;
  // No slot may name an entry that the header does not count.
  if (std::any_of(slots.begin(), slots.end(), [end](std::int32_t slot) { return slot >= end; })) return false;
  // Every entry is there, and its chain begins at it or later.
  std::vector<std::byte> bytes(kScanBytes);
  std::int64_t last_position = -1;
  for (std::int32_t from = first; from < end;) {
    const std::int32_t count = std::min(end - from, static_cast<std::int32_t>(kScanBytes / IndexShape::kEntrySize));
    const auto part = std::span(bytes).first(static_cast<std::size_t>(count * IndexShape::kEntrySize));
    if (const auto status = file_->read(shape_.entry_at(from), part); !status) return status.error();
    for (std::int32_t i = 0; i < count; ++i) {
      const IndexEntry entry = load_index_entry(part.data() + i * IndexShape::kEntrySize);
      if (is_nothing(entry) || entry.hash < 0 || entry.position < last_position || entry.previous < 0 ||
          entry.previous >= from + i) {
        return false;
      }
      // Half an entry: without its second half it is told by the nothing behind it, but for the last one, whose link
      // may be in a sector that is lost; without its first half it has no hash.
      if (spans_sectors(shape_.entry_at(from + i)) &&
          (entry.hash == 0 || (from + i + 1 == end && entry.previous == 0))) {
        return false;
      }
      last_position = entry.position;
      if (slots[static_cast<std::size_t>(entry.hash % shape_.slots)] < from + i) return false;
    }
    from += count;
  }
  return true;
}

// Entries before `end` and their links are as they were written and stay untouched: only slots that name later ones
// change, to the newest entry of theirs before `end`. So a crash in between leaves each slot either wrong as it was,
// which the next start sees again, or right.
Status IndexFile::forget_from(std::int32_t end) {
  if (const auto status = prepare(); !status) return status;
  auto heads = slots();
  if (!heads) return heads.error();
  std::vector<bool> is_wrong(heads->size());
  for (std::size_t slot = 0; slot < heads->size(); ++slot) {
    is_wrong[slot] = (*heads)[slot] < 0 || (*heads)[slot] >= end;
    if (is_wrong[slot]) (*heads)[slot] = 0;
  }
  IndexHeader next = header();
  IndexEntry last{0, next.begin_position, 0, 0};
  std::vector<std::byte> bytes(kScanBytes);
  for (std::int32_t from = 1; from < end;) {
    const std::int32_t count = std::min(end - from, static_cast<std::int32_t>(kScanBytes / IndexShape::kEntrySize));
    const auto part = std::span(bytes).first(static_cast<std::size_t>(count * IndexShape::kEntrySize));
    if (const auto status = file_->read(shape_.entry_at(from), part); !status) return status;
    for (std::int32_t i = 0; i < count; ++i) {
      last = load_index_entry(part.data() + i * IndexShape::kEntrySize);
      if (last.hash < 0) continue;
      const auto slot = static_cast<std::size_t>(last.hash % shape_.slots);
      if (is_wrong[slot]) (*heads)[slot] = from + i;
    }
    from += count;
  }
  next.used_slots = 0;
  for (std::size_t slot = 0; slot < heads->size(); ++slot) {
    if (is_wrong[slot]) store_slot(static_cast<std::int64_t>(slot), (*heads)[slot]);
    if ((*heads)[slot] != 0) ++next.used_slots;
  }
  next.next_entry = end;
  next.end_position = last.position;
  next.end_timestamp = index_entry_time(next, end - 1, last);
  store_header(next);
  return sync();
}

Result<bool> IndexFile::is_whole() const {
  const auto all = slots();
  if (!all) return all.error();
  return is_whole_from(1, *all);
}

Result<bool> IndexFile::repair(LogPosition synced_to) {
  if (is_damaged_) return false;
  const auto first = first_unsynced(synced_to);
  if (!first) return first.error();
  const auto all = slots();
  if (!all) return all.error();
  const auto is_whole = is_whole_from(*first, *all);
  if (!is_whole) return is_whole.error();
  if (*is_whole) return false;
  if (const auto status = forget_from(*first); !status) return status.error();
  return true;
}

// The newest first, so that each is the head of its chain when it is taken off.
Result<bool> IndexFile::truncate_to(LogPosition end) {
  if (const auto status = prepare(); !status) return status.error();
  IndexHeader next = header();
  const std::int64_t old_end_timestamp = next.end_timestamp;
  bool is_linked = true;
  while (next.next_entry > 1) {
    const std::int32_t number = next.next_entry - 1;
    const std::int64_t position = shape_.entry_at(number);
    const IndexEntry entry = load_index_entry(at(position));
    if (entry.position >= 0 && entry.position < end.value) {
      next.end_position = entry.position;
      next.end_timestamp = std::min(old_end_timestamp, index_entry_time(next, number, entry) + 999);
      break;
    }
    // A damaged one does not say whose chain it heads.
    is_linked = is_linked && entry.hash >= 0 && entry.previous >= 0 && entry.previous < number;
    if (is_linked) {
      if (entry.previous == 0 && next.used_slots > 0) --next.used_slots;
      store_slot(entry.hash % shape_.slots, entry.previous);
    }
    store_index_entry(at(position), {});
    window_->commit(static_cast<std::size_t>(position), IndexShape::kEntrySize);
    --next.next_entry;
  }
  if (!is_linked) {
    log_warning("{}: an entry behind the end of the log was damaged; its chains are linked anew", path());
    if (const auto status = forget_from(next.next_entry); !status) return status.error();
    next.used_slots = header().used_slots;
  }
  store_header(next);
  if (const auto status = sync(); !status) return status.error();
  return next.next_entry > 1;
}

}  // namespace tern::store
