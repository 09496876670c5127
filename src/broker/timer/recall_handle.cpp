#include "broker/timer/recall_handle.hpp"

#include <array>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace tern::broker {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kHandleMax = 8192;
constexpr std::size_t kParts = 5;

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kDigits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return text;
}

// With or without padding, as Java's decoder takes it.
std::optional<std::string> from_base64(std::string_view text) {
  const bool is_padded = text.ends_with('=');
  if (is_padded && text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char digit : text) {
    const auto value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 0xFFU);
  }
  return bytes;
}

}  // namespace

std::string RecallHandle::encode() const {
  return to_base64(fmt::format("v1 {} {} {} {}", topic, broker_name, deliver_ms, unique_key));
}

std::optional<RecallHandle> RecallHandle::decode(std::string_view text) {
  if (text.empty() || text.size() > kHandleMax) return std::nullopt;
  const auto bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  std::vector<std::string_view> parts;
  std::string_view rest = *bytes;
  for (;;) {
    const auto end = parts.size() + 1 < kParts ? rest.find(' ') : std::string_view::npos;  // a key may hold blanks
    parts.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (parts.size() != kParts || parts[0] != "v1") return std::nullopt;
  RecallHandle handle;
  handle.topic = parts[1];
  handle.broker_name = parts[2];
  handle.unique_key = parts[4];
  const auto [end, error] = std::from_chars(parts[3].data(), parts[3].data() + parts[3].size(), handle.deliver_ms);
  if (error != std::errc{} || end != parts[3].data() + parts[3].size()) handle.deliver_ms = -1;
  return handle;
}

}  // namespace tern::broker
