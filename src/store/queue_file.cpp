#include "store/queue_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "tern/base/check.hpp"

#include "store/durable_directory.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kNameDigits = 20;
constexpr std::int64_t kScanEntries = 3276;  // 64 KiB
constexpr std::size_t kFilesScanned = 3;     // where Apache's recovery begins: the third-last file

std::optional<std::int64_t> parse_start(std::string_view name) {
  if (name.size() != kNameDigits) return std::nullopt;
  std::int64_t start = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), start);
  if (failure != std::errc{} || end != name.data() + name.size() || start < 0) return std::nullopt;
  return start;
}

}  // namespace

bool is_safe_topic(std::string_view topic) {
  return !topic.empty() && topic.size() <= 255 && topic != "." && topic != ".." &&
         topic.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

std::optional<std::int32_t> parse_queue_id(std::string_view name) {
  std::int32_t id = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (failure != std::errc{} || end != name.data() + name.size() || id < 0 || std::to_string(id) != name) {
    return std::nullopt;
  }
  return id;
}

QueueFiles::QueueFiles(file::Disk& disk, std::string directory, std::int64_t file_size_bytes,
                       std::size_t open_files_max, const EntryLayout& layout)
    : QueueFileSet(disk, std::move(directory), file_size_bytes, open_files_max), layout_(layout) {
  TERN_CHECK(file_size_bytes_ > 0 && file_size_bytes_ % layout_.size == 0, "{}", file_size_bytes_);
}

std::string QueueFileSet::path_of(const QueueName& name, std::int64_t start) const {
  return fmt::format("{}/{}/{}/{:020}", directory_, name.topic, name.id, start);
}

// Sizes that only a crash of ours leaves behind: a new file before it has its size, and one between the two halves of
// cut(). No configuration makes a file of them, for those are multiples of an entry.
bool QueueFiles::is_unfinished(std::int64_t size) const {
  return store::is_unfinished(size, file_size_bytes_, layout_);
}

Result<std::vector<QueueFileSet::Listed>> QueueFileSet::list(const QueueName& name) {
  std::vector<Listed> files;
  auto entries = disk_.list(directory_of(name.topic, name.id));
  if (!entries) {
    if (is_missing(entries.error())) return files;
    return entries.error();
  }
  for (auto& entry : *entries) {
    if (entry.is_directory) continue;
    if (const auto start = parse_start(entry.name)) files.push_back({*start, entry.size, std::move(entry.name)});
  }
  return files;  // equal lengths: the order of names is that of numbers
}

Result<std::shared_ptr<file::File>> QueueFiles::open_existing(const QueueName& name, std::int64_t start) {
  const FileCache::Key key{name.serial, start};
  if (auto cached = cache_.find(key)) return cached;
  auto opened = disk_.open(path_of(name, start), file::OpenMode::kReadWrite);
  if (!opened) return opened.error();
  const auto size = (*opened)->size();
  if (!size) return size.error();
  if (*size != file_size_bytes_) {
    if (!is_unfinished(*size)) return error(Errc::kWrongSegmentSize, *size);
    if (const auto status = (*opened)->resize(file_size_bytes_); !status) return status.error();
  }
  return cache_.insert(key, std::move(*opened));
}

Result<std::shared_ptr<file::File>> QueueFiles::create(const QueueName& name, std::int64_t start,
                                                       std::int64_t prefill_bytes) {
  if (const auto status = disk_.make_directories(directory_of(name.topic, name.id)); !status) return status.error();
  auto opened = disk_.open(path_of(name, start), file::OpenMode::kCreate);
  if (!opened) return opened.error();
  if (const auto status = (*opened)->resize(file_size_bytes_); !status) return status.error();
  // Apache's readers find a queue's first record behind entries of this kind, never behind zeros.
  std::vector<std::byte> prefill;
  for (std::int64_t at = 0; at < prefill_bytes;) {
    const std::int64_t size = std::min(prefill_bytes - at, kScanEntries * layout_.size);
    if (prefill.empty()) {
      prefill.resize(static_cast<std::size_t>(size));
      for (std::size_t i = 0; i < prefill.size(); i += static_cast<std::size_t>(layout_.size)) {
        layout_.store(prefill.data() + i, {{0}, kPrefillSize, 0});
      }
    }
    const auto part = std::span(prefill).first(static_cast<std::size_t>(size));
    if (const auto status = (*opened)->write(at, part); !status) return status.error();
    at += size;
  }
  return cache_.insert({name.serial, start}, std::move(*opened));
}

Status QueueFiles::read(const QueueName& name, std::int64_t from, std::span<std::byte> to, bool no_wait) {
  const std::int64_t start = start_of(from);
  auto file = cache_.find({name.serial, start});
  if (!file) {
    if (no_wait) return error(Errc::kWouldBlock, from);  // even opening asks the disk
    auto opened = open_existing(name, start);
    if (!opened) return opened.error();
    file = std::move(*opened);
  }
  const std::int64_t at = from * layout_.size - start;
  const auto status = no_wait ? file->read_no_wait(at, to) : file->read(at, to);
  if (status) return {};
  if (status.error().code == file::Errc::kWouldBlock) return error(Errc::kWouldBlock, from);
  if (status.error().code == file::Errc::kShortRead) return error(Errc::kDamaged, from);
  return status.error();
}

Result<QueueFiles::Touched> QueueFiles::write(const QueueName& name, std::int64_t from,
                                              std::span<const std::byte> entries) {
  TERN_CHECK(static_cast<std::int64_t>(entries.size()) <= left_in_file(from) * layout_.size, "{} bytes at entry {}",
             entries.size(), from);
  const std::int64_t start = start_of(from);
  const std::int64_t at = from * layout_.size - start;
  Touched touched{nullptr, start, false};
  auto file = open_existing(name, start);
  if (!file && is_missing(file.error())) {
    file = create(name, start, at);
    touched.needs_directory_sync = true;
  }
  if (!file) return file.error();
  touched.file = std::move(*file);
  if (const auto status = touched.file->write(at, entries); !status) return status.error();
  return touched;
}

Status QueueFileSet::remove_file(const QueueName& name, const Listed& listed) {
  cache_.erase({name.serial, listed.start});
  return disk_.remove(file::join(directory_of(name.topic, name.id), listed.name));
}

Result<std::optional<QueueFiles::Touched>> QueueFiles::cut(const QueueName& name, std::int64_t end) {
  std::optional<Touched> touched;
  const auto files = list(name);
  if (!files) return files.error();
  const std::int64_t start = start_of(end);
  const std::int64_t at = end * layout_.size - start;
  // From the last one backwards: at every moment the files that are left follow each other.
  for (auto listed = files->rbegin(); listed != files->rend() && listed->start + file_size_bytes_ > start + at;
       ++listed) {
    if (listed->start > start || (listed->start == start && at == 0)) {
      if (const auto status = remove_file(name, *listed); !status) return status.error();
      continue;
    }
    if (listed->start != start) continue;
    auto file = open_existing(name, start);
    if (!file) return file.error();
    // Making it shorter and longer again frees what stood there, however much that was. In between its size is one that
    // names this very state (is_unfinished), and the one entry it keeps a byte of is zero before.
    static constexpr std::array<std::byte, kEntrySizeMax> kNoEntry{};
    const auto nothing = std::span(kNoEntry).first(static_cast<std::size_t>(layout_.size));
    if (const auto status = (*file)->write(at, nothing); !status) return status.error();
    auto status = (*file)->resize(at + 1);
    if (status) status = (*file)->resize(file_size_bytes_);
    if (!status) {
      cache_.erase({name.serial, start});  // whoever opens it gives it its size first
      return status.error();
    }
    touched = Touched{std::move(*file), start, false};
  }
  return touched;
}

Result<bool> QueueFiles::holds(const QueueName& name, std::int64_t offset) {
  std::array<std::byte, kEntrySizeMax> room{};
  const auto bytes = std::span(room).first(static_cast<std::size_t>(layout_.size));
  const auto status = read(name, offset, bytes, false);
  if (!status) {
    if (is_missing(status.error())) return false;
    return status.error();
  }
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte != std::byte{0}; });
}

Status QueueFileSet::remove_below(const QueueName& name, std::int64_t start) {
  const auto files = list(name);
  if (!files) return files.error();
  for (const auto& listed : *files) {
    if (listed.start + file_size_bytes_ > start) break;
    if (const auto status = remove_file(name, listed); !status) return status;
  }
  return {};
}

Status QueueFileSet::remove_all(const QueueName& name) {
  const auto files = list(name);
  if (!files) return files.error();
  for (auto listed = files->rbegin(); listed != files->rend(); ++listed) {
    if (const auto status = remove_file(name, *listed); !status) return status;
  }
  return {};
}

Status QueueFileSet::remove_topic(std::string_view topic) {
  if (!is_safe_topic(topic)) return {};
  const auto entries = disk_.list(directory_of(topic));
  if (!entries) return is_missing(entries.error()) ? Status() : entries.error();
  for (const auto& entry : *entries) {
    const auto id = parse_queue_id(entry.name);
    if (!entry.is_directory || !id) continue;
    if (const auto status = remove_all({topic, *id, 0}); !status) return status;
    if (const auto status = disk_.remove_directory(directory_of(topic, *id)); !status) {
      if (status.error().code != std::errc::directory_not_empty) return status;
    }
  }
  if (const auto status = disk_.remove_directory(directory_of(topic)); !status) {
    if (status.error().code != std::errc::directory_not_empty) return status;
  }
  return disk_.sync_directory(directory_);
}

Status UnsyncedFiles::sync(file::Disk& disk) {
  for (const auto& file : files_) {
    if (const auto status = file->sync(); !status) return status;
  }
  for (const auto& path : directories_) {
    if (const auto status = disk.sync_directory(path); !status) return status;
  }
  files_.clear();
  directories_.clear();
  return {};
}

Status QueueFileSet::sync_directories(const QueueName& name) {
  UnsyncedFiles none;
  if (const auto status = add_directories(name, none); !status) return status;
  return none.sync(disk_);
}

Status QueueFileSet::add_directories(const QueueName& name, UnsyncedFiles& to) {
  if (!is_directory_durable_) {
    if (const auto status = make_durable_directory(disk_, directory_); !status) return status;
    is_directory_durable_ = true;
  }
  to.add_directory(directory_of(name.topic, name.id));
  to.add_directory(directory_of(name.topic));
  to.add_directory(directory_);
  return {};
}

Status QueueFiles::write_again(const QueueName& name, std::int64_t end, UnsyncedFiles& to) {
  const auto files = list(name);
  if (!files) return files.error();
  std::vector<std::byte> bytes;
  for (const auto& listed : *files) {
    const auto file = open_existing(name, listed.start);
    if (!file) return file.error();
    const auto used = std::min(file_size_bytes_, end * layout_.size - listed.start);
    for (std::int64_t at = 0; at < used; at += static_cast<std::int64_t>(bytes.size())) {
      bytes.resize(static_cast<std::size_t>(std::min(used - at, kScanEntries * layout_.size)));
      if (const auto status = (*file)->read(at, bytes); !status) return status;
      const bool is_hole = std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
      if (is_hole) continue;
      if (const auto status = (*file)->write(at, bytes); !status) return status;
    }
    to.add(*file);
    if (!to.is_full()) continue;
    if (const auto status = to.sync(disk_); !status) return status;
  }
  return add_directories(name, to);
}

Result<std::optional<QueueFiles::Extent>> QueueFiles::find_extent(const QueueName& name, std::string& problem) {
  auto files = list(name);
  if (!files) return files.error();
  if (!files->empty() && files->back().size == 0) {
    if (const auto status = remove_file(name, files->back()); !status) return status.error();
    files->pop_back();
  }
  if (files->empty()) return std::optional<Extent>();
  for (const auto& listed : *files) {
    if (listed.size == file_size_bytes_ && listed.start % file_size_bytes_ == 0) continue;
    if (listed.start % file_size_bytes_ == 0 && is_unfinished(listed.size)) continue;
    const auto path = file::join(directory_of(name.topic, name.id), listed.name);
    problem = listed.size == file_size_bytes_
                  ? fmt::format("{}: its name is no multiple of {}, {}", path, layout_.size_setting, file_size_bytes_)
                  : fmt::format("{}: it has {} bytes, but {} is {}", path, listed.size, layout_.size_setting,
                                file_size_bytes_);
    return error(Errc::kWrongSegmentSize, listed.size);
  }
  // A power cut has taken the size of a file, and with it its entries, but not the files behind it.
  for (std::size_t i = files->size() - 1; i-- > 0;) {
    if (!is_unfinished((*files)[i].size)) continue;
    if (const auto status = remove_file(name, (*files)[i]); !status) return status.error();
    files->erase(files->begin() + static_cast<std::ptrdiff_t>(i));
  }
  // Only files that follow each other up to the last one belong together.
  std::size_t first = files->size() - 1;
  while (first > 0 && (*files)[first - 1].start + file_size_bytes_ == (*files)[first].start) --first;

  Extent extent;
  extent.min = (*files)[first].start / layout_.size;
  const std::size_t scan_from = std::max(first, files->size() - std::min(kFilesScanned, files->size()));
  extent.max = (*files)[scan_from].start / layout_.size;
  std::vector<std::byte> bytes(kScanEntries * layout_.size);
  const std::int64_t end = ((*files).back().start + file_size_bytes_) / layout_.size;
  // The last entry before the scanned files, should the scan find none.
  if (extent.max > extent.min) {
    const auto one = std::span(bytes).first(static_cast<std::size_t>(layout_.size));
    if (const auto status = read(name, extent.max - 1, one, false); !status) return status.error();
    if (const auto entry = layout_.load(one.data()); is_valid(entry)) extent.end = end_of(entry);
  }
  while (extent.max < end) {
    const std::int64_t count = std::min(kScanEntries, left_in_file(extent.max));
    const auto part = std::span(bytes).first(static_cast<std::size_t>(count * layout_.size));
    if (const auto status = read(name, extent.max, part, false); !status) return status.error();
    for (std::int64_t i = 0; i < count; ++i, ++extent.max) {
      const QueueEntry entry = layout_.load(part.data() + i * layout_.size);
      if (!is_valid(entry)) return std::optional(extent);
      extent.end = end_of(entry);
    }
  }
  return std::optional(extent);
}

}  // namespace tern::store
