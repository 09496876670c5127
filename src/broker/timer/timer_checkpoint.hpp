#pragma once
// How far the timer has come: config/timercheck, in Apache's format (docs/format/timer.md).

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tern/base/byte_order.hpp"

namespace tern::broker {

struct TimerCheckpoint {
  static constexpr std::size_t kFileSize = 4096;
  std::int64_t read_ms = 0;              // slots before it have been delivered
  std::int64_t log_end = 0;              // units below are in the wheel's file
  std::int64_t queue_offset = 0;         // messages of the timer topic before it have been entered
  std::int64_t master_queue_offset = 0;  // the same, on the broker that delivers
  std::int64_t state_version = 0;        // the three of a data version, as they were found
  std::int64_t version_timestamp = 0;
  std::int64_t version_counter = 0;
  std::int64_t precision_ms = 0;  // ours, at the file's end: timerPrecisionMs; 0: not known
  friend bool operator==(const TimerCheckpoint&, const TimerCheckpoint&) = default;

  [[nodiscard]] std::string encode() const {
    std::string bytes;
    for (const auto value :
         {read_ms, log_end, queue_offset, master_queue_offset, state_version, version_timestamp, version_counter})
      append_be(bytes, value);
    bytes.resize(kFileSize - sizeof(std::int64_t), '\0');
    append_be(bytes, precision_ms);
    return bytes;
  }
  /// nullopt, with the reason in `why`, if it is none.
  static std::optional<TimerCheckpoint> decode(std::string_view bytes, std::string& why);
};

}  // namespace tern::broker
