#pragma once
#include "tern/base/result.hpp"

namespace tern::nameserver {

/// What can be wrong with the bytes of a registration.
enum class Errc {
  kBodyNotJson = 1,   // detail: position of the first byte that does not fit
  kBodyIncomplete,    // a member that must be there is not, or is of another kind
  kBodyEndsEarly,     // binary form; detail: position of the field that reaches beyond the end
  kBadTopicLine,      // binary form; detail: index of the topic
  kBadCompression,    // no zlib stream, or a damaged one
  kInflatedTooLarge,  // detail: the limit in bytes
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) {
  return {make_error_code(code), detail};
}

}  // namespace tern::nameserver
