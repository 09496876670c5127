#pragma once
// The file that a server was started with, as remote administration changes it.

#include <optional>
#include <span>
#include <string>

#include "tern/base/options.hpp"
#include "tern/file/metadata_file.hpp"

namespace tern::file {

/// Rewrites only the lines of the changed settings, so that comments and order survive; the version before stays as
/// `<path>.bak`. One thread, which may block.
class SettingsFile {
 public:
  /// `path`: no symbolic link, or the link is replaced and not what it points to.
  SettingsFile(Disk& disk, std::string path) : file_(disk, std::move(path)) {}

  /// What was written to the file since the start stays, for it is read again each time. The text names the file and
  /// what went wrong with it.
  [[nodiscard]] std::optional<std::string> keep(std::span<const PropertyLine> changed);

 private:
  MetadataFile file_;
};

}  // namespace tern::file
