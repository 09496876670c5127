// The rules of settings that hold addresses.

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>
#include <string>
#include <string_view>

#include "tern/base/options.hpp"

namespace tern {
namespace {

bool is_ip_address(std::string_view text) {
  const std::string literal(text);
  if (literal.find('\0') != std::string::npos) return false;
  in6_addr parsed{};  // large enough for both
  return ::inet_pton(AF_INET, literal.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, literal.c_str(), &parsed) == 1;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) return text.ends_with(']') && is_ip_address(text.substr(1, text.size() - 2));
  const auto is_of_a_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  };
  return is_ip_address(text) || (!text.empty() && std::ranges::all_of(text, is_of_a_name));
}

bool is_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_host(text.substr(0, colon))) return false;
  int port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, port);
  return error == std::errc{} && stopped == end && port >= 1 && port <= 65'535;
}

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

OptionRule ip_address() {
  return {"an IP address, or empty", [](std::string_view text) { return text.empty() || is_ip_address(text); }};
}

OptionRule host_ports() {
  return {"host:port, ';' between several, or empty", [](std::string_view text) {
            while (!text.empty()) {
              const auto part = text.substr(0, text.find(';'));
              text.remove_prefix(std::min(text.size(), part.size() + 1));
              if (!without_blanks(part).empty() && !is_host_port(without_blanks(part))) return false;
            }
            return true;
          }};
}

}  // namespace tern
