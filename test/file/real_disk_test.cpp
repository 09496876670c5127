#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tern/file/disk.hpp"

#include "support/bytes.hpp"
#include "support/temporary_directory.hpp"

// The system calls that not every kernel and file system has, replaced for the whole program: they do the real thing,
// or refuse as asked.
namespace {

struct Refusals {
  std::atomic<int> fallocate_errno{0};
  std::atomic<int> populate_errno{0};
  std::atomic<int> preadv2_errno{0};
  std::atomic<bool> preadv2_says_end{false};  // Linux 5.9, 5.10: 0 where a page is missing
} refusals;

}  // namespace

extern "C" int fallocate(int fd, int mode, off_t position, off_t size) {
  if (refusals.fallocate_errno == 0) return static_cast<int>(::syscall(SYS_fallocate, fd, mode, position, size));
  errno = refusals.fallocate_errno;
  return -1;
}

extern "C" int madvise(void* memory, std::size_t size, int advice) noexcept {
  constexpr int kPopulateWrite = 23;
  if (advice != kPopulateWrite || refusals.populate_errno == 0) {
    return static_cast<int>(::syscall(SYS_madvise, memory, size, advice));
  }
  errno = refusals.populate_errno;
  return -1;
}

extern "C" ssize_t preadv2(int fd, const iovec* pieces, int count, off_t position, int flags) {
  if (refusals.preadv2_says_end) return 0;
  if (refusals.preadv2_errno == 0) return ::syscall(SYS_preadv2, fd, pieces, count, position, off_t{0}, flags);
  errno = refusals.preadv2_errno;
  return -1;
}

namespace tern::file {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool kThreadSanitizer = false;
#endif

using test::bytes_of;
using test::read_text;
using test::text_of;
using test::write_text;

std::error_code code(int errno_value) {
  return errno_error(errno_value).code;
}

class RealDiskTest : public ::testing::Test {
 protected:
  ~RealDiskTest() override {
    refusals.fallocate_errno = 0;
    refusals.populate_errno = 0;
    refusals.preadv2_errno = 0;
    refusals.preadv2_says_end = false;
  }
  std::unique_ptr<File> open(const std::string& name, OpenMode mode = OpenMode::kCreate) {
    auto file = disk_->open(directory_.file(name), mode);
    EXPECT_TRUE(file) << name;
    return std::move(*file);
  }

  const test::TemporaryDirectory directory_;
  const std::unique_ptr<Disk> disk_ = make_real_disk();
};

TEST_F(RealDiskTest, OpensAsTheModeSays) {
  const auto path = directory_.file("f");
  EXPECT_EQ(disk_->open(path, OpenMode::kRead).error().code, code(ENOENT));
  EXPECT_EQ(disk_->open(path, OpenMode::kReadWrite).error().code, code(ENOENT));
  EXPECT_TRUE(disk_->open(path, OpenMode::kCreateNew));
  EXPECT_EQ(disk_->open(path, OpenMode::kCreateNew).error().code, code(EEXIST));
  EXPECT_TRUE(disk_->open(path, OpenMode::kCreate));
  const auto read_only = open("f", OpenMode::kRead);
  EXPECT_EQ(read_only->write(0, bytes_of("x")).error().code, code(EBADF));
  EXPECT_EQ(read_only->map(0, 4096, WindowUse::kAppend).error().code, code(EACCES));
  EXPECT_EQ(read_only->path(), path);
}

TEST_F(RealDiskTest, KeepsItsDescriptorsFromChildren) {
  const auto file = open("f");
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry.path(), ignored) != file->path()) continue;
    ++seen;
    EXPECT_NE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(seen, 1);
}

TEST_F(RealDiskTest, ReadsWhatWasWritten) {
  const auto file = open("f");
  ASSERT_TRUE(file->write(3, bytes_of("hello")));
  EXPECT_EQ(*file->size(), 8);
  EXPECT_EQ(read_text(*file, 0, 8), std::string("\0\0\0hello", 8));
  EXPECT_TRUE(file->read(100, {}));
  EXPECT_TRUE(file->sync());
}

TEST_F(RealDiskTest, SaysHowMuchOfARangeIsThere) {
  const auto file = open("f");
  ASSERT_TRUE(file->write(0, bytes_of("hello")));
  std::array<std::byte, 8> bytes;
  EXPECT_EQ(file->read(2, bytes).error(), error(Errc::kShortRead, 3));
  EXPECT_EQ(file->read(9, bytes).error(), error(Errc::kShortRead, 0));
  EXPECT_EQ(text_of(std::span(bytes).first(3)), "llo");
}

TEST_F(RealDiskTest, ReadsFromMemoryWithoutWaiting) {
  const auto file = open("f");
  const std::string text(20000, 'x');
  ASSERT_TRUE(file->write(0, bytes_of(text)));
  std::string read(20000, '?');
  const auto result = file->read_no_wait(0, std::as_writable_bytes(std::span(read)));
  if (result) {
    EXPECT_EQ(read, text);
    EXPECT_EQ(file->read_no_wait(19999, std::as_writable_bytes(std::span(read))).error(), error(Errc::kShortRead, 1));
  } else {
    EXPECT_EQ(result.error().code, Errc::kWouldBlock);  // the file system of the tests has no such reads
  }
}

TEST_F(RealDiskTest, DoesNotWaitForWhatIsNotInMemory) {
  const auto file = open("f");
  constexpr std::size_t kSize = std::size_t{4} << 20;
  const std::string text(kSize, 'x');
  ASSERT_TRUE(file->write(0, bytes_of(text)));
  ASSERT_TRUE(file->sync());
  const auto fd = ::open(file->path().c_str(), O_RDONLY | O_CLOEXEC);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
  std::string read(kSize, '?');
  const auto result = file->read_no_wait(0, std::as_writable_bytes(std::span(read)));
  // Whether the pages were dropped is the kernel's choice (tmpfs has none to drop); a wrong answer is not.
  if (result) {
    EXPECT_EQ(read, text);
  } else {
    EXPECT_EQ(result.error().code, Errc::kWouldBlock);
    const auto there = static_cast<std::size_t>(result.error().detail);
    EXPECT_LT(there, kSize);
    EXPECT_EQ(read.substr(0, there), text.substr(0, there));
  }
}

TEST_F(RealDiskTest, AllocatesRealBlocksAndKeepsWhatIsThere) {
  const auto file = open("f");
  ASSERT_TRUE(file->resize(1 << 20));
  ASSERT_TRUE(file->write(5000, bytes_of("hello")));
  ASSERT_TRUE(file->allocate(4096, 64 * 1024));
  EXPECT_EQ(*file->size(), 1 << 20);
  ASSERT_TRUE(file->allocate(1 << 20, 10));
  EXPECT_EQ(*file->size(), (1 << 20) + 10);
  EXPECT_EQ(read_text(*file, 4999, 7), std::string("\0hello\0", 7));
  struct stat info = {};
  ASSERT_EQ(::stat(file->path().c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 64 * 1024);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
}

TEST_F(RealDiskTest, WritesZerosIntoHolesWhereItCannotAllocate) {
  refusals.fallocate_errno = EOPNOTSUPP;
  constexpr std::int64_t kSize = 1 << 20;
  const auto file = open("f");
  ASSERT_TRUE(file->resize(kSize));
  ASSERT_TRUE(file->write(5 * 4096 + 10, bytes_of("hello")));
  ASSERT_TRUE(file->write(kSize - 5, bytes_of("world")));
  const auto blocks = [&] {
    struct stat info = {};
    EXPECT_EQ(::stat(file->path().c_str(), &info), 0);
    return info.st_blocks * 512;
  };
  ASSERT_TRUE(file->allocate(4096, 64 * 1024));
  EXPECT_GE(blocks(), 64 * 1024);
  EXPECT_LT(blocks(), kSize);
  EXPECT_EQ(*file->size(), kSize);
  ASSERT_TRUE(file->allocate(100, kSize + 100'000));
  EXPECT_GE(blocks(), kSize + 100'000 - 4096);
  EXPECT_EQ(*file->size(), kSize + 100'100);
  std::string expected(kSize + 100'100, '\0');
  expected.replace(5 * 4096 + 10, 5, "hello").replace(kSize - 5, 5, "world");
  EXPECT_TRUE(read_text(*file, 0, expected.size()) == expected);
}

TEST_F(RealDiskTest, HandsOnWhyItCannotAllocate) {
  const auto file = open("f");
  refusals.fallocate_errno = ENOSPC;
  EXPECT_EQ(file->allocate(4096, 4096).error(), errno_error(ENOSPC, 4096));
  EXPECT_EQ(*file->size(), 0);
}

TEST_F(RealDiskTest, WaitsForNothingWhereSuchReadsAreNotKnown) {
  const auto file = open("f");
  ASSERT_TRUE(file->write(0, bytes_of("hello")));
  std::array<std::byte, 8> bytes;
  refusals.preadv2_errno = EOPNOTSUPP;
  EXPECT_EQ(file->read_no_wait(0, bytes).error(), error(Errc::kWouldBlock, 0));
  refusals.preadv2_errno = EIO;
  EXPECT_EQ(file->read_no_wait(0, bytes).error(), errno_error(EIO));
  refusals.preadv2_says_end = true;
  EXPECT_EQ(file->read_no_wait(4, bytes).error(), error(Errc::kWouldBlock, 0));
  EXPECT_EQ(file->read_no_wait(5, bytes).error(), error(Errc::kShortRead, 0));
}

TEST_F(RealDiskTest, ResizesWithHolesAndCutsOff) {
  const auto file = open("f");
  ASSERT_TRUE(file->write(0, bytes_of("hello")));
  ASSERT_TRUE(file->resize(2));
  ASSERT_TRUE(file->resize(4));
  EXPECT_EQ(read_text(*file, 0, 4), std::string("he\0\0", 4));
}

TEST_F(RealDiskTest, SharesWindowsWithReadersAndWriters) {
  const auto file = open("f");
  ASSERT_TRUE(file->allocate(0, 3 * 4096));
  auto window = *file->map(4096, 2 * 4096, WindowUse::kAppend);
  EXPECT_EQ(window->file_position(), 4096);
  ASSERT_EQ(window->bytes().size(), 2 * 4096U);
  ASSERT_TRUE(window->populate(100, 5000));
  std::ranges::copy(bytes_of("stored"), window->bytes().begin() + 10);
  window->commit(10, 6);
  EXPECT_EQ(read_text(*file, 4106, 6), "stored");
  ASSERT_TRUE(file->write(4106, bytes_of("written")));
  EXPECT_EQ(text_of(window->bytes().subspan(10, 7)), "written");
  EXPECT_TRUE(file->sync());
}

TEST_F(RealDiskTest, KeepsAWindowWhenTheFileIsClosed) {
  auto file = open("f");
  ASSERT_TRUE(file->allocate(0, 4096));
  auto window = *file->map(0, 4096, WindowUse::kRandom);
  file.reset();
  std::ranges::copy(bytes_of("late"), window->bytes().begin());
  window.reset();
  EXPECT_EQ(read_text(*disk_, directory_.file("f")).substr(0, 4), "late");
}

/// How many page faults this thread takes for a store into each page.
long faults_of_stores(std::span<std::byte> bytes) {
  const auto faults = [] {
    rusage usage = {};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt + usage.ru_majflt;
  };
  const auto before = faults();
  for (std::size_t at = 0; at < bytes.size(); at += 4096)
    static_cast<volatile std::byte*>(bytes.data())[at] = std::byte{1};
  return faults() - before;
}

TEST_F(RealDiskTest, TakesThePageFaultsBeforeTheStores) {
  // In memory: elsewhere the kernel may write a page out at any moment, and the next store to it faults again.
  const test::TemporaryDirectory in_memory("/dev/shm/");
  const auto opened = disk_->open(in_memory.file("f"), OpenMode::kCreate);
  ASSERT_TRUE(opened) << opened.error().text();
  const auto& file = *opened;
  ASSERT_TRUE(file->write(0, bytes_of(std::string(64 * 4096, 'x'))));
  for (const int refusal : {0, EINVAL}) {  // EINVAL: a kernel that cannot populate
    refusals.populate_errno = refusal;
    const auto window = *file->map(0, 64 * 4096, WindowUse::kAppend);
    const auto content = text_of(window->bytes());
    ASSERT_TRUE(window->populate(10 * 4096 + 100, 20 * 4096));
    EXPECT_EQ(text_of(window->bytes()), content);
    EXPECT_EQ(faults_of_stores(window->bytes().subspan(10 * 4096, 21 * 4096)), 0) << "errno " << refusal;
    // One fault may map many pages, so a part of the same window would not do as the opposite.
    const auto not_populated = *file->map(0, 64 * 4096, WindowUse::kAppend);
    EXPECT_GT(faults_of_stores(not_populated->bytes()), 0) << "errno " << refusal;
  }
  refusals.populate_errno = EHWPOISON;
  const auto window = *file->map(4096, 4 * 4096, WindowUse::kAppend);
  EXPECT_EQ(window->populate(5000, 1).error(), errno_error(EHWPOISON, 8192));
}

TEST_F(RealDiskTest, PopulatesWhileOthersStore) {
  const auto file = open("f");
  constexpr std::size_t kSize = std::size_t{1} << 20;
  ASSERT_TRUE(file->allocate(0, kSize));
  for (const int refusal : {0, EINVAL}) {
    // An old kernel's way: bytes replaced by themselves while others store are a race by the letter of the language.
    if (kThreadSanitizer && refusal != 0) continue;
    refusals.populate_errno = refusal;
    const auto window = file->map(0, kSize, WindowUse::kAppend).value();
    std::thread populating([&] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(window->populate(0, kSize));
    });
    const auto letter = [&](std::size_t at) {
      return static_cast<std::byte>((at + static_cast<std::size_t>(refusal)) % 251);
    };
    for (std::size_t at = 0; at < kSize; ++at) window->bytes()[at] = letter(at);
    populating.join();
    for (std::size_t at = 0; at < kSize; ++at) ASSERT_EQ(window->bytes()[at], letter(at)) << at;
  }
}

TEST_F(RealDiskTest, SaysWhenAPopulatedRangeIsNotThere) {
  const auto file = open("f");
  auto window = *file->map(0, 8192, WindowUse::kAppend);
  EXPECT_FALSE(window->populate(0, 8192));  // and lives: the file is empty
}

/// In another process: fcntl locks never hold against their own.
int in_child(const std::function<int()>& work) {
  const auto child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(RealDiskTest, LocksOutOtherProcessesUntilItIsClosed) {
  auto file = open("lock");
  const auto lock_in_child = [&] {
    return in_child([&] {
      const auto other = disk_->open(directory_.file("lock"), OpenMode::kReadWrite);
      const auto locked = (*other)->lock_first_byte();
      if (locked) return 0;
      return locked.error() == error(Errc::kLocked, ::getppid()) ? 1 : 2;
    });
  };
  EXPECT_EQ(lock_in_child(), 0);
  ASSERT_TRUE(file->lock_first_byte());
  EXPECT_EQ(lock_in_child(), 1);
  file.reset();
  EXPECT_EQ(lock_in_child(), 0);
}

TEST_F(RealDiskTest, TellsWhoHoldsTheLockWithoutTakingIt) {
  auto file = open("lock");
  const auto holder_in_child = [&] {
    return in_child([&] {
      const auto other = disk_->open(directory_.file("lock"), OpenMode::kRead);
      const auto holder = (*other)->first_byte_holder();
      if (!holder) return 3;
      if (!*holder) return 0;
      return **holder == ::getppid() ? 1 : 2;
    });
  };
  EXPECT_EQ(holder_in_child(), 0);
  ASSERT_TRUE(file->lock_first_byte());
  EXPECT_EQ(holder_in_child(), 1);
  EXPECT_EQ(holder_in_child(), 1);
  file.reset();
  EXPECT_EQ(holder_in_child(), 0);
}

TEST_F(RealDiskTest, LocksTheFirstByteOnly) {
  const auto file = open("lock");
  ASSERT_TRUE(file->lock_first_byte());
  EXPECT_EQ(in_child([&] {
              const auto fd = ::open(directory_.file("lock").c_str(), O_RDWR | O_CLOEXEC);
              struct flock lock = {};
              lock.l_type = F_WRLCK;
              lock.l_whence = SEEK_SET;
              lock.l_start = 1;
              lock.l_len = 0;
              return ::fcntl(fd, F_SETLK, &lock);
            }),
            0);
}

TEST_F(RealDiskTest, MakesDirectoriesWithTheirParents) {
  const auto path = directory_.file("a/b/c");
  EXPECT_TRUE(disk_->make_directories(path));
  EXPECT_TRUE(disk_->make_directories(path));
  EXPECT_TRUE(disk_->make_directories(path + "/"));
  EXPECT_TRUE(std::filesystem::is_directory(path));
  ASSERT_TRUE(write_text(*disk_, path + "/f", "x"));
  EXPECT_EQ(disk_->make_directories(path + "/f").error().code, code(ENOTDIR));
  EXPECT_EQ(disk_->make_directories(path + "/f/g").error().code, code(ENOTDIR));
}

TEST_F(RealDiskTest, ListsSortedWithSizesAndTimes) {
  ASSERT_TRUE(write_text(*disk_, directory_.file("b"), "12345"));
  ASSERT_TRUE(write_text(*disk_, directory_.file("a"), ""));
  ASSERT_TRUE(disk_->make_directories(directory_.file("c")));
  const auto when = std::filesystem::file_time_type::clock::from_sys(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(1'600'000'000'123)));
  std::filesystem::last_write_time(directory_.file("b"), when);
  const auto entries = disk_->list(directory_.path());
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].name, "b");
  EXPECT_EQ((*entries)[1].size, 5);
  EXPECT_FALSE((*entries)[1].is_directory);
  EXPECT_EQ((*entries)[1].modified_ms, 1'600'000'000'123);
  EXPECT_TRUE((*entries)[2].is_directory);
  EXPECT_EQ(disk_->list(directory_.file("d")).error().code, code(ENOENT));
}

TEST_F(RealDiskTest, RenamesOverWhatIsThere) {
  ASSERT_TRUE(write_text(*disk_, directory_.file("a"), "new"));
  ASSERT_TRUE(write_text(*disk_, directory_.file("b"), "old"));
  ASSERT_TRUE(disk_->rename(directory_.file("a"), directory_.file("b")));
  EXPECT_EQ(read_text(*disk_, directory_.file("b")), "new");
  EXPECT_FALSE(*disk_->exists(directory_.file("a")));
  EXPECT_EQ(disk_->rename(directory_.file("a"), directory_.file("b")).error().code, code(ENOENT));
  EXPECT_TRUE(disk_->sync_directory(directory_.path()));
  EXPECT_EQ(disk_->sync_directory(directory_.file("x")).error().code, code(ENOENT));
}

TEST_F(RealDiskTest, RemovesFilesAndEmptyDirectories) {
  ASSERT_TRUE(disk_->make_directories(directory_.file("d")));
  ASSERT_TRUE(write_text(*disk_, directory_.file("d/f"), "x"));
  EXPECT_EQ(disk_->remove_directory(directory_.file("d")).error().code, code(ENOTEMPTY));
  EXPECT_TRUE(disk_->remove(directory_.file("d/f")));
  EXPECT_EQ(disk_->remove(directory_.file("d/f")).error().code, code(ENOENT));
  EXPECT_TRUE(disk_->remove_directory(directory_.file("d")));
  EXPECT_FALSE(*disk_->exists(directory_.file("d")));
  EXPECT_FALSE(*disk_->exists(directory_.file("d/f/g")));
}

TEST_F(RealDiskTest, KnowsItsSpace) {
  const auto space = disk_->space(directory_.path());
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0);
  EXPECT_GE(space->available_bytes, 0);
  EXPECT_LE(space->available_bytes, space->total_bytes);
  EXPECT_EQ(disk_->space(directory_.file("x")).error().code, code(ENOENT));
}

TEST(RealDisk, GivesTheErrnoOfAFullDevice) {
  const auto disk = make_real_disk();
  const auto full = disk->open("/dev/full", OpenMode::kReadWrite);
  ASSERT_TRUE(full);
  EXPECT_EQ((*full)->write(0, bytes_of("x")).error().code, code(ENOSPC));
}

}  // namespace
}  // namespace tern::file
