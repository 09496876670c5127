#pragma once
// Extension files of queues: docs/format/consume_queue_ext.md. The tag codes of entries, with room for filters' bit
// maps.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "store/queue_file.hpp"

namespace tern::store {

inline constexpr std::int64_t kExtUnitSizeMin = 20;  // without a bit map, as we write them
// i16 size, i64 tag code, i64 store time, i16 size of the bit map.
inline constexpr int kExtTagsCodeAt = 2, kExtStoreTimestampAt = 10, kExtBitMapSizeAt = 18;

struct ExtUnit {
  std::int32_t size = 0;
  std::int64_t tags_code = 0;
  std::int64_t store_timestamp = 0;
  std::span<const std::byte> bit_map;  // into the bytes it was parsed from
};
/// The unit at the front of `bytes`. kDamaged, with the size that it says, unless it is whole and its lengths fit.
Result<ExtUnit> parse_ext_unit(std::span<const std::byte> bytes);

/// What an entry holds in the place of its tag code, and back: the byte of the unit in the queue's concatenated files.
[[nodiscard]] constexpr std::int64_t ext_address(std::int64_t offset) {
  return offset + INT64_MIN;
}
[[nodiscard]] constexpr std::int64_t ext_offset(std::int64_t address) {
  return address - INT64_MIN;
}
static_assert(is_ext_address(ext_address(0)) && ext_offset(ext_address(48 << 20)) == 48 << 20);

/// The extension files of all queues of a store. read() from any thread; the rest by one caller at a time.
class QueueExtFiles : public QueueFileSet {
 public:
  using QueueFileSet::QueueFileSet;

  [[nodiscard]] std::int64_t start_of(std::int64_t offset) const {
    return offset / file_size_bytes_ * file_size_bytes_;
  }
  [[nodiscard]] std::int64_t file_size_bytes() const { return file_size_bytes_; }

  /// Fills `to` from `offset` on, as far as the file goes; how many bytes. kWouldBlock only with `no_wait`; kNotFound
  /// if there is no such file, or it is shorter than it must be.
  Result<std::size_t> read(const QueueName& name, std::int64_t offset, std::span<std::byte> to, bool no_wait);
  /// The end of the unit at `offset`, where the next one goes; the next file if what stands there is none.
  Result<std::int64_t> end_of_unit(const QueueName& name, std::int64_t offset);

  struct NewUnit {
    std::int64_t tags_code = 0;  // becomes its address
    std::int64_t store_timestamp = 0;
  };
  /// Writes units from `end` on; where the next one goes. What it has written to is added to `touched`, also if it
  /// fails. kWrongSegmentSize: a file is there and has another size.
  Result<std::int64_t> append(const QueueName& name, std::int64_t end, std::span<NewUnit> units,
                              std::vector<Touched>& touched);

 private:
  Status write(const QueueName& name, std::int64_t offset, std::vector<Touched>& touched);  // buffer_

  std::vector<std::byte> buffer_;
};

/// Looks up the tag codes of entries in a row, whose units stand in a row too: a few reads for all of them.
class ExtReader {
 public:
  ExtReader(QueueExtFiles& files, const QueueName& name, bool no_wait)
      : files_(files), name_(name), no_wait_(no_wait) {}
  /// kWouldBlock only without waiting; kNotFound or kDamaged if there is no unit.
  Result<std::int64_t> tags_code(std::int64_t address);

 private:
  QueueExtFiles& files_;
  const QueueName name_;
  const bool no_wait_;
  std::int64_t begin_ = 0;
  std::size_t size_ = 0;
  std::array<std::byte, 2048> buffer_;
};

}  // namespace tern::store
