#include "broker/filter/sql_parser.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "tern/base/check.hpp"

#include "broker/filter/java_numbers.hpp"
#include "broker/filter/sql_lexer.hpp"

namespace tern::broker {
namespace {

/// What is known of a part of the expression before there is a message.
struct Operand {
  enum class Kind : std::uint8_t {
    kProperty,
    kNumber,  // these three: constants
    kText,
    kTruth,      // TRUE, FALSE or NULL
    kCondition,  // gives a boolean or null
    kOther,      // a negated value
  };
  Kind kind = Kind::kOther;
  SqlValue constant;
  std::size_t at = 0;  // its first byte

  [[nodiscard]] bool is_constant() const {
    return kind == Kind::kNumber || kind == Kind::kText || kind == Kind::kTruth;
  }
  [[nodiscard]] bool is_condition() const { return kind == Kind::kTruth || kind == Kind::kCondition; }
};
using Kind = Operand::Kind;

std::string shown(std::string_view image) {
  constexpr std::size_t kShownMax = 32;
  if (image.size() <= kShownMax) return std::string(image);
  return std::string(image.substr(0, kShownMax)) + "...";
}

/// One pass: each rule emits the code of what it has read. Every rule returns nullopt once there is a problem.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  boost::system::result<SqlProgramPtr, SqlProblem> run() {
    check_token();
    auto whole = parse_or();
    if (whole && as_condition(*whole)) {
      TERN_CHECK(depth_ == 1, "{} values are left", depth_);
      return std::make_shared<const SqlProgram>(std::move(code_));
    }
    return *problem_;
  }

 private:
  using Parsed = std::optional<Operand>;

  // ---- problems
  std::nullopt_t fail(std::size_t at, std::string_view text, bool is_beyond_limit = false) {
    if (!problem_) problem_ = SqlProblem{at + 1, fmt::format("position {}: {}", at + 1, text), is_beyond_limit};
    return std::nullopt;
  }
  std::nullopt_t too_many(std::size_t most, std::string_view what) {
    return fail(lexer_.begin(), fmt::format("expected at most {} {}", most, what), /*is_beyond_limit=*/true);
  }
  std::nullopt_t expected(std::string_view what) {
    if (lexer_.token() == SqlToken::kEnd)
      return fail(lexer_.begin(), fmt::format("expected {}, found the end of the expression", what));
    return fail(lexer_.begin(), fmt::format("expected {}, found {}", what, shown(lexer_.image())));
  }
  void check_token() {
    if (lexer_.token() != SqlToken::kBad) return;
    const auto image = lexer_.image();
    if (image.front() == '\'') {
      fail(lexer_.begin(), "expected a quote that ends the text");
    } else {
      fail(lexer_.begin(), fmt::format("expected a value, a name or an operator, found {}", shown(image)));
    }
  }

  // ---- tokens
  [[nodiscard]] bool is(SqlToken token) const { return lexer_.token() == token; }
  void advance() {
    lexer_.advance();
    check_token();
  }
  bool take(SqlToken token) {
    if (problem_ || !is(token)) return false;
    advance();
    return true;
  }
  bool want(SqlToken token, std::string_view what) {
    if (take(token)) return true;
    expected(what);
    return false;
  }

  // ---- code
  void emit(SqlOp op, std::size_t argument = 0) {
    code_.instructions.push_back({op, static_cast<std::uint32_t>(argument)});
  }
  /// An instruction that pushes a value.
  bool push(SqlOp op, std::size_t argument) {
    if (++depth_ > kSqlStackMax) {
      too_many(kSqlStackMax, "operands that wait for others");
      return false;
    }
    emit(op, argument);
    return true;
  }
  /// An instruction that takes `operands` values and leaves one: a condition.
  void reduce(SqlOp op, std::size_t operands, Operand& left, std::size_t argument = 0) {
    emit(op, argument);
    depth_ -= operands - 1;
    left.kind = Kind::kCondition;
  }
  std::size_t add_constant(SqlValue value) {
    code_.constants.push_back(value);
    return code_.constants.size() - 1;
  }
  std::optional<std::size_t> add_name(std::string_view name) {
    const auto known = std::find(code_.names.begin(), code_.names.end(), name);
    if (known != code_.names.end()) return static_cast<std::size_t>(known - code_.names.begin());
    if (code_.names.size() == kSqlNamesMax) return too_many(kSqlNamesMax, "different properties");
    code_.names.emplace_back(name);
    return code_.names.size() - 1;
  }

  // ---- what operands may be
  /// A property's value becomes a condition.
  bool as_condition(Operand& operand) {
    if (operand.is_condition()) return true;
    if (operand.kind != Kind::kProperty) {
      fail(operand.at, "expected a condition, found a value");
      return false;
    }
    emit(SqlOp::kCondition);
    operand.kind = Kind::kCondition;
    return true;
  }
  bool has_order(const Operand& operand) {
    if (operand.kind == Kind::kText || operand.is_condition()) {
      fail(operand.at, "expected a number or a property: texts and conditions have no order");
      return false;
    }
    return true;
  }
  bool can_equal(const Operand& left, const Operand& right) {
    for (const auto* operand : {&left, &right}) {
      if (operand->kind == Kind::kTruth && std::holds_alternative<std::monostate>(operand->constant)) {
        fail(operand->at, "expected a value: NULL equals nothing, use IS NULL");
        return false;
      }
    }
    if (left.kind == Kind::kTruth && right.is_constant() && right.kind != Kind::kTruth) {
      fail(right.at, "expected a condition or a property behind TRUE or FALSE");
      return false;
    }
    return true;
  }

  // ---- the grammar
  Parsed parse_or() { return parse_joined(SqlToken::kOr, SqlOp::kSkipIfTrue, SqlOp::kOr, &Parser::parse_and); }
  Parsed parse_and() { return parse_joined(SqlToken::kAnd, SqlOp::kSkipIfFalse, SqlOp::kAnd, &Parser::parse_equality); }

  Parsed parse_joined(SqlToken word, SqlOp skip, SqlOp join, Parsed (Parser::*part)()) {
    auto left = (this->*part)();
    while (left && take(word)) {
      if (!as_condition(*left)) return std::nullopt;
      const std::size_t skipping = code_.instructions.size();
      emit(skip);
      auto right = (this->*part)();
      if (!right || !as_condition(*right)) return std::nullopt;
      reduce(join, 2, *left);
      code_.instructions[skipping].argument = static_cast<std::uint32_t>(code_.instructions.size());
    }
    return problem_ ? std::nullopt : left;
  }

  Parsed parse_equality() {
    auto left = parse_comparison();
    while (left) {
      if (is(SqlToken::kEqual) || is(SqlToken::kNotEqual)) {
        const bool is_equal = is(SqlToken::kEqual);
        advance();
        const auto right = parse_comparison();
        if (!right || !can_equal(*left, *right)) return std::nullopt;
        reduce(SqlOp::kEqual, 2, *left);
        if (!is_equal) emit(SqlOp::kNot);
      } else if (take(SqlToken::kIs)) {
        const bool is_not = take(SqlToken::kNot);
        if (!want(SqlToken::kNull, is_not ? "NULL" : "NULL or NOT NULL")) return std::nullopt;
        reduce(SqlOp::kIsNull, 1, *left);
        if (is_not) emit(SqlOp::kNot);
      } else {
        break;
      }
    }
    return problem_ ? std::nullopt : left;
  }

  Parsed parse_comparison() {
    auto left = parse_unary();
    while (left) {
      switch (lexer_.token()) {
        case SqlToken::kGreater:
          if (!compared(SqlOp::kGreater, *left)) return std::nullopt;
          break;
        case SqlToken::kGreaterEqual:
          if (!compared(SqlOp::kGreaterEqual, *left)) return std::nullopt;
          break;
        case SqlToken::kLess:
          if (!compared(SqlOp::kLess, *left)) return std::nullopt;
          break;
        case SqlToken::kLessEqual:
          if (!compared(SqlOp::kLessEqual, *left)) return std::nullopt;
          break;
        case SqlToken::kNot:
          advance();
          if (!tested(*left, true)) return std::nullopt;
          break;
        case SqlToken::kBetween:
        case SqlToken::kIn:
        case SqlToken::kContains:
        case SqlToken::kStartsWith:
        case SqlToken::kEndsWith:
          if (!tested(*left, false)) return std::nullopt;
          break;
        default:
          return problem_ ? std::nullopt : left;
      }
    }
    return std::nullopt;
  }

  bool compared(SqlOp op, Operand& left) {
    advance();
    const auto right = parse_unary();
    if (!right || !has_order(left) || !has_order(*right)) return false;
    reduce(op, 2, left);
    return true;
  }

  /// The words that a NOT may stand before.
  bool tested(Operand& left, bool is_not) {
    if (take(SqlToken::kBetween)) return between(left, is_not);
    if (take(SqlToken::kIn)) return in_list(left, is_not);
    if (take(SqlToken::kContains)) return searched(is_not ? SqlOp::kNotContains : SqlOp::kContains, left);
    if (take(SqlToken::kStartsWith)) return searched(is_not ? SqlOp::kNotStartsWith : SqlOp::kStartsWith, left);
    if (take(SqlToken::kEndsWith)) return searched(is_not ? SqlOp::kNotEndsWith : SqlOp::kEndsWith, left);
    expected("BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH");
    return false;
  }

  bool between(Operand& left, bool is_not) {
    const auto low = parse_unary();
    if (!low || !want(SqlToken::kAnd, "AND")) return false;
    const auto high = parse_unary();
    if (!high || !has_order(left) || !has_order(*low) || !has_order(*high)) return false;
    if (!is_not && low->kind == Kind::kNumber && high->kind == Kind::kNumber &&
        std::get<int>(compare_sql(high->constant, low->constant)) < 0) {
      fail(high->at, "expected an upper bound that is not below the lower one");
      return false;
    }
    reduce(is_not ? SqlOp::kNotBetween : SqlOp::kBetween, 3, left);
    return true;
  }

  bool in_list(Operand& left, bool is_not) {
    if (!want(SqlToken::kOpen, "(")) return false;
    std::vector<std::string_view> list;
    do {
      const auto text = parse_text();
      if (!text) return false;
      list.push_back(*text);
    } while (take(SqlToken::kComma));
    if (!want(SqlToken::kClose, ", or )")) return false;
    if (left.kind != Kind::kProperty) {
      fail(left.at, "expected a property before IN");
      return false;
    }
    std::sort(list.begin(), list.end());
    code_.lists.push_back(std::move(list));
    reduce(SqlOp::kIn, 1, left, code_.lists.size() - 1);
    if (is_not) emit(SqlOp::kNot);
    return true;
  }

  bool searched(SqlOp op, Operand& left) {
    const auto text = parse_text();
    if (!text) return false;
    reduce(op, 1, left, add_constant(*text));
    return true;
  }

  Parsed parse_unary() {
    const std::size_t at = lexer_.begin();
    const SqlToken sign = lexer_.token();
    if (sign != SqlToken::kPlus && sign != SqlToken::kMinus && sign != SqlToken::kNot) return parse_primary();
    const Nesting nesting(*this);
    if (!nesting.is_allowed()) return std::nullopt;
    advance();
    auto operand = parse_unary();
    if (!operand) return std::nullopt;
    if (sign == SqlToken::kMinus) {
      emit(SqlOp::kNegate);
      operand->kind = Kind::kOther;
    } else if (sign == SqlToken::kNot) {
      if (!as_condition(*operand)) return std::nullopt;
      emit(SqlOp::kNot);
      operand->kind = Kind::kCondition;
    }
    operand->at = at;
    return operand;
  }

  Parsed parse_primary() {
    if (problem_) return std::nullopt;
    const std::size_t at = lexer_.begin();
    const auto image = lexer_.image();
    switch (lexer_.token()) {
      case SqlToken::kText: {
        const auto text = parse_text();
        return text ? constant(Kind::kText, *text, at) : std::nullopt;
      }
      case SqlToken::kInteger:
        return integer(image, at);
      case SqlToken::kFloat:
        return floating(image, at);
      case SqlToken::kTrue:
        advance();
        return constant(Kind::kTruth, true, at);
      case SqlToken::kFalse:
        advance();
        return constant(Kind::kTruth, false, at);
      case SqlToken::kNull:
        advance();
        return constant(Kind::kTruth, {}, at);
      case SqlToken::kName: {
        const auto name = add_name(image);
        advance();
        if (problem_ || !push(SqlOp::kProperty, *name)) return std::nullopt;
        return Operand{Kind::kProperty, {}, at};
      }
      case SqlToken::kOpen: {
        const Nesting nesting(*this);
        if (!nesting.is_allowed()) return std::nullopt;
        advance();
        auto inner = parse_or();
        if (!inner || !want(SqlToken::kClose, ")")) return std::nullopt;
        inner->at = at;
        return inner;
      }
      default:
        return expected("a value, a property, NOT or (");
    }
  }

  Parsed integer(std::string_view image, std::size_t at) {
    if (image.back() == 'l' || image.back() == 'L') image.remove_suffix(1);
    const auto wide = java_long(image);
    if (!wide) return fail(at, fmt::format("expected an integer of at most 64 bits, found {}", shown(image)));
    advance();
    const auto narrow = java_int(image);
    return constant(Kind::kNumber, narrow ? SqlValue(*narrow) : SqlValue(*wide), at);
  }

  Parsed floating(std::string_view image, std::size_t at) {
    const auto value = java_double(image);
    TERN_CHECK(value.has_value(), "{}", image);
    constexpr double kLargest = std::numeric_limits<double>::max();
    constexpr double kSmallest = std::numeric_limits<double>::denorm_min();
    if (*value > kLargest || *value < kSmallest)
      return fail(at, fmt::format("expected a number from {} to {}, found {}", kSmallest, kLargest, shown(image)));
    advance();
    return constant(Kind::kNumber, *value, at);
  }

  Parsed constant(Kind kind, SqlValue value, std::size_t at) {
    if (problem_ || !push(SqlOp::kConstant, add_constant(value))) return std::nullopt;
    return Operand{kind, value, at};
  }

  std::optional<std::string_view> parse_text() {
    if (!is(SqlToken::kText)) return expected("a text in single quotes");
    auto image = lexer_.image();
    image.remove_prefix(1);
    image.remove_suffix(1);
    auto& text = code_.texts.emplace_back();
    for (std::size_t i = 0; i < image.size(); ++i) {
      if (image[i] == '\'') ++i;  // two of them stand for one
      text.push_back(image[i]);
    }
    advance();
    if (problem_) return std::nullopt;
    return std::string_view(text);
  }

  /// Counts how deep the recursion is.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    [[nodiscard]] bool is_allowed() const {
      if (parser_.nesting_ <= kSqlNestingMax) return true;
      parser_.too_many(kSqlNestingMax, "levels of nesting");
      return false;
    }

   private:
    Parser& parser_;
  };

  SqlLexer lexer_;
  SqlCode code_;
  std::size_t depth_ = 0;  // values on the stack when the code so far has run
  int nesting_ = 0;
  std::optional<SqlProblem> problem_;
};

}  // namespace

void throw_exception_from_error(const SqlProblem& problem, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "expression compiled", problem.text);
}

boost::system::result<SqlProgramPtr, SqlProblem> compile_sql(std::string_view expression) {
  if (expression.size() > kSqlBytesMax)
    return SqlProblem{
        kSqlBytesMax + 1,
        fmt::format("position {}: expected an expression of at most {} bytes", kSqlBytesMax + 1, kSqlBytesMax),
        /*is_beyond_limit=*/true};
  return Parser(expression).run();
}

}  // namespace tern::broker
