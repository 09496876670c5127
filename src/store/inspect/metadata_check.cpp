#include "store/inspect/metadata_check.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include "tern/file/metadata_file.hpp"

namespace tern::store {
namespace {

constexpr std::string_view kBackup = ".bak";
constexpr std::string_view kTemporary = ".tmp";
constexpr std::string_view kJson = ".json";

struct Version {
  bool is_missing = false;
  std::optional<std::string> problem;
};

Result<Version> look(file::Disk& disk, const std::string& path, const MetadataCheck& check) {
  const auto file = disk.open(path, file::OpenMode::kRead);
  if (!file) {
    if (file.error().code == std::errc::no_such_file_or_directory) return Version{true, std::nullopt};
    return file.error();
  }
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > file::kMetadataBytesMax) return Version{false, fmt::format("has {} bytes", *size)};
  std::string content(static_cast<std::size_t>(*size), '\0');
  if (const auto read = (*file)->read(0, std::as_writable_bytes(std::span(content))); !read) return read.error();
  return Version{false, check(content)};
}

}  // namespace

Status check_metadata_file(file::Disk& disk, const std::string& path, const MetadataCheck& check, bool must_exist,
                           const std::function<void(Finding)>& report) {
  const auto say = [&](bool is_damage, std::string file, std::string text) {
    report({is_damage, std::move(file), -1, 0, {-1}, std::move(text)});
  };
  const auto backup_path = path + std::string(kBackup);
  const auto current = look(disk, path, check);
  if (!current) return current.error();
  const auto backup = look(disk, backup_path, check);
  if (!backup) return backup.error();
  const bool has_backup = !backup->is_missing && !backup->problem;
  if (current->problem) {
    say(true, path,
        fmt::format("{}; its backup {}", *current->problem,
                    has_backup ? "is whole, and the next start uses it" : "is not whole either"));
  } else if (current->is_missing && has_backup) {
    say(false, path, "is missing; its backup is whole, and the next start uses it");
  } else if (current->is_missing && (must_exist || !backup->is_missing)) {
    say(true, path,
        backup->is_missing ? "is missing, and so is its backup, although the log has messages"
                           : "is missing, and its backup is not whole");
  }
  if (backup->problem) say(true, backup_path, *backup->problem);
  return {};
}

Result<std::vector<MetadataName>> list_metadata(file::Disk& disk, const InspectOptions& options) {
  std::map<std::string, const MetadataRule*> names;
  const MetadataRule* general = nullptr;
  for (const auto& rule : options.metadata) {
    if (rule.name.empty())
      general = &rule;
    else
      names[rule.name] = &rule;
  }
  const auto listed = disk.list(file::join(options.root, "config"));
  if (!listed && listed.error().code != std::errc::no_such_file_or_directory) return listed.error();
  for (const auto& entry : listed ? *listed : std::vector<file::DirectoryEntry>()) {
    std::string_view name = entry.name;
    if (entry.is_directory || name.ends_with(kTemporary)) continue;
    if (name.ends_with(kBackup)) name.remove_suffix(kBackup.size());
    if (name.ends_with(kJson) && general != nullptr) names.try_emplace(std::string(name), general);
  }
  std::vector<MetadataName> found;
  for (const auto& [name, rule] : names) found.push_back({name, rule});
  return found;
}

Result<std::vector<std::string>> list_without_rule(file::Disk& disk, const InspectOptions& options) {
  const auto known = list_metadata(disk, options);
  if (!known) return known.error();
  std::vector<std::string> others;
  const auto listed = disk.list(file::join(options.root, "config"));
  if (!listed && listed.error().code != std::errc::no_such_file_or_directory) return listed.error();
  for (const auto& entry : listed ? *listed : std::vector<file::DirectoryEntry>()) {
    std::string_view name = entry.name;
    if (name.ends_with(kTemporary)) continue;
    if (name.ends_with(kBackup)) name.remove_suffix(kBackup.size());
    const auto is_it = [name](const auto& each) { return each.name == name; };
    if (std::none_of(known->begin(), known->end(), is_it)) others.push_back(entry.name);
  }
  return others;
}

}  // namespace tern::store
