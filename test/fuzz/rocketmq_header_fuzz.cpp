#include "tern/base/check.hpp"
#include "tern/protocol/command.hpp"

#include "fuzz/fuzz.hpp"

// What is accepted survives the way out and in again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::protocol;
  static HeaderDecoder decoder;
  CommandHeader header;
  if (!decoder.decode(HeaderType::kRocketmq, tern::fuzz::bytes_of(data, size), header)) return 0;
  std::vector<NamedField> fields;
  for (const ExtField& field : header.fields) {
    if (!field.key.empty() && !field.value.empty())
      fields.push_back({std::string(field.key), std::string(field.value)});
  }
  const std::string bytes = encode_frame(HeaderType::kRocketmq, header.code, header.flag, header.opaque, fields, {},
                                         header.version, header.remark);
  const auto frame =
      scan_frame(tern::fuzz::bytes_of(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  TERN_CHECK(frame && *frame);
  CommandHeader again;
  TERN_CHECK(decoder.decode(HeaderType::kRocketmq, (*frame)->header, again).has_value());
  TERN_CHECK(header.code == again.code && header.version == again.version && header.remark == again.remark);
  TERN_CHECK(again.fields.size() == fields.size(), "{} fields of {}", again.fields.size(), fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    TERN_CHECK(again.fields[i].key == fields[i].key && again.fields[i].value == fields[i].value);
  }
  return 0;
}
