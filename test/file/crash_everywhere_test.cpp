#include "support/crash_everywhere.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "support/bytes.hpp"

namespace tern::test {
namespace {

using file::OpenMode;
using file::WindowUse;

/// Creates, writes and syncs: five changes with the write in two. Returns what it believes to be durable.
std::string two_writes(SimulatedDisk& disk) {
  const auto file = disk.open("/f", OpenMode::kCreate);
  if (!file || !disk.sync_directory("/")) return "";
  if (!(*file)->write(0, bytes_of("a")) || !(*file)->sync()) return "";
  static_cast<void>((*file)->write(1, bytes_of("b")));
  return "a";
}

TEST(CrashEverywhere, StopsBeforeEachOperationAndOnceAfterTheLast) {
  std::set<std::int64_t> operations;
  std::set<std::int64_t> completed;
  const auto tried = crash_at_every_operation(two_writes,
                                              [&](SimulatedDisk&, const CrashPoint& point, const std::string&) {
                                                operations.insert(point.operation);
                                                if (point.completed) completed.insert(point.operation);
                                              },
                                              {.power_cuts = 3});
  EXPECT_EQ(operations, (std::set<std::int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(completed, std::set<std::int64_t>{6});
  EXPECT_EQ(tried.points, 6);
  EXPECT_EQ(tried.images, 6 * 4);
}

TEST(CrashEverywhere, ShowsThatAPromiseHolds) {
  std::set<std::string> contents;
  crash_at_every_operation(two_writes,
                           [&](SimulatedDisk& disk, const CrashPoint&, const std::string& durable) {
                             if (!*disk.exists("/f")) {
                               EXPECT_EQ(durable, "");
                               return;
                             }
                             const auto content = read_text(disk, "/f");
                             EXPECT_TRUE(content.starts_with(durable));
                             contents.insert(content);
                           },
                           {.power_cuts = 30});
  EXPECT_EQ(contents, (std::set<std::string>{"", std::string(1, '\0'), "a", "ab", std::string("a\0", 2)}));
}

TEST(CrashEverywhere, TakesASampleThatEndsWithTheWholeRun) {
  std::set<std::int64_t> operations;
  crash_at_every_operation(
      two_writes,
      [&](SimulatedDisk&, const CrashPoint& point, const std::string&) { operations.insert(point.operation); },
      {.stride = 4});
  EXPECT_EQ(operations, (std::set<std::int64_t>{1, 5, 6}));
}

TEST(CrashEverywhere, NamesThePointAndTheSeed) {
  EXPECT_NONFATAL_FAILURE(crash_at_every_operation([](SimulatedDisk& disk) { two_writes(disk); },
                                                   [&](SimulatedDisk& disk, const CrashPoint& point) {
                                                     if (point.operation == 3 && point.seed == 8) {
                                                       EXPECT_EQ(read_text(disk, "/f"), "b");
                                                     }
                                                   },
                                                   {.seed = 7}),
                          "power cut before operation 3, seed 8");
}

TEST(CrashEverywhere, FindsAStoreWithoutCommit) {
  EXPECT_NONFATAL_FAILURE(crash_at_every_operation(
                              [](SimulatedDisk& disk) {
                                const auto file = disk.open("/f", OpenMode::kCreate);
                                if (!file || !(*file)->allocate(0, 4096)) return;
                                const auto window = *(*file)->map(0, 4096, WindowUse::kAppend);
                                window->bytes()[7] = std::byte{1};
                              },
                              [](SimulatedDisk&, const CrashPoint&) {}),
                          "/f: [7, +1) stored, never committed");
}

}  // namespace
}  // namespace tern::test
