#include "tern/base/check.hpp"
#include "tern/protocol/json.hpp"

#include "fuzz/fuzz.hpp"

// What is accepted is written, in every form, as something that is accepted; and plain writing changes nothing twice.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::protocol;
  const auto value = parse_json(tern::fuzz::text_of(data, size));
  if (!value) return 0;
  const std::string plain = write_json(*value);
  const auto again = parse_json(plain);
  TERN_CHECK(again.has_value(), "{}", plain);
  TERN_CHECK(write_json(*again) == plain, "{}", plain);
  for (const std::string& text : {write_json(*value, KeyStyle::kUnquoted, {"offsetTable", "a"}),
                                  write_pretty_json(*value, {"offsetTable", "a"})}) {
    TERN_CHECK(parse_json(text).has_value(), "{}", text);
  }
  (void)int_member(*value, "a");
  (void)bool_member(*value, "a");
  (void)string_member(*value, "a");
  return 0;
}
