#include "tern/file/disk.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace tern::file {
namespace {

TEST(Disk, JoinsWithOneSlash) {
  EXPECT_EQ(join("a/b", "c"), "a/b/c");
  EXPECT_EQ(join("a/b/", "c"), "a/b/c");
  EXPECT_EQ(join("/", "c"), "/c");
  EXPECT_EQ(join("", "c"), "c");
}

TEST(Disk, SaysWhatItsErrorsMean) {
  EXPECT_EQ(error(Errc::kShortRead, 7).text(), "file: the file ends inside the range (7)");
  EXPECT_EQ(error(Errc::kWouldBlock).text(), "file: not in memory");
  EXPECT_EQ(error(Errc::kLocked).text(), "file: another process holds the lock");
  EXPECT_EQ(error(Errc::kLocked).code, Errc::kLocked);
  EXPECT_NE(error(Errc::kLocked).code, error(Errc::kWouldBlock).code);
}

}  // namespace
}  // namespace tern::file
