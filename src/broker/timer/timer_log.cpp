#include "broker/timer/timer_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/base/log.hpp"
#include "tern/store/types.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kBlankSize = 16;
constexpr std::int32_t kBlankMagic = static_cast<std::int32_t>(0xCBD43194);
constexpr std::size_t kNameSize = 20;
constexpr std::size_t kOpenFilesMax = 16;
constexpr std::size_t kZeroStep = 64 << 10;
constexpr std::int64_t kZerosMin = 16 << 20;  // more than one write, of which a crash may leave any part
using UnitBytes = std::array<std::byte, TimerUnit::kSize>;

void append_unit(std::string& to, const TimerUnit& unit) {
  append_be(to, static_cast<std::int32_t>(TimerUnit::kSize));
  append_be(to, unit.previous);
  append_be(to, unit.magic);
  append_be(to, unit.write_ms);
  append_be(to, unit.delay_ms);
  append_be(to, unit.position);
  append_be(to, unit.size);
  append_be(to, unit.topic_hash);
  append_be(to, std::int64_t{0});
}

Result<TimerUnit> parse_unit(const void* bytes, std::int64_t at) {
  const auto* const from = static_cast<const std::byte*>(bytes);
  TimerUnit unit;
  unit.previous = load_be<std::int64_t>(from + 4);
  unit.magic = load_be<std::int32_t>(from + 12);
  unit.write_ms = load_be<std::int64_t>(from + 16);
  unit.delay_ms = load_be<std::int32_t>(from + 24);
  unit.position = load_be<std::int64_t>(from + 28);
  unit.size = load_be<std::int32_t>(from + 36);
  unit.topic_hash = load_be<std::int32_t>(from + 40);
  constexpr std::int64_t kTimeMax = INT64_MAX / 2;
  const bool is_unit = load_be<std::int32_t>(from) == TimerUnit::kSize && (unit.magic | 0xF) == 0xF &&
                       unit.previous >= -1 && unit.previous < at && unit.write_ms >= 0 && unit.write_ms < kTimeMax &&
                       unit.position >= 0 && unit.size > 0;
  if (!is_unit) return store::error(store::Errc::kDamaged, at);
  return unit;
}

// Where the unit after `at` may stand: a file that has no room for one more ends with a blank.
std::int64_t room_at(std::int64_t at, std::int64_t file_size) {
  const std::int64_t left = file_size - at % file_size;
  return left < TimerUnit::kSize + kBlankSize ? at + left : at;
}

}  // namespace

TimerLog::TimerLog(file::Disk& disk, const std::string& root, std::int64_t file_size)
    : disk_(disk), root_(root), directory_(file::join(root, "timerlog")), file_size_(file_size) {}

std::string TimerLog::path_of(std::int64_t file_begin) const {
  return file::join(directory_, fmt::format("{:020}", file_begin));
}

std::optional<std::string> TimerLog::open() {
  const MutexLock lock(mutex_);
  const auto listed = disk_.list(directory_);
  if (!listed) {
    if (listed.error().code == std::errc::no_such_file_or_directory) return std::nullopt;
    return fmt::format("{}: {}", directory_, listed.error().text());
  }
  std::int64_t next = -1;
  for (const auto& entry : *listed) {
    if (entry.is_directory) continue;
    const auto path = file::join(directory_, entry.name);
    std::int64_t at = -1;
    std::from_chars(entry.name.data(), entry.name.data() + entry.name.size(), at);
    if (entry.name.size() != kNameSize || at < 0 || fmt::format("{:020}", at) != entry.name || at % file_size_ != 0)
      return fmt::format("{}: is no file of a timer log with mappedFileSizeTimerLog={}", path, file_size_);
    if (entry.size == 0 && &entry == &listed->back()) {  // made, and then the process ended
      if (const auto removed = disk_.remove(path); !removed) return fmt::format("{}: {}", path, removed.error().text());
      break;
    }
    if (entry.size != file_size_) {
      return fmt::format("{}: has {} bytes instead of the {} that mappedFileSizeTimerLog says", path, entry.size,
                         file_size_);
    }
    if (next >= 0 && at != next) return fmt::format("{}: the file before it, of byte {}, is missing", path, next);
    if (next < 0) begin_ = at;
    next = at + file_size_;
  }
  if (next >= 0) files_end_ = end_ = next;
  return std::nullopt;
}

Status TimerLog::cut(std::int64_t end) {
  const MutexLock lock(mutex_);
  TERN_CHECK(pending_.empty() && end >= begin_ && end <= files_end_, "cut at {} of [{}, {})", end, begin_, files_end_);
  bool has_changed = false;
  std::array<std::byte, kZeroStep> bytes;
  for (std::int64_t begin = file_begin_of(end); begin < files_end_; begin += file_size_) {
    const auto file = file_of(begin, false);
    if (!file) return file.error();
    bool is_dirty = false;
    std::int64_t zeros = 0;
    for (std::int64_t at = std::max(end - begin, std::int64_t{0}); at < file_size_;) {
      const auto size = static_cast<std::size_t>(std::min<std::int64_t>(kZeroStep, file_size_ - at));
      const auto part = std::span(bytes).first(size);
      if (const auto status = (*file)->read(at, part); !status) return status;
      const bool is_zero = std::all_of(part.begin(), part.end(), [](std::byte byte) { return byte == std::byte{0}; });
      zeros = is_zero ? zeros + static_cast<std::int64_t>(size) : 0;
      if (zeros >= kZerosMin) break;
      if (!is_zero) {
        std::fill(part.begin(), part.end(), std::byte{0});
        if (const auto status = (*file)->write(at, part); !status) return status;
        is_dirty = true;
      }
      at += static_cast<std::int64_t>(size);
    }
    if (is_dirty) {
      if (const auto status = (*file)->sync(); !status) return status;
      has_changed = true;
    }
  }
  if (has_changed) log_info("{}: cut at {}", directory_, end);
  end_ = end;
  return {};
}

Status TimerLog::restart() {
  const MutexLock lock(mutex_);
  if (begin_ == files_end_) return {};
  for (; begin_ < files_end_; begin_ += file_size_) {
    files_.erase(begin_);
    if (const auto status = disk_.remove(path_of(begin_)); !status) return status;
  }
  begin_ = end_ = files_end_ = 0;
  files_.clear();
  pending_.clear();
  return disk_.sync_directory(directory_);
}

std::int64_t TimerLog::begin() const {
  const MutexLock lock(mutex_);
  return begin_;
}

std::int64_t TimerLog::end() const {
  const MutexLock lock(mutex_);
  return end_;
}

std::int64_t TimerLog::files_end() const {
  const MutexLock lock(mutex_);
  return files_end_;
}

std::int64_t TimerLog::unwritten() const {
  const MutexLock lock(mutex_);
  return static_cast<std::int64_t>(pending_.size());
}

std::int64_t TimerLog::append(const TimerUnit& unit) {
  const MutexLock lock(mutex_);
  if (const std::int64_t at = room_at(end_, file_size_); at != end_) {
    const auto blank_end = pending_.size() + static_cast<std::size_t>(at - end_);
    append_be(pending_, static_cast<std::int32_t>(at - end_));
    append_be(pending_, std::int64_t{0});
    append_be(pending_, kBlankMagic);
    pending_.resize(blank_end, '\0');
    end_ = at;
  }
  append_unit(pending_, unit);
  const std::int64_t at = end_;
  end_ += TimerUnit::kSize;
  return at;
}

Result<TimerUnit> TimerLog::read(std::int64_t at) const {
  const MutexLock lock(mutex_);
  if (at < begin_ || at > end_ - TimerUnit::kSize) return store::error(store::Errc::kNotFound, at);
  const std::int64_t pending_begin = end_ - static_cast<std::int64_t>(pending_.size());
  if (at >= pending_begin) return parse_unit(pending_.data() + (at - pending_begin), at);
  return read_file(at);
}

Result<TimerUnit> TimerLog::read_file(std::int64_t at) const {
  const auto file = file_of(file_begin_of(at), false);
  if (!file) return file.error();
  UnitBytes bytes;
  if (const auto status = (*file)->read(at % file_size_, bytes); !status) return status.error();
  return parse_unit(bytes.data(), at);
}

std::int64_t TimerLog::next_unit(std::int64_t at) const {
  const std::int64_t room = room_at(at, file_size_);
  return read(room) ? room : -1;
}

Result<std::shared_ptr<file::File>> TimerLog::file_of(std::int64_t file_begin, bool creates) const {
  if (const auto found = files_.find(file_begin); found != files_.end()) return found->second;
  auto opened = disk_.open(path_of(file_begin), creates ? file::OpenMode::kCreate : file::OpenMode::kReadWrite);
  if (!opened) return opened.error();
  if (files_.size() >= kOpenFilesMax) files_.erase(files_.begin());
  return files_[file_begin] = std::shared_ptr<file::File>(std::move(*opened));
}

Status TimerLog::write(std::int64_t end) {
  for (;;) {
    std::string bytes;
    std::int64_t at = 0;
    std::shared_ptr<file::File> file;
    bool is_new = false;
    {
      const MutexLock lock(mutex_);
      at = end_ - static_cast<std::int64_t>(pending_.size());
      if (at >= end) return {};
      const std::int64_t part_end = std::min(end, file_begin_of(at) + file_size_);
      bytes = pending_.substr(0, static_cast<std::size_t>(part_end - at));
      is_new = file_begin_of(at) >= files_end_;
      if (is_new) {
        auto made = disk_.make_directories(directory_);
        if (made) made = disk_.sync_directory(root_);
        if (!made) return made;
      }
      auto opened = file_of(file_begin_of(at), is_new);
      if (!opened) return opened.error();
      file = std::move(*opened);
    }
    if (is_new) {
      if (const auto status = file->resize(file_size_); !status) return status;
    }
    if (const auto status = file->write(at % file_size_, std::as_bytes(std::span(bytes))); !status) return status;
    if (const auto status = file->sync(); !status) return status;
    if (is_new) {
      if (const auto status = disk_.sync_directory(directory_); !status) return status;
    }
    const MutexLock lock(mutex_);
    files_end_ = std::max(files_end_, file_begin_of(at) + file_size_);
    pending_.erase(0, bytes.size());
  }
}

Status TimerLog::remove_before(std::int64_t position) {
  const MutexLock lock(mutex_);
  const std::int64_t pending_begin = end_ - static_cast<std::int64_t>(pending_.size());
  if (begin_ + file_size_ >= pending_begin) return {};
  const std::int64_t last = file_size_ - (file_size_ - kBlankSize) % TimerUnit::kSize - kBlankSize - TimerUnit::kSize;
  const auto unit = read_file(begin_ + last);
  if (!unit) return unit.error();
  if (unit->position >= position) return {};
  files_.erase(begin_);
  if (const auto status = disk_.remove(path_of(begin_)); !status) return status;
  begin_ += file_size_;
  return disk_.sync_directory(directory_);
}

}  // namespace tern::broker
