#include "store/inspect/ext_units.hpp"

#include <algorithm>

#include "store/log_segment.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kReadBytes = 2560;

bool is_missing(const Error& error) {
  return error.code == std::errc::no_such_file_or_directory;
}

/// Empty if the directory is not there.
Result<std::vector<file::DirectoryEntry>> list_directory(file::Disk& disk, const std::string& directory) {
  auto listed = disk.list(directory);
  if (!listed && is_missing(listed.error())) return std::vector<file::DirectoryEntry>();
  return listed;
}

}  // namespace

Status ExtUnits::list() {
  const auto listed = list_directory(disk_, directory_);
  if (!listed) return listed.error();
  for (const auto& entry : *listed) {
    const auto start = parse_segment_name(entry.name);
    if (start && !entry.is_directory) files_.push_back({file::join(directory_, entry.name), start->value, entry.size});
  }
  is_listed_ = true;
  return {};
}

Result<std::span<const std::byte>> ExtUnits::read(const FoundFile& file, std::int64_t at, std::int64_t size) {
  const auto have = [&] {
    const bool is_here = path_ == file.path && at >= bytes_from_;
    const auto from = is_here ? std::min(bytes_.size(), static_cast<std::size_t>(at - bytes_from_)) : bytes_.size();
    return std::span<const std::byte>(bytes_).subspan(from);
  };
  size = std::min(size, file.size - at);
  if (static_cast<std::int64_t>(have().size()) >= size) return have();
  path_ = file.path;
  bytes_from_ = at;
  bytes_.clear();
  const auto opened = disk_.open(file.path, file::OpenMode::kRead);
  if (!opened) {
    if (is_missing(opened.error())) return have();
    return opened.error();
  }
  bytes_.resize(static_cast<std::size_t>(std::min(std::max(size, kReadBytes), file.size - at)));
  if (const auto status = (*opened)->read(at, bytes_); !status) {
    bytes_.clear();
    return status.error();
  }
  return have();
}

Result<ExtUnits::Found> ExtUnits::at(std::int64_t offset) {
  if (!is_listed_) {
    if (const auto status = list(); !status) return status.error();
  }
  const auto behind =
      std::find_if(files_.begin(), files_.end(), [offset](const auto& file) { return file.start > offset; });
  if (behind == files_.begin()) return Found{{directory_, -1}, std::nullopt, "there is no file for it"};
  const auto& file = *std::prev(behind);
  const Place place{file.path, offset - file.start};
  if (place.at >= file.size) return Found{{directory_, -1}, std::nullopt, "there is no file for it"};
  auto bytes = read(file, place.at, kExtUnitSizeMin);
  if (!bytes) return bytes.error();
  auto unit = parse_ext_unit(*bytes);
  if (!unit && unit.error().detail > static_cast<std::int64_t>(bytes->size())) {  // it has a bit map
    bytes = read(file, place.at, unit.error().detail);
    if (!bytes) return bytes.error();
    unit = parse_ext_unit(*bytes);
  }
  if (!unit) return Found{place, std::nullopt, "what stands there is none"};
  return Found{place, *unit, {}};
}

Status check_ext_files(file::Disk& disk, const std::string& directory, const std::function<void(Finding)>& report) {
  const auto topics = list_directory(disk, directory);
  if (!topics) return topics.error();
  std::vector<FoundFile> files;
  for (const auto& topic : *topics) {
    if (!topic.is_directory) continue;
    const auto topic_path = file::join(directory, topic.name);
    const auto queues = list_directory(disk, topic_path);
    if (!queues) return queues.error();
    for (const auto& queue : *queues) {
      if (!queue.is_directory) continue;
      const auto queue_path = file::join(topic_path, queue.name);
      const auto listed = list_directory(disk, queue_path);
      if (!listed) return listed.error();
      for (const auto& entry : *listed) {
        const auto path = file::join(queue_path, entry.name);
        const auto start = parse_segment_name(entry.name);
        if (entry.is_directory || !start) {
          report({false, path, -1, 0, {-1}, "is no extension file; nobody reads it"});
        } else if (entry.size == 0) {
          report({false, path, -1, 0, {-1}, "is empty: it was being created"});
        } else {
          files.push_back({path, start->value, entry.size});
        }
      }
    }
  }
  // What they have in common, a file that was cut short has not.
  std::int64_t size = 0;
  for (const auto& file : files) size = std::max(size, file.size);
  for (const auto& file : files) {
    if (file.size != size) {
      report({true, file.path, file.size, 0, {-1}, fmt::format("has {} bytes, but others have {}", file.size, size)});
    } else if (file.start % size != 0) {
      report({true,
              file.path,
              -1,
              0,
              {-1},
              fmt::format("its name is no multiple of {}, the size of an extension file", size)});
    }
  }
  return {};
}

}  // namespace tern::store
