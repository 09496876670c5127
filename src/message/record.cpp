// Life of a record's bytes: parts -> head + body + tail (outside the append lock) -> place_head (inside) -> the log ->
// parse_record (pull, dispatch, recovery).

#include "tern/message/record.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <limits>
#include <optional>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/base/crc32.hpp"
#include "tern/message/properties.hpp"

namespace tern::message {
namespace {

bool holds_zero_byte(std::string_view text) noexcept {
  return text.find('\0') != std::string_view::npos;
}

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "message"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::kTruncated:
        return "fewer bytes than announced";
      case Errc::kBadMagic:
        return "unknown magic";
      case Errc::kBadLength:
        return "lengths do not add up to the total";
      case Errc::kBadCrc:
        return "CRC differs";
      case Errc::kBadProperties:
        return "zero byte inside the properties";
      case Errc::kBadName:
        return "no legal name, address or id";
    }
    return "unknown error";
  }
};

bool is_v2(std::string_view topic) {
  return topic.size() > kTopicSizeMaxV1;
}

// The CRC of a whole record, as its last property: the number's ten digits, the lowest one first.
constexpr std::string_view kAppendedCrcFront = "__CRC32#\x01";
constexpr std::size_t kCrcDigits = 10;
static_assert(kAppendedCrcFront.size() + kCrcDigits + 1 == kAppendedCrcSize);

/// nullopt if the properties do not end with one; -1 if it is no number.
std::optional<std::int64_t> find_appended_crc(std::string_view properties) {
  if (properties.size() < kAppendedCrcSize) return std::nullopt;
  std::string_view last = properties.substr(properties.size() - kAppendedCrcSize);
  const bool is_own_pair =
      last.size() == properties.size() || properties[properties.size() - last.size() - 1] == kPairEnd;
  if (!is_own_pair || !last.starts_with(kAppendedCrcFront) || last.back() != kPairEnd) return std::nullopt;
  last = last.substr(kAppendedCrcFront.size(), kCrcDigits);
  std::int64_t crc = 0;
  for (std::size_t digit = kCrcDigits; digit-- > 0;) {
    if (last[digit] < '0' || last[digit] > '9') return -1;
    crc = crc * 10 + (last[digit] - '0');
  }
  return crc;
}

bool needs_pair_end(const RecordParts& parts) {
  return parts.appends_crc && !parts.properties.empty() && parts.properties.back() != kPairEnd;
}
std::size_t properties_size(const RecordParts& parts) {
  return parts.properties.size() + (needs_pair_end(parts) ? 1U : 0U) + (parts.appends_crc ? kAppendedCrcSize : 0U);
}

int topic_length_size(std::int32_t magic) {
  return magic == kMagicV2 ? 2 : 1;
}

std::size_t put_host(const Host& host, std::byte* to) {
  const std::size_t address_size = host.is_v6 ? 16 : 4;
  std::memcpy(to, host.address.data(), address_size);
  store_be(to + address_size, host.port);
  return address_size + sizeof(std::int32_t);
}

Host get_host(const std::byte* from, bool is_v6) {
  Host host;
  host.is_v6 = is_v6;
  const std::size_t address_size = is_v6 ? 16 : 4;
  std::memcpy(host.address.data(), from, address_size);
  host.port = load_be<std::int32_t>(from + address_size);
  return host;
}

// Topic and properties, which stand behind the body at `at`; `bytes` is exactly the record.
Status parse_tail(std::span<const std::byte> bytes, std::size_t at, RecordView& record) {
  const Error bad_length = error(Errc::kBadLength, record.total_size);
  const auto left = [&] { return bytes.size() - at; };
  const auto* const chars = reinterpret_cast<const char*>(bytes.data());

  const auto length_size = static_cast<std::size_t>(topic_length_size(record.magic));
  if (left() < length_size) return bad_length;
  const int topic_length =
      length_size == 2 ? load_be<std::int16_t>(bytes.data() + at) : load_be<std::int8_t>(bytes.data() + at);
  at += length_size;
  if (topic_length < 0 || left() < static_cast<std::size_t>(topic_length)) return bad_length;
  record.topic = {chars + at, static_cast<std::size_t>(topic_length)};
  at += record.topic.size();

  if (left() < sizeof(std::int16_t)) return bad_length;
  const int properties_length = load_be<std::int16_t>(bytes.data() + at);
  at += sizeof(std::int16_t);
  if (properties_length < 0 || left() != static_cast<std::size_t>(properties_length)) return bad_length;
  record.properties = {chars + at, left()};
  // A sector that never reached the disk: no name holds a zero byte.
  if (holds_zero_byte(record.topic)) return error(Errc::kBadName, record.total_size);
  if (holds_zero_byte(record.properties)) return error(Errc::kBadProperties, record.total_size);
  return {};
}

}  // namespace

std::error_code make_error_code(Errc code) {
  static const Category category;
  return {static_cast<int>(code), category};
}

std::string Host::text() const {
  char literal[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(is_v6 ? AF_INET6 : AF_INET, address.data(), literal, sizeof(literal));
  return is_v6 ? fmt::format("[{}]:{}", literal, port) : fmt::format("{}:{}", literal, port);
}

Result<Host> parse_host(std::string_view address, std::int32_t port) {
  if (port < 0 || port > 65'535) return error(Errc::kBadName, port);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  char literal[INET6_ADDRSTRLEN] = {};
  if (address.size() >= sizeof(literal)) return error(Errc::kBadName);
  std::memcpy(literal, address.data(), address.size());
  if (std::strlen(literal) != address.size()) return error(Errc::kBadName);  // a zero byte inside

  Host host;
  host.port = port;
  if (::inet_pton(AF_INET, literal, host.address.data()) == 1) return host;
  if (::inet_pton(AF_INET6, literal, host.address.data()) != 1) return error(Errc::kBadName);
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  host.is_v6 = std::memcmp(host.address.data(), kMapped.data(), kMapped.size()) != 0;
  if (!host.is_v6) {
    const auto mapped = host.address;
    host.address = {mapped[12], mapped[13], mapped[14], mapped[15]};
  }
  return host;
}

Result<RecordFront> peek_record(std::span<const std::byte> bytes) {
  if (bytes.size() < kBlankSizeMin) return error(Errc::kTruncated, static_cast<std::int64_t>(bytes.size()));
  RecordFront front;
  front.total_size = load_be<std::int32_t>(bytes.data() + offset_of::kTotalSize);
  front.magic = load_be<std::int32_t>(bytes.data() + offset_of::kMagic);
  std::int32_t smallest = kBlankSizeMin;
  if (front.magic != kMagicBlank) {
    if (front.magic != kMagicV1 && front.magic != kMagicV2) return error(Errc::kBadMagic, front.magic);
    smallest = kRecordSizeMinV1 - 1 + topic_length_size(front.magic);
  }
  if (front.total_size < smallest) return error(Errc::kBadLength, front.total_size);
  return front;
}

Result<RecordView> parse_record(std::span<const std::byte> bytes, BodyCheck check) {
  const auto front = peek_record(bytes);
  if (!front) return front.error();
  RecordView record;
  record.total_size = front->total_size;
  record.magic = front->magic;
  if (static_cast<std::size_t>(record.total_size) > bytes.size()) return error(Errc::kTruncated, record.total_size);
  if (record.is_blank()) return record;
  bytes = bytes.first(static_cast<std::size_t>(record.total_size));

  const std::byte* const from = bytes.data();
  record.body_crc = load_be<std::int32_t>(from + offset_of::kBodyCrc);
  record.queue_id = load_be<std::int32_t>(from + offset_of::kQueueId);
  record.flag = load_be<std::int32_t>(from + offset_of::kFlag);
  record.queue_offset = load_be<std::int64_t>(from + offset_of::kQueueOffset);
  record.physical_offset = load_be<std::int64_t>(from + offset_of::kPhysicalOffset);
  record.sys_flag = load_be<std::int32_t>(from + offset_of::kSysFlag);
  record.born_timestamp = load_be<std::int64_t>(from + offset_of::kBornTimestamp);

  // The smallest size, checked above, covers a head with IPv4 hosts only.
  const bool born_v6 = (record.sys_flag & kSysBornHostV6) != 0;
  const bool store_v6 = (record.sys_flag & kSysStoreHostV6) != 0;
  const auto body_at = static_cast<std::size_t>(offset_of::body(born_v6, store_v6));
  if (bytes.size() < body_at) return error(Errc::kBadLength, record.total_size);
  record.born_host = get_host(from + offset_of::kBornHost, born_v6);
  record.store_timestamp = load_be<std::int64_t>(from + offset_of::store_timestamp(born_v6));
  record.store_host = get_host(from + offset_of::store_host(born_v6), store_v6);
  record.reconsume_times = load_be<std::int32_t>(from + offset_of::reconsume_times(born_v6, store_v6));
  record.prepared_transaction_offset =
      load_be<std::int64_t>(from + offset_of::prepared_transaction_offset(born_v6, store_v6));

  const auto body_length = load_be<std::int32_t>(from + offset_of::body_length(born_v6, store_v6));
  if (body_length < 0 || static_cast<std::size_t>(body_length) > bytes.size() - body_at) {
    return error(Errc::kBadLength, record.total_size);
  }
  record.body = bytes.subspan(body_at, static_cast<std::size_t>(body_length));
  if (const Status tail = parse_tail(bytes, body_at + record.body.size(), record); !tail) return tail.error();
  if (check == BodyCheck::kVerifyAppendedCrc) {
    if (const auto said = find_appended_crc(record.properties)) {
      const std::int32_t crc = crc32_31(bytes.first(bytes.size() - kAppendedCrcSize));
      if (crc != *said) return error(Errc::kBadCrc, crc);
      return record;
    }
  }
  if (check != BodyCheck::kSkip && !record.body.empty()) {
    if (const std::int32_t crc = crc32_31(record.body); crc != record.body_crc) return error(Errc::kBadCrc, crc);
  }
  return record;
}

RecordParts parts_of(const RecordView& record) noexcept {
  RecordParts parts;
  parts.topic = record.topic;
  parts.queue_id = record.queue_id;
  parts.flag = record.flag;
  parts.sys_flag = record.sys_flag;
  parts.born_timestamp = record.born_timestamp;
  parts.born_host = record.born_host;
  parts.store_host = record.store_host;
  parts.reconsume_times = record.reconsume_times;
  parts.prepared_transaction_offset = record.prepared_transaction_offset;
  parts.body = record.body;
  parts.properties = record.properties;
  return parts;
}

std::size_t tail_size(const RecordParts& parts) noexcept {
  return (is_v2(parts.topic) ? 2U : 1U) + parts.topic.size() + sizeof(std::int16_t) + properties_size(parts);
}

std::int64_t record_size(const RecordParts& parts) noexcept {
  if (parts.topic.size() > kTopicSizeMaxV2 || properties_size(parts) > kPropertiesSizeMax) return 0;
  if (holds_zero_byte(parts.topic) || holds_zero_byte(parts.properties)) return 0;
  constexpr std::size_t kSizeMax = std::numeric_limits<std::int32_t>::max();
  if (parts.body.size() > kSizeMax) return 0;  // first, so that the sum cannot wrap
  const auto head = static_cast<std::size_t>(offset_of::body(parts.born_host.is_v6, parts.store_host.is_v6));
  const std::size_t size = head + parts.body.size() + tail_size(parts);
  return size <= kSizeMax ? static_cast<std::int64_t>(size) : 0;
}

std::size_t encode_head(const RecordParts& parts, std::int64_t total_size, std::int32_t body_crc,
                        std::byte* to) noexcept {
  const bool born_v6 = parts.born_host.is_v6;
  const bool store_v6 = parts.store_host.is_v6;
  std::int32_t sys_flag =
      parts.sys_flag & ~(kSysBornHostV6 | kSysStoreHostV6);  // a producer's view of hosts is not ours
  if (born_v6) sys_flag |= kSysBornHostV6;
  if (store_v6) sys_flag |= kSysStoreHostV6;

  store_be(to + offset_of::kTotalSize, static_cast<std::int32_t>(total_size));
  store_be(to + offset_of::kMagic, is_v2(parts.topic) ? kMagicV2 : kMagicV1);
  store_be(to + offset_of::kBodyCrc, body_crc);
  store_be(to + offset_of::kQueueId, parts.queue_id);
  store_be(to + offset_of::kFlag, parts.flag);
  store_be(to + offset_of::kSysFlag, sys_flag);
  store_be(to + offset_of::kBornTimestamp, parts.born_timestamp);
  put_host(parts.born_host, to + offset_of::kBornHost);
  put_host(parts.store_host, to + offset_of::store_host(born_v6));
  store_be(to + offset_of::reconsume_times(born_v6, store_v6), parts.reconsume_times);
  store_be(to + offset_of::prepared_transaction_offset(born_v6, store_v6), parts.prepared_transaction_offset);
  store_be(to + offset_of::body_length(born_v6, store_v6), static_cast<std::int32_t>(parts.body.size()));
  place_head(to, born_v6, 0, 0, 0);
  return static_cast<std::size_t>(offset_of::body(born_v6, store_v6));
}

void encode_tail(const RecordParts& parts, std::byte* to) noexcept {
  const auto append = [&to](std::string_view text) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    to += text.size();
  };
  if (is_v2(parts.topic)) {
    store_be(to, static_cast<std::int16_t>(parts.topic.size()));
    to += sizeof(std::int16_t);
  } else {
    store_be(to, static_cast<std::int8_t>(parts.topic.size()));
    to += sizeof(std::int8_t);
  }
  append(parts.topic);
  store_be(to, static_cast<std::int16_t>(properties_size(parts)));
  to += sizeof(std::int16_t);
  append(parts.properties);
  if (!parts.appends_crc) return;
  if (needs_pair_end(parts)) append({&kPairEnd, 1});
  append(kAppendedCrcFront);
  append("0000000000");
  append({&kPairEnd, 1});
}

std::string_view without_appended_crc(std::string_view properties) noexcept {
  while (find_appended_crc(properties)) properties.remove_suffix(kAppendedCrcSize);
  return properties;
}

void store_appended_crc(std::byte* tail_end, std::uint32_t crc) noexcept {
  std::byte* digit = tail_end - 1 - kCrcDigits;
  for (crc &= 0x7FFF'FFFFU; digit < tail_end - 1; crc /= 10) *digit++ = static_cast<std::byte>('0' + crc % 10);
}

void append_inner_batch(std::string& properties, std::int16_t count) {
  PropertyWriter writer(properties);
  writer.add(property::kInnerNum, std::int64_t{count});
  writer.add(property::kInnerBase, std::string(kInnerBaseSize - 1, '0'));
}

// Leading zeros, because the record has its size before the number is known; readers take it for decimal all the same.
void place_inner_base(std::byte* properties_end, std::int64_t base) noexcept {
  std::byte* const begin = properties_end - kInnerBaseSize;
  for (std::byte* digit = properties_end - 1; digit-- > begin; base /= 10)
    *digit = static_cast<std::byte>('0' + base % 10);
}

void place_head(std::byte* head, bool born_v6, std::int64_t queue_offset, std::int64_t physical_offset,
                std::int64_t store_timestamp) noexcept {
  store_be(head + offset_of::kQueueOffset, queue_offset);
  store_be(head + offset_of::kPhysicalOffset, physical_offset);
  store_be(head + offset_of::store_timestamp(born_v6), store_timestamp);
}

std::string encode_record(const RecordParts& parts, std::int64_t queue_offset, std::int64_t physical_offset,
                          std::int64_t store_timestamp) {
  const std::int64_t size = record_size(parts);
  TERN_CHECK(size > 0, "topic {} bytes, properties {}, body {}", parts.topic.size(), parts.properties.size(),
             parts.body.size());
  std::string record(static_cast<std::size_t>(size), '\0');
  auto* const bytes = reinterpret_cast<std::byte*>(record.data());
  const std::size_t head = encode_head(parts, size, crc32_31(parts.body), bytes);
  place_head(bytes, parts.born_host.is_v6, queue_offset, physical_offset, store_timestamp);
  if (!parts.body.empty()) std::memcpy(bytes + head, parts.body.data(), parts.body.size());
  encode_tail(parts, bytes + head + parts.body.size());
  if (parts.ends_with_inner_base) {
    place_inner_base(bytes + record.size() - (parts.appends_crc ? kAppendedCrcSize : 0), queue_offset);
  }
  if (parts.appends_crc) {
    auto* const end = bytes + record.size();
    store_appended_crc(end, crc32(std::span(bytes, end - kAppendedCrcSize)));
  }
  return record;
}

}  // namespace tern::message
