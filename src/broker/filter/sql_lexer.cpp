#include "broker/filter/sql_lexer.hpp"

#include <algorithm>
#include <iterator>

namespace tern::broker {
namespace {

struct Keyword {
  std::string_view name;
  SqlToken token;
};
constexpr Keyword kKeywords[] = {
    {"NOT", SqlToken::kNot},
    {"AND", SqlToken::kAnd},
    {"OR", SqlToken::kOr},
    {"BETWEEN", SqlToken::kBetween},
    {"IN", SqlToken::kIn},
    {"TRUE", SqlToken::kTrue},
    {"FALSE", SqlToken::kFalse},
    {"NULL", SqlToken::kNull},
    {"IS", SqlToken::kIs},
    {"CONTAINS", SqlToken::kContains},
    {"STARTSWITH", SqlToken::kStartsWith},
    {"ENDSWITH", SqlToken::kEndsWith},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

void SqlLexer::advance() {
  begin_ = end_;
  skip_blanks();
  if (begin_ == text_.size()) return take(SqlToken::kEnd, 0);
  const char first = text_[begin_];
  const char second = at(begin_ + 1);
  if (is_digit(first) || (first == '.' && is_digit(second))) return take_number();
  if (begins_name(first)) return take_word();
  switch (first) {
    case '\'':
      return take_text();
    case '=':
      return take(SqlToken::kEqual, 1);
    case '<':
      if (second == '>') return take(SqlToken::kNotEqual, 2);
      return second == '=' ? take(SqlToken::kLessEqual, 2) : take(SqlToken::kLess, 1);
    case '>':
      return second == '=' ? take(SqlToken::kGreaterEqual, 2) : take(SqlToken::kGreater, 1);
    case '(':
      return take(SqlToken::kOpen, 1);
    case ')':
      return take(SqlToken::kClose, 1);
    case ',':
      return take(SqlToken::kComma, 1);
    case '+':
      return take(SqlToken::kPlus, 1);
    case '-':
      return take(SqlToken::kMinus, 1);
    default:
      return take(SqlToken::kBad, 1);
  }
}

void SqlLexer::skip_blanks() {
  while (begin_ < text_.size()) {
    const auto rest = text_.substr(begin_);
    if (is_blank(rest.front())) {
      ++begin_;
    } else if (rest.starts_with("--")) {
      // Without the end of a line these are two signs.
      const auto end = rest.find_first_of("\r\n");
      if (end == std::string_view::npos) return;
      begin_ += end + 1;
    } else if (rest.starts_with("/*")) {
      const auto end = rest.find("*/", 2);
      if (end == std::string_view::npos) return;
      begin_ += end + 2;
    } else {
      return;
    }
  }
}

void SqlLexer::take(SqlToken token, std::size_t size) {
  token_ = token;
  end_ = begin_ + size;
}

std::size_t SqlLexer::digits_end(std::size_t from) const {
  while (is_digit(at(from))) ++from;
  return from;
}

// Behind the exponent that begins at `from`; `from` if there is none.
std::size_t SqlLexer::exponent_end(std::size_t from) const {
  if (upper(at(from)) != 'E') return from;
  std::size_t digits = from + 1;
  if (at(digits) == '+' || at(digits) == '-') ++digits;
  const std::size_t end = digits_end(digits);
  return end == digits ? from : end;
}

void SqlLexer::take_number() {
  const std::size_t whole = digits_end(begin_);
  if (at(whole) == '.') return take(SqlToken::kFloat, exponent_end(digits_end(whole + 1)) - begin_);
  if (const std::size_t end = exponent_end(whole); end != whole) return take(SqlToken::kFloat, end - begin_);
  if (text_[begin_] == '0') return take(SqlToken::kInteger, 1);
  take(SqlToken::kInteger, whole - begin_ + (upper(at(whole)) == 'L' ? 1 : 0));
}

void SqlLexer::take_text() {
  for (std::size_t end = begin_ + 1; end < text_.size(); ++end) {
    if (text_[end] != '\'') continue;
    if (at(end + 1) != '\'') return take(SqlToken::kText, end + 1 - begin_);
    ++end;
  }
  take(SqlToken::kBad, text_.size() - begin_);
}

void SqlLexer::take_word() {
  std::size_t end = begin_ + 1;
  while (begins_name(at(end)) || is_digit(at(end))) ++end;
  const auto word = text_.substr(begin_, end - begin_);
  const auto* keyword = std::find_if(std::begin(kKeywords), std::end(kKeywords), [&](const Keyword& known) {
    return std::equal(word.begin(), word.end(), known.name.begin(), known.name.end(),
                      [](char given, char wanted) { return upper(given) == wanted; });
  });
  take(keyword == std::end(kKeywords) ? SqlToken::kName : keyword->token, word.size());
}

}  // namespace tern::broker
