#pragma once
// What is logged while a test looks.

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "tern/base/log.hpp"

#include "support/temporary_directory.hpp"

namespace tern::test {

/// While it lives, all lines go to a file of its own too. One at a time: the log is the process's.
class LoggedLines {
 public:
  LoggedLines() {
    std::string error;
    EXPECT_TRUE(start_log({.file = directory_.file("log")}, error)) << error;
  }
  ~LoggedLines() {
    std::string ignored;
    start_log({}, ignored);
  }
  LoggedLines(const LoggedLines&) = delete;
  LoggedLines& operator=(const LoggedLines&) = delete;

  [[nodiscard]] std::string text() const {
    flush_log();
    std::ifstream in(directory_.file("log"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace tern::test
