#include "tern/message/properties.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <boost/container/small_vector.hpp>
#include <fmt/format.h>

#include "tern/base/java_hash.hpp"

namespace tern::message {

std::optional<std::string_view> find_property(std::string_view properties, std::string_view name) {
  std::optional<std::string_view> found;
  for_each_property(properties, [&](std::string_view pair_name, std::string_view value) {
    if (pair_name == name) found = value;
  });
  return found;
}

void PropertyWriter::add(std::string_view name, std::string_view value) {
  if (name.empty() || value.empty()) return;
  to_.append(name).push_back(kNameEnd);
  to_.append(value).push_back(kPairEnd);
}

void PropertyWriter::add(std::string_view name, std::int64_t value) {
  const fmt::format_int digits(value);
  add(name, std::string_view(digits.data(), digits.size()));
}

void PropertyWriter::copy_except(std::string_view properties, std::span<const std::string_view> without) {
  boost::container::small_vector<std::pair<std::string_view, std::string_view>, kPairsInline> pairs;
  for_each_property(properties, [&](std::string_view name, std::string_view value) {
    if (std::find(without.begin(), without.end(), name) == without.end()) pairs.emplace_back(name, value);
  });
  // Messages have about ten properties: comparing each with those behind it is cheapest. A table is for the hostile
  // rest.
  if (pairs.size() <= kPairsInline) {
    for (auto pair = pairs.begin(); pair != pairs.end(); ++pair) {
      const auto same_name = [&](const auto& later) { return later.first == pair->first; };
      if (std::none_of(pair + 1, pairs.end(), same_name)) add(pair->first, pair->second);
    }
    return;
  }
  std::unordered_map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < pairs.size(); ++i) last[pairs[i].first] = i;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (last[pairs[i].first] == i) add(pairs[i].first, pairs[i].second);
  }
}

std::int64_t tags_code(std::string_view properties) {
  const auto tags = find_property(properties, property::kTags);
  return tags ? java_hash(*tags) : 0;
}

}  // namespace tern::message
