#include "store/queue_ext_file.hpp"

#include <algorithm>

#include "tern/base/byte_order.hpp"

namespace tern::store {
namespace {

constexpr std::int16_t kEndOfFile = -1;     // in the place of a size
constexpr std::int64_t kEndOfFileRoom = 4;  // a unit leaves at least this much

}  // namespace

Result<ExtUnit> parse_ext_unit(std::span<const std::byte> bytes) {
  if (bytes.size() < kExtUnitSizeMin) return error(Errc::kDamaged);
  ExtUnit unit;
  unit.size = load_be<std::int16_t>(bytes.data());
  const int bit_map_size = load_be<std::int16_t>(bytes.data() + kExtBitMapSizeAt);
  if (bit_map_size < 0 || unit.size != kExtUnitSizeMin + bit_map_size ||
      static_cast<std::size_t>(unit.size) > bytes.size()) {
    return error(Errc::kDamaged, unit.size);
  }
  unit.tags_code = load_be<std::int64_t>(bytes.data() + kExtTagsCodeAt);
  unit.store_timestamp = load_be<std::int64_t>(bytes.data() + kExtStoreTimestampAt);
  unit.bit_map = bytes.subspan(kExtUnitSizeMin, static_cast<std::size_t>(bit_map_size));
  return unit;
}

Result<std::size_t> QueueExtFiles::read(const QueueName& name, std::int64_t offset, std::span<std::byte> to,
                                        bool no_wait) {
  const std::int64_t start = start_of(offset);
  const FileCache::Key key{name.serial, start};
  auto file = cache_.find(key);
  if (!file) {
    if (no_wait) return error(Errc::kWouldBlock, offset);
    auto opened = disk_.open(path_of(name, start), file::OpenMode::kReadWrite);
    if (!opened) return is_missing(opened.error()) ? error(Errc::kNotFound, offset) : opened.error();
    file = cache_.insert(key, std::move(*opened));
  }
  to = to.first(std::min(to.size(), static_cast<std::size_t>(start + file_size_bytes_ - offset)));
  const auto status = no_wait ? file->read_no_wait(offset - start, to) : file->read(offset - start, to);
  if (status) return to.size();
  if (status.error().code == file::Errc::kWouldBlock) return error(Errc::kWouldBlock, offset);
  if (status.error().code == file::Errc::kShortRead) return error(Errc::kNotFound, offset);
  return status.error();
}

Result<std::int64_t> QueueExtFiles::end_of_unit(const QueueName& name, std::int64_t offset) {
  std::vector<std::byte> bytes(INT16_MAX);
  const auto got = read(name, offset, bytes, false);
  if (got) {
    const auto unit = parse_ext_unit(std::span(bytes).first(*got));
    if (unit) return offset + unit->size;
  } else if (got.error().code != Errc::kNotFound) {
    return got.error();
  }
  return start_of(offset) + file_size_bytes_;
}

Result<std::int64_t> QueueExtFiles::append(const QueueName& name, std::int64_t end, std::span<NewUnit> units,
                                           std::vector<Touched>& touched) {
  while (!units.empty()) {
    const std::int64_t file_end = start_of(end) + file_size_bytes_;
    const std::int64_t room = file_end - end - kEndOfFileRoom;
    if (room < kExtUnitSizeMin) {
      if (file_end - end >= static_cast<std::int64_t>(sizeof kEndOfFile)) {  // always, behind a unit of a broker
        buffer_.resize(sizeof kEndOfFile);
        store_be(buffer_.data(), kEndOfFile);
        if (const auto status = write(name, end, touched); !status) return status.error();
      }
      end = file_end;
      continue;
    }
    const auto here = units.first(std::min(units.size(), static_cast<std::size_t>(room / kExtUnitSizeMin)));
    buffer_.assign(here.size() * kExtUnitSizeMin, std::byte{0});
    std::byte* to = buffer_.data();
    const std::int64_t first = end;
    for (auto& unit : here) {
      store_be(to, static_cast<std::int16_t>(kExtUnitSizeMin));
      store_be(to + kExtTagsCodeAt, unit.tags_code);
      store_be(to + kExtStoreTimestampAt, unit.store_timestamp);
      unit.tags_code = ext_address(end);
      to += kExtUnitSizeMin;
      end += kExtUnitSizeMin;
    }
    if (const auto status = write(name, first, touched); !status) return status.error();
    units = units.subspan(here.size());
  }
  return end;
}

Status QueueExtFiles::write(const QueueName& name, std::int64_t offset, std::vector<Touched>& touched) {
  const std::int64_t start = start_of(offset);
  const FileCache::Key key{name.serial, start};
  Touched here{cache_.find(key), start, false};
  if (!here.file) {
    if (const auto status = disk_.make_directories(directory_of(name.topic, name.id)); !status) return status;
    auto opened = disk_.open(path_of(name, start), file::OpenMode::kCreate);
    if (!opened) return opened.error();
    here.file = cache_.insert(key, std::move(*opened));
    here.needs_directory_sync = true;
  }
  const auto size = here.file->size();
  if (!size) return size.error();
  if (*size == 0) {
    if (const auto status = here.file->resize(file_size_bytes_); !status) return status;
  } else if (*size != file_size_bytes_) {
    return error(Errc::kWrongSegmentSize, *size);
  }
  const auto status = here.file->write(offset - start, buffer_);
  const bool is_new = touched.empty() || touched.back().start != start;
  if (is_new) touched.push_back(std::move(here));
  return status;
}

Result<std::int64_t> ExtReader::tags_code(std::int64_t address) {
  const std::int64_t offset = ext_offset(address);
  const auto in_buffer = [&](std::size_t need) {
    return offset >= begin_ && offset - begin_ + static_cast<std::int64_t>(need) <= static_cast<std::int64_t>(size_);
  };
  if (!in_buffer(kExtUnitSizeMin)) {
    begin_ = offset;
    size_ = 0;
    const auto got = files_.read(name_, offset, buffer_, no_wait_);
    if (!got) return got.error();
    size_ = *got;
    if (!in_buffer(kExtUnitSizeMin)) return error(Errc::kDamaged, offset);
  }
  // The bit map may go beyond what was read: its filters are not ours.
  const auto* const unit = buffer_.data() + (offset - begin_);
  const int size = load_be<std::int16_t>(unit);
  if (size < kExtUnitSizeMin || load_be<std::int16_t>(unit + kExtBitMapSizeAt) != size - kExtUnitSizeMin) {
    return error(Errc::kDamaged, offset);
  }
  return load_be<std::int64_t>(unit + kExtTagsCodeAt);
}

}  // namespace tern::store
