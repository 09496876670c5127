// The operating system's files. Linux only: RWF_NOWAIT, fallocate and MADV_POPULATE_WRITE have no portable spelling.

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tern/base/check.hpp"
#include "tern/file/disk.hpp"

#include "file/live_windows.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14; older headers do not name it
#endif

namespace tern::file {
namespace {

constexpr std::size_t kPageSize = 4096;  // what MappedWindow promises; larger pages are multiples of it
constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

/// Repeats a system call for as long as a signal interrupts it.
template <class Call>
auto retried(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

template <class Call>
Status status_of(Call call, std::int64_t detail = 0) {
  if (retried(call) == -1) return errno_error(errno, detail);
  return {};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);  // never retried: Linux has closed it even when it says EINTR
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class Mapping {
 public:
  explicit Mapping(std::span<std::byte> bytes) noexcept : bytes_(bytes) {}
  ~Mapping() { ::munmap(bytes_.data(), bytes_.size()); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

 private:
  const std::span<std::byte> bytes_;
};

class RealWindow final : public MappedWindow {
 public:
  RealWindow(std::span<std::byte> bytes, std::int64_t file_position, std::string path)
      : mapping_(bytes),
        file_position_(file_position),
        path_(std::move(path)),
        live_(bytes.data(), bytes.size(), file_position, path_.c_str()) {}

  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return mapping_.bytes(); }
  [[nodiscard]] std::int64_t file_position() const noexcept override { return file_position_; }
  void commit(std::size_t, std::size_t) noexcept override {}  // the kernel sees the stores by itself

  Status populate(std::size_t at, std::size_t size) override {
    const auto window = bytes();
    TERN_CHECK(at <= window.size() && size <= window.size() - at, "[{}, +{}) of {}", at, size, window.size());
    if (size == 0) return {};
    const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto first = at / page_size * page_size;
    const auto pages = window.subspan(first, at + size - first);
    auto populated = status_of([&] { return ::madvise(pages.data(), pages.size(), MADV_POPULATE_WRITE); },
                               file_position_ + static_cast<std::int64_t>(first));
    if (populated || populated.error().code != std::errc::invalid_argument) return populated;
    touch(pages, page_size);  // a kernel before 5.14
    return {};
  }

 private:
  // Others may be storing into the same pages, so each byte is replaced by itself atomically: whatever they store,
  // before or after, stays. Not fetch_or(0): Clang turns that into a fence and a load, which makes no page writable.
  static void touch(std::span<std::byte> pages, std::size_t page_size) noexcept {
    for (std::size_t at = 0; at < pages.size(); at += page_size) {
      std::atomic_ref<std::byte> byte(pages[at]);
      auto value = std::byte{};  // a guess: not loaded, which would be a page fault of its own
      while (!byte.compare_exchange_weak(value, value, std::memory_order_relaxed)) {
      }
    }
  }

  const Mapping mapping_;
  const std::int64_t file_position_;
  const std::string path_;
  const LiveWindow
      live_;  // last: it leaves the table before path_ goes and before the addresses can be another window's
};

class RealFile final : public File {
 public:
  RealFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Status read(std::int64_t position, std::span<std::byte> to) override {
    check_position(position);
    std::size_t done = 0;
    while (done < to.size()) {
      const auto at = position + static_cast<std::int64_t>(done);
      const auto n = retried([&] { return ::pread(fd_.get(), to.data() + done, to.size() - done, at); });
      if (n < 0) return errno_error(errno, at);
      if (n == 0) return error(Errc::kShortRead, static_cast<std::int64_t>(done));
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Status read_no_wait(std::int64_t position, std::span<std::byte> to) override {
    check_position(position);
    std::size_t done = 0;
    while (done < to.size()) {
      const auto at = position + static_cast<std::int64_t>(done);
      const iovec piece{to.data() + done, to.size() - done};
      const auto n = retried([&] { return ::preadv2(fd_.get(), &piece, 1, at, RWF_NOWAIT); });
      if (n > 0) {
        done += static_cast<std::size_t>(n);
        continue;
      }
      const auto there = static_cast<std::int64_t>(done);
      if (n < 0) {
        // EOPNOTSUPP: a file system without such reads. Then the caller's way for cold data serves all of them.
        if (errno == EAGAIN || errno == EOPNOTSUPP) return error(Errc::kWouldBlock, there);
        return errno_error(errno, at);
      }
      // Linux 5.9 and 5.10 also return 0 where a page is missing: only the size tells that from the end of the file.
      const auto end = size();
      if (!end) return end.error();
      return error(at < *end ? Errc::kWouldBlock : Errc::kShortRead, there);
    }
    return {};
  }

  Status write(std::int64_t position, std::span<const std::byte> from) override {
    check_position(position);
    std::size_t done = 0;
    while (done < from.size()) {
      const auto at = position + static_cast<std::int64_t>(done);
      const auto n = retried([&] { return ::pwrite(fd_.get(), from.data() + done, from.size() - done, at); });
      if (n < 0) return errno_error(errno, at);
      if (n == 0) return errno_error(EIO, at);  // no device does this; it would be an endless loop
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Status allocate(std::int64_t position, std::int64_t size) override {
    check_position(position);
    TERN_CHECK(size >= 0, "size {}", size);
    if (size == 0) return {};
    auto allocated = status_of([&] { return ::fallocate(fd_.get(), 0, position, size); }, position);
    if (allocated || allocated.error().code != std::errc::operation_not_supported) return allocated;
    return fill_holes(position, position + size);
  }

  Status resize(std::int64_t size) override {
    check_position(size);
    return status_of([&] { return ::ftruncate(fd_.get(), size); }, size);
  }

  Status sync() override {
    return status_of([&] { return ::fdatasync(fd_.get()); });
  }

  [[nodiscard]] Result<std::int64_t> size() override {
    struct stat info = {};
    if (::fstat(fd_.get(), &info) == -1) return errno_error(errno);
    return info.st_size;
  }

  Result<std::unique_ptr<MappedWindow>> map(std::int64_t position, std::int64_t size, WindowUse use) override {
    check_position(position);
    TERN_CHECK(position % static_cast<std::int64_t>(kPageSize) == 0 && size > 0, "[{}, +{})", position, size);
    const auto bytes = static_cast<std::size_t>(size);
    auto* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), position);
    if (memory == MAP_FAILED) return errno_error(errno, position);
    switch (use) {
      case WindowUse::kAppend:  // with the default advice, one dirtied byte costs the device a large folio at the next
                                // sync
      case WindowUse::kRandom:  // and neighbours of a hash slot are not what is wanted next
        // Refused where the kernel was built without advice: then the window is slower, not wrong.
        static_cast<void>(::madvise(memory, bytes, MADV_RANDOM));
        break;
    }
    return std::make_unique<RealWindow>(std::span(static_cast<std::byte*>(memory), bytes), position, path_);
  }

  Status lock_first_byte() override {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0;
    lock.l_len = 1;
    if (retried([&] { return ::fcntl(fd_.get(), F_SETLK, &lock); }) != -1) return {};
    if (errno != EAGAIN && errno != EACCES) return errno_error(errno);
    // Who it is, for the operator; it may have let go meanwhile.
    if (::fcntl(fd_.get(), F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK) return error(Errc::kLocked);
    return error(Errc::kLocked, lock.l_pid);
  }

  [[nodiscard]] Result<std::optional<std::int64_t>> first_byte_holder() override {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0;
    lock.l_len = 1;
    if (retried([&] { return ::fcntl(fd_.get(), F_GETLK, &lock); }) == -1) return errno_error(errno);
    if (lock.l_type == F_UNLCK) return std::optional<std::int64_t>();
    // Below 0: a lock of an open file description, or of a process outside of this container.
    return std::optional<std::int64_t>(std::max<pid_t>(lock.l_pid, 0));
  }

  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  static void check_position(std::int64_t position) { TERN_CHECK(position >= 0, "position {}", position); }

  // For file systems without fallocate (NFS before 4.2, some FUSE): zeros are written where the file has no blocks, as
  // SEEK_HOLE tells, and beyond its end. Where SEEK_HOLE is not known either, everything below the size counts as
  // blocks.
  Status fill_holes(std::int64_t begin, std::int64_t end) {
    const auto old_size = size();
    if (!old_size) return old_size.error();
    auto at = begin;
    while (at < std::min(end, *old_size)) {
      const auto hole = std::min(end, seek_or(at, SEEK_HOLE, *old_size));
      if (hole >= end) return {};
      const auto data = std::min(end, seek_or(hole, SEEK_DATA, end));
      if (auto filled = write_zeros(hole, data); !filled) return filled;
      at = data;
    }
    return write_zeros(at, end);
  }

  std::int64_t seek_or(std::int64_t from, int whence, std::int64_t otherwise) {
    const auto found = ::lseek(fd_.get(), from, whence);
    return found < 0 ? otherwise : found;
  }

  Status write_zeros(std::int64_t begin, std::int64_t end) {
    static constexpr std::array<std::byte, std::size_t{64} * 1024> kZeros{};
    while (begin < end) {
      const auto size = std::min<std::int64_t>(end - begin, kZeros.size());
      if (auto written = write(begin, std::span(kZeros).first(static_cast<std::size_t>(size))); !written)
        return written;
      begin += size;
    }
    return {};
  }

  const Descriptor fd_;
  const std::string path_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

bool is_directory(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

class RealDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const auto fd = retried([&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, kFileMode); });
    if (fd == -1) return errno_error(errno);
    return std::make_unique<RealFile>(fd, path);
  }

  Status make_directories(const std::string& path) override {
    // One component after the other, and mkdir before any look: another process may be creating the same tree.
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const auto part = path.substr(0, end);
      if (::mkdir(part.c_str(), kDirectoryMode) == -1) {
        const auto why = errno;
        if (!is_directory(part)) return errno_error(why == EEXIST ? ENOTDIR : why);
      }
      if (end == std::string::npos) return {};
    }
  }

  Status rename(const std::string& from, const std::string& to) override {
    return status_of([&] { return ::rename(from.c_str(), to.c_str()); });
  }

  Status remove(const std::string& path) override {
    return status_of([&] { return ::unlink(path.c_str()); });
  }

  Status remove_directory(const std::string& path) override {
    return status_of([&] { return ::rmdir(path.c_str()); });
  }

  Status sync_directory(const std::string& path) override {
    const Descriptor fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() == -1) return errno_error(errno);
    return status_of([&] { return ::fsync(fd.get()); });
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    if (!directory) return errno_error(errno);
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const auto* const found = ::readdir(directory.get());
      if (found == nullptr) break;
      const std::string_view name = found->d_name;
      if (name == "." || name == "..") continue;
      struct stat info = {};
      if (::fstatat(::dirfd(directory.get()), found->d_name, &info, 0) == -1) {
        if (errno == ENOENT) continue;  // removed since readdir saw it
        return errno_error(errno);
      }
      entries.push_back({std::string(name), S_ISDIR(info.st_mode), info.st_size,
                         info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000});
    }
    if (errno != 0) return errno_error(errno);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
  }

  [[nodiscard]] Result<bool> exists(const std::string& path) override {
    // Not stat: whoever has asked for a file's times makes Linux (6.13 and later) record each change of them, and that
    // is a commit of the file system's journal for every few syncs of the log, which asks here after each.
    if (::access(path.c_str(), F_OK) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return errno_error(errno);
  }

  [[nodiscard]] Result<DiskSpace> space(const std::string& path) override {
    struct statvfs info = {};
    if (auto asked = status_of([&] { return ::statvfs(path.c_str(), &info); }); !asked) return asked.error();
    const auto block = static_cast<std::int64_t>(info.f_frsize);
    return DiskSpace{static_cast<std::int64_t>(info.f_blocks) * block,
                     static_cast<std::int64_t>(info.f_bavail) * block};
  }
};

}  // namespace

std::unique_ptr<Disk> make_real_disk() {
  return std::make_unique<RealDisk>();
}

}  // namespace tern::file
