#include "broker/topics/topic_attributes.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include <fmt/format.h>

namespace tern::broker {
namespace {

struct AttributeRow {
  std::string_view key;
  std::string_view allowed;  // '|' between; empty: a number from -1
  bool is_mutable;
  std::int64_t number_max = std::numeric_limits<std::int64_t>::max();
};
constexpr AttributeRow kRows[] = {
    {"queue.type", "SimpleCQ|BatchCQ", false},
    {"cleanup.policy", "DELETE|COMPACTION", false},
    {"message.type", "UNSPECIFIED|NORMAL|FIFO|DELAY|TRANSACTION|MIXED|PRIORITY|LITE", true},
    {"reserve.time", "", true},
    {"lite.topic.expiration", "", true, 43'200},
};

bool is_allowed(const AttributeRow& row, std::string_view value) {
  if (row.allowed.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    return error == std::errc{} && end == value.data() + value.size() && number >= -1 && number <= row.number_max;
  }
  for (std::string_view rest = row.allowed; !rest.empty();) {
    const auto word = rest.substr(0, rest.find('|'));
    if (word == value) return true;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return false;
}

}  // namespace

std::optional<std::string> change_attributes(std::string_view changes, bool is_new,
                                             std::map<std::string, std::string>& attributes) {
  auto result = attributes;
  std::set<std::string_view> seen;
  while (!changes.empty()) {
    const auto entry = changes.substr(0, changes.find(','));
    changes.remove_prefix(std::min(changes.size(), entry.size() + 1));
    if (entry.empty()) continue;
    const auto split = entry.find('=');
    const auto key = entry.substr(1, split == std::string_view::npos ? split : split - 1);
    const auto row =
        std::find_if(std::begin(kRows), std::end(kRows), [&](const auto& candidate) { return candidate.key == key; });
    const bool adds = entry.front() == '+';
    if (!adds && entry.front() != '-') return fmt::format("kv string format wrong: {}", entry);
    if (!seen.insert(key).second) return fmt::format("key duplication: {}", key);
    if (row == std::end(kRows)) return fmt::format("unsupported key: {}", key);
    if (!is_new && !row->is_mutable) return fmt::format("attempt to update an unchangeable attribute. key: {}", key);
    if (!adds) {
      if (is_new) return fmt::format("only add attribute is supported while creating topic. key: {}", entry);
      if (result.erase(std::string(key)) == 0) return fmt::format("attempt to delete a nonexistent key: {}", key);
      continue;
    }
    const auto value = split == std::string_view::npos ? std::string_view{} : entry.substr(split + 1);
    if (!is_allowed(*row, value)) return fmt::format("value is not in set: {}={}", key, value);
    result[std::string(key)] = value;
  }
  attributes = std::move(result);
  return std::nullopt;
}

}  // namespace tern::broker
