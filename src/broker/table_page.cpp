#include "broker/table_page.hpp"

#include <algorithm>
#include <charconv>

namespace tern::broker {
namespace {

std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_version(std::string_view text, const DataVersion& version) {
  const auto json = protocol::parse_json(text);
  return json && json->is_object() && data_version_from_json(*json) == version;
}

}  // namespace

void keep_page(const TablePage& page, const DataVersion& version, protocol::Json& table) {
  const auto first = number(page.first), count = number(page.count);
  if (page.version.empty() && !first && !count) return;
  const auto from = is_version(page.version, version) ? std::max<std::int64_t>(first.value_or(0), 0) : 0;
  const auto wanted = std::clamp<std::int64_t>(count.value_or(TablePage::kEntriesMax), 0, TablePage::kEntriesMax);
  auto kept = protocol::Json::object();
  std::int64_t index = 0;
  for (auto& [name, entry] : table.items()) {
    if (index >= from && index < from + wanted) kept[name] = std::move(entry);
    ++index;
  }
  table = std::move(kept);
}

}  // namespace tern::broker
