#include "tern/base/runtime_config.hpp"

#include "tern/base/log.hpp"

namespace tern {

std::string RuntimeConfig::text() const {
  const MutexLock lock(lock_);
  std::vector<PropertyLine> lines;
  lines.reserve(options_.options().size());
  for (const auto& option : options_.options()) lines.push_back({option.key, option.get(), 0});
  return write_properties(lines);
}

std::optional<RuntimeConfig::Refused> RuntimeConfig::update(std::string_view properties) {
  const auto parsed = parse_properties("request", properties);
  if (const auto* problem = std::get_if<PropertiesError>(&parsed)) {
    return Refused{false, fmt::format("line {}: {}", problem->line, problem->text)};
  }
  const auto& lines = std::get<PropertiesFile>(parsed).lines;
  for (const auto& line : lines) {
    if (is_black_listed(line.key)) return Refused{true, "Can not update config in black list."};
  }
  auto outcome = change(lines);
  if (auto* refused = std::get_if<Refused>(&outcome)) return std::move(*refused);
  const auto& changed = std::get<std::vector<PropertyLine>>(outcome);
  for (const auto& line : changed) log_info("setting changed by request: {}={}", line.key, line.value);
  if (changed.empty() || !keep_) return std::nullopt;
  if (auto problem = keep_(changed)) {
    log_error("changed settings hold until the process ends, for they cannot be kept: {}", *problem);
    return Refused{false, fmt::format("changed, but only until the process ends: {}", *problem)};
  }
  return std::nullopt;
}

std::variant<std::vector<PropertyLine>, RuntimeConfig::Refused> RuntimeConfig::change(
    const std::vector<PropertyLine>& lines) {
  const MutexLock lock(lock_);
  std::vector<std::pair<std::string, std::string>> before;
  std::vector<PropertyLine> changed;
  for (const auto& line : lines) {
    const auto* option = options_.find(line.key);
    auto old = option != nullptr ? option->get() : std::string();
    const auto outcome = options_.change(line.key, line.value);
    if (const auto* refusal = std::get_if<OptionSet::Refusal>(&outcome)) {
      for (auto undo = before.rbegin(); undo != before.rend(); ++undo) (void)options_.change(undo->first, undo->second);
      return Refused{false, refusal->text};
    }
    before.emplace_back(line.key, std::move(old));
    changed.push_back({line.key, option->get(), 0});
  }
  return changed;
}

bool RuntimeConfig::is_black_listed(std::string_view key) const {
  std::string_view rest = black_list_;
  while (!rest.empty()) {
    const auto end = rest.find(';');
    if (rest.substr(0, end) == key) return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

}  // namespace tern
