#include "tern/base/result.hpp"

#include "tern/base/check.hpp"

namespace tern {

std::string Error::text() const {
  if (code.category() == std::generic_category()) return code.message();  // who it happened to knows where
  if (detail == 0) return fmt::format("{}: {}", code.category().name(), code.message());
  return fmt::format("{}: {} ({})", code.category().name(), code.message(), detail);
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "result.has_value()", error.text());
}

Error errno_error(int errno_value, std::int64_t detail) {
  return {{errno_value, std::generic_category()}, detail};
}

}  // namespace tern
