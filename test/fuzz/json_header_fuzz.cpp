#include "tern/base/check.hpp"
#include "tern/protocol/command.hpp"

#include "fuzz/fuzz.hpp"

// What is accepted reads the same with a decoder that is warm and with one that is new.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::protocol;
  static HeaderDecoder warm;
  const auto bytes = tern::fuzz::bytes_of(data, size);
  CommandHeader header;
  CommandHeader again;
  HeaderDecoder cold;
  const bool accepted = warm.decode(HeaderType::kJson, bytes, header).has_value();
  TERN_CHECK(accepted == cold.decode(HeaderType::kJson, bytes, again).has_value());
  if (!accepted) return 0;
  TERN_CHECK(header.code == again.code && header.opaque == again.opaque && header.remark == again.remark);
  TERN_CHECK(header.language >= 0 && header.language <= 13, "language {}", header.language);
  TERN_CHECK(header.fields.size() == again.fields.size());
  tern::fuzz::touch(header.remark);
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    tern::fuzz::touch(header.fields[i].key);
    tern::fuzz::touch(header.fields[i].value);
    TERN_CHECK(header.fields[i].key == again.fields[i].key && header.fields[i].value == again.fields[i].value);
  }
  return 0;
}
