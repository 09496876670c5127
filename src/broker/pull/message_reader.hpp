#pragma once
// Reading one queue from an offset on: what a pull gives back, and why it may be nothing.

#include <cstdint>
#include <string>

#include "tern/store/store.hpp"

#include "broker/clients/client_registry.hpp"

namespace tern::broker {

enum class ReadStatus : std::uint8_t {
  kFound,
  kNoMatchedMessage,    // looked at some, none passed the filter
  kMessageWasRemoving,  // their records have left the log
  kNoMessageInQueue,
  kOffsetTooSmall,
  kOffsetOverflowOne,  // exactly at the end: the pull may wait
  kOffsetOverflowBadly,
  kOffsetFoundNull,  // the queue's file at the offset cannot be read
  kOffsetReset,      // an administrator has moved the group
  kWouldBlock,       // the disk has to be asked: read again where blocking is allowed
};
std::string_view to_text(ReadStatus status);  // Apache's name, the remark of the answer

struct ReadLimits {
  int count_max = 32;
  std::int64_t bytes_max = 262'144;
};

struct ReadResult {
  ReadStatus status = ReadStatus::kNoMessageInQueue;
  std::int64_t next_offset = 0;
  store::QueueBounds bounds;
  std::string messages;  // whole records, one behind the other
  int count = 0;
};

/// Reads up to the limits; the first message is given whatever its size. `filter` null: everything. With `no_wait` only
/// what is in memory. Any thread.
ReadResult read_messages(const store::Store& store, const store::Queue& queue, std::int64_t offset,
                         const ReadLimits& limits, const Subscription* filter, bool no_wait);

}  // namespace tern::broker
