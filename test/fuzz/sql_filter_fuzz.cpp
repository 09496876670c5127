#include "tern/base/check.hpp"

#include "broker/filter/sql_parser.hpp"
#include "fuzz/fuzz.hpp"

// A property string, behind the first line, meets the expression on it. What is refused has a position in it, or behind
// its end; what is accepted gives the same for the same properties, and knows its cost.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const auto text = fuzz::text_of(data, size);
  // The expression's lines end in \r.
  const auto split = std::min(text.find('\n'), text.size());
  const auto expression = text.substr(0, split);
  const auto properties = text.substr(std::min(split + 1, text.size()));
  const auto program = broker::compile_sql(expression);
  if (!program) {
    const auto position = program.error().position;
    TERN_CHECK(position >= 1 && position <= expression.size() + 1, "position {}", position);
    TERN_CHECK(program.error().text.starts_with("position "), "{}", program.error().text);
    return 0;
  }
  TERN_CHECK(expression.size() <= broker::kSqlBytesMax, "{} bytes", expression.size());
  const auto result = (*program)->evaluate(properties);
  TERN_CHECK((*program)->evaluate(properties) == result);
  TERN_CHECK((*program)->matches(properties) == (result == broker::SqlResult::kTrue));
  TERN_CHECK((*program)->cost(properties.size()) > 0 && (*program)->bytes() > 0);

  // What cannot change a result. (Only in front: behind an expression that ends before its text, it would not count.)
  const auto same = broker::compile_sql("FALSE OR " + std::string(expression));
  if (same) {
    const auto again = (*same)->evaluate(properties);
    TERN_CHECK(again == result, "{} {}", static_cast<int>(again), static_cast<int>(result));
  }
  return 0;
}
