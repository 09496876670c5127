#pragma once
// Ids of messages: where one stands (offset message id), and which one it is (unique key).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tern/base/result.hpp"
#include "tern/message/record.hpp"

namespace tern::message {

/// Upper-case hex of store host address, port (i32) and log position (i64): 32 characters for IPv4, 56 for IPv6.
[[nodiscard]] std::string offset_message_id(const Host& store_host, std::int64_t physical_offset);
void append_offset_message_id(const Host& store_host, std::int64_t physical_offset, std::string& to);
/// The same by itself, without an allocation.
struct OffsetMessageIdText {
  std::array<char, 56> digits{};  // of IPv6; of IPv4 the first 32
  std::size_t size = 0;
  [[nodiscard]] std::string_view view() const { return {digits.data(), size}; }
};
OffsetMessageIdText offset_message_id_text(const Host& store_host, std::int64_t physical_offset);

struct OffsetMessageId {
  Host store_host;
  std::int64_t physical_offset = 0;
};
/// kBadName if the text has another length or a character that is no hex digit.
Result<OffsetMessageId> parse_offset_message_id(std::string_view text);

/// Makes unique keys of 32 upper-case hex characters for messages whose producer set none. One per io thread: not
/// shared. Layout: maker (8 bytes, one to one with the seed), high half of a counter (2), time (4), low half of the
/// counter (2). The time sits where clients put theirs, because administration tools read it back to know where a
/// search begins.
class UniqueKeyMaker {
 public:
  /// `seed` must differ between makers and process starts (address, pid, start time, thread).
  explicit UniqueKeyMaker(std::uint64_t seed) : seed_(seed) {}
  /// `now_ms` is wall time. 0 stands for the beginning of the month, which every search includes until the month ends.
  void append_next(std::string& to, std::int64_t now_ms = 0);

 private:
  std::uint64_t seed_;
  std::uint32_t count_ = 0;
};

}  // namespace tern::message
