#include "store/stored_queue.hpp"

#include <algorithm>

namespace tern::store {

Result<std::size_t> StoredQueue::read(QueueOffset from, std::span<QueueEntry> to, bool no_wait) const {
  const auto& layout = shared_->layout;
  for (;;) {
    const auto [min, max] = bounds();
    if (to.empty() || from < min || from >= max || is_deleted()) return std::size_t{0};
    std::int64_t count = std::min(static_cast<std::int64_t>(to.size()), max - from);
    std::uint64_t serial = 0;
    {
      const MutexLock hold(lock_);
      const std::int64_t memory_begin = tail_.begin(max_.load(std::memory_order_relaxed));
      if (from.value >= memory_begin) {
        QueueEntry* entry = to.data();
        tail_.for_each(shared_->pool, from.value, count, [&](std::span<const std::byte> bytes) {
          for (std::size_t i = 0; i < bytes.size(); i += static_cast<std::size_t>(layout.size)) {
            *entry++ = layout.load(bytes.data() + i);
          }
        });
        return static_cast<std::size_t>(count);
      }
      count = std::min(count, memory_begin - from.value);
      serial = serial_;
    }
    count = std::min(count, shared_->files.left_in_file(from.value));
    // The bytes go to the end of `to`: decoding forward from there never overtakes itself, an entry in memory being
    // longer.
    static_assert(sizeof(QueueEntry) >= kEntrySizeMax);
    const auto entries = to.first(static_cast<std::size_t>(count));
    const auto bytes = std::as_writable_bytes(entries).last(static_cast<std::size_t>(count * layout.size));
    const auto status = shared_->files.read({*topic_, id_, serial}, from.value, bytes, no_wait);
    if (!status) {
      if (is_deleted() || from.value < min_.load(std::memory_order_acquire)) continue;  // removed meanwhile
      return status.error();
    }
    std::size_t whole = 0;  // what stands before damage can be given
    for (; whole < entries.size(); ++whole) {
      const QueueEntry entry = layout.load(bytes.data() + static_cast<std::int64_t>(whole) * layout.size);
      if (!is_valid(entry)) break;
      entries[whole] = entry;
    }
    if (whole == 0) return error(Errc::kDamaged, from.value);
    return look_up_tags(entries.first(whole), serial, no_wait);
  }
}

Result<std::size_t> StoredQueue::look_up_tags(std::span<QueueEntry> entries, std::uint64_t serial, bool no_wait) const {
  const auto is_address = [](const QueueEntry& entry) { return is_ext_address(entry.tags_code); };
  auto entry = std::find_if(entries.begin(), entries.end(), is_address);
  if (!shared_->ext || entry == entries.end()) return entries.size();
  ExtReader reader(*shared_->ext, {*topic_, id_, serial}, no_wait);
  for (; entry != entries.end(); ++entry) {
    if (!is_address(*entry)) continue;
    const auto code = reader.tags_code(entry->tags_code);
    if (code) {
      entry->tags_code = *code;
    } else if (code.error().code == Errc::kWouldBlock) {
      if (entry == entries.begin()) return code.error();
      return static_cast<std::size_t>(entry - entries.begin());
    }
  }
  return entries.size();
}

}  // namespace tern::store
