#pragma once
// Bytes for tests of formats: written as hex, viewed as the parsers want them.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tern/base/byte_order.hpp"

namespace tern::message {

/// The bytes of hex text; blanks are ignored.
inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

inline std::span<const std::byte> view(const std::string& bytes) {
  return std::as_bytes(std::span<const char>(bytes));
}

inline std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `bytes` with the integer at `at` replaced.
template <class T>
std::string patched(std::string bytes, int at, T value) {
  store_be(bytes.data() + at, value);
  return bytes;
}

}  // namespace tern::message
