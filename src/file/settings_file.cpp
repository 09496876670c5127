#include "tern/file/settings_file.hpp"

#include <fmt/format.h>

namespace tern::file {

std::optional<std::string> SettingsFile::keep(std::span<const PropertyLine> changed) {
  const auto check = [](std::string_view content) -> std::optional<std::string> {
    const auto parsed = parse_properties({}, content);
    if (const auto* problem = std::get_if<PropertiesError>(&parsed)) {
      return fmt::format("line {}: {}", problem->line, problem->text);
    }
    return std::nullopt;
  };
  const auto loaded = file_.load(check);
  if (!loaded) return loaded.error().text;
  // An older version must not come back in the place of what somebody is writing.
  if (*loaded && (*loaded)->from_backup) return fmt::format("{} {}", file_.path(), (*loaded)->why_backup);
  const auto content = with_settings(*loaded ? std::string_view((*loaded)->content) : std::string_view(), changed);
  if (const auto saved = file_.save(std::get<std::string>(content)); !saved) {
    return fmt::format("{} cannot be written: {}", file_.path(), saved.error().text());
  }
  return std::nullopt;
}

}  // namespace tern::file
