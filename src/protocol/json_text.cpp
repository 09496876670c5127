#include "json_text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace tern::protocol {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::uint32_t kReplacementPoint = 0xFFFD;

constexpr bool is_plain_byte(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}
constexpr auto kPlain = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) table[byte] = is_plain_byte(static_cast<unsigned char>(byte));
  return table;
}();

std::size_t plain_prefix(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && kPlain[static_cast<unsigned char>(text[size])]) ++size;
  return size;
}

// Size of the UTF-8 character at the front of `text`, 0 if there is none. Surrogates and overlong forms are none (RFC
// 3629).
std::size_t utf8_size(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto within = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (within(lead, 0xC2, 0xDF)) return within(byte(1), 0x80, 0xBF) ? 2 : 0;
  if (within(lead, 0xE0, 0xEF)) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return within(byte(1), low, high) && within(byte(2), 0x80, 0xBF) ? 3 : 0;
  }
  if (within(lead, 0xF0, 0xF4)) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return within(byte(1), low, high) && within(byte(2), 0x80, 0xBF) && within(byte(3), 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

void append(std::string& to, std::string_view text) {
  to.append(text);
}
void append(boost::container::small_vector_base<char>& to, std::string_view text) {
  to.insert(to.end(), text.begin(), text.end());
}

template <class Text>
void append_escape(Text& to, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  switch (byte) {
    case '"':
      return append(to, "\\\"");
    case '\\':
      return append(to, "\\\\");
    case '\b':
      return append(to, "\\b");
    case '\f':
      return append(to, "\\f");
    case '\n':
      return append(to, "\\n");
    case '\r':
      return append(to, "\\r");
    case '\t':
      return append(to, "\\t");
    default:
      break;
  }
  const char escape[] = {'\\', 'u', '0', '0', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
  append(to, {escape, sizeof(escape)});
}

template <class Text>
void append_string(Text& to, std::string_view text) {
  append(to, "\"");
  while (!text.empty()) {
    if (const std::size_t plain = plain_prefix(text); plain > 0) {
      append(to, text.substr(0, plain));
      text.remove_prefix(plain);
      continue;
    }
    std::size_t used = 1;
    if (const auto byte = static_cast<unsigned char>(text.front()); byte < 0x7F) {
      append_escape(to, byte);
    } else if (const std::size_t size = utf8_size(text); size > 0) {
      append(to, text.substr(0, size));
      used = size;
    } else {
      append(to, kReplacement);
    }
    text.remove_prefix(used);
  }
  append(to, "\"");
}

constexpr auto kHexDigit = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (int i = 0; i < 10; ++i) table[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    table[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(10 + i);
    table[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(10 + i);
  }
  return table;
}();

// The four digits at `text[at]`, -1 if they are not all there.
std::int32_t hex4(std::string_view text, std::size_t at) {
  if (text.size() - at < 4) return -1;
  const auto digit = [&](std::size_t i) -> std::int32_t { return kHexDigit[static_cast<unsigned char>(text[at + i])]; };
  if ((digit(0) | digit(1) | digit(2) | digit(3)) < 0) return -1;
  return digit(0) << 12 | digit(1) << 8 | digit(2) << 4 | digit(3);
}

char* put_utf8(std::uint32_t point, char* to) {
  const auto put = [&to](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6U);
    put(0x80 | (point & 0x3FU));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12U);
    put(0x80 | (point >> 6U & 0x3FU));
    put(0x80 | (point & 0x3FU));
  } else {
    put(0xF0 | point >> 18U);
    put(0x80 | (point >> 12U & 0x3FU));
    put(0x80 | (point >> 6U & 0x3FU));
    put(0x80 | (point & 0x3FU));
  }
  return to;
}

constexpr bool is_high_surrogate(std::int32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
constexpr bool is_low_surrogate(std::int32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

// The character of the \u escape whose digits begin at `at`, which moves behind it; nothing if the digits are missing.
// An escape has 6 bytes and a pair of them 12, so what is written is never longer than what was read.
bool read_unicode_escape(std::string_view raw, std::size_t& at, std::uint32_t& point) {
  const std::int32_t unit = hex4(raw, at);
  if (unit < 0) return false;
  at += 4;
  point = static_cast<std::uint32_t>(unit);
  if (is_low_surrogate(unit)) point = kReplacementPoint;
  if (!is_high_surrogate(unit)) return true;
  point = kReplacementPoint;
  if (raw.size() - at < 6 || raw[at] != '\\' || raw[at + 1] != 'u') return true;
  const std::int32_t low = hex4(raw, at + 2);
  if (!is_low_surrogate(low)) return true;
  at += 6;
  point = 0x10000 + (static_cast<std::uint32_t>(unit - 0xD800) << 10U) + static_cast<std::uint32_t>(low - 0xDC00);
  return true;
}

// What stands for a one-letter escape, 0 if there is no such escape.
constexpr char one_letter_escape(char letter) {
  switch (letter) {
    case '"':
    case '\'':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

bool is_plain(std::string_view text) noexcept {
  return plain_prefix(text) == text.size();
}

void append_json_string(std::string& to, std::string_view text) {
  append_string(to, text);
}
void append_json_string(boost::container::small_vector_base<char>& to, std::string_view text) {
  append_string(to, text);
}

std::size_t unescape_json(std::string_view raw, char* to, std::size_t& bad_at) noexcept {
  const char* const begin = to;
  std::size_t at = 0;
  while (at < raw.size()) {
    const void* const escape = std::memchr(raw.data() + at, '\\', raw.size() - at);
    const std::size_t run =
        (escape != nullptr ? static_cast<std::size_t>(static_cast<const char*>(escape) - raw.data()) : raw.size()) - at;
    std::memcpy(to, raw.data() + at, run);
    to += run;
    at += run;
    if (at == raw.size()) break;

    bad_at = at++;
    if (at == raw.size()) return npos;
    const char letter = raw[at++];
    if (letter == 'u') {
      std::uint32_t point = 0;
      if (!read_unicode_escape(raw, at, point)) return npos;
      to = put_utf8(point, to);
    } else if (const char character = one_letter_escape(letter); character != 0) {
      *to++ = character;
    } else {
      return npos;
    }
  }
  return static_cast<std::size_t>(to - begin);
}

}  // namespace tern::protocol
