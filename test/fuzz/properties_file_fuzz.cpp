// Any bytes are a properties file or an error with a line; what was read can be written and read again, unchanged.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "tern/base/check.hpp"
#include "tern/base/options.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const int lines = 1 + static_cast<int>(std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r'; }));

  const auto parsed = tern::parse_properties("fuzz", text);
  if (const auto* error = std::get_if<tern::PropertiesError>(&parsed)) {
    TERN_CHECK(error->line >= 1 && error->line <= lines, "line {} of {}", error->line, lines);
    return 0;
  }
  auto first = std::get<tern::PropertiesFile>(parsed);
  const auto again = tern::parse_properties("fuzz", tern::write_properties(first.lines));
  const auto* second = std::get_if<tern::PropertiesFile>(&again);
  TERN_CHECK(second != nullptr, "what was written cannot be read");
  TERN_CHECK(second->lines.size() == first.lines.size(), "{} became {}", first.lines.size(), second->lines.size());
  for (std::size_t i = 0; i < first.lines.size(); ++i) {
    TERN_CHECK(first.lines[i].line >= 1 && first.lines[i].line <= lines, "line {}", first.lines[i].line);
    first.lines[i].line = second->lines[i].line;
    TERN_CHECK(first.lines[i] == second->lines[i], "{}={}", first.lines[i].key, first.lines[i].value);
  }
  return 0;
}
