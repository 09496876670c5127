#pragma once
// The sends of one turn of one io thread, prepared outside the append lock and placed under one acquisition of it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tern/base/crc32.hpp"
#include "tern/message/record.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

class Queue;

inline constexpr std::size_t kGroupBytesMax = 1 << 20;  // a batch is appended when it holds this much...
inline constexpr std::size_t kGroupRecordsMax = 4096;   // ...or this many records; one request may exceed it alone

struct Placement {
  LogPosition position;
  QueueOffset queue_offset;
  std::int64_t store_timestamp = 0;
};

/// One record: prepared bytes in, placement or error out.
struct StagedRecord {
  std::shared_ptr<Queue> queue;  // may be null if takes_offset is false
  std::size_t head_at = 0;       // in the batch's arena: head, then tail (topic, properties)
  std::uint32_t head_size = 0;
  std::uint32_t tail_size = 0;
  std::span<const std::byte> body;
  std::int32_t total_size = 0;
  bool born_v6 = false;
  std::optional<Crc32Behind> crc_behind_head;  // if the record's own CRC is appended: up to it, or the inner base
  bool takes_offset = true;  // false for prepared and rollback records: queue offset 0, the queue's next is untouched
  std::int16_t offset_count = 1;     // how many it takes
  std::uint32_t inner_base_end = 0;  // in the tail, of an inner batch: place_inner_base() after placement; 0: none

  Placement placement;
  std::optional<Errc> error;  // set after append: this record was not placed
};

/// Records that are placed side by side in one segment, or not at all: one send, or the items of one batch send.
struct StagedGroup {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::int64_t total_size = 0;
};

/// Owned by one io thread; reused, so that a warm one does not allocate. Not thread-safe.
/// Groups are settled (placed, or refused for good) in their order. Those behind the last settled one are pending: not
/// yet appended, or refused with kNotReady. A PutStrategy looks at pending groups only, so a batch that got kNotReady
/// is tried again by giving it to append() once more.
class AppendBatch {
 public:
  /// Records staged from now on end with a CRC of themselves (enabledAppendPropCRC).
  void append_crcs(bool appends) { appends_crcs_ = appends; }
  /// Starts a group; stage() adds to the last group started.
  void begin_group();
  /// Prepares one record: head with CRC, tail. The appended CRC of another record at the end of the properties is left
  /// out. `given.body` is viewed until append() has returned (or own_bodies()).
  /// False if the record cannot be one (record_size() is 0): nothing is staged.
  bool stage(const message::RecordParts& given, std::shared_ptr<Queue> queue);
  /// Takes the last group back (one of its records could not be staged).
  void drop_group();
  /// Copies the bodies that are only viewed: for a batch that has to outlive its turn.
  void own_bodies();
  void clear();

  [[nodiscard]] bool empty() const { return groups_.empty(); }
  [[nodiscard]] bool is_full() const { return bytes_ >= kGroupBytesMax || records_.size() >= kGroupRecordsMax; }
  [[nodiscard]] bool is_settled() const { return settled_ == groups_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::span<StagedRecord> records() { return records_; }
  [[nodiscard]] std::span<StagedRecord> records(const StagedGroup& group) {
    return std::span(records_).subspan(group.first, group.count);
  }
  [[nodiscard]] std::span<const StagedGroup> groups() const { return groups_; }
  [[nodiscard]] std::span<const StagedGroup> pending_groups() const { return std::span(groups_).subspan(settled_); }
  [[nodiscard]] std::byte* head(const StagedRecord& record) { return arena_.data() + record.head_at; }
  [[nodiscard]] const std::byte* tail(const StagedRecord& record) const {
    return arena_.data() + record.head_at + record.head_size;
  }

  /// For strategies: the record is placed, so what depends on that can be written into its head and tail, and the CRC
  /// of the whole, if it has one, be known. Constant time, whatever the size.
  void place(const StagedRecord& record) noexcept;
  /// For strategies: the first `count` pending groups have got their placement or their final error.
  void settle(std::size_t count) { settled_ += count; }

 private:
  std::vector<StagedRecord> records_;
  std::vector<StagedGroup> groups_;
  std::vector<std::byte> arena_;
  std::vector<std::unique_ptr<std::byte[]>> owned_;
  std::size_t owned_records_ = 0;  // the bodies of the first so many records stand in owned_
  std::size_t settled_ = 0;
  std::size_t bytes_ = 0;
  bool appends_crcs_ = false;
};

}  // namespace tern::store
