#pragma once
// The words of an SQL92 filter expression. Apache's rules: keywords in any letter case, the longest token wins, and
// what may seem odd (`0x10` is the number 0 and the name x10; a `--` comment must end with its line) is so there.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern::broker {

enum class SqlToken : std::uint8_t {
  kEnd,
  kBad,  // no token begins like this
  kName,
  kText,     // in quotes; two of them inside stand for one
  kInteger,  // perhaps with an l behind it
  kFloat,
  kNot,
  kAnd,
  kOr,
  kBetween,
  kIn,
  kTrue,
  kFalse,
  kNull,
  kIs,
  kContains,
  kStartsWith,
  kEndsWith,
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kOpen,
  kClose,
  kComma,
  kPlus,
  kMinus,
};

/// Reads one token after the other. Views the text.
class SqlLexer {
 public:
  explicit SqlLexer(std::string_view text) : text_(text) { advance(); }

  [[nodiscard]] SqlToken token() const { return token_; }
  [[nodiscard]] std::string_view image() const { return text_.substr(begin_, end_ - begin_); }
  [[nodiscard]] std::size_t begin() const { return begin_; }  // the token's first byte, from 0
  void advance();

 private:
  void skip_blanks();
  void take(SqlToken token, std::size_t size);
  void take_number();
  void take_text();
  void take_word();
  [[nodiscard]] char at(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }
  [[nodiscard]] std::size_t digits_end(std::size_t from) const;
  [[nodiscard]] std::size_t exponent_end(std::size_t from) const;

  const std::string_view text_;
  SqlToken token_ = SqlToken::kEnd;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tern::broker
