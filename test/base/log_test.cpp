#include "tern/base/log.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace tern {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LogRateLimit, AdmitsTheFirstLineAndThenOneASecond) {
  test::ManualClock clock;
  LogRateLimit limit;
  EXPECT_EQ(limit.admit(clock), 1U);
  EXPECT_EQ(limit.admit(clock), 0U);
  clock.advance_ms(999);
  EXPECT_EQ(limit.admit(clock), 0U);
  clock.advance_ms(1);
  EXPECT_EQ(limit.admit(clock), 3U) << "this one and the two that were not said";
  EXPECT_EQ(limit.admit(clock), 0U);
  EXPECT_EQ(limit.total(), 5U);
}

TEST(LogCounts, CountsWarningsAndErrorsAlone) {
  const auto before = log_counts();
  log_info("this counts as nothing");
  log_warning("one");
  log_error("two");
  log_error("three");
  EXPECT_EQ(log_counts().warnings - before.warnings, 1U);
  EXPECT_EQ(log_counts().errors - before.errors, 2U);
}

TEST(LogRateLimit, CountsFromTheLastLineAfterAQuietTime) {
  test::ManualClock clock;
  LogRateLimit limit;
  EXPECT_EQ(limit.admit(clock), 1U);
  clock.advance_ms(60'000);
  EXPECT_EQ(limit.admit(clock), 1U);
}

TEST(LogRateLimit, IgnoresThatTheWallClockJumps) {
  test::ManualClock clock;
  LogRateLimit limit;
  EXPECT_EQ(limit.admit(clock), 1U);
  clock.set_wall_ms(clock.wall_ms() + 86'400'000);
  EXPECT_EQ(limit.admit(clock), 0U);
  clock.set_wall_ms(0);
  clock.advance_ms(1000);
  EXPECT_EQ(limit.admit(clock), 2U);
}

// The log belongs to the process: each test leaves it as it found it, on standard error at kInfo.
class Log : public testing::Test {
 protected:
  Log()
      : folder_(std::filesystem::temp_directory_path() / fmt::format("tern_log_test.{:08x}", std::random_device{}())) {
    std::filesystem::create_directories(folder_);
  }
  ~Log() override {
    std::string error;
    start_log({}, error);
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string file(std::string_view name = "broker.log") const { return folder_ / name; }

  static std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void start(LogLevel level) {
    std::string error;
    ASSERT_TRUE(start_log({.level = level, .file = file()}, error)) << error;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(Log, HasALineInTheFileAsSoonAsItIsSaid) {
  start(LogLevel::kInfo);
  log_info("a topic is created");
  EXPECT_THAT(content_of(file()), HasSubstr("a topic is created"));
}

TEST_F(Log, WritesLinesOfItsLevelAndAboveToTheFile) {
  start(LogLevel::kWarning);
  log_info("not {}", "said");
  log_warning("the disk is {} % full", 91);
  log_error("the disk is full");
  flush_log();
  EXPECT_THAT(content_of(file()), HasSubstr("warning the disk is 91 % full\n"));
  EXPECT_THAT(content_of(file()), HasSubstr("error   the disk is full\n"));
  EXPECT_THAT(content_of(file()), Not(HasSubstr("not said")));
}

TEST_F(Log, TellsWhetherALevelIsWorthFormatting) {
  start(LogLevel::kWarning);
  EXPECT_FALSE(log_enabled(LogLevel::kDebug));
  EXPECT_FALSE(log_enabled(LogLevel::kInfo));
  EXPECT_TRUE(log_enabled(LogLevel::kWarning));
  EXPECT_TRUE(log_enabled(LogLevel::kError));
}

TEST_F(Log, TakesBracesInALineLiterally) {
  start(LogLevel::kInfo);
  log_line(LogLevel::kInfo, "a peer sent {} and {0}");
  flush_log();
  EXPECT_THAT(content_of(file()), HasSubstr("a peer sent {} and {0}"));
}

TEST_F(Log, GoesOnInANewFileAfterTheOldOneWasMovedAway) {
  start(LogLevel::kInfo);
  log_info("before");
  flush_log();
  std::filesystem::rename(file(), file("broker.log.moved"));
  reopen_log();
  log_info("after");
  flush_log();
  EXPECT_THAT(content_of(file("broker.log.moved")), HasSubstr("before"));
  EXPECT_THAT(content_of(file("broker.log.moved")), Not(HasSubstr("after")));
  EXPECT_THAT(content_of(file()), HasSubstr("after"));
}

TEST_F(Log, RotatesAFileThatHasGrownTooLarge) {
  std::string error;
  ASSERT_TRUE(start_log({.file = file(), .file_size_bytes = 200, .files_kept = 2}, error)) << error;
  for (int i = 0; i < 20; ++i) log_info("line {:02} of twenty, long enough that four fill a file", i);
  flush_log();
  EXPECT_THAT(content_of(file()), HasSubstr("line 19"));
  EXPECT_TRUE(std::filesystem::exists(file("broker.1.log")));
  EXPECT_FALSE(std::filesystem::exists(file("broker.3.log")));
}

TEST_F(Log, SaysWhyAFileCannotBeOpened) {
  std::ofstream(file("not a folder")) << "text";
  std::string error;
  EXPECT_FALSE(start_log({.file = file("not a folder") + "/broker.log"}, error));
  EXPECT_THAT(error, HasSubstr("not a folder/broker.log"));
}

}  // namespace
}  // namespace tern
