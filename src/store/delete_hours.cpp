#include "store/delete_hours.hpp"

#include <algorithm>
#include <charconv>

namespace tern::store {

std::optional<std::set<int>> parse_delete_hours(std::string_view text) {
  std::set<int> hours;
  while (!text.empty()) {
    auto part = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    int hour = -1;
    const auto* const end = part.data() + part.size();
    const auto [stopped, error] = std::from_chars(part.data(), end, hour);
    if (error != std::errc{} || stopped != end || hour < 0 || hour > 23) return std::nullopt;
    hours.insert(hour);
  }
  return hours;
}

}  // namespace tern::store
