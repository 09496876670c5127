#pragma once
// What a producer is given with the answer to a timed send, and brings back to recall the message. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tern::broker {

struct RecallHandle {
  std::string topic;
  std::string broker_name;
  std::int64_t deliver_ms = 0;  // TIMER_OUT_MS + 1: a message that cancels it lands in the same slot; -1: no number
  std::string unique_key;

  /// URL-safe Base64, padded, of "v1 topic broker time key".
  [[nodiscard]] std::string encode() const;
  /// nullopt: it is none. Of what it says nothing is checked.
  static std::optional<RecallHandle> decode(std::string_view text);
};

}  // namespace tern::broker
