#include "tern/protocol/fields.hpp"

#include "tern/base/check.hpp"

namespace tern::protocol {

std::string FieldProblem::text() const {
  constexpr std::size_t kShownMax = 100;
  if (code == Errc::kMissingField) return fmt::format("the custom field <{}> is null", key);
  return fmt::format("the custom field <{}> has an illegal value: {}", key, value.substr(0, kShownMax));
}

void throw_exception_from_error(const FieldProblem& problem, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "fields.has_value()", problem.text());
}

Response refuse(const FieldProblem& problem) {
  return refuse(ResponseCode::kSystemError, "{}", problem.text());
}

}  // namespace tern::protocol
