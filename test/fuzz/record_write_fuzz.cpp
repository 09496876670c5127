#include <cstring>
#include <vector>

#include "tern/base/check.hpp"
#include "tern/message/record.hpp"

#include "fuzz/fuzz.hpp"

// Whatever the encoder takes, readers take too: a record that is in the log and cannot be read would end the log there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::message;
  struct Numbers {
    std::int32_t queue_id, flag, sys_flag, reconsume_times;
    std::int64_t born_timestamp, prepared_transaction_offset, queue_offset, physical_offset, store_timestamp;
    std::uint8_t form, topic_size, properties_size;
  } numbers{};
  if (size < sizeof(numbers)) return 0;
  std::memcpy(&numbers, data, sizeof(numbers));
  auto rest = tern::fuzz::text_of(data + sizeof(numbers), size - sizeof(numbers));
  const auto take = [&rest](std::size_t count) {
    const auto part = rest.substr(0, std::min(count, rest.size()));
    rest.remove_prefix(part.size());
    return part;
  };
  RecordParts parts;
  parts.topic = take(numbers.topic_size);
  parts.properties = take(numbers.properties_size);
  parts.queue_id = numbers.queue_id;
  parts.flag = numbers.flag;
  parts.sys_flag = numbers.sys_flag;
  parts.born_timestamp = numbers.born_timestamp;
  parts.born_host.is_v6 = (numbers.form & 1) != 0;
  parts.store_host.is_v6 = (numbers.form & 2) != 0;
  parts.appends_crc = (numbers.form & 4) != 0;
  parts.reconsume_times = numbers.reconsume_times;
  parts.prepared_transaction_offset = numbers.prepared_transaction_offset;
  parts.body = std::as_bytes(std::span(rest));
  if (parts.topic.empty() || record_size(parts) == 0) return 0;
  const auto written = encode_record(parts, numbers.queue_offset, numbers.physical_offset, numbers.store_timestamp);
  for (const auto check : {BodyCheck::kSkip, BodyCheck::kVerifyCrc, BodyCheck::kVerifyAppendedCrc}) {
    if (check == BodyCheck::kVerifyAppendedCrc && !parts.appends_crc) continue;
    const auto record = parse_record(std::as_bytes(std::span(written)), check);
    TERN_CHECK(record.has_value(), "{}", record.error().text());
    TERN_CHECK(record->topic == parts.topic && record->body.size() == parts.body.size());
  }
  return 0;
}
