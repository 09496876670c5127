#pragma once
// Metadata files and their backups: one of the two must be whole.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tern/store/inspector.hpp"

namespace tern::store {

using MetadataCheck = std::function<std::optional<std::string>(std::string_view content)>;

/// Reports what is wrong with the file and with its backup; `must_exist` is about both together.
Status check_metadata_file(file::Disk& disk, const std::string& path, const MetadataCheck& check, bool must_exist,
                           const std::function<void(Finding)>& report);

struct MetadataName {
  std::string name;  // without ".bak"
  const MetadataRule* rule = nullptr;
};
/// What stands in <root>/config or must, as far as a rule says how it is checked.
Result<std::vector<MetadataName>> list_metadata(file::Disk& disk, const InspectOptions& options);
/// What stands there besides.
Result<std::vector<std::string>> list_without_rule(file::Disk& disk, const InspectOptions& options);

}  // namespace tern::store
