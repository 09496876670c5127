#include "tern/file/metadata_file.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "tern/base/check.hpp"

namespace tern::file {
namespace {

struct Version {
  std::string content;
  std::optional<std::string> problem;  // nullopt: whole
  bool missing = false;
};

Result<std::string> read_whole(Disk& disk, const std::string& path) {
  const auto file = disk.open(path, OpenMode::kRead);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > kMetadataBytesMax) return errno_error(EFBIG, *size);
  std::string content(static_cast<std::size_t>(*size), '\0');
  if (auto read = (*file)->read(0, std::as_writable_bytes(std::span(content))); !read) return read.error();
  return content;
}

Version read_version(Disk& disk, const std::string& path, const MetadataFile::Check& check) {
  Version version;
  auto content = read_whole(disk, path);
  if (!content) {
    version.missing = content.error().code == std::errc::no_such_file_or_directory;
    version.problem = version.missing ? "is missing" : content.error().text();
    return version;
  }
  version.problem = check(*content);
  version.content = std::move(*content);
  return version;
}

Status write_whole(Disk& disk, const std::string& path, std::string_view content) {
  auto file = disk.open(path, OpenMode::kCreate);
  if (!file) return file.error();
  if (auto emptied = (*file)->resize(0); !emptied) return emptied;  // what an interrupted save has left
  if (auto written = (*file)->write(0, std::as_bytes(std::span(content))); !written) return written;
  return (*file)->sync();
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

boost::system::result<std::optional<MetadataFile::Loaded>, MetadataFile::Damage> MetadataFile::load(
    const Check& check) {
  auto current = read_version(disk_, path_, check);
  damaged_ = current.problem.has_value() && !current.missing;
  if (!current.problem) return Loaded{std::move(current.content), false, {}};

  auto backup = read_version(disk_, backup_path(), check);
  if (!backup.problem) return Loaded{std::move(backup.content), true, std::move(*current.problem)};
  if (current.missing && backup.missing) return std::optional<Loaded>();
  return Damage{fmt::format("{}: {}; {}: {}", path_, *current.problem, backup_path(), *backup.problem)};
}

Status MetadataFile::save(std::string_view content) {
  if (static_cast<std::int64_t>(content.size()) > kMetadataBytesMax) {
    return errno_error(EFBIG, static_cast<std::int64_t>(content.size()));
  }
  const auto temporary = path_ + ".tmp";
  if (auto written = write_whole(disk_, temporary, content); !written) return written;
  if (!damaged_) {
    auto kept = disk_.rename(path_, backup_path());
    // Absent: the first save, or one that failed between the renames. Then what is whole is the backup, and it stays.
    if (!kept && kept.error().code != std::errc::no_such_file_or_directory) return kept;
  }
  if (auto replaced = disk_.rename(temporary, path_); !replaced) return replaced;
  damaged_ = false;
  return disk_.sync_directory(directory_of(path_));
}

void throw_exception_from_error(const MetadataFile::Damage& damage, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "loaded.has_value()", damage.text);
}

}  // namespace tern::file
