#include "support/simulated_disk.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/bytes.hpp"

namespace tern::test {
namespace {

using file::Errc;
using file::File;
using file::MappedWindow;
using file::OpenMode;
using file::WindowUse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::error_code code(int errno_value) {
  return errno_error(errno_value).code;
}

/// A disk with the durable empty file /f.
class SimulatedDiskTest : public ::testing::Test {
 protected:
  SimulatedDiskTest() {
    EXPECT_TRUE(disk_.sync_directory("/"));
    EXPECT_TRUE(file_->sync());
  }

  std::unique_ptr<MappedWindow> map(std::int64_t size) {
    EXPECT_TRUE(file_->allocate(0, size));
    return *file_->map(0, size, WindowUse::kAppend);
  }
  static void store(MappedWindow& window, std::size_t at, std::string_view text) {
    std::ranges::copy(bytes_of(text), window.bytes().begin() + static_cast<std::ptrdiff_t>(at));
  }
  /// What /f holds after power cuts drawn from so many seeds.
  std::set<std::string> futures(int seeds = 300) {
    std::set<std::string> found;
    for (int seed = 0; seed < seeds; ++seed) {
      Rng rng(static_cast<std::uint64_t>(seed));
      found.insert(read_text(*disk_.crash(rng), "/f"));
    }
    return found;
  }
  std::string future(Survival survival) {
    Rng rng(1);
    return read_text(*disk_.crash(rng, survival), "/f");
  }

  SimulatedDisk disk_;
  std::unique_ptr<File> file_ = *disk_.open("/f", OpenMode::kCreate);
};

TEST_F(SimulatedDiskTest, ReadsWhatWasWritten) {
  ASSERT_TRUE(file_->write(3, bytes_of("hello")));
  EXPECT_EQ(*file_->size(), 8);
  EXPECT_EQ(read_text(*file_, 0, 8), std::string("\0\0\0hello", 8));
  std::array<std::byte, 10> bytes;
  EXPECT_EQ(file_->read(6, bytes).error(), error(Errc::kShortRead, 2));
  ASSERT_TRUE(file_->resize(5));
  ASSERT_TRUE(file_->resize(100'000'000));
  EXPECT_EQ(read_text(*file_, 3, 5), std::string("he\0\0\0", 5));
  EXPECT_EQ(read_text(*file_, 99'999'999, 1), std::string(1, '\0'));
}

TEST_F(SimulatedDiskTest, KeepsWhatWasSynced) {
  ASSERT_TRUE(file_->write(0, bytes_of(std::string(5000, 'x'))));
  ASSERT_TRUE(file_->sync());
  EXPECT_EQ(futures(), std::set{std::string(5000, 'x')});
}

TEST_F(SimulatedDiskTest, LosesAnySubsetOfUnsyncedSectors) {
  ASSERT_TRUE(file_->write(0, bytes_of(std::string(3 * 512, 'a'))));
  ASSERT_TRUE(file_->sync());
  ASSERT_TRUE(file_->write(0, bytes_of(std::string(3 * 512, 'b'))));
  std::set<std::string> letters;
  for (const auto& content : futures()) {
    ASSERT_EQ(content.size(), 3 * 512U);
    std::string sectors;
    for (std::size_t at = 0; at < content.size(); at += 512) {
      ASSERT_EQ(content.substr(at, 512), std::string(512, content[at])) << "a sector is never torn";
      sectors += content[at];
    }
    letters.insert(sectors);
  }
  EXPECT_THAT(letters, ElementsAre("aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"));
  EXPECT_EQ(future(Survival::kNothing), std::string(3 * 512, 'a'));
  EXPECT_EQ(future(Survival::kEverything), std::string(3 * 512, 'b'));
}

TEST_F(SimulatedDiskTest, KeepsAnyVersionOfASector) {
  ASSERT_TRUE(file_->write(0, bytes_of("0")));
  ASSERT_TRUE(file_->sync());
  for (const auto* text : {"1", "2", "3"}) ASSERT_TRUE(file_->write(0, bytes_of(text)));
  EXPECT_THAT(futures(), ElementsAre("0", "1", "2", "3"));
}

TEST_F(SimulatedDiskTest, LosesSizesAndAllocations) {
  ASSERT_TRUE(file_->allocate(0, 4));
  ASSERT_TRUE(file_->write(4, bytes_of("ab")));
  const std::string zeros(6, '\0');
  EXPECT_THAT(futures(), ElementsAre("", zeros.substr(0, 4), zeros, zeros.substr(0, 4) + "ab"));
  ASSERT_TRUE(file_->sync());
  ASSERT_TRUE(file_->resize(0));
  EXPECT_THAT(futures(), ElementsAre("", zeros, zeros.substr(0, 4) + "ab"));
}

TEST_F(SimulatedDiskTest, ForgetsWhatLiesBeyondTheSizeThatSurvives) {
  ASSERT_TRUE(file_->write(0, bytes_of("a")));
  ASSERT_TRUE(file_->sync());
  ASSERT_TRUE(file_->write(0, bytes_of("ab")));
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const auto after = disk_.crash(rng);
    const auto file = *after->open("/f", OpenMode::kReadWrite);
    const auto size = *file->size();
    ASSERT_TRUE(file->resize(3));
    found.insert(fmt::format("{} {}", size, read_text(*file, 0, 3)));
  }
  EXPECT_EQ(found,
            (std::set<std::string>{std::string("1 a\0\0", 5), std::string("2 a\0\0", 5), std::string("2 ab\0", 5)}));
}

TEST_F(SimulatedDiskTest, NeedsTheDirectorySyncedToKeepNames) {
  ASSERT_TRUE(write_text(disk_, "/g", "g"));
  ASSERT_TRUE((*disk_.open("/g", OpenMode::kRead))->sync());
  ASSERT_TRUE(disk_.rename("/g", "/h"));
  ASSERT_TRUE(disk_.remove("/f"));
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const auto after = disk_.crash(rng);
    std::string names;
    for (const auto& entry : *after->list("/")) names += entry.name;
    found.insert(names);
    if (*after->exists("/h")) {
      EXPECT_EQ(read_text(*after, "/h"), "g");
    }
  }
  EXPECT_THAT(found, ElementsAre("f", "fg", "fh", "h"));  // in order: no "g" alone
  ASSERT_TRUE(disk_.sync_directory("/"));
  Rng rng(1);
  EXPECT_EQ(disk_.crash(rng, Survival::kNothing)->list("/")->size(), 1U);
}

TEST_F(SimulatedDiskTest, LosesDirectoriesWithWhatTheyHold) {
  ASSERT_TRUE(disk_.make_directories("/a/b"));
  ASSERT_TRUE(write_text(disk_, "/a/b/g", "g"));
  ASSERT_TRUE((*disk_.open("/a/b/g", OpenMode::kRead))->sync());
  ASSERT_TRUE(disk_.sync_directory("/a/b"));
  Rng rng(1);
  EXPECT_FALSE(*disk_.crash(rng, Survival::kNothing)->exists("/a"));
  ASSERT_TRUE(disk_.sync_directory("/a"));
  ASSERT_TRUE(disk_.sync_directory("/"));
  EXPECT_EQ(read_text(*disk_.crash(rng, Survival::kNothing), "a//b/./g"), "g");
}

TEST_F(SimulatedDiskTest, NeverLosesAFileOnItsWayToAnotherDirectory) {
  ASSERT_TRUE(disk_.make_directories("/a"));
  ASSERT_TRUE(disk_.make_directories("/b"));
  ASSERT_TRUE(disk_.sync_directory("/"));
  ASSERT_TRUE(write_text(disk_, "/a/g", "g"));
  ASSERT_TRUE((*disk_.open("/a/g", OpenMode::kRead))->sync());
  ASSERT_TRUE(disk_.sync_directory("/a"));
  ASSERT_TRUE(disk_.rename("/a/g", "/b/g"));
  int old_places = 0;
  int new_places = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const auto after = disk_.crash(rng);
    const bool old_place = *after->exists("/a/g");
    const bool new_place = *after->exists("/b/g");
    EXPECT_TRUE(old_place || new_place) << seed;
    old_places += old_place ? 1 : 0;
    new_places += new_place ? 1 : 0;
  }
  EXPECT_GT(old_places, 0);
  EXPECT_GT(new_places, 0);
  ASSERT_TRUE(disk_.sync_directory("/a"));
  Rng rng(1);
  EXPECT_TRUE(*disk_.crash(rng, Survival::kNothing)->exists("/b/g"));
}

TEST_F(SimulatedDiskTest, WritesOnlyCommittedStores) {
  const auto window = map(8192);
  ASSERT_TRUE(file_->sync());
  store(*window, 100, "committed");
  store(*window, 109, "forgotten");
  window->commit(100, 9);
  EXPECT_EQ(read_text(*file_, 100, 18), "committedforgotten");
  ASSERT_EQ(disk_.uncommitted_stores().size(), 1U);
  EXPECT_EQ(disk_.uncommitted_stores()[0].position, 109);
  EXPECT_EQ(disk_.uncommitted_stores()[0].size, 9);
  EXPECT_EQ(future(Survival::kNothing).substr(100, 18), std::string(18, '\0'));
  EXPECT_EQ(future(Survival::kEverything).substr(100, 18), "committed" + std::string(9, '\0'));
  ASSERT_TRUE(file_->sync());
  EXPECT_EQ(future(Survival::kNothing).substr(100, 18), "committed" + std::string(9, '\0'));
  window->commit(109, 9);
  EXPECT_EQ(disk_.uncommitted_stores().size(), 1U) << "the sync has found it";
  ASSERT_TRUE(file_->sync());
  EXPECT_EQ(future(Survival::kNothing).substr(100, 18), "committedforgotten");
}

TEST_F(SimulatedDiskTest, SharesWindowsWithReadersAndWriters) {
  const auto window = map(4096);
  const auto other = *file_->map(0, 8192, WindowUse::kRandom);
  store(*window, 0, "stored");
  EXPECT_EQ(text_of(other->bytes().first(6)), "stored");
  ASSERT_TRUE(file_->write(1, bytes_of("written")));
  EXPECT_EQ(text_of(window->bytes().first(8)), "swritten");
}

TEST_F(SimulatedDiskTest, ReportsStoresBeyondWhatIsAllocated) {
  const auto window = map(4096);
  const auto beyond = *file_->map(4096, 4096, WindowUse::kAppend);
  window->commit(0, 4096);
  EXPECT_TRUE(disk_.violations().empty());
  beyond->commit(0, 10);
  EXPECT_THAT(disk_.violations(), ElementsAre("/f: commit of [4096, +10), not allocated"));
  ASSERT_TRUE(file_->resize(8192));
  ASSERT_TRUE(beyond->populate(0, 1));
  EXPECT_EQ(disk_.violations().size(), 2U) << "a hole is not allocated";
  ASSERT_TRUE(file_->allocate(4096, 4096));
  beyond->commit(0, 4096);
  EXPECT_EQ(disk_.violations().size(), 2U);
}

TEST(SimulatedDiskDeathTest, EndsTheProgramWhenNobodyAsksForViolations) {
  EXPECT_DEATH(
      {
        SimulatedDisk disk;
        const auto file = *disk.open("/f", OpenMode::kCreate);
        const auto window = *file->map(0, 4096, WindowUse::kAppend);
        window->commit(0, 1);
      },
      "not allocated");
}

// What the kernel does: the error is reported once, the pages count as clean, and the next sync has nothing to write.
TEST_F(SimulatedDiskTest, ForgetsUnsyncedDataAfterAFailedSync) {
  ASSERT_TRUE(file_->write(0, bytes_of("old")));
  ASSERT_TRUE(file_->sync());
  ASSERT_TRUE(file_->write(0, bytes_of("new")));
  disk_.fail_at(disk_.changes() + 1, EIO);
  EXPECT_EQ(file_->sync().error().code, code(EIO));
  EXPECT_TRUE(file_->sync());
  EXPECT_EQ(read_text(*file_, 0, 3), "new");
  EXPECT_THAT(futures(), ElementsAre("new", "old"));
  ASSERT_TRUE(file_->write(0, bytes_of("new")));  // dirty again
  ASSERT_TRUE(file_->sync());
  EXPECT_THAT(futures(), ElementsAre("new"));
}

TEST_F(SimulatedDiskTest, ReportsAFailedCommitAtTheNextSync) {
  const auto window = map(4096);
  store(*window, 0, "x");
  disk_.fail_at(disk_.changes() + 1, EIO);
  window->commit(0, 1);
  EXPECT_EQ(file_->sync().error().code, code(EIO));
  EXPECT_TRUE(file_->sync());
}

TEST_F(SimulatedDiskTest, FailsOperationsAsAsked) {
  disk_.fail_at(disk_.changes() + 2, ENOSPC, 2);
  EXPECT_TRUE(file_->allocate(0, 1));
  EXPECT_EQ(file_->allocate(0, 1).error().code, code(ENOSPC));
  EXPECT_EQ(disk_.rename("/f", "/g").error().code, code(ENOSPC));
  EXPECT_TRUE(*disk_.exists("/f"));
  EXPECT_TRUE(file_->allocate(0, 1));
  disk_.fail_read_at(disk_.reads() + 1, EIO);
  EXPECT_EQ(disk_.list("/").error().code, code(EIO));
  EXPECT_TRUE(disk_.list("/"));
}

TEST_F(SimulatedDiskTest, WritesAPartWhenAWriteFails) {
  std::set<std::int64_t> sizes;
  for (std::int64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(file_->resize(0));
    disk_.fail_at(disk_.changes() + 1, EIO);
    EXPECT_FALSE(file_->write(0, bytes_of("abc")));
    sizes.insert(*file_->size());
  }
  EXPECT_THAT(sizes, ElementsAre(0, 1, 2, 3));
}

TEST_F(SimulatedDiskTest, StopsAtTheCrash) {
  ASSERT_TRUE(file_->write(0, bytes_of("a")));
  const auto window = map(4096);
  disk_.crash_at(disk_.changes() + 2);
  ASSERT_TRUE(file_->write(0, bytes_of("b")));
  EXPECT_FALSE(disk_.crashed());
  EXPECT_TRUE(is_crash(file_->write(0, bytes_of("c")).error()));
  EXPECT_TRUE(disk_.crashed());
  EXPECT_TRUE(is_crash(file_->sync().error()));
  EXPECT_TRUE(is_crash(file_->size().error()));
  EXPECT_TRUE(is_crash(disk_.open("/f", OpenMode::kRead).error()));
  EXPECT_TRUE(is_crash(disk_.make_directories("/").error()));
  store(*window, 0, "d");
  window->commit(0, 1);
  EXPECT_EQ(future(Survival::kEverything).front(), 'b');
  EXPECT_FALSE(is_crash(errno_error(EIO)));
}

TEST_F(SimulatedDiskTest, KeepsStoresButNoSyncWhenTheProcessIsKilled) {
  const auto window = map(4096);
  store(*window, 0, "committed");
  window->commit(0, 9);
  store(*window, 9, "not");
  ASSERT_TRUE(disk_.remove("/f"));
  ASSERT_TRUE(write_text(disk_, "/f", "new"));
  ASSERT_TRUE(disk_.rename("/f", "/g"));
  const auto next = disk_.kill();
  EXPECT_EQ(read_text(*next, "/g"), "new");
  EXPECT_FALSE(*next->exists("/f"));
  Rng rng(1);
  const auto after = next->crash(rng, Survival::kNothing);
  EXPECT_EQ(read_text(*after, "/f"), "");
  EXPECT_EQ(next->changes(), 0);
}

TEST_F(SimulatedDiskTest, GivesTheNextProcessWhatWasStoredWithoutCommit) {
  const auto window = map(4096);
  store(*window, 0, "stored");
  const auto next = disk_.kill();
  EXPECT_EQ(read_text(*next, "/f").substr(0, 6), "stored");
  EXPECT_TRUE(next->uncommitted_stores().empty());
  const auto file = *next->open("/f", OpenMode::kReadWrite);
  ASSERT_TRUE(file->sync());
  Rng rng(1);
  EXPECT_EQ(read_text(*next->crash(rng, Survival::kNothing), "/f").substr(0, 6), "stored");
}

TEST_F(SimulatedDiskTest, RefusesWhatDoesNotFit) {
  disk_.set_capacity(3 * 4096);
  ASSERT_TRUE(file_->allocate(0, 2 * 4096));
  EXPECT_EQ(disk_.space("/")->available_bytes, 4096);
  EXPECT_EQ(file_->allocate(4096, 3 * 4096).error().code, code(ENOSPC));
  EXPECT_EQ(file_->write(4096, bytes_of(std::string(3 * 4096, 'x'))).error(), errno_error(ENOSPC, 3 * 4096));
  EXPECT_EQ(*file_->size(), 3 * 4096);
  EXPECT_TRUE(file_->write(0, bytes_of("in place")));
  EXPECT_EQ(disk_.space("/")->available_bytes, 0);
  ASSERT_TRUE(disk_.remove("/f"));
  EXPECT_EQ(disk_.space("/")->available_bytes, 0) << "still open";
  file_.reset();
  EXPECT_EQ(disk_.space("/")->available_bytes, 3 * 4096);
}

TEST_F(SimulatedDiskTest, CountsSpaceAnewAfterACrash) {
  ASSERT_TRUE(file_->write(0, bytes_of("x")));
  ASSERT_TRUE(disk_.remove("/f"));
  Rng rng(1);
  const auto with = disk_.crash(rng, Survival::kEverything);
  EXPECT_EQ(with->space("/")->available_bytes, with->space("/")->total_bytes);
  const auto killed = disk_.kill();
  EXPECT_EQ(killed->space("/")->available_bytes, killed->space("/")->total_bytes);
}

TEST_F(SimulatedDiskTest, AnswersLikeTheRealDiskWhenNamesAreWrong) {
  EXPECT_EQ(disk_.open("/x", OpenMode::kRead).error().code, code(ENOENT));
  EXPECT_EQ(disk_.open("/x/y", OpenMode::kCreate).error().code, code(ENOENT));
  EXPECT_EQ(disk_.open("/f/y", OpenMode::kCreate).error().code, code(ENOTDIR));
  EXPECT_EQ(disk_.open("/f", OpenMode::kCreateNew).error().code, code(EEXIST));
  EXPECT_EQ(disk_.make_directories("/f").error().code, code(ENOTDIR));
  ASSERT_TRUE(disk_.make_directories("/d/e"));
  EXPECT_EQ(disk_.open("/d", OpenMode::kCreate).error().code, code(EISDIR));
  EXPECT_EQ(disk_.remove("/d").error().code, code(EISDIR));
  EXPECT_EQ(disk_.remove_directory("/d").error().code, code(ENOTEMPTY));
  EXPECT_EQ(disk_.remove_directory("/f").error().code, code(ENOTDIR));
  EXPECT_EQ(disk_.remove("/x").error().code, code(ENOENT));
  EXPECT_EQ(disk_.rename("/x", "/y").error().code, code(ENOENT));
  EXPECT_EQ(disk_.list("/x").error().code, code(ENOENT));
  EXPECT_EQ(disk_.list("/f").error().code, code(ENOTDIR));
  EXPECT_EQ(disk_.sync_directory("/x").error().code, code(ENOENT));
  EXPECT_FALSE(*disk_.exists("/x"));
  const auto read_only = *disk_.open("/f", OpenMode::kRead);
  EXPECT_EQ(read_only->write(0, bytes_of("x")).error().code, code(EBADF));
  EXPECT_EQ(read_only->map(0, 4096, WindowUse::kAppend).error().code, code(EACCES));
}

TEST_F(SimulatedDiskTest, KnowsColdFilesAndForeignLocks) {
  ASSERT_TRUE(file_->write(0, bytes_of("x")));
  std::array<std::byte, 1> byte;
  EXPECT_TRUE(file_->read_no_wait(0, byte));
  disk_.set_cold(true);
  EXPECT_EQ(file_->read_no_wait(0, byte).error(), error(Errc::kWouldBlock));
  EXPECT_TRUE(file_->lock_first_byte());
  disk_.lock_elsewhere("f", true);
  EXPECT_EQ(file_->lock_first_byte().error().code, Errc::kLocked);
  EXPECT_EQ(*file_->first_byte_holder(), 4711);
  disk_.lock_elsewhere("f", false);
  EXPECT_EQ(*file_->first_byte_holder(), std::nullopt);
}

TEST_F(SimulatedDiskTest, GrowsAsLongAsItIsNotMapped) {
  const std::string text(20 << 20, 'x');
  ASSERT_TRUE(file_->write(0, bytes_of(text)));
  ASSERT_TRUE(file_->write(static_cast<std::int64_t>(text.size()), bytes_of("y")));
  EXPECT_EQ(read_text(*file_, (20 << 20) - 1, 2), "xy");
}

TEST_F(SimulatedDiskTest, DrawsTheSameFutureFromTheSameSeed) {
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(file_->write(i * 300, bytes_of(std::string(600, static_cast<char>('a' + i)))));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng one(seed);
    Rng two(seed);
    EXPECT_EQ(read_text(*disk_.crash(one), "/f"), read_text(*disk_.crash(two), "/f"));
  }
}

TEST_F(SimulatedDiskTest, ServesThreads) {
  constexpr int kStores = 500;
  const auto window = map(64 * 1024);
  std::thread storing([&] {
    for (std::size_t i = 0; i < kStores; ++i) {
      store(*window, i * 100, std::string(100, 'x'));
      window->commit(i * 100, 100);
    }
  });
  std::thread syncing([&] {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(file_->sync());
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(write_text(disk_, "/g", "g"));
    EXPECT_TRUE(disk_.rename("/g", "/h"));
    Rng rng(static_cast<std::uint64_t>(i));
    EXPECT_NE(disk_.crash(rng), nullptr);
  }
  storing.join();
  syncing.join();
  ASSERT_TRUE(file_->sync());
  EXPECT_EQ(future(Survival::kNothing).substr(0, kStores * 100), std::string(kStores * 100, 'x'));
}

}  // namespace
}  // namespace tern::test
