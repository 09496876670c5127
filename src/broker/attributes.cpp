#include "broker/attributes.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace tern::broker {
namespace {

bool is_allowed(const AttributeRow& row, std::string_view value) {
  if (row.kind == AttributeRow::Kind::kText) return true;
  if (row.kind == AttributeRow::Kind::kNumber) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    return error == std::errc{} && end == value.data() + value.size() && number >= row.number_min &&
           number <= row.number_max;
  }
  for (std::string_view rest = row.words; !rest.empty();) {
    const auto word = rest.substr(0, rest.find('|'));
    if (word == value) return true;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return false;
}

}  // namespace

std::optional<std::string> alter_attributes(std::span<const AttributeRow> rows, const AttributeChanges& changes,
                                            bool is_new, std::map<std::string, std::string>& attributes) {
  auto result = attributes;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : changes) {
    const bool adds = name.starts_with('+');
    if (!adds && !name.starts_with('-')) return fmt::format("kv string format wrong: {}", name);
    const auto key = std::string_view(name).substr(1);
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const auto& candidate) { return candidate.key == key; });
    if (!seen.insert(key).second) return fmt::format("key duplication: {}", key);
    if (row == rows.end()) return fmt::format("unsupported key: {}", key);
    if (!is_new && !row->is_mutable) return fmt::format("attempt to update an unchangeable attribute. key: {}", key);
    if (adds) {
      if (!is_allowed(*row, value)) return fmt::format("value is not in set: {}={}", key, value);
      result[std::string(key)] = value;
      continue;
    }
    if (is_new) return fmt::format("only add attribute is supported while creating topic. key: {}", name);
    if (result.erase(std::string(key)) == 0) return fmt::format("attempt to delete a nonexistent key: {}", key);
  }
  attributes = std::move(result);
  return std::nullopt;
}

}  // namespace tern::broker
