#include "store/batch_queue.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace tern::store {
namespace {

constexpr std::int32_t kCountMax = std::numeric_limits<std::int16_t>::max();

std::int64_t end_of_offsets(const QueueEntry& entry) {
  return entry.base + entry.count;
}

}  // namespace

Status BatchQueue::append(QueueOffset offset, const QueueEntry& entry) {
  const MutexLock hold(lock_);
  const std::int64_t max = max_.load(std::memory_order_relaxed);
  const std::int64_t end = entries_->positions().end.value;
  // As in a simple queue: what is here already is ignored, a lower offset further behind in the log is another life.
  const bool begins_anew = offset.value < max && end >= 0;
  if ((end >= 0 ? entry.position.value < end : offset.value < max) || is_deleted()) return {};
  if (entry.count <= 0 || entry.count > kCountMax || offset.value < 0) return error(Errc::kDamaged, offset.value);
  const bool is_empty = range_.begin == range_.end;
  if (offset.value > max && !is_empty) return error(Errc::kDamaged, offset.value);
  const std::int64_t number = begins_anew ? 0 : range_.end;
  auto placed = entry;
  placed.base = offset.value;
  if (const auto status = entries_->append({number}, placed); !status) return status;
  if (begins_anew) ++life_;
  range_.end = number + 1;
  if (is_empty || begins_anew) {
    range_.begin = number;
    min_.store(offset.value, std::memory_order_release);
  }
  max_.store(end_of_offsets(placed), std::memory_order_release);
  return {};
}

Result<QueueEntry> BatchQueue::entry_at(std::int64_t number, bool no_wait) const {
  std::array<QueueEntry, 1> entry;
  const auto count = entries_->read({number}, entry, no_wait);
  if (!count) return count.error();
  if (*count == 0) return error(Errc::kNotFound, number);
  return entry[0];
}

Result<BatchQueue::Found> BatchQueue::find(QueueOffset offset, bool no_wait) const {
  for (;;) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::uint64_t life = 0;
    {
      const MutexLock hold(lock_);
      const auto [min, max] = bounds();
      if (offset < min || offset >= max || is_deleted()) return error(Errc::kNotFound, offset.value);
      // Each entry stands for one offset at least: it cannot be further from either end than that.
      low = std::max(range_.begin, range_.end - (max - offset));
      high = std::min(range_.end - 1, range_.begin + (offset - min));
      life = life_;
    }
    // The last entry that begins at or before the offset.
    Found found{low, {}};
    bool has_entry = false;
    Error failure;
    while (low <= high) {
      const std::int64_t middle = low + (high - low) / 2;
      const auto entry = entry_at(middle, no_wait);
      if (!entry) {
        if (entry.error().code != Errc::kNotFound) return entry.error();
        low = middle + 1;  // retention has just taken it
        continue;
      }
      if (entry->base <= offset.value) {
        found = {middle, *entry};
        has_entry = true;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    if (has_entry && offset.value < end_of_offsets(found.entry)) return found;
    const MutexLock hold(lock_);
    if (life != life_) continue;
    return error(has_entry ? Errc::kDamaged : Errc::kNotFound, offset.value);
  }
}

Result<std::size_t> BatchQueue::read(QueueOffset from, std::span<QueueEntry> to, bool no_wait) const {
  if (to.empty()) return std::size_t{0};
  const auto found = find(from, no_wait);
  if (!found) {
    if (found.error().code == Errc::kNotFound) return std::size_t{0};
    return found.error();
  }
  const auto count = entries_->read({found->number}, to, no_wait);
  if (!count || *count == 0) return count;
  auto& first = to.front();
  if (first.base != found->entry.base) return std::size_t{0};  // it has begun anew between the two looks
  const auto skipped = static_cast<std::int32_t>(from.value - first.base);
  first.base += skipped;
  first.count -= skipped;
  std::size_t whole = 1;
  while (whole < *count && to[whole].base == end_of_offsets(to[whole - 1])) ++whole;
  return whole;
}

Result<QueueOffset> BatchQueue::begin_of(QueueOffset offset) const {
  const auto found = find(offset, false);
  if (!found) return found.error();
  return QueueOffset{found->entry.base};
}

Result<std::optional<EntryRange>> BatchQueue::entries_of(QueueBounds bounds) const {
  EntryRange range;
  QueueBounds now;
  {
    const MutexLock hold(lock_);
    range = range_;
    now = this->bounds();
  }
  // Only dispatch runs beside the caller: it adds at the end, or begins anew.
  if (bounds.min != now.min || bounds.max > now.max) return error(Errc::kNotFound, bounds.max.value);
  if (bounds.max == now.max) return std::optional(range);
  if (bounds.max == bounds.min) return std::optional(EntryRange{range.begin, range.begin});
  const auto next = find(bounds.max, false);
  if (!next) return next.error();
  if (next->entry.base != bounds.max.value) return error(Errc::kNotFound, bounds.max.value);
  return std::optional(EntryRange{range.begin, next->number});
}

void BatchQueue::place(QueueBounds bounds, const EntryRange& entries) {
  const MutexLock hold(lock_);
  ++life_;
  range_ = entries;
  max_.store(bounds.max.value, std::memory_order_release);
  min_.store(bounds.min.value, std::memory_order_release);
}

Status BatchQueue::place_by_entries() {
  const auto [begin, end] = entries_->bounds();
  if (begin == end) {
    place({}, {begin.value, end.value});
    return {};
  }
  const auto first = entry_at(begin.value, false);
  if (!first) return first.error();
  const auto last = entry_at(end.value - 1, false);
  if (!last) return last.error();
  if (last->base - first->base < (end - begin) - 1) return error(Errc::kDamaged, last->base);
  place({{first->base}, {end_of_offsets(*last)}}, {begin.value, end.value});
  return {};
}

Status BatchQueue::follow_cut() {
  const auto [begin, end] = entries_->bounds();
  std::int64_t max = min_.load(std::memory_order_relaxed);
  if (begin < end) {
    const auto last = entry_at(end.value - 1, false);
    if (!last) return last.error();
    max = std::max(max, end_of_offsets(*last));  // below: it is damaged, and whoever reads it is told
  }
  const MutexLock hold(lock_);
  if (range_.end == end.value) return {};
  range_ = {begin.value, end.value};
  max_.store(max, std::memory_order_release);
  return {};
}

Status BatchQueue::follow_retention() {
  for (;;) {
    std::uint64_t life = 0;
    std::int64_t begin = 0;
    {
      const MutexLock hold(lock_);
      begin = entries_->bounds().min.value;
      if (begin == range_.begin) return {};
      if (begin == range_.end) {
        range_.begin = begin;
        min_.store(max_.load(std::memory_order_relaxed), std::memory_order_release);
        return {};
      }
      life = life_;
    }
    const auto first = entry_at(begin, false);
    if (!first) return first.error();
    const MutexLock hold(lock_);
    if (life != life_) continue;
    range_.begin = begin;
    // Outside of the bounds: it is damaged, and whoever reads it is told.
    const auto base =
        std::clamp(first->base, min_.load(std::memory_order_relaxed), max_.load(std::memory_order_relaxed));
    min_.store(base, std::memory_order_release);
    return {};
  }
}

}  // namespace tern::store
