#pragma once
// The disk seam: the only way to the file system. Stores in mapped windows are followed by commit(), an operation like
// a write, so that a simulated disk can fail, tear, reorder or forget it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/result.hpp"

namespace tern::file {

enum class Errc {
  kShortRead = 1,  // the file ends before the range does; detail: bytes that were there
  kWouldBlock,     // a no-wait read found a page that is not in memory; detail: bytes that were there
  kLocked,         // another process holds the lock; detail: its process id, 0 if not known
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) {
  return {make_error_code(code), detail};
}

/// A part of a file in memory, shared with the page cache: what is stored here is in the file for every reader at once,
/// and on the disk after File::sync(). Store only below what File::allocate() has made real, or a full disk kills the
/// process; neither may the file be cut short below a window. May outlive its File. Unmapped by the destructor.
class MappedWindow {
 public:
  virtual ~MappedWindow() = default;
  [[nodiscard]] virtual std::span<std::byte> bytes() noexcept = 0;
  [[nodiscard]] virtual std::int64_t file_position() const noexcept = 0;  // of bytes()[0]
  /// Says that bytes()[at, at + size) have been stored. Costs nothing on a real disk. From the storing thread.
  virtual void commit(std::size_t at, std::size_t size) noexcept = 0;
  /// Makes the pages of bytes()[at, at + size) present and writable, so that storing there does not fault. May take
  /// milliseconds: never on an io thread. The range must be allocated.
  virtual Status populate(std::size_t at, std::size_t size) = 0;
};

/// What the stores will look like. Today both get random advice: no read-around, no large folios (write amplification).
enum class WindowUse : std::uint8_t {
  kAppend,  // small stores moving forward
  kRandom,  // the index
};

/// An open file. All calls from any thread; positional, no shared cursor. Closed by the destructor. Errors of the
/// operating system are an errno (std::generic_category), with the position where it happened as detail.
class File {
 public:
  virtual ~File() = default;
  /// Fills all of `to` from `position`, or kShortRead, or an errno.
  virtual Status read(std::int64_t position, std::span<std::byte> to) = 0;
  /// The same from memory alone: kWouldBlock if the disk would have to be asked. Allowed on io threads.
  virtual Status read_no_wait(std::int64_t position, std::span<std::byte> to) = 0;
  /// Writes all of `from` at `position`; the file grows if needed. After a failure any part of it may have been
  /// written.
  virtual Status write(std::int64_t position, std::span<const std::byte> from) = 0;
  /// Makes [position, position + size) real blocks (reading as zero where never written), so that a store through a
  /// mapping cannot fail for want of space. The file's size grows to cover the range. What was there stays. Nobody may
  /// write into the range meanwhile: file systems that cannot allocate get zeros written where they have no blocks.
  /// After a failure a part may be allocated and the size may have grown.
  virtual Status allocate(std::int64_t position, std::int64_t size) = 0;
  /// Sets the size; growing leaves a hole.
  virtual Status resize(std::int64_t size) = 0;
  /// Data and size to the disk (fdatasync), committed window ranges included. After a failure nobody knows what the
  /// disk holds: the caller must not treat a later success as covering the earlier writes.
  virtual Status sync() = 0;
  [[nodiscard]] virtual Result<std::int64_t> size() = 0;
  /// Shared mapping. position must be a multiple of 4096; the window may reach beyond what is allocated. The file must
  /// be open for writing.
  virtual Result<std::unique_ptr<MappedWindow>> map(std::int64_t position, std::int64_t size, WindowUse use) = 0;
  /// fcntl write lock on bytes [0, 1), the one that Apache's broker takes (Java's FileLock). kLocked if another process
  /// holds it. Held until the File is destroyed. It belongs to the process: opening the same path elsewhere in it and
  /// closing that again lets the lock go, so nobody may. The file must be open for writing.
  virtual Status lock_first_byte() = 0;
  /// Which other process holds that lock: its id, 0 if it is not known; nullopt if none does. Takes nothing, and the
  /// file may be open for reading only. A lock of this process is not seen, and is let go when this File is destroyed.
  [[nodiscard]] virtual Result<std::optional<std::int64_t>> first_byte_holder() = 0;
  [[nodiscard]] virtual const std::string& path() const noexcept = 0;
};

enum class OpenMode : std::uint8_t {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // created if absent, read and write
  kCreateNew,  // must not exist
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::int64_t size = 0;
  std::int64_t modified_ms = 0;
};

struct DiskSpace {
  std::int64_t total_bytes = 0;
  std::int64_t available_bytes = 0;  // to us, not to root
};

/// Paths are absolute or relative to the process's directory. All calls from any thread. What changes a directory
/// (creating, renaming, removing) is durable only after sync_directory() of that directory; File::sync() does not cover
/// it.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// Creates the directory and its parents; fine if it exists.
  virtual Status make_directories(const std::string& path) = 0;
  /// Atomic replacement within one file system.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;            // a file; ENOENT is an error
  virtual Status remove_directory(const std::string& path) = 0;  // must be empty
  virtual Status sync_directory(const std::string& path) = 0;
  /// Sorted by name; without "." and "..". ENOENT if absent.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<DiskSpace> space(const std::string& path) = 0;
};

/// The operating system's. Create one in main and hand it down.
[[nodiscard]] std::unique_ptr<Disk> make_real_disk();

/// directory + "/" + name, without doubling a slash that is there.
[[nodiscard]] std::string join(std::string_view directory, std::string_view name);

}  // namespace tern::file
template <>
struct std::is_error_code_enum<tern::file::Errc> : std::true_type {};
