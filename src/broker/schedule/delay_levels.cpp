#include "broker/schedule/delay_levels.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "tern/message/properties.hpp"

namespace tern::broker {

std::optional<DelayLevels> DelayLevels::parse(std::string_view text, std::string& problem) {
  DelayLevels levels;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    std::int64_t unit_ms = 0;
    if (error == std::errc{} && end + 1 == word.data() + word.size()) {
      switch (*end) {
        case 's':
          unit_ms = 1000;
          break;
        case 'm':
          unit_ms = 60'000;
          break;
        case 'h':
          unit_ms = 3'600'000;
          break;
        case 'd':
          unit_ms = 86'400'000;
          break;
        default:
          break;
      }
    }
    if (unit_ms == 0 || number < 0 || number > 100'000'000) {
      problem = fmt::format("messageDelayLevel: \"{}\" is no delay; a number and one of s, m, h, d is expected", word);
      return std::nullopt;
    }
    levels.delays_ms_.push_back(number * unit_ms);
  }
  if (levels.delays_ms_.empty()) {
    problem = "messageDelayLevel names no level";
    return std::nullopt;
  }
  return levels;
}

int DelayLevels::capped(std::int64_t level) const {
  return static_cast<int>(std::min<std::int64_t>(level, count()));
}

std::int64_t DelayLevels::tags_code(std::string_view properties, std::int64_t store_timestamp) const {
  const auto text = message::find_property(properties, message::property::kDelay);
  std::int64_t level = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), level);
  if (level <= 0) return message::tags_code(properties);
  return store_timestamp + delay_ms(capped(level));
}

}  // namespace tern::broker
