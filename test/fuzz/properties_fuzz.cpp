#include "tern/base/check.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "fuzz/fuzz.hpp"

// A copy has the same meaning, and copying it once more changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::message;
  const std::string_view properties = tern::fuzz::text_of(data, size);
  (void)topic_problem(properties);
  (void)group_problem(properties);
  std::string copy;
  PropertyWriter(copy).copy(properties, property::kPopCheckpoint);
  std::string again;
  PropertyWriter(again).copy(copy);
  TERN_CHECK(copy == again);
  TERN_CHECK(tags_code(copy) == tags_code(properties));
  TERN_CHECK(!find_property(copy, property::kPopCheckpoint));
  int checked = 0;
  for_each_property(copy, [&](std::string_view name, std::string_view value) {
    if (++checked <= 32) TERN_CHECK(find_property(properties, name) == value, "{}", name);
  });
  return 0;
}
