#pragma once
// A directory of the real file system for one test.

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace tern::test {

/// Made empty in `parent` (which ends with a slash), removed with all it holds. Fails the test if it cannot be made.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& parent = ::testing::TempDir()) : path_(parent + "tern_XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace tern::test
