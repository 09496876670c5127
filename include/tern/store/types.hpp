#pragma once
// A byte in the log and an index in a queue are different numbers; the compiler keeps them apart.

#include <compare>
#include <cstdint>

#include <fmt/format.h>

#include "tern/base/result.hpp"

namespace tern::store {

template <class Tag>
struct Number {
  std::int64_t value = 0;
  friend auto operator<=>(const Number&, const Number&) = default;
  friend constexpr Number operator+(Number a, std::int64_t b) { return {a.value + b}; }
  friend constexpr Number operator-(Number a, std::int64_t b) { return {a.value - b}; }
  friend constexpr std::int64_t operator-(Number a, Number b) { return a.value - b.value; }
  Number& operator+=(std::int64_t b) {
    value += b;
    return *this;
  }
};
/// A byte of the commit log, counted from the first byte ever appended.
using LogPosition = Number<struct LogPositionTag>;
/// A message's index in its queue.
using QueueOffset = Number<struct QueueOffsetTag>;

/// What a queue holds about a record, and what a reader filters on. On disk 20 bytes, or 46 in a batch queue, whose
/// entries alone hold the last three: elsewhere an entry is one message.
struct QueueEntry {
  LogPosition position;
  std::int32_t size = 0;
  std::int64_t tags_code = 0;
  std::int32_t count = 1;  // queue offsets that the record stands for
  std::int64_t base = 0;   // the first of them
  std::int64_t store_timestamp = 0;
  friend bool operator==(const QueueEntry&, const QueueEntry&) = default;
};
inline constexpr std::int64_t kQueueEntrySize = 20;
inline constexpr std::int64_t kBatchEntrySize = 46;
/// Tag codes are sign-extended hashes or times. What is below all of them is where the code stands in the queue's
/// extension file (docs/format/consume_queue_ext.md). Queue::read looks it up; only what cannot be read there is left
/// as it is. Such an entry passes every filter, for the client looks at the tags themselves.
inline constexpr std::int64_t kExtAddressMax = std::int64_t{INT32_MIN} - 1;
[[nodiscard]] constexpr bool is_ext_address(std::int64_t tags_code) {
  return tags_code <= kExtAddressMax;
}

enum class Errc {
  kNotReady = 1,      // the prepared tail does not hold the group yet: wait outside and try again
  kReadOnly,          // a sync failed, or the store is closing; brokerStatus says why
  kDiskFull,          // the free-space floor is reached, or no block is left; lifts by itself
  kRecordTooLarge,    // larger than a segment
  kClockBehind,       // the last record is more than 5 s ahead of the clock
  kDamaged,           // bytes below the durable position are not what they must be; detail: position
  kWrongSegmentSize,  // a file's size is not the configured one; detail: its size
  kForeign,           // a store of another broker, or of a kind that this one does not read
  kInUse,             // locked by another process
  kNotFound,          // nothing at this position, offset or key
  kWouldBlock,        // the disk would have to be asked: use the cold readers
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) {
  return {make_error_code(code), detail};
}
/// The disk is full, or what this user may have of it: it passes.
[[nodiscard]] bool is_no_space(const Error& error) noexcept;

}  // namespace tern::store
template <>
struct std::is_error_code_enum<tern::store::Errc> : std::true_type {};
template <class Tag>
struct fmt::formatter<tern::store::Number<Tag>> : fmt::formatter<std::int64_t> {
  template <class Context>
  auto format(tern::store::Number<Tag> number, Context& context) const {
    return fmt::formatter<std::int64_t>::format(number.value, context);
  }
};
