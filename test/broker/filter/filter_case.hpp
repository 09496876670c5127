#pragma once
// One line of expressions.tsv, or of what the comparison with Apache's filter asks: an expression and name=value pairs,
// TABs between; \t, \n, \r, \f, \\ and \uXXXX stand for characters.

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/filter/sql_parser.hpp"

namespace tern::test {

inline void append_utf8(std::string& to, unsigned unit) {
  if (unit < 0x80) {
    to.push_back(static_cast<char>(unit));
  } else if (unit < 0x800) {
    to.push_back(static_cast<char>(0xC0U | unit >> 6U));
    to.push_back(static_cast<char>(0x80U | (unit & 0x3FU)));
  } else {
    to.push_back(static_cast<char>(0xE0U | unit >> 12U));
    to.push_back(static_cast<char>(0x80U | (unit >> 6U & 0x3FU)));
    to.push_back(static_cast<char>(0x80U | (unit & 0x3FU)));
  }
}

inline std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain.push_back(text[i]);
      continue;
    }
    switch (const char kind = text[++i]; kind) {
      case 't':
        plain.push_back('\t');
        break;
      case 'n':
        plain.push_back('\n');
        break;
      case 'r':
        plain.push_back('\r');
        break;
      case 'f':
        plain.push_back('\f');
        break;
      case 'u': {
        unsigned unit = 0;
        const auto digits = text.substr(i + 1, 4);
        std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
        append_utf8(plain, unit);
        i += 4;
        break;
      }
      default:
        plain.push_back(kind);
    }
  }
  return plain;
}

inline std::vector<std::string> columns_of(std::string_view line) {
  std::vector<std::string> columns;
  for (;;) {
    const auto end = line.find('\t');
    columns.push_back(unescaped(line.substr(0, end)));
    if (end == std::string_view::npos) return columns;
    line.remove_prefix(end + 1);
  }
}

/// What the broker makes of it, in the words of expressions.tsv.
inline std::string_view result_of(std::string_view line) {
  const auto columns = columns_of(line);
  std::string properties;
  for (std::size_t i = 1; i < columns.size(); ++i) {
    auto pair = columns[i];
    pair[pair.find('=')] = '\x01';
    properties += pair + '\x02';
  }
  const auto program = broker::compile_sql(columns[0]);
  if (!program) return "invalid";
  switch ((*program)->evaluate(properties)) {
    case broker::SqlResult::kTrue:
      return "true";
    case broker::SqlResult::kFalse:
      return "false";
    case broker::SqlResult::kNull:
      return "null";
    case broker::SqlResult::kFailed:
      return "failed";
  }
  return "";
}

}  // namespace tern::test
