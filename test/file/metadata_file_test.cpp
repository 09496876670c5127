#include "tern/file/metadata_file.hpp"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/bytes.hpp"
#include "support/crash_everywhere.hpp"
#include "support/simulated_disk.hpp"

namespace tern::file {
namespace {

using test::bytes_of;
using test::CrashPoint;
using test::read_text;
using test::SimulatedDisk;
using test::write_text;
using ::testing::HasSubstr;

constexpr auto kPath = "/config/topics.json";

/// Whole is what begins and ends with a brace and has no zero byte: like JSON, no prefix of it passes.
std::optional<std::string> braces(std::string_view content) {
  if (!content.starts_with('{') || !content.ends_with('}')) return "position 0: no braces";
  if (content.find('\0') != std::string_view::npos) return "a zero byte";
  return std::nullopt;
}

std::string content_of(char letter, std::size_t size) {
  return "{" + std::string(size, letter) + "}";
}

/// What load() gives, in one line for comparison.
std::string loaded(MetadataFile& file) {
  const auto found = file.load(braces);
  if (!found) return "damage: " + found.error().text;
  if (!*found) return "nothing";
  return (*found)->content + ((*found)->from_backup ? " from backup: " + (*found)->why_backup : "");
}

class MetadataFileTest : public ::testing::Test {
 protected:
  MetadataFileTest() { EXPECT_TRUE(disk_.make_directories("/config")); }

  SimulatedDisk disk_;
  MetadataFile file_{disk_, kPath};
};

TEST_F(MetadataFileTest, FindsNothingAtFirst) {
  EXPECT_EQ(loaded(file_), "nothing");
}

TEST_F(MetadataFileTest, LoadsWhatWasSavedAndKeepsTheVersionBefore) {
  ASSERT_TRUE(file_.save("{1}"));
  EXPECT_EQ(loaded(file_), "{1}");
  EXPECT_FALSE(*disk_.exists("/config/topics.json.bak"));
  ASSERT_TRUE(file_.save("{22}"));
  ASSERT_TRUE(file_.save("{3}"));
  EXPECT_EQ(loaded(file_), "{3}");
  EXPECT_EQ(read_text(disk_, "/config/topics.json.bak"), "{22}");
  EXPECT_FALSE(*disk_.exists("/config/topics.json.tmp"));
}

TEST_F(MetadataFileTest, FallsBackWhenTheFileIsMissing) {
  ASSERT_TRUE(write_text(disk_, "/config/topics.json.bak", "{1}"));
  EXPECT_EQ(loaded(file_), "{1} from backup: is missing");
}

TEST_F(MetadataFileTest, NamesTheDamageWhenNeitherIsWhole) {
  ASSERT_TRUE(write_text(disk_, kPath, "{1"));
  EXPECT_EQ(loaded(file_), "damage: /config/topics.json: position 0: no braces; /config/topics.json.bak: is missing");
  ASSERT_TRUE(write_text(disk_, "/config/topics.json.bak", ""));
  EXPECT_EQ(loaded(file_),
            "damage: /config/topics.json: position 0: no braces; /config/topics.json.bak: position 0: no braces");
  ASSERT_TRUE(disk_.remove(kPath));
  EXPECT_EQ(loaded(file_), "damage: /config/topics.json: is missing; /config/topics.json.bak: position 0: no braces");
  EXPECT_EQ(read_text(disk_, "/config/topics.json.bak"), "");
}

// The version before is only as good as what it replaced: a damaged file must never become it.
TEST_F(MetadataFileTest, KeepsAWholeBackupWhenItReplacesADamagedFile) {
  ASSERT_TRUE(file_.save("{1}"));
  ASSERT_TRUE(file_.save("{2}"));
  ASSERT_TRUE(write_text(disk_, kPath, "{2"));
  MetadataFile reopened(disk_, kPath);
  EXPECT_EQ(loaded(reopened), "{1} from backup: position 0: no braces");
  EXPECT_EQ(read_text(disk_, kPath), "{2");
  ASSERT_TRUE(reopened.save("{3}"));
  EXPECT_EQ(loaded(reopened), "{3}");
  EXPECT_EQ(read_text(disk_, "/config/topics.json.bak"), "{1}");
  ASSERT_TRUE(reopened.save("{4}"));
  EXPECT_EQ(read_text(disk_, "/config/topics.json.bak"), "{3}");
}

TEST_F(MetadataFileTest, FallsBackWhenTheFileCannotBeRead) {
  ASSERT_TRUE(file_.save("{1}"));
  ASSERT_TRUE(file_.save("{2}"));
  disk_.fail_read_at(disk_.reads() + 3, EIO);  // open, size, read
  EXPECT_THAT(loaded(file_), HasSubstr("{1} from backup: Input/output error"));
}

TEST_F(MetadataFileTest, RefusesToReadWhatIsTooLong) {
  const auto file = *disk_.open(kPath, OpenMode::kCreate);
  ASSERT_TRUE(file->resize(kMetadataBytesMax + 1));
  EXPECT_THAT(loaded(file_), HasSubstr("damage: /config/topics.json: File too large"));
}

TEST_F(MetadataFileTest, WorksInTheDirectoryOfTheProcessAndInTheRoot) {
  for (const auto* path : {"topics.json", "/topics.json"}) {
    MetadataFile file(disk_, path);
    ASSERT_TRUE(file.save("{1}")) << path;
    EXPECT_EQ(loaded(file), "{1}");
  }
}

// Cut short at every byte (and then zero-filled, as file systems do), the content is never taken for whole; with a
// backup there is the version before, without one a description.
TEST_F(MetadataFileTest, RecognisesAFileCutShortAtEveryByte) {
  const auto before = content_of('a', 700);
  const auto after = content_of('b', 1200);
  for (std::size_t size = 0; size < after.size(); ++size) {
    SCOPED_TRACE(size);
    for (const bool zero_filled : {false, true}) {
      ASSERT_TRUE(write_text(disk_, "/config/topics.json.bak", before));
      ASSERT_TRUE(write_text(disk_, kPath, after.substr(0, size)));
      if (zero_filled) {
        ASSERT_TRUE((*disk_.open(kPath, OpenMode::kReadWrite))->resize(static_cast<std::int64_t>(after.size())));
      }
      MetadataFile file(disk_, kPath);
      ASSERT_THAT(loaded(file), HasSubstr(before + " from backup: "));
      ASSERT_TRUE(disk_.remove("/config/topics.json.bak"));
      ASSERT_THAT(loaded(file), HasSubstr("damage: /config/topics.json: "));
    }
  }
}

/// Creates the directory and one durable version, or two.
std::int64_t prepare(SimulatedDisk& disk, int versions) {
  EXPECT_TRUE(disk.make_directories("/config"));
  EXPECT_TRUE(disk.sync_directory("/"));
  MetadataFile file(disk, kPath);
  for (int i = 0; i < versions; ++i) EXPECT_TRUE(file.save(content_of(static_cast<char>('a' + i), 2000)));
  return disk.changes();
}

// Whatever the moment of the crash: the content before save() or the new one, whole, and the new one once save() has
// returned. Saving again on what was found works, whether a leftover is there or not.
TEST(MetadataFileCrash, LoadsTheOldOrTheNewContentWhole) {
  for (const int versions : {0, 1, 2, 3}) {
    SCOPED_TRACE(versions);
    test::CrashOptions options;
    options.power_cuts = 40;
    {
      SimulatedDisk disk;
      options.first_operation = prepare(disk, versions) + 1;
    }
    const auto before = versions == 0 ? "nothing" : content_of(static_cast<char>('a' + versions - 1), 2000);
    const auto after = content_of('z', 1500);
    int old_found = 0;
    int new_found = 0;
    const auto tried = test::crash_at_every_operation(
        [&](SimulatedDisk& disk) {
          prepare(disk, versions);
          MetadataFile file(disk, kPath);
          static_cast<void>(file.load(braces));
          return file.save(after).has_value();
        },
        [&](SimulatedDisk& disk, const CrashPoint& point, bool saved) {
          EXPECT_EQ(saved, point.completed);
          MetadataFile file(disk, kPath);
          const auto found = loaded(file);
          const bool is_new = found == after;
          // Between the renames only the backup is there.
          EXPECT_TRUE(is_new || found == before || found == before + " from backup: is missing") << found;
          EXPECT_TRUE(is_new || !saved);
          ++(is_new ? new_found : old_found);
          ASSERT_TRUE(file.save("{again}"));
          EXPECT_EQ(loaded(file), "{again}");
        },
        options);
    EXPECT_EQ(tried.points, 8);  // create, empty, write, sync, rename, rename, sync; and completed
    EXPECT_GT(old_found, 0);
    EXPECT_GT(new_found, 0);
  }
}

// A damaged file, a whole backup: neither the fall-back nor the save that heals it may lose the backup to a crash.
TEST(MetadataFileCrash, HealsADamagedFile) {
  const auto backup = content_of('a', 2000);
  test::crash_at_every_operation(
      [&](SimulatedDisk& disk) {
        static_cast<void>(disk.make_directories("/config"));
        static_cast<void>(write_text(disk, "/config/topics.json.bak", backup));
        static_cast<void>(write_text(disk, kPath, "{damaged"));
        for (const auto* path : {"/config/topics.json.bak", kPath}) {
          if (const auto file = disk.open(path, OpenMode::kRead)) static_cast<void>((*file)->sync());
        }
        static_cast<void>(disk.sync_directory("/config"));
        if (!disk.sync_directory("/")) return false;
        MetadataFile file(disk, kPath);
        EXPECT_EQ(loaded(file), backup + " from backup: position 0: no braces");
        static_cast<void>(file.save("{new}"));
        return true;
      },
      [&](SimulatedDisk& disk, const CrashPoint&, bool prepared) {
        if (!prepared) return;
        MetadataFile file(disk, kPath);
        const auto found = loaded(file);
        EXPECT_TRUE(found == "{new}" || found.starts_with(backup)) << found;
      });
}

// Whichever operation of save() fails, load() gives the old or the new content, now and after a power cut; so it does
// when the next save() succeeds, whose content is then durable.
TEST(MetadataFileFault, SurvivesAFailureOfEveryOperation) {
  for (const int errno_value : {EIO, ENOSPC}) {
    for (std::int64_t operation = 1; operation <= 7; ++operation) {
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(fmt::format("errno {}, operation {}, seed {}", errno_value, operation, seed));
        SimulatedDisk disk({.seed = seed});
        const auto start = prepare(disk, 2);
        const auto before = content_of('b', 2000);
        const auto after = content_of('z', 1500);
        disk.fail_at(start + operation, errno_value);
        MetadataFile file(disk, kPath);
        const auto saved = file.save(after);
        ASSERT_FALSE(saved);
        EXPECT_EQ(saved.error().code.value(), errno_value);

        const auto expect_old_or_new = [&](SimulatedDisk& any) {
          MetadataFile reopened(any, kPath);
          const auto found = loaded(reopened);
          EXPECT_TRUE(found == after || found == before || found == before + " from backup: is missing") << found;
        };
        expect_old_or_new(disk);
        test::Rng rng(seed);
        expect_old_or_new(*disk.crash(rng));

        ASSERT_TRUE(file.save("{third}"));
        const auto restarted = disk.crash(rng);
        MetadataFile reopened(*restarted, kPath);
        EXPECT_EQ(loaded(reopened), "{third}");
      }
    }
  }
}

TEST(MetadataFileFault, KeepsTheOldContentOnAFullDisk) {
  SimulatedDisk disk;
  prepare(disk, 2);
  const auto space = *disk.space("/");
  disk.set_capacity(space.total_bytes - space.available_bytes + 4096);
  MetadataFile file(disk, kPath);
  EXPECT_EQ(file.save(content_of('z', 10'000)).error().code, std::errc::no_space_on_device);
  EXPECT_EQ(loaded(file), content_of('b', 2000));
  EXPECT_TRUE(file.save("{small}"));
  EXPECT_EQ(loaded(file), "{small}");
}

}  // namespace
}  // namespace tern::file
