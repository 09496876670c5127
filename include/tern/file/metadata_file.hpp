#pragma once
// A small file that is always replaced whole: config/*.json and our side files.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tern/file/disk.hpp"

namespace tern::file {

/// Longer content is neither read nor written.
inline constexpr std::int64_t kMetadataBytesMax = std::int64_t{1} << 30;

/// Reads and replaces one file atomically, keeping the previous version as `<path>.bak`, as Apache's brokers do.
/// At every moment path, or path.bak, is whole. Not thread-safe: one owner (the blocking thread).
class MetadataFile {
 public:
  MetadataFile(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  /// Whether `content` is whole: parse it. The text names what is wrong and where.
  using Check = std::function<std::optional<std::string>(std::string_view content)>;
  struct Loaded {
    std::string content;
    bool from_backup = false;  // path was missing or damaged; the caller logs and counts it
    std::string why_backup;    // what was wrong with path
  };
  struct Damage {
    std::string text;  // file, position, what: start-up stops with it
  };
  /// nullopt: neither path nor path.bak exists. Damage: neither is whole. The damaged file is left in place.
  /// Call it before the first save(): a damaged path that load() has seen is replaced without becoming the backup.
  [[nodiscard]] boost::system::result<std::optional<Loaded>, Damage> load(const Check& check);
  /// Writes `<path>.tmp`, syncs it, renames path to path.bak, tmp to path, and syncs the directory, which must exist.
  /// After success the content is durable. After a failure load() gives the content before or the new one, and save()
  /// may be tried again; it writes all of it anew.
  Status save(std::string_view content);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] std::string backup_path() const { return path_ + ".bak"; }

  Disk& disk_;
  const std::string path_;
  bool damaged_ = false;  // path is there and not whole: it must not take the place of a whole backup
};
[[noreturn]] void throw_exception_from_error(const MetadataFile::Damage& damage, const boost::source_location& where);

}  // namespace tern::file
