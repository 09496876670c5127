#include "tern/base/check.hpp"
#include "tern/message/message_id.hpp"
#include "tern/message/record.hpp"

#include "fuzz/fuzz.hpp"

// A record that is accepted lies within the bytes, and encoding its parts gives its bytes again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::message;
  const auto bytes = tern::fuzz::bytes_of(data, size);
  (void)parse_offset_message_id(tern::fuzz::text_of(data, size));
  const auto record = parse_record(bytes, BodyCheck::kSkip);
  if (!record) return 0;
  TERN_CHECK(record->total_size > 0 && static_cast<std::size_t>(record->total_size) <= size, "{}", record->total_size);
  const bool passes_crc = parse_record(bytes, BodyCheck::kVerifyCrc).has_value();
  const bool passes_appended_crc = parse_record(bytes, BodyCheck::kVerifyAppendedCrc).has_value();
  if (record->is_blank()) return 0;
  const auto others = without_appended_crc(record->properties);
  TERN_CHECK(others.size() != record->properties.size() || passes_appended_crc == passes_crc);
  TERN_CHECK(without_appended_crc(others) == others);
  (void)record->born_host.text();
  const std::string again =
      encode_record(parts_of(*record), record->queue_offset, record->physical_offset, record->store_timestamp);
  // A short topic may come with the long form of its length, which the encoder does not choose; an empty body with any
  // CRC.
  const bool same_form = (record->magic == kMagicV2) == (record->topic.size() > kTopicSizeMaxV1);
  if (passes_crc && same_form && !record->body.empty()) {
    TERN_CHECK(again == tern::fuzz::text_of(data, again.size()), "{} bytes", again.size());
  }
  return 0;
}
