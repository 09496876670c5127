#pragma once
// A compiled SQL92 filter expression: a list of instructions for a stack of values.
//
// Per record: one walk over the property string finds all the properties that the expression names, then some
// nanoseconds per instruction. Ten properties and five conditions cost less than half a microsecond; nothing allocates.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/pull/property_filter.hpp"

namespace tern::broker {

/// Evaluation has failed, as Apache's does with an exception: a property that should be a number is none.
struct SqlFailure {
  friend bool operator==(SqlFailure, SqlFailure) = default;
};
/// What a part of an expression gives. Null (monostate) is what a property is that the record has not. Texts are views,
/// of the program's constants or of the record. A failure is a value too: what would not look at it in Apache's order
/// of evaluation ignores it, all else becomes one.
using SqlValue = std::variant<std::monostate, bool, std::int32_t, std::int64_t, double, std::string_view, SqlFailure>;

/// Below 0, 0 or above it; only 0 or not for texts. As Apache compares: a text is read as a number if the other side is
/// one, which may fail (SqlFailure); kinds that do not compare are -1. Neither may be null or a failure.
[[nodiscard]] std::variant<int, SqlFailure> compare_sql(const SqlValue& left, const SqlValue& right) noexcept;

enum class SqlOp : std::uint8_t {
  kConstant,  // pushes constants[argument]
  kProperty,  // pushes the property names[argument], a text, or null
  // These take what they need off the stack and push a value.
  kNegate,
  kNot,
  kCondition,  // a value where a condition is wanted: null or false, unless it is one
  kIsNull,
  kEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kBetween,
  kNotBetween,
  kIn,        // lists[argument]
  kContains,  // these: the text constants[argument]
  kNotContains,
  kStartsWith,
  kNotStartsWith,
  kEndsWith,
  kNotEndsWith,
  kAnd,
  kOr,
  // These go to the instruction `argument` if that is what is on top, and leave it there.
  kSkipIfFalse,
  kSkipIfTrue,
};
struct SqlInstruction {
  SqlOp op;
  std::uint32_t argument = 0;
};

inline constexpr std::size_t kSqlStackMax = 64;   // values that wait for others to be evaluated
inline constexpr std::size_t kSqlNamesMax = 128;  // different properties of one expression

/// What the parser (sql_parser.hpp) makes. Within the bounds above; every argument is in range, and every instruction
/// finds its operands on the stack.
struct SqlCode {
  std::vector<SqlInstruction> instructions;
  std::vector<SqlValue> constants;
  std::vector<std::string> names;
  std::vector<std::vector<std::string_view>> lists;  // each sorted
  std::deque<std::string> texts;                     // what constants and lists view
};

enum class SqlResult : std::uint8_t { kFalse, kTrue, kNull, kFailed };

/// Constant; any thread.
class SqlProgram final : public PropertyFilter {
 public:
  explicit SqlProgram(SqlCode code);
  SqlProgram(const SqlProgram&) = delete;  // its constants view its own texts
  SqlProgram& operator=(const SqlProgram&) = delete;

  [[nodiscard]] SqlResult evaluate(std::string_view properties) const noexcept;
  /// Only what is true passes: neither null nor what fails.
  [[nodiscard]] bool matches(std::string_view properties) const noexcept override {
    return evaluate(properties) == SqlResult::kTrue;
  }
  [[nodiscard]] std::int64_t cost(std::size_t properties_bytes) const noexcept override;
  [[nodiscard]] std::int64_t bytes() const noexcept override { return bytes_; }

 private:
  const SqlCode code_;
  std::int64_t bytes_ = 0;
};

}  // namespace tern::broker
