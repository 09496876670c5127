#include "store/queue_scan.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tern/base/log.hpp"

namespace tern::store {
Status scan_queue_files(file::Disk& disk, QueueFiles& files, std::atomic<std::uint64_t>& next_serial, bool is_synced,
                        std::string* problem, const QueueFound& found) {
  UnsyncedFiles unsynced;
  const auto topics = disk.list(files.directory());
  if (!topics) return topics.error().code == std::errc::no_such_file_or_directory ? Status() : topics.error();
  for (const auto& topic : *topics) {
    if (!topic.is_directory || !is_safe_topic(topic.name)) continue;
    const auto ids = disk.list(files.directory_of(topic.name));
    if (!ids) return ids.error();
    for (const auto& entry : *ids) {
      const auto id = parse_queue_id(entry.name);
      if (!entry.is_directory || !id) continue;
      std::string text;
      // A serial of its own: the descriptors that this opens must not stay as those of the queue.
      const QueueName name{topic.name, *id, next_serial.fetch_add(1, std::memory_order_relaxed)};
      auto extent = files.find_extent(name, text);
      if (extent && *extent && !is_synced) {
        if (const auto status = files.write_again(name, (*extent)->max, unsynced); !status) extent = status.error();
      }
      files.forget(name);
      if (!extent) {
        if (text.empty()) {
          text = fmt::format("{}: {}", files.directory_of(topic.name, *id), extent.error().text());
        }
        log_error("{}", text);
        if (problem != nullptr) *problem = text;
        return extent.error();
      }
      if (!*extent) continue;
      found(topic.name, *id, **extent);
    }
  }
  return unsynced.sync(disk);
}

Result<QueueCut> find_cut(const Queue& queue, LogPosition end) {
  // Positions grow with offsets, so the entries to forget stand at the end.
  std::array<QueueEntry, 256> entries;
  const auto [min, max] = queue.bounds();
  std::int64_t keep = max.value;
  LogPosition new_end{-1};
  while (keep > min.value) {
    const std::int64_t from = std::max(min.value, keep - static_cast<std::int64_t>(entries.size()));
    std::int64_t have = from;
    while (have < keep) {
      const auto to = std::span(entries).subspan(static_cast<std::size_t>(have - from));
      const auto count = queue.read({have}, to.first(static_cast<std::size_t>(keep - have)), false);
      if (!count) return count.error();
      if (*count == 0) return error(Errc::kDamaged, have);
      have += static_cast<std::int64_t>(*count);
    }
    bool found = false;
    for (std::int64_t at = keep; at-- > from && !found;) {
      const QueueEntry& entry = entries[static_cast<std::size_t>(at - from)];
      found = end_of(entry) <= end;
      if (!found) continue;
      keep = at + 1;
      new_end = end_of(entry);
    }
    if (found) break;
    keep = from;
  }
  return QueueCut{{keep}, new_end};
}

Result<QueueBegin> find_begin(const Queue& queue, const QueueBounds& bounds, LogPosition begin) {
  const auto [min, max] = bounds;
  std::array<QueueEntry, 1> entry;
  Status failure;
  const auto is_before = [&](std::int64_t offset) {
    const auto count = queue.read({offset}, entry, false);
    // Removed with all its records, before a crash that came before the state was saved again.
    if (!count && count.error().code == std::errc::no_such_file_or_directory) return true;
    if (!count || *count == 0) {
      failure = count ? error(Errc::kDamaged, offset) : count.error();
      return false;
    }
    return is_prefill(entry[0]) || entry[0].position < begin;
  };
  std::int64_t low = min.value;
  std::int64_t high = max.value;
  const auto known_end = queue.positions().end;
  if (known_end.value >= 0 && known_end <= begin) {
    low = high;
  } else if (is_before(low)) {
    ++low;
    while (low < high && failure) {
      const std::int64_t middle = low + (high - low) / 2;
      if (is_before(middle))
        low = middle + 1;
      else
        high = middle;
    }
    if (failure && low < max.value) is_before(low);  // leaves it in `entry`
  }
  if (!failure) return failure.error();
  return QueueBegin{{low}, low < max.value ? entry[0].position : LogPosition{-1}};
}

// Whatever stands behind the last unit belongs to entries that were cut off.
Result<std::int64_t> find_ext_end(QueueFiles& files, QueueExtFiles& ext, const QueueName& name, std::int64_t min,
                                  std::int64_t from) {
  constexpr std::int64_t kEntriesAtOnce = 256;
  std::array<std::byte, kEntriesAtOnce * kQueueEntrySize> bytes;
  while (from > min) {
    // A stretch that ends at `from` and stands in one file.
    const std::int64_t file_begin = files.start_of(from - 1) / kQueueEntrySize;
    const std::int64_t begin = std::max({min, file_begin, from - kEntriesAtOnce});
    const auto part = std::span(bytes).first(static_cast<std::size_t>((from - begin) * kQueueEntrySize));
    if (const auto status = files.read(name, begin, part, false); !status) {
      if (status.error().code != std::errc::no_such_file_or_directory) return status.error();
      from = file_begin;  // what it held names no unit any more
      continue;
    }
    for (; from > begin; --from) {
      const auto entry = load_entry(part.data() + (from - 1 - begin) * kQueueEntrySize);
      if (is_ext_address(entry.tags_code)) return ext.end_of_unit(name, ext_offset(entry.tags_code));
    }
  }
  if (const auto status = ext.remove_all(name); !status) return status.error();
  return 0;
}

}  // namespace tern::store
