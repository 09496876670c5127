#include "store/inspect/index_reader.hpp"

#include <algorithm>
#include <array>

#include "tern/base/byte_order.hpp"

namespace tern::store {
namespace {

constexpr std::int32_t kEntriesRead = 13'107;  // 256 KiB
constexpr std::int64_t kSlotsRead = 65'536;

Result<IndexHeader> read_header(file::File& file) {
  std::array<std::byte, IndexShape::kHeaderSize> bytes{};
  if (const auto status = file.read(0, bytes); !status) return status.error();
  auto header = load_index_header(bytes.data());
  if (header.next_entry == 0) header.next_entry = 1;  // created, and nothing stored before the crash
  return header;
}

class Checking {
 public:
  Checking(file::File& file, const std::string& path, const IndexCheck& check)
      : file_(file), path_(path), check_(check), shape_(check.shape) {}

  Status run() {
    const auto header = read_header(file_);
    if (!header) return header.error();
    header_ = *header;
    if (header_.next_entry < 1 || header_.next_entry > shape_.entries_max) {
      report(36, 4, fmt::format("the header counts up to entry {} of {}", header_.next_entry, shape_.entries_max));
      return {};
    }
    if (const auto status = read_entries(); !status) return status;
    if (is_broken_) return {};
    if (const auto status = read_slots(); !status) return status;
    check_header();
    return {};
  }

 private:
  void report(std::int64_t at, std::int64_t size, std::string text, LogPosition position = {-1}) {
    check_.report({true, path_, at, size, position, std::move(text)});
  }
  /// Entries of this number and later ones may be anything.
  [[nodiscard]] bool is_settled(std::int64_t number) const { return number < unsettled_; }

  Status read_entries() {
    slots_.assign(static_cast<std::size_t>(shape_.slots), 0);
    std::vector<std::byte> bytes;
    std::int64_t last_position = 0;
    for (std::int32_t from = 1; from < header_.next_entry;) {
      const auto count = std::min(kEntriesRead, header_.next_entry - from);
      bytes.resize(static_cast<std::size_t>(count * IndexShape::kEntrySize));
      if (const auto status = file_.read(shape_.entry_at(from), bytes); !status) return status;
      for (std::int32_t i = 0; i < count; ++i) {
        const auto number = from + i;
        const auto entry = load_index_entry(bytes.data() + i * IndexShape::kEntrySize);
        const auto at = shape_.entry_at(number);
        if (entry.position >= check_.settled.value) unsettled_ = std::min<std::int64_t>(unsettled_, number);
        if (!is_settled(number)) continue;
        if (entry.position < last_position) {
          // A torn entry hides that everything from it on is one that was not synced.
          if (header_.end_position >= check_.settled.value) {
            unsettled_ = number;
            continue;
          }
          report(at + 4, 8,
                 fmt::format("entry {} names log position {}, but the one before it {}", number, entry.position,
                             last_position),
                 {entry.position});
          is_broken_ = true;
          return {};
        }
        if (entry.hash < 0) {
          report(at, 4, fmt::format("entry {} has a hash below 0", number), {entry.position});
          is_broken_ = true;
          return {};
        }
        auto& slot = slots_[static_cast<std::size_t>(entry.hash % shape_.slots)];
        if (entry.previous != slot) {
          report(at + 16, 4,
                 fmt::format("entry {} is linked to entry {}, but the one before it in its slot is {}", number,
                             entry.previous, slot),
                 {entry.position});
        }
        if (number == 1) first_ = entry;
        last_ = entry;
        last_position = entry.position;
        slot = number;
      }
      from += count;
      check_.progress(count * IndexShape::kEntrySize);
    }
    return {};
  }

  Status read_slots() {
    std::vector<std::byte> bytes;
    for (std::int64_t from = 0; from < shape_.slots;) {
      const auto count = std::min(kSlotsRead, shape_.slots - from);
      bytes.resize(static_cast<std::size_t>(count * IndexShape::kSlotSize));
      if (const auto status = file_.read(shape_.slot_at(from), bytes); !status) return status;
      for (std::int64_t i = 0; i < count; ++i) {
        const auto number = load_be<std::int32_t>(bytes.data() + i * IndexShape::kSlotSize);
        const auto expected = slots_[static_cast<std::size_t>(from + i)];
        if (expected != 0) ++used_;
        // In a file that is still written to, or was when the process ended, a slot may already be newer.
        if (number == expected ||
            (is_unsettled() && number >= std::min<std::int64_t>(unsettled_, header_.next_entry))) {
          continue;
        }
        report(shape_.slot_at(from + i), 4,
               fmt::format("slot {} begins with entry {} instead of {}", from + i, number, expected));
      }
      from += count;
      check_.progress(count * IndexShape::kSlotSize);
    }
    return {};
  }

  [[nodiscard]] bool is_unsettled() const { return unsettled_ != INT64_MAX || check_.settled.value != INT64_MAX; }

  void check_header() {
    if (header_.next_entry > 1 && unsettled_ > 1) {
      if (header_.begin_position != first_.position) {
        report(16, 8,
               fmt::format("the header says that it begins with log position {}, but entry 1 has {}",
                           header_.begin_position, first_.position));
      }
    }
    if (is_unsettled()) return;
    if (header_.next_entry > 1 && header_.end_position != last_.position) {
      report(24, 8,
             fmt::format("the header says that it ends with log position {}, but its last entry has {}",
                         header_.end_position, last_.position));
    }
    const auto seconds =
        (std::max<std::int64_t>(header_.end_timestamp, 0) - std::max<std::int64_t>(header_.begin_timestamp, 0)) / 1000;
    if (header_.begin_timestamp < 0 || header_.end_timestamp < 0) {
      report(0, 16, fmt::format("the header's times are {} to {}", header_.begin_timestamp, header_.end_timestamp));
    } else if (header_.next_entry > 2 && std::clamp<std::int64_t>(seconds, 0, INT32_MAX) != last_.seconds) {
      report(0, 16,
             fmt::format("the header's times are {} to {}, but its last entry is {} s behind the first",
                         header_.begin_timestamp, header_.end_timestamp, last_.seconds));
    }
    // Old versions of Apache's broker count every entry.
    if (header_.used_slots != used_ && header_.used_slots != header_.next_entry - 1) {
      report(32, 4, fmt::format("the header counts {} slots in use, but {} are", header_.used_slots, used_));
    }
  }

  file::File& file_;
  const std::string& path_;
  const IndexCheck& check_;
  const IndexShape& shape_;
  IndexHeader header_;
  std::vector<std::int32_t> slots_;  // as the entries make them
  std::int64_t unsettled_ = INT64_MAX;
  std::int64_t used_ = 0;
  IndexEntry first_;
  IndexEntry last_;
  bool is_broken_ = false;
};

}  // namespace

Result<IndexHeader> read_index_header(file::Disk& disk, const std::string& path) {
  const auto file = disk.open(path, file::OpenMode::kRead);
  if (!file) return file.error();
  return read_header(**file);
}

Status check_index_file(file::Disk& disk, const std::string& path, const IndexCheck& check) {
  const auto file = disk.open(path, file::OpenMode::kRead);
  if (!file) return file.error();
  return Checking(**file, path, check).run();
}

Result<bool> IndexEntries::begin_file() {
  while (next_file_ < files_.size()) {
    auto file = disk_.open(files_[next_file_++].path, file::OpenMode::kRead);
    if (!file) {
      if (file.error().code == std::errc::no_such_file_or_directory) continue;  // retention took it
      return file.error();
    }
    const auto header = read_header(**file);
    if (!header) return header.error();
    if (header->next_entry <= 1 || header->next_entry > shape_.entries_max) continue;
    if (file_) end_before_ = header_.end_timestamp;
    file_ = std::move(*file);
    header_ = *header;
    number_ = 1;
    bytes_.clear();
    return true;
  }
  return false;
}

Result<std::optional<IndexEntries::Item>> IndexEntries::peek() {
  if (has_ended_) return std::optional<Item>();
  if (!file_ || number_ >= header_.next_entry) {
    const auto begun = begin_file();
    if (!begun) return begun.error();
    if (!*begun) {
      file_.reset();
      return std::optional<Item>();
    }
  }
  const auto buffered = static_cast<std::int32_t>(bytes_.size() / IndexShape::kEntrySize);
  if (bytes_.empty() || number_ >= bytes_from_ + buffered) {
    const auto count = std::min(kEntriesRead, header_.next_entry - number_);
    bytes_.resize(static_cast<std::size_t>(count * IndexShape::kEntrySize));
    bytes_from_ = number_;
    if (const auto status = file_->read(shape_.entry_at(number_), bytes_); !status) return status.error();
  }
  const auto* const from = bytes_.data() + (number_ - bytes_from_) * IndexShape::kEntrySize;
  const auto entry = load_index_entry(from);
  // Behind what was synced an entry may be missing, and then reads as one of an early record.
  has_ended_ = entry.position >= settled_.value || (settled_.value != INT64_MAX && entry.position < last_position_);
  last_position_ = entry.position;
  if (has_ended_) return std::optional<Item>();
  return std::optional(
      Item{entry, number_, header_.begin_timestamp, end_before_, &files_[next_file_ - 1], shape_.entry_at(number_)});
}

}  // namespace tern::store
