#pragma once
// Reading one queue from an offset on: what a pull gives back, and why it may be nothing.

#include <cstdint>
#include <string>

#include "tern/store/store.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/pull/property_filter.hpp"

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
  std::int64_t scan_bytes_max = 16'000;  // of queue entries; at least those of count_max are looked at
};

/// What a reader lets through; null: everything.
struct MessageFilter {
  const Subscription* tags = nullptr;
  const PropertyFilter* properties = nullptr;
};

struct ReadResult {
  ReadStatus status = ReadStatus::kNoMessageInQueue;
  std::int64_t next_offset = 0;
  store::QueueBounds bounds;
  std::string messages;  // whole records, one behind the other
  int count = 0;
};

/// Reads up to the limits; the first message is given whatever its size. With `no_wait` only what is in memory. A
/// filter that lets nothing through costs a bounded amount of work: the answer is then kNoMatchedMessage, and the next
/// read goes on behind. Any thread.
ReadResult read_messages(const store::Store& store, const store::Queue& queue, std::int64_t offset,
                         const ReadLimits& limits, const MessageFilter& filter, bool no_wait);

}  // namespace tern::broker
