#include "broker/filter/sql_program.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "broker/filter/filter_case.hpp"
#include "broker/filter/sql_parser.hpp"

namespace tern::broker {
namespace {

SqlProgramPtr compiled(const std::string& expression) {
  const auto program = compile_sql(expression);
  EXPECT_TRUE(program) << program.error().text;
  return program ? *program : nullptr;
}

// test/differential/filter/run asks Apache's filter the same.
TEST(SqlProgram, GivesWhatTheTableSays) {
  std::ifstream table(TERN_SOURCE_DIR "/test/broker/filter/expressions.tsv");
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++count;
    const auto split = line.find('\t');
    EXPECT_EQ(test::result_of(std::string_view(line).substr(split + 1)), line.substr(0, split)) << line;
  }
  EXPECT_GE(count, 200);
}

TEST(SqlProgram, LetsOnlyTrueThrough) {
  const std::string is_one =
      "a\x01"
      "1\x02";
  EXPECT_TRUE(compiled("a = 1")->matches(is_one));
  EXPECT_FALSE(compiled("a = 2")->matches(is_one));
  EXPECT_FALSE(compiled("b = 1")->matches(is_one)) << "null";
  EXPECT_FALSE(compiled("a = 1.0 AND NOT a = 1")->matches("a\x01x\x02")) << "fails";
}

TEST(SqlProgram, ReadsPropertyStringsAsRecordsHoldThem) {
  const auto program = compiled("a = 'x' AND b = 'y'");
  EXPECT_TRUE(
      program->matches("a\x01x\x02"
                       "b\x01y"))
      << "without the last end";
  EXPECT_TRUE(
      program->matches("b\x01z\x02"
                       "a\x01x\x02"
                       "b\x01y\x02"))
      << "the last one counts";
  EXPECT_FALSE(
      program->matches("a\x01x\x02"
                       "b\x01"))
      << "empty: it is not there";
  EXPECT_FALSE(program->matches(""));
}

TEST(SqlProgram, KeepsItsTextsWhereverItComesFrom) {
  SqlProgramPtr program;
  {
    std::string expression = "a IN ('it''s', 'x') AND b CONTAINS 'yy' AND c = 'a text that is not short'";
    program = compiled(expression);
    expression.assign(expression.size(), '#');
  }
  EXPECT_TRUE(
      program->matches("a\x01it's\x02"
                       "b\x01xyyx\x02"
                       "c\x01"
                       "a text that is not short\x02"));
}

// A naive search would compare 16,384 * 16,384 bytes here.
TEST(SqlProgram, SearchesInLinearTime) {
  const std::string half(16'384, 'a');
  const auto program = compiled("a CONTAINS '" + half + "b'");
  EXPECT_FALSE(program->matches("a\x01" + half + half + "\x02"));
  EXPECT_TRUE(program->matches("a\x01" + half + half + "b\x02"));
}

TEST(SqlProgram, KnowsWhatItCosts) {
  const auto small = compiled("a = 1");
  const auto large = compiled("a = 1 AND b = 2 AND c = 3");
  EXPECT_GT(small->cost(0), 0);
  EXPECT_GT(small->cost(1000), 1000);
  EXPECT_GT(large->cost(1000), small->cost(1000));
  EXPECT_GT(large->bytes(), small->bytes());
}

}  // namespace
}  // namespace tern::broker
