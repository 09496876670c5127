#include "store/log_segment.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"

namespace tern::store {
namespace {

std::string parent_of(const std::string& directory) {
  const auto slash = directory.find_last_of('/', directory.find_last_not_of('/'));
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}

}  // namespace

std::string segment_name(LogPosition start) {
  return fmt::format("{:020}", start.value);
}

std::optional<LogPosition> parse_segment_name(std::string_view name) {
  LogPosition start;
  if (name.size() != kSegmentNameSize || name.find_first_not_of("0123456789") != std::string_view::npos) return {};
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), start.value);
  if (parsed.ec != std::errc()) return {};
  return start;
}

SegmentList::SegmentList(file::Disk& disk, std::string directory, std::int64_t segment_size)
    : disk_(disk), directory_(std::move(directory)), segment_size_(segment_size) {
  // The blank record's size field is an i32.
  TERN_CHECK(segment_size_ >= 16 && segment_size_ <= 0x7FFF'FFFF, "segment size {}", segment_size_);
}

std::string SegmentList::path_of(LogPosition start) const {
  return file::join(directory_, segment_name(start));
}

Status SegmentList::load(std::string& problem) {
  const auto exists = disk_.exists(directory_);
  if (!exists) return exists.error();
  if (!*exists) {
    if (auto made = disk_.make_directories(directory_); !made) return made;
  }
  // Also if it exists: a process that was killed may have made it, or a segment in it, and not have come to this.
  if (auto synced = disk_.sync_directory(parent_of(directory_)); !synced) return synced;
  if (auto synced = disk_.sync_directory(directory_); !synced) return synced;
  auto listed = disk_.list(directory_);
  if (!listed) return listed.error();
  auto& files = *listed;
  std::erase_if(files, [](const auto& entry) { return entry.is_directory; });  // Apache's brokers step over them too

  // A crash while it was made, or between the two halves of a cut at its begin. One that stands alone says where the
  // log goes on: those in front of it have expired.
  if (files.size() > 1 && files.back().size == 0 && parse_segment_name(files.back().name)) {
    if (auto removed = disk_.remove(file::join(directory_, files.back().name)); !removed) return removed;
    files.pop_back();
  }
  std::deque<Entry> entries;
  std::optional<LogPosition> expected;
  for (const auto& entry : files) {
    const auto path = file::join(directory_, entry.name);
    const auto start = parse_segment_name(entry.name);
    if (!start || start->value > INT64_MAX - segment_size_) {
      problem = fmt::format("{} is no segment of the log; nothing else may stand in this directory", path);
      return error(Errc::kForeign);
    }
    const bool is_last = &entry == &files.back();
    if (entry.size > segment_size_ || (entry.size < segment_size_ && !is_last)) {
      problem = fmt::format("{} has {} bytes, but mappedFileSizeCommitLog says {}", path, entry.size, segment_size_);
      return error(Errc::kWrongSegmentSize, entry.size);
    }
    if (expected && *start != *expected) {
      const auto removed = remove_if_unused(std::span(files).subspan(static_cast<std::size_t>(&entry - files.data())));
      if (!removed) return removed.error();
      if (*removed) break;
      problem = fmt::format("{} is missing: the next segment is {}", path_of(*expected), path);
      return error(Errc::kForeign, expected->value);
    }
    auto file = disk_.open(path, file::OpenMode::kReadWrite);
    if (!file) {
      problem = fmt::format("{}: {}", path, file.error().text());
      return file.error();
    }
    if (entry.size < segment_size_) short_end_ = *start + entry.size;
    entries.push_back({std::make_shared<LogSegment>(*start, segment_size_, std::move(*file)), nullptr});
    expected = *start + segment_size_;
  }
  const MutexLock lock(mutex_);
  entries_ = std::move(entries);
  if (!entries_.empty()) base_ = entries_.front().segment->start();
  end_ = expected.value_or(LogPosition{0});
  return {};
}

// Behind a gap there may stand what had been prepared for later: the segments in front of it were removed while they
// were in use, and then nothing more was written.
Result<bool> SegmentList::remove_if_unused(std::span<const file::DirectoryEntry> files) {
  for (const auto& entry : files) {
    std::array<std::byte, 8> front{};
    auto file = disk_.open(file::join(directory_, entry.name), file::OpenMode::kRead);
    if (!file) return file.error();
    if (const auto read = (*file)->read(0, front); !read) return read.error();
    if (std::any_of(front.begin(), front.end(), [](std::byte byte) { return byte != std::byte{0}; })) return false;
  }
  for (auto entry = files.rbegin(); entry != files.rend(); ++entry) {
    log_warning("{} was never written to and stands behind a gap: it is removed", file::join(directory_, entry->name));
    if (const auto removed = disk_.remove(file::join(directory_, entry->name)); !removed) return removed.error();
  }
  if (const auto synced = disk_.sync_directory(directory_); !synced) return synced.error();
  return true;
}

LogPosition SegmentList::min_position() const {
  const MutexLock lock(mutex_);
  return entries_.empty() ? end_ : entries_.front().segment->start();
}

LogPosition SegmentList::end() const {
  const MutexLock lock(mutex_);
  return end_;
}

LogPosition SegmentList::start_of(LogPosition position) const {
  auto into = (position - base_) % segment_size_;
  if (into < 0) into += segment_size_;
  return position - into;
}

const SegmentList::Entry* SegmentList::find_entry(LogPosition position) const {
  if (entries_.empty() || position >= end_) return nullptr;
  const auto behind_first = position - entries_.front().segment->start();
  if (behind_first < 0) return nullptr;
  return &entries_[static_cast<std::size_t>(behind_first / segment_size_)];
}

SegmentPtr SegmentList::find(LogPosition position) const {
  const MutexLock lock(mutex_);
  const auto* const entry = find_entry(position);
  return entry ? entry->segment : nullptr;
}

WindowPtr SegmentList::find_window(LogPosition position) const {
  const MutexLock lock(mutex_);
  const auto* const entry = find_entry(position);
  return entry ? entry->window : nullptr;
}

std::vector<SegmentPtr> SegmentList::all() const {
  return overlapping({0}, {INT64_MAX});
}

std::vector<SegmentPtr> SegmentList::overlapping(LogPosition from, LogPosition to) const {
  std::vector<SegmentPtr> found;
  const MutexLock lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry.segment->start() < to && entry.segment->end() > from) found.push_back(entry.segment);
  }
  return found;
}

Result<SegmentPtr> SegmentList::add() {
  const auto start = end();
  const auto path = path_of(start);
  // Not kCreateNew: an earlier attempt may have left the file; nothing in it counts.
  auto file = disk_.open(path, file::OpenMode::kCreate);
  if (!file) return file.error();
  const auto left = (*file)->size();
  if (!left) return left.error();
  if (*left != 0) {
    if (auto emptied = (*file)->resize(0); !emptied) return emptied.error();
  }
  if (auto sized = (*file)->resize(segment_size_); !sized) return sized.error();
  // The size before the name, and both before the next segment: after a crash only the last file can be short.
  if (auto synced = (*file)->sync(); !synced) return synced.error();
  if (auto synced = disk_.sync_directory(directory_); !synced) return synced.error();

  auto segment = std::make_shared<LogSegment>(start, segment_size_, std::move(*file));
  const MutexLock lock(mutex_);
  entries_.push_back({segment, nullptr});
  end_ += segment_size_;
  return segment;
}

Status SegmentList::remove_first() {
  const auto start = min_position();
  if (auto removed = disk_.remove(path_of(start)); !removed) return removed;
  Entry first;  // closed and unmapped after the lock has been released
  {
    const MutexLock lock(mutex_);
    first = std::move(entries_.front());
    entries_.pop_front();
  }
  return disk_.sync_directory(directory_);
}

Status SegmentList::remove_last() {
  const auto start = end() - segment_size_;
  // Somebody else may have done it: see CommitLog::Impl::check_named().
  if (auto removed = disk_.remove(path_of(start));
      !removed && removed.error().code != std::errc::no_such_file_or_directory) {
    return removed;
  }
  Entry last;
  {
    const MutexLock lock(mutex_);
    last = std::move(entries_.back());
    entries_.pop_back();
    end_ = start;
  }
  return disk_.sync_directory(directory_);
}

Result<WindowPtr> SegmentList::map(const LogSegment& segment) {
  auto mapped = segment.file().map(0, segment_size_, file::WindowUse::kAppend);
  if (!mapped) return mapped.error();
  const WindowPtr window = std::move(*mapped);
  const MutexLock lock(mutex_);
  for (auto& entry : entries_) {
    if (entry.segment.get() == &segment) entry.window = window;
  }
  return window;
}

std::vector<WindowPtr> SegmentList::take_windows_below(LogPosition end) {
  std::vector<WindowPtr> taken;
  const MutexLock lock(mutex_);
  for (auto& entry : entries_) {
    if (entry.segment->end() > end) break;
    if (entry.window) taken.push_back(std::move(entry.window));
  }
  return taken;
}

}  // namespace tern::store
