#include "tern/message/message_id.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <span>

#include "tern/base/byte_order.hpp"

namespace tern::message {
namespace {

constexpr std::size_t kIdSizeV4 = 4 + 4 + 8;  // bytes, before they become hex
constexpr std::size_t kIdSizeV6 = 16 + 4 + 8;
constexpr std::size_t kUniqueKeySize = 16;

constexpr char kDigits[] = "0123456789ABCDEF";

void append_hex(std::span<const std::uint8_t> bytes, std::string& to) {
  for (const std::uint8_t byte : bytes) {
    to.push_back(kDigits[byte >> 4U]);
    to.push_back(kDigits[byte & 0xFU]);
  }
}

// -1 if `c` is no hex digit. Lower case is accepted: Java reads it too.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// One to one on 64 bits (the finalizer of splitmix64), so different seeds never meet.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EBU;
  return x ^ (x >> 31U);
}

// Milliseconds since the month began (UTC), less one day: the reader takes its own time zone's month, and a search that
// begins too early finds the message while one that begins too late does not.
std::uint32_t time_of_key(std::int64_t now_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> now{milliseconds(now_ms)};
  const year_month_day today{floor<days>(now)};
  const sys_days month_begin{today.year() / today.month() / 1};
  return static_cast<std::uint32_t>(std::max(milliseconds(0), now - month_begin - milliseconds(days(1))).count());
}

}  // namespace

OffsetMessageIdText offset_message_id_text(const Host& store_host, std::int64_t physical_offset) {
  std::array<std::uint8_t, kIdSizeV6> bytes{};
  const std::size_t address_size = store_host.is_v6 ? 16 : 4;
  std::memcpy(bytes.data(), store_host.address.data(), address_size);
  store_be(bytes.data() + address_size, store_host.port);
  store_be(bytes.data() + address_size + 4, physical_offset);
  OffsetMessageIdText text;
  for (std::size_t i = 0; i < address_size + 4 + 8; ++i) {
    text.digits[text.size++] = kDigits[bytes[i] >> 4U];
    text.digits[text.size++] = kDigits[bytes[i] & 0xFU];
  }
  return text;
}

void append_offset_message_id(const Host& store_host, std::int64_t physical_offset, std::string& to) {
  to.append(offset_message_id_text(store_host, physical_offset).view());
}

std::string offset_message_id(const Host& store_host, std::int64_t physical_offset) {
  return std::string(offset_message_id_text(store_host, physical_offset).view());
}

Result<OffsetMessageId> parse_offset_message_id(std::string_view text) {
  if (text.size() != 2 * kIdSizeV4 && text.size() != 2 * kIdSizeV6) {
    return error(Errc::kBadName, static_cast<std::int64_t>(text.size()));
  }
  std::array<std::uint8_t, kIdSizeV6> bytes{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return error(Errc::kBadName, static_cast<std::int64_t>(i));
    bytes[i / 2] = static_cast<std::uint8_t>((bytes[i / 2] << 4U) | digit);
  }
  OffsetMessageId id;
  id.store_host.is_v6 = text.size() == 2 * kIdSizeV6;
  const std::size_t address_size = id.store_host.is_v6 ? 16 : 4;
  std::memcpy(id.store_host.address.data(), bytes.data(), address_size);
  id.store_host.port = load_be<std::int32_t>(bytes.data() + address_size);
  id.physical_offset = load_be<std::int64_t>(bytes.data() + address_size + 4);
  return id;
}

void UniqueKeyMaker::append_next(std::string& to, std::int64_t now_ms) {
  const std::uint32_t count = count_++;
  std::array<std::uint8_t, kUniqueKeySize> bytes{};
  store_be(bytes.data(), mix(seed_));
  store_be(bytes.data() + 8, static_cast<std::uint16_t>(count >> 16U));
  store_be(bytes.data() + 10, now_ms > 0 ? time_of_key(now_ms) : 0U);
  store_be(bytes.data() + 14, static_cast<std::uint16_t>(count));
  append_hex(bytes, to);
}

}  // namespace tern::message
