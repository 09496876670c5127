#include "tern/base/java_hash.hpp"

#include <cstddef>

namespace tern {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

// Decodes one code point at `at` and moves past it; ill-formed input yields U+FFFD and moves at least one byte.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at++);
  if (lead < 0x80) return lead;
  int extra = 0;
  std::uint32_t point = 0;
  std::uint32_t smallest = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    extra = 1, point = lead & 0x1FU, smallest = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    extra = 2, point = lead & 0x0FU, smallest = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    extra = 3, point = lead & 0x07U, smallest = 0x10000;
  } else {
    return kReplacement;
  }
  for (int i = 0; i < extra; ++i) {
    if (at >= text.size() || (byte(at) & 0xC0U) != 0x80) return kReplacement;
    point = (point << 6U) | (byte(at) & 0x3FU);
    // The first continuation byte already tells an overlong form and what lies beyond the last code point; Java leaves
    // that byte to be decoded anew. A surrogate it notices only at the end, and counts as one.
    const int left = 6 * (extra - 1 - i);
    if (i == 0 && ((((point + 1) << left) - 1) < smallest || (point << left) > 0x10FFFF)) return kReplacement;
    ++at;
  }
  return point >= 0xD800 && point <= 0xDFFF ? kReplacement : point;
}

}  // namespace

std::int32_t java_hash(std::string_view utf8, std::int32_t seed) noexcept {
  auto hash = static_cast<std::uint32_t>(seed);
  for (std::size_t at = 0; at < utf8.size();) {
    const std::uint32_t point = next_code_point(utf8, at);
    if (point < 0x10000) {
      hash = 31 * hash + point;
    } else {
      hash = 31 * hash + (0xD800 + ((point - 0x10000) >> 10U));
      hash = 31 * hash + (0xDC00 + ((point - 0x10000) & 0x3FFU));
    }
  }
  return static_cast<std::int32_t>(hash);
}

}  // namespace tern
