#include "broker/filter/sql_program.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "tern/base/check.hpp"
#include "tern/message/properties.hpp"

#include "broker/filter/java_numbers.hpp"

namespace tern::broker {
namespace {

template <class T>
const T* as(const SqlValue& value) {
  return std::get_if<T>(&value);
}
bool is_null(const SqlValue& value) {
  return as<std::monostate>(value) != nullptr;
}
bool is_failure(const SqlValue& value) {
  return as<SqlFailure>(value) != nullptr;
}
bool is_bool(const SqlValue& value, bool wanted) {
  const auto* boolean = as<bool>(value);
  return boolean != nullptr && *boolean == wanted;
}

template <class T>
int order(T left, T right) {
  return left < right ? -1 : left > right ? 1 : 0;
}
int order(double left, double right) {
  return java_compare(left, right);
}

/// `text` as a value of the kind of `like`; a failure if it is none of these.
SqlValue converted(std::string_view text, const SqlValue& like) {
  const auto or_failure = [](const auto& number) { return number ? SqlValue(*number) : SqlValue(SqlFailure{}); };
  if (as<std::int32_t>(like) != nullptr) return or_failure(java_int(text));
  if (as<std::int64_t>(like) != nullptr) return or_failure(java_long(text));
  if (as<double>(like) != nullptr) return or_failure(java_double(text));
  return java_bool(text);
}

// In two kinds of number the narrower one is widened.
int compare_numbers(const SqlValue& left, const SqlValue& right) {
  const auto whole = [](const SqlValue& value) {
    const auto* narrow = as<std::int32_t>(value);
    return narrow != nullptr ? std::int64_t{*narrow} : *as<std::int64_t>(value);
  };
  const auto real = [&](const SqlValue& value) {
    const auto* wide = as<double>(value);
    return wide != nullptr ? *wide : static_cast<double>(whole(value));
  };
  if (as<double>(left) != nullptr || as<double>(right) != nullptr) return order(real(left), real(right));
  return order(whole(left), whole(right));
}

SqlValue equal(const SqlValue& left, const SqlValue& right) {
  if (is_failure(left) || is_failure(right)) return SqlFailure{};
  if (is_null(left)) return is_null(right) ? SqlValue(true) : SqlValue();
  if (is_null(right)) return false;
  const auto result = compare_sql(left, right);
  const auto* difference = std::get_if<int>(&result);
  return difference != nullptr ? SqlValue(*difference == 0) : SqlValue(SqlFailure{});
}

template <class Holds>
SqlValue ordered(const SqlValue& left, const SqlValue& right, Holds&& holds) {
  // The right side of what is null is not looked at.
  if (is_failure(left) || is_null(left)) return left;
  if (is_failure(right) || is_null(right)) return right;
  const auto* left_text = as<std::string_view>(left);
  const auto* right_text = as<std::string_view>(right);
  if (left_text != nullptr && right_text != nullptr) {
    // Texts have no order: they are taken for numbers.
    const auto left_number = java_double(*left_text);
    const auto right_number = java_double(*right_text);
    if (!left_number || !right_number) return SqlFailure{};
    return holds(java_compare(*left_number, *right_number));
  }
  const auto result = compare_sql(left, right);
  const auto* difference = std::get_if<int>(&result);
  return difference != nullptr ? SqlValue(holds(*difference)) : SqlValue(SqlFailure{});
}
constexpr auto kIsGreater = [](int difference) { return difference > 0; };
constexpr auto kIsGreaterOrEqual = [](int difference) { return difference >= 0; };
constexpr auto kIsLess = [](int difference) { return difference < 0; };
constexpr auto kIsLessOrEqual = [](int difference) { return difference <= 0; };

/// AND (`decisive` false) and OR (true): one decisive side decides, unless what comes before it fails.
SqlValue joined(const SqlValue& left, const SqlValue& right, bool decisive) {
  if (is_failure(left) || is_bool(left, decisive)) return left;
  if (is_failure(right) || is_bool(right, decisive)) return right;
  if (is_null(left) || is_null(right)) return {};
  return !decisive;
}

SqlValue negated(const SqlValue& value) {
  // Unsigned, because the lowest number is its own negative.
  if (const auto* number = as<std::int32_t>(value)) {
    return static_cast<std::int32_t>(0U - static_cast<std::uint32_t>(*number));
  }
  if (const auto* number = as<std::int64_t>(value)) {
    return static_cast<std::int64_t>(std::uint64_t{0} - static_cast<std::uint64_t>(*number));
  }
  if (const auto* number = as<double>(value)) return -*number;
  return is_failure(value) ? value : SqlValue();
}

SqlValue inverted(const SqlValue& value) {
  const auto* boolean = as<bool>(value);
  return boolean != nullptr ? SqlValue(!*boolean) : value;
}

SqlValue condition(const SqlValue& value) {
  if (is_null(value) || is_failure(value) || as<bool>(value) != nullptr) return value;
  return false;
}

SqlValue is_in(const SqlValue& value, const std::vector<std::string_view>& list) {
  const auto* text = as<std::string_view>(value);
  if (text == nullptr) return {};
  return std::binary_search(list.begin(), list.end(), *text);
}

bool contains(std::string_view text, std::string_view part) {
  // In linear time, whatever the two are.
  return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

/// The text matches, or with `wanted` false does not. What is no text never does either, nor does an empty part.
template <class Holds>
SqlValue searched(const SqlValue& value, const SqlValue& constant, bool wanted, Holds&& holds) {
  const auto part = *as<std::string_view>(constant);
  if (part.empty()) return false;
  if (is_failure(value)) return value;
  const auto* text = as<std::string_view>(value);
  return text != nullptr && holds(*text, part) == wanted;
}
constexpr auto kHasPart = [](std::string_view text, std::string_view part) { return contains(text, part); };
constexpr auto kHasFront = [](std::string_view text, std::string_view part) { return text.starts_with(part); };
constexpr auto kHasBack = [](std::string_view text, std::string_view part) { return text.ends_with(part); };

}  // namespace

std::variant<int, SqlFailure> compare_sql(const SqlValue& left, const SqlValue& right) noexcept {
  const auto* left_text = as<std::string_view>(left);
  const auto* right_text = as<std::string_view>(right);
  if (left_text != nullptr && right_text != nullptr) return left_text->compare(*right_text);
  if (left_text != nullptr || right_text != nullptr) {
    // Apache's filter fails at a text on the right of a boolean, and reads one on its left.
    if (as<bool>(left) != nullptr) return SqlFailure{};
    const auto value = left_text != nullptr ? converted(*left_text, right) : converted(*right_text, left);
    if (is_failure(value)) return SqlFailure{};
    return left_text != nullptr ? compare_sql(value, right) : compare_sql(left, value);
  }
  const auto* left_bool = as<bool>(left);
  const auto* right_bool = as<bool>(right);
  if (left_bool != nullptr && right_bool != nullptr) return order(*left_bool, *right_bool);
  if (left_bool != nullptr || right_bool != nullptr) return -1;
  return compare_numbers(left, right);
}

SqlProgram::SqlProgram(SqlCode code) : code_(std::move(code)) {
  TERN_CHECK(code_.names.size() <= kSqlNamesMax, "{} names", code_.names.size());
  std::size_t bytes = sizeof(SqlProgram) + code_.instructions.size() * sizeof(SqlInstruction) +
                      code_.constants.size() * sizeof(SqlValue);
  for (const auto& text : code_.texts) bytes += sizeof(text) + text.size();
  for (const auto& name : code_.names) bytes += sizeof(name) + name.size();
  for (const auto& list : code_.lists) bytes += sizeof(list) + list.size() * sizeof(list[0]);
  bytes_ = static_cast<std::int64_t>(bytes);
}

std::int64_t SqlProgram::cost(std::size_t properties_bytes) const noexcept {
  return static_cast<std::int64_t>((properties_bytes + 1) * code_.instructions.size());
}

SqlResult SqlProgram::evaluate(std::string_view properties) const noexcept {
  std::array<std::string_view, kSqlNamesMax> found;  // by name; empty: the record has no such property
  const auto names = std::span(code_.names);
  message::for_each_property(properties, [&](std::string_view name, std::string_view value) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) found[i] = value;  // of duplicates the last one counts
    }
  });

  std::array<SqlValue, kSqlStackMax> stack;
  SqlValue* end = stack.data();  // behind the operand that was pushed last
  const auto replace = [&end](auto&& operation) { end[-1] = operation(end[-1]); };
  // Takes the right operand off and puts the result in the place of the left one.
  const auto reduce = [&end](auto&& operation) {
    --end;
    end[-1] = operation(end[-1], end[0]);
  };
  const auto instructions = std::span(code_.instructions);
  for (std::size_t at = 0; at < instructions.size(); ++at) {
    const auto [op, argument] = instructions[at];
    switch (op) {
      case SqlOp::kConstant:
        *end++ = code_.constants[argument];
        break;
      case SqlOp::kProperty:
        *end++ = found[argument].empty() ? SqlValue() : SqlValue(found[argument]);
        break;
      case SqlOp::kNegate:
        replace(negated);
        break;
      case SqlOp::kNot:
        replace(inverted);
        break;
      case SqlOp::kCondition:
        replace(condition);
        break;
      case SqlOp::kIsNull:
        if (!is_failure(end[-1])) end[-1] = is_null(end[-1]);
        break;
      case SqlOp::kEqual:
        reduce(equal);
        break;
      case SqlOp::kGreater:
        reduce([](const SqlValue& left, const SqlValue& right) { return ordered(left, right, kIsGreater); });
        break;
      case SqlOp::kGreaterEqual:
        reduce([](const SqlValue& left, const SqlValue& right) { return ordered(left, right, kIsGreaterOrEqual); });
        break;
      case SqlOp::kLess:
        reduce([](const SqlValue& left, const SqlValue& right) { return ordered(left, right, kIsLess); });
        break;
      case SqlOp::kLessEqual:
        reduce([](const SqlValue& left, const SqlValue& right) { return ordered(left, right, kIsLessOrEqual); });
        break;
      case SqlOp::kBetween:
        end -= 2;
        end[-1] = joined(ordered(end[-1], end[0], kIsGreaterOrEqual), ordered(end[-1], end[1], kIsLessOrEqual), false);
        break;
      case SqlOp::kNotBetween:
        end -= 2;
        end[-1] = joined(ordered(end[-1], end[0], kIsLess), ordered(end[-1], end[1], kIsGreater), true);
        break;
      case SqlOp::kIn:
        end[-1] = is_in(end[-1], code_.lists[argument]);
        break;
      case SqlOp::kContains:
        end[-1] = searched(end[-1], code_.constants[argument], true, kHasPart);
        break;
      case SqlOp::kNotContains:
        end[-1] = searched(end[-1], code_.constants[argument], false, kHasPart);
        break;
      case SqlOp::kStartsWith:
        end[-1] = searched(end[-1], code_.constants[argument], true, kHasFront);
        break;
      case SqlOp::kNotStartsWith:
        end[-1] = searched(end[-1], code_.constants[argument], false, kHasFront);
        break;
      case SqlOp::kEndsWith:
        end[-1] = searched(end[-1], code_.constants[argument], true, kHasBack);
        break;
      case SqlOp::kNotEndsWith:
        end[-1] = searched(end[-1], code_.constants[argument], false, kHasBack);
        break;
      case SqlOp::kAnd:
        reduce([](const SqlValue& left, const SqlValue& right) { return joined(left, right, false); });
        break;
      case SqlOp::kOr:
        reduce([](const SqlValue& left, const SqlValue& right) { return joined(left, right, true); });
        break;
      case SqlOp::kSkipIfFalse:
        if (is_bool(end[-1], false)) at = argument - 1;
        break;
      case SqlOp::kSkipIfTrue:
        if (is_bool(end[-1], true)) at = argument - 1;
        break;
    }
  }
  const SqlValue& result = end[-1];
  if (is_failure(result)) return SqlResult::kFailed;
  const auto* boolean = as<bool>(result);
  if (boolean == nullptr) return SqlResult::kNull;
  return *boolean ? SqlResult::kTrue : SqlResult::kFalse;
}

}  // namespace tern::broker
