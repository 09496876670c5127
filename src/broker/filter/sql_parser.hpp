#pragma once
// SQL92 filter expressions, as Apache's brokers take them:
//
//   or          = and { OR and }
//   and         = equality { AND equality }
//   equality    = comparison { ( "=" | "<>" ) comparison | IS [ NOT ] NULL }
//   comparison  = unary { ( ">" | ">=" | "<" | "<=" ) unary | [ NOT ] BETWEEN unary AND unary
//                       | [ NOT ] IN "(" text { "," text } ")" | [ NOT ] ( CONTAINS | STARTSWITH | ENDSWITH ) text }
//   unary       = ( "+" | "-" | NOT ) unary | primary
//   primary     = text | integer | float | TRUE | FALSE | NULL | name | "(" or ")"
//
// What follows a whole expression is ignored, as it is there, if its first token is one. Operands are checked as far as
// they are known without a message: texts, conditions and NULL have no order, NULL is asked for with IS, the bounds of
// BETWEEN stand in order, IN wants a property. Numbers are 32 or 64 bits wide; a float of zero is refused.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "broker/filter/sql_program.hpp"

namespace tern::broker {

inline constexpr std::size_t kSqlBytesMax = 32 << 10;  // of an expression
inline constexpr int kSqlNestingMax = 128;             // parentheses, signs and NOTs within each other

/// Why an expression is refused: where (bytes from 1), and what was expected there.
struct SqlProblem {
  std::size_t position = 0;
  std::string text;              // "position 5: expected a value, found ')'"
  bool is_beyond_limit = false;  // of ours: Apache's brokers might take it
};
[[noreturn]] void throw_exception_from_error(const SqlProblem& problem, const boost::source_location& where);

using SqlProgramPtr = std::shared_ptr<const SqlProgram>;
[[nodiscard]] boost::system::result<SqlProgramPtr, SqlProblem> compile_sql(std::string_view expression);

}  // namespace tern::broker
