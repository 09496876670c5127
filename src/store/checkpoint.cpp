#include <array>

#include "tern/base/byte_order.hpp"
#include "tern/store/side_file.hpp"

#include "store/durable_directory.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kFileSize = 4096;
constexpr std::size_t kFieldsSize = 48;

}  // namespace

Result<std::optional<Checkpoint>> load_checkpoint(file::Disk& disk, const std::string& path) {
  const auto exists = disk.exists(path);
  if (!exists) return exists.error();
  if (!*exists) return std::optional<Checkpoint>();
  const auto file = disk.open(path, file::OpenMode::kRead);
  if (!file) return file.error();
  std::array<std::byte, kFieldsSize> bytes{};
  if (const auto status = (*file)->read(0, bytes); !status) {
    // Shorter than its fields: a crash while it was first written. It says nothing.
    if (status.error().code == file::Errc::kShortRead) return std::optional<Checkpoint>();
    return status.error();
  }
  const auto field = [&](std::size_t at) { return load_be<std::int64_t>(bytes.data() + at); };
  return std::optional(Checkpoint{field(0), field(8), field(16), field(24), field(32), field(40)});
}

Status save_checkpoint(file::Disk& disk, const std::string& path, const Checkpoint& checkpoint) {
  std::array<std::byte, kFileSize> bytes{};
  store_be(bytes.data(), checkpoint.log_timestamp);
  store_be(bytes.data() + 8, checkpoint.queue_timestamp);
  store_be(bytes.data() + 16, checkpoint.index_timestamp);
  store_be(bytes.data() + 24, checkpoint.master_flushed_offset);
  store_be(bytes.data() + 32, checkpoint.confirm_offset);
  store_be(bytes.data() + 40, checkpoint.queue_position);
  // In place, as Apache's broker does: the fields are in one sector, so a crash leaves the old ones or the new ones.
  const auto file = disk.open(path, file::OpenMode::kCreate);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (const auto status = (*file)->write(0, bytes); !status) return status;
  if (*size > static_cast<std::int64_t>(kFileSize)) {
    if (const auto status = (*file)->resize(kFileSize); !status) return status;
  }
  if (const auto status = (*file)->sync(); !status) return status;
  if (*size > 0) return {};
  const auto parent = parent_of(path);  // its name is new
  return parent.empty() ? Status() : disk.sync_directory(parent);
}

}  // namespace tern::store
