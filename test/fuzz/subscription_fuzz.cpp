#include "tern/base/check.hpp"

#include "broker/clients/client_registry.hpp"
#include "fuzz/fuzz.hpp"

// An expression that is accepted has tags and their hashes, or lets everything pass.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const auto expression = fuzz::text_of(data, size);
  const auto parsed = broker::parse_subscription("T", expression, "TAG");
  if (!parsed) return 0;
  TERN_CHECK(size <= broker::kExpressionBytesMax, "{} bytes", size);
  TERN_CHECK(parsed->codes.size() <= parsed->tags.size(), "{} codes", parsed->codes.size());
  TERN_CHECK(parsed->tags.empty() == parsed->codes.empty());
  for (const auto& tag : parsed->tags) {
    TERN_CHECK(!tag.empty() && expression.find(tag) != std::string_view::npos);
  }
  for (const auto code : parsed->codes) TERN_CHECK(parsed->matches(code));
  return 0;
}
