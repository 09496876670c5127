#pragma once
// A stored message: reading one out of bytes, and preparing the bytes of one. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "tern/base/result.hpp"
#include "tern/message/record_layout.hpp"

namespace tern::message {

enum class Errc {
  kTruncated = 1,  // fewer bytes than the record or batch item says
  kBadMagic,       // neither V1, V2 nor blank; detail: what stands there
  kBadLength,      // lengths inside do not add up to the total; detail: the total
  kBadCrc,         // body CRC, or that of the whole record, differs
  kBadProperties,  // a zero byte inside the properties (a torn write)
  kBadName,        // topic or group name; see topic_name.hpp
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) {
  return {make_error_code(code), detail};
}

/// An IP address with port, as records hold it. Addresses of IPv4 inside IPv6 (::ffff:1.2.3.4) count as IPv4 when
/// parsed from text, because clients that read the record back expect the short form.
struct Host {
  std::array<std::uint8_t, 16> address{};  // IPv4: the first four
  bool is_v6 = false;
  std::int32_t port = 0;
  [[nodiscard]] std::string text() const;  // "127.0.0.1:10911", "[::1]:10911"
  [[nodiscard]] std::size_t size() const { return (is_v6 ? 16U : 4U) + 4U; }
  friend bool operator==(const Host&, const Host&) = default;
};
/// "1.2.3.4" or "::1" (brackets allowed), with `port`. kBadName if it is no literal address or the port no port.
Result<Host> parse_host(std::string_view address, std::int32_t port);

/// A whole record, viewed. Everything points into the bytes it was parsed from.
struct RecordView {
  std::int32_t total_size = 0;
  std::int32_t magic = 0;
  std::int32_t body_crc = 0;
  std::int32_t queue_id = 0;
  std::int32_t flag = 0;
  std::int64_t queue_offset = 0;
  std::int64_t physical_offset = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp = 0;
  Host born_host;
  std::int64_t store_timestamp = 0;
  Host store_host;
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  std::span<const std::byte> body;
  std::string_view topic;
  std::string_view properties;

  [[nodiscard]] bool is_blank() const { return magic == kMagicBlank; }
};

/// The size and magic at the front, without looking at the rest: enough to step over a record that is known to be
/// whole.
struct RecordFront {
  std::int32_t total_size = 0;
  std::int32_t magic = 0;
};
/// kTruncated below 8 bytes, kBadMagic, or kBadLength if the size is below the smallest of its kind.
Result<RecordFront> peek_record(std::span<const std::byte> bytes);

enum class BodyCheck : std::uint8_t {
  kSkip,
  kVerifyCrc,          // of the body
  kVerifyAppendedCrc,  // of the whole record, where its properties end with one; else of the body
};
/// Parses the record at the front of `bytes`. A blank record yields a view with only total_size and magic set. Every
/// length is checked against the total and the bytes, so total_size never exceeds bytes.size(); kBadLength, kTruncated,
/// kBadMagic, kBadCrc, kBadProperties otherwise. An empty body has no CRC to verify.
Result<RecordView> parse_record(std::span<const std::byte> bytes, BodyCheck check);

/// What a record is made of. Views: they must live until it is encoded.
struct RecordParts {
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int32_t flag = 0;
  std::int32_t sys_flag = 0;  // the host bits are set by the encoder
  std::int64_t born_timestamp = 0;
  Host born_host;
  Host store_host;
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  std::span<const std::byte> body;
  std::string_view properties;        // must not end with an appended CRC: it would be that of another record
  bool appends_crc = false;           // the CRC of the whole record becomes the last property
  std::int16_t offset_count = 1;      // that it takes in its queue
  bool ends_with_inner_base = false;  // the properties, as append_inner_batch() leaves them
};

/// Of a record that is stored once more. Views into what the record was parsed from.
RecordParts parts_of(const RecordView& record) noexcept;

/// Size of the record in bytes, or 0 if it cannot be one: properties or topic beyond 32,767 bytes or with a zero byte,
/// which readers take for a torn write; 2 GiB or more.
std::int64_t record_size(const RecordParts& parts) noexcept;

/// Everything of a record but its body, prepared outside the append lock: `head` ends with the body length, `tail` is
/// topic and properties. Queue offset, physical offset and store timestamp are zero until place() writes them. Sizes:
/// head at most kHeadSizeMax. V2 is chosen iff the topic is longer than 127 bytes. Precondition of all three:
/// record_size() of the same parts is not 0.
inline constexpr std::size_t kHeadSizeMax = offset_of::body(true, true);
static_assert(kHeadSizeMax == 88 + 2 * 12);
/// Returns the size of the head.
std::size_t encode_head(const RecordParts& parts, std::int64_t total_size, std::int32_t body_crc,
                        std::byte* to) noexcept;
std::size_t tail_size(const RecordParts& parts) noexcept;
void encode_tail(const RecordParts& parts, std::byte* to) noexcept;  // tail_size() bytes; an appended CRC is all zeros
/// Writes the three fields that depend on placement into an encoded head.
void place_head(std::byte* head, bool born_v6, std::int64_t queue_offset, std::int64_t physical_offset,
                std::int64_t store_timestamp) noexcept;
/// The properties of a record that is a batch of `count` messages, behind those that it has: its last one is where its
/// offsets begin, which is known when it is placed.
void append_inner_batch(std::string& properties, std::int16_t count);
/// Writes that number into the last kInnerBaseSize bytes of such properties, of which `properties_end` is the end.
inline constexpr std::size_t kInnerBaseSize = 20;
void place_inner_base(std::byte* properties_end, std::int64_t base) noexcept;
/// `properties` without the CRC of the record that they come from.
[[nodiscard]] std::string_view without_appended_crc(std::string_view properties) noexcept;
/// The digits of the CRC of a whole record, into the last kAppendedCrcSize bytes of an encoded tail. `crc` is that of
/// all bytes before these.
void store_appended_crc(std::byte* tail_end, std::uint32_t crc) noexcept;
/// The whole record in one string: tests, tools, and rare paths.
std::string encode_record(const RecordParts& parts, std::int64_t queue_offset, std::int64_t physical_offset,
                          std::int64_t store_timestamp);

}  // namespace tern::message
template <>
struct std::is_error_code_enum<tern::message::Errc> : std::true_type {};
