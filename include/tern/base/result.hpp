#pragma once
// Errors are values. What can happen (disk full, bad bytes, unknown topic) is returned as Result<T>; exceptions cross
// no module border.

#include <cstdint>
#include <string>
#include <system_error>

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

namespace tern {

/// A code and one number that says where or which (an errno, a position in a file, a size that was too large).
/// Text is made only when somebody prints it. Each module has one enum and one std::error_category.
struct Error {
  std::error_code code;
  std::int64_t detail = 0;

  /// "<category>: <message> (<detail>)", the detail only if it is not 0. Of an errno only the system's message.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Error&, const Error&) = default;
};

/// boost::system::result calls this when value() is asked of an error: that is our own mistake, so it ends the process.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

/// A value or an Error. `if (!result) return result.error();` is the common form.
template <class T>
using Result = boost::system::result<T, Error>;

using Status = Result<void>;

/// An Error made of errno (std::generic_category) and a detail.
[[nodiscard]] Error errno_error(int errno_value, std::int64_t detail = 0);

}  // namespace tern
