#include "broker/metadata_table.hpp"

namespace tern::broker {

std::optional<std::string> load_table(file::MetadataFile& file, std::string_view table_member, bool must_exist,
                                      const std::function<void(const protocol::Json* json)>& take) {
  const auto check = [&](std::string_view text) -> std::optional<std::string> {
    const auto json = protocol::parse_json(text);
    if (!json) return fmt::format("no JSON at byte {}", json.error().detail);
    if (protocol::object_member(*json, table_member) == nullptr) return fmt::format("\"{}\" is missing", table_member);
    return std::nullopt;
  };
  const auto loaded = file.load(check);
  if (!loaded) return loaded.error().text;
  if (!*loaded) {
    if (must_exist) {
      return fmt::format(
          "{} and its backup are missing, although the store has messages. Restore the file, or create one with an "
          "empty "
          "\"{}\" to start without it",
          file.path(), table_member);
    }
    take(nullptr);
    return std::nullopt;
  }
  if ((*loaded)->from_backup) log_warning("{}: {}; its backup is used", file.path(), (*loaded)->why_backup);
  const auto json = protocol::parse_json((*loaded)->content);
  take(&*json);
  return std::nullopt;
}

protocol::Json members_besides(const protocol::Json& json, std::initializer_list<std::string_view> known) {
  auto others = json.is_object() ? json : protocol::Json::object();
  for (const auto name : known) others.erase(std::string(name));
  return others;
}

}  // namespace tern::broker
