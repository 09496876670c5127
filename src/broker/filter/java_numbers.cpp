#include "broker/filter/java_numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

namespace tern::broker {
namespace {

// Where the decimal digits of a script begin, above ASCII; only what one UTF-16 unit holds, as Integer.parseInt reads
// units. All are in the range that UTF-8 writes in two or three bytes.
constexpr char16_t kZeros[] = {0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6,
                               0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090,
                               0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
                               0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Takes one digit off the front of `text`; -1 if there is none.
int take_digit(std::string_view& text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(text[at])); };
  if (is_digit(text.front())) {
    const int digit = text.front() - '0';
    text.remove_prefix(1);
    return digit;
  }
  unsigned unit = 0;
  std::size_t size = 0;
  if ((byte(0) & 0xE0U) == 0xC0U && text.size() >= 2) {
    unit = (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    size = 2;
  } else if ((byte(0) & 0xF0U) == 0xE0U && text.size() >= 3) {
    unit = (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    size = 3;
  } else {
    return -1;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return -1;
  }
  const auto* above = std::upper_bound(std::begin(kZeros), std::end(kZeros), static_cast<char16_t>(unit));
  if (above == std::begin(kZeros)) return -1;
  const unsigned digit = unit - above[-1];
  if (digit > 9) return -1;
  text.remove_prefix(size);
  return static_cast<int>(digit);
}

template <class T>
std::optional<T> integer(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool is_negative = text.front() == '-';
  if (is_negative || text.front() == '+') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  // Counted downwards, because the lowest number has no positive twin.
  constexpr T kLowest = std::numeric_limits<T>::min();
  T value = 0;
  while (!text.empty()) {
    const int digit = take_digit(text);
    if (digit < 0 || value < kLowest / 10) return std::nullopt;
    value = static_cast<T>(value * 10);
    if (value < kLowest + digit) return std::nullopt;
    value = static_cast<T>(value - digit);
  }
  if (is_negative) return value;
  if (value == kLowest) return std::nullopt;
  return static_cast<T>(-value);
}

/// What stands of a number in its text, for those that are too large or too small for from_chars.
struct Extent {
  std::int64_t exponent = 0;  // of the first significant digit, in units of the base
  bool is_zero = true;
};

/// Steps over digits with at most one point among them; how many digits, and where the first significant one stands.
template <class IsDigit>
std::size_t skip_digits(std::string_view text, std::size_t& at, Extent& extent, IsDigit&& is_digit_of_base) {
  std::size_t digits = 0, before_point = 0;
  bool has_point = false;
  std::size_t first_significant = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !has_point) {
      has_point = true;
      before_point = digits;
      continue;
    }
    if (!is_digit_of_base(text[at])) break;
    if (extent.is_zero && text[at] != '0') {
      extent.is_zero = false;
      first_significant = digits;
    }
    ++digits;
  }
  if (!has_point) before_point = digits;
  extent.exponent = static_cast<std::int64_t>(before_point) - static_cast<std::int64_t>(first_significant);
  return digits;
}

/// The exponent behind its letter, held within a range that decides everything; nullopt if there is no digit.
std::optional<std::int64_t> take_exponent(std::string_view text, std::size_t& at) {
  constexpr std::int64_t kFar = 1'000'000'000;
  const bool is_negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  if (at == text.size() || !is_digit(text[at])) return std::nullopt;
  std::int64_t value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) value = std::min(kFar, value * 10 + (text[at] - '0'));
  return is_negative ? -value : value;
}

bool is_suffix(std::string_view rest) {
  return rest.empty() || rest == "f" || rest == "F" || rest == "d" || rest == "D";
}

/// `digits` is what from_chars reads. Beyond its range, `extent` says on which side.
double converted(std::string_view digits, const Extent& extent, std::chars_format format) {
  if (extent.is_zero) return 0.0;
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, format);
  if (result.ec == std::errc()) return value;
  return extent.exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

std::optional<double> hexadecimal(std::string_view text) {
  Extent extent;
  std::size_t at = 0;
  if (skip_digits(text, at, extent, is_hex_digit) == 0) return std::nullopt;
  if (at == text.size() || (text[at] != 'p' && text[at] != 'P')) return std::nullopt;
  ++at;
  const auto exponent = take_exponent(text, at);
  if (!exponent || !is_suffix(text.substr(at))) return std::nullopt;
  constexpr int kBitsOfDigit = 4;
  extent.exponent = extent.exponent * kBitsOfDigit + *exponent;
  return converted(text.substr(0, at), extent, std::chars_format::hex);
}

std::optional<double> decimal(std::string_view text) {
  Extent extent;
  std::size_t at = 0;
  if (skip_digits(text, at, extent, is_digit) == 0) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const auto exponent = take_exponent(text, at);
    if (!exponent) return std::nullopt;
    extent.exponent += *exponent;
  }
  if (!is_suffix(text.substr(at))) return std::nullopt;
  return converted(text.substr(0, at), extent, std::chars_format::general);
}

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

}  // namespace

std::optional<std::int32_t> java_int(std::string_view text) noexcept {
  return integer<std::int32_t>(text);
}

std::optional<std::int64_t> java_long(std::string_view text) noexcept {
  return integer<std::int64_t>(text);
}

std::optional<double> java_double(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  const bool is_negative = text.front() == '-';
  if (is_negative || text.front() == '+') text.remove_prefix(1);
  std::optional<double> value;
  if (text == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (text.starts_with("0x") || text.starts_with("0X")) {
    value = hexadecimal(text.substr(2));
  } else {
    value = decimal(text);
  }
  if (value && is_negative) value = -*value;
  return value;
}

bool java_bool(std::string_view text) noexcept {
  constexpr std::string_view kTrue = "true";
  return std::equal(text.begin(), text.end(), kTrue.begin(), kTrue.end(),
                    [](char given, char lower) { return given == lower || given == lower - 'a' + 'A'; });
}

int java_compare(double left, double right) noexcept {
  if (left < right) return -1;
  if (left > right) return 1;
  // Equal, or one is NaN.
  const auto rank = [](double value) { return std::isnan(value) ? 2 : std::signbit(value) && value == 0 ? 0 : 1; };
  return rank(left) - rank(right);
}

}  // namespace tern::broker
