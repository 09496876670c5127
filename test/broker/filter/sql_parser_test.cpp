#include "broker/filter/sql_parser.hpp"

#include <gtest/gtest.h>

namespace tern::broker {
namespace {

std::string problem(const std::string& expression) {
  const auto program = compile_sql(expression);
  return program ? "" : program.error().text;
}
std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(SqlParser, SaysWhereAndWhatItExpected) {
  EXPECT_EQ(problem(""), "position 1: expected a value, a property, NOT or (, found the end of the expression");
  EXPECT_EQ(problem("a > "), "position 5: expected a value, a property, NOT or (, found the end of the expression");
  EXPECT_EQ(problem("a = = 1"), "position 5: expected a value, a property, NOT or (, found =");
  EXPECT_EQ(problem("a != 1"), "position 3: expected a value, a name or an operator, found !");
  EXPECT_EQ(problem("a = 'x"), "position 5: expected a quote that ends the text");
  EXPECT_EQ(problem("(a = 1"), "position 7: expected ), found the end of the expression");
  EXPECT_EQ(problem("a IS 1"), "position 6: expected NULL or NOT NULL, found 1");
  EXPECT_EQ(problem("a IS NOT 1"), "position 10: expected NULL, found 1");
  EXPECT_EQ(problem("a NOT NULL"), "position 7: expected BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH, found NULL");
  EXPECT_EQ(problem("a BETWEEN 1 OR 2"), "position 13: expected AND, found OR");
  EXPECT_EQ(problem("a IN 'x'"), "position 6: expected (, found 'x'");
  EXPECT_EQ(problem("a IN ('x' 'y')"), "position 11: expected , or ), found 'y'");
  EXPECT_EQ(problem("a IN (1)"), "position 7: expected a text in single quotes, found 1");
  EXPECT_EQ(problem("b = 1 OR a CONTAINS 5"), "position 21: expected a text in single quotes, found 5");
}

TEST(SqlParser, SaysWhichOperandIsOfTheWrongKind) {
  EXPECT_EQ(problem("a = 1 AND 'x'"), "position 11: expected a condition, found a value");
  EXPECT_EQ(problem("5"), "position 1: expected a condition, found a value");
  EXPECT_EQ(problem("NOT -a"), "position 5: expected a condition, found a value");
  EXPECT_EQ(problem("a > 'x'"), "position 5: expected a number or a property: texts and conditions have no order");
  EXPECT_EQ(problem("(a = 1) < b"), "position 1: expected a number or a property: texts and conditions have no order");
  EXPECT_EQ(problem("a = NULL"), "position 5: expected a value: NULL equals nothing, use IS NULL");
  EXPECT_EQ(problem("TRUE = 1"), "position 8: expected a condition or a property behind TRUE or FALSE");
  EXPECT_EQ(problem("a BETWEEN 5 AND 4.5"), "position 17: expected an upper bound that is not below the lower one");
  EXPECT_EQ(problem("5 IN ('x')"), "position 1: expected a property before IN");
}

TEST(SqlParser, SaysWhichNumberIsOutOfRange) {
  EXPECT_EQ(problem("a = 9223372036854775808"),
            "position 5: expected an integer of at most 64 bits, found 9223372036854775808");
  EXPECT_EQ(problem("a > 0.0"), "position 5: expected a number from 5e-324 to 1.7976931348623157e+308, found 0.0");
  EXPECT_EQ(problem("a > 1e309"), "position 5: expected a number from 5e-324 to 1.7976931348623157e+308, found 1e309");
}

TEST(SqlParser, ShowsNoMoreThanTheFrontOfALongWord) {
  EXPECT_EQ(problem("a = 1 AND = " + std::string(100, 'x')),
            "position 11: expected a value, a property, NOT or (, found =");
  EXPECT_EQ(problem("a IS " + std::string(100, 'x')),
            "position 6: expected NULL or NOT NULL, found " + std::string(32, 'x') + "...");
}

TEST(SqlParser, BoundsTheLengthOfExpressions) {
  const std::string longest = "a = '" + std::string(kSqlBytesMax - 6, 'x') + "'";
  EXPECT_EQ(problem(longest), "");
  EXPECT_EQ(problem(longest + " "), "position 32769: expected an expression of at most 32768 bytes");
}

TEST(SqlParser, BoundsTheNestingOfExpressions) {
  const auto nested = [](int levels) { return repeated("(", levels) + "a = 1" + repeated(")", levels); };
  EXPECT_EQ(problem(nested(kSqlNestingMax)), "");
  EXPECT_EQ(problem(nested(kSqlNestingMax + 1)), "position 129: expected at most 128 levels of nesting");
  EXPECT_EQ(problem(repeated("NOT ", kSqlNestingMax) + "a"), "");
  EXPECT_NE(problem(repeated("NOT ", kSqlNestingMax + 1) + "a"), "");
  EXPECT_NE(problem("a = " + repeated("- ", kSqlNestingMax + 1) + "1"), "");
  EXPECT_NE(problem(repeated("+", 30'000) + "a"), "");
}

TEST(SqlParser, BoundsTheOperandsThatWait) {
  // Each level leaves one operand behind.
  const auto waiting = [](int levels) { return repeated("a OR (", levels) + "b" + repeated(")", levels); };
  const int most = static_cast<int>(kSqlStackMax) - 1;
  EXPECT_EQ(problem(waiting(most)), "");
  EXPECT_EQ(problem(waiting(most + 1)), "position 386: expected at most 64 operands that wait for others");
}

TEST(SqlParser, BoundsTheNumberOfProperties) {
  std::string expression = "p0 IS NULL";
  for (std::size_t i = 1; i < kSqlNamesMax; ++i) expression += " AND p" + std::to_string(i) + " IS NULL";
  EXPECT_EQ(problem(expression), "");
  EXPECT_EQ(problem(expression + " AND p0 IS NULL"), "") << "known already";
  EXPECT_EQ(problem("q IS NULL AND " + expression), "position 2064: expected at most 128 different properties");
}

TEST(SqlParser, TakesLongChainsWithoutNesting) {
  EXPECT_EQ(problem("a = 1" + repeated(" OR a = 1", 3000)), "");
  EXPECT_EQ(problem("a IN ('x'" + repeated(",'y'", 8000) + ")"), "");
}

}  // namespace
}  // namespace tern::broker
