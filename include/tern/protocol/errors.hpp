#pragma once
// What can be wrong with bytes from the wire. Each of the first five closes the connection: there is no frame to
// answer.

#include <cstdint>
#include <system_error>
#include <type_traits>

#include "tern/base/result.hpp"

namespace tern::protocol {

enum class Errc {
  kBadFrame = 1,       // length zero, negative, or shorter than its header
  kFrameTooLarge,      // detail: the length asked for
  kUnknownHeaderType,  // detail: the type byte
  kBadHeader,          // detail: position of the first byte that does not fit
  kHeaderTooDeep,      // nesting beyond kJsonDepthMax, of a header or a body; detail: position
  kMissingField,       // a required ext field is absent
  kBadField,           // an ext field is no number, or out of range
  kBadJson,            // body; detail: position
  kBadBody,            // body of another kind; detail: position
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) {
  return {make_error_code(code), detail};
}

}  // namespace tern::protocol
template <>
struct std::is_error_code_enum<tern::protocol::Errc> : std::true_type {};
