#include "store/inspect/queue_reader.hpp"

#include <algorithm>

namespace tern::store {
namespace {

constexpr std::int64_t kEntriesRead = 128;

}  // namespace

Result<std::optional<QueueEntry>> QueueReader::at(std::int64_t number) {
  const auto buffered = static_cast<std::int64_t>(bytes_.size()) / layout_.size;
  if (number < bytes_from_ || number >= bytes_from_ + buffered) {
    const std::int64_t from = number * layout_.size;
    const auto found = std::find_if(queue_.files.begin(), queue_.files.end(), [&](const auto& file) {
      return from >= file.start && from + layout_.size <= file.start + std::min(file.size, file_size_);
    });
    bytes_.clear();
    bytes_from_ = number;
    if (found == queue_.files.end()) return std::optional<QueueEntry>();
    const auto file = disk_.open(found->path, file::OpenMode::kRead);
    if (!file) {
      if (file.error().code == std::errc::no_such_file_or_directory) return std::optional<QueueEntry>();
      return file.error();
    }
    const auto left = (found->start + std::min(found->size, file_size_) - from) / layout_.size;
    bytes_.resize(static_cast<std::size_t>(std::min(left, kEntriesRead) * layout_.size));
    if (const auto status = (*file)->read(from - found->start, bytes_); !status) {
      bytes_.clear();
      return status.error();
    }
  }
  return std::optional(layout_.load(bytes_.data() + (number - bytes_from_) * layout_.size));
}

Place QueueReader::place_of(std::int64_t number) const {
  const std::int64_t from = number * layout_.size;
  const std::int64_t start = from / file_size_ * file_size_;
  const auto& any = queue_.files.front().path;
  return {file::join(any.substr(0, any.rfind('/')), segment_name({start})), from - start};
}

Result<std::int64_t> QueueReader::find_end() {
  std::int64_t low = queue_.files.back().start / layout_.size;
  std::int64_t high = end();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto entry = at(middle);
    if (!entry) return entry.error();
    if (*entry && is_valid(**entry))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Result<std::int64_t> QueueReader::find_first(LogPosition min, std::int64_t end) {
  std::int64_t low = begin();
  std::int64_t high = end;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto entry = at(middle);
    if (!entry) return entry.error();
    if (!*entry || is_prefill(**entry) || (*entry)->position < min)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Result<std::int64_t> QueueReader::find_offset(QueueOffset offset, std::int64_t end) {
  if (queue_.kind == QueueKind::kSimple) return std::clamp(offset.value, begin(), std::max(begin(), end));
  std::int64_t low = begin();
  std::int64_t high = end;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto entry = at(middle);
    if (!entry) return entry.error();
    if (!*entry || (*entry)->base + (*entry)->count <= offset.value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace tern::store
