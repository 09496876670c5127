#include "tern/file/sigbus.hpp"

#include <csignal>
#include <memory>
#include <span>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "tern/file/disk.hpp"

#include "file/live_windows.hpp"
#include "support/temporary_directory.hpp"

namespace tern::file {
namespace {

/// For the dying process: no core file.
void name_sigbus_without_core() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  name_sigbus();
}

void store(std::span<std::byte> bytes, std::size_t at) {
  static_cast<volatile std::byte*>(bytes.data())[at] = std::byte{1};
}

class SigbusDeathTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> open(const std::string& name) { return *disk_->open(directory_.file(name), OpenMode::kCreate); }

  const test::TemporaryDirectory directory_;
  const std::unique_ptr<Disk> disk_ = make_real_disk();
};

TEST_F(SigbusDeathTest, NamesFileAndPosition) {
  const auto file = open("00000000000000000000");
  ASSERT_TRUE(file->allocate(0, 8192));
  const auto other = *file->map(0, 4096, WindowUse::kAppend);
  const auto window = *file->map(4096, 8192, WindowUse::kAppend);
  store(window->bytes(), 4095);  // the last byte that is there
  EXPECT_EXIT(
      {
        name_sigbus_without_core();
        store(window->bytes(), 4096 + 7);
      },
      ::testing::KilledBySignal(SIGBUS), "SIGBUS in .*/00000000000000000000 at 8199\n");
}

TEST_F(SigbusDeathTest, ForgetsWindowsThatAreGone) {
  const auto gone = open("gone");
  const auto there = open("there");
  gone->map(0, 4096, WindowUse::kAppend)->reset();
  const auto window = *there->map(0, 4096, WindowUse::kAppend);
  EXPECT_EXIT(
      {
        name_sigbus_without_core();
        store(window->bytes(), 0);
      },
      ::testing::KilledBySignal(SIGBUS), "SIGBUS in .*/there at 0\n");
}

TEST_F(SigbusDeathTest, DiesOfASignalFromOutside) {
  EXPECT_EXIT(
      {
        name_sigbus_without_core();
        std::raise(SIGBUS);
      },
      ::testing::KilledBySignal(SIGBUS), "SIGBUS in no memory: another process sent it\n");
}

TEST_F(SigbusDeathTest, NamesNoMoreThanTheTableHolds) {
  std::vector<std::byte> memory(1);
  std::vector<std::unique_ptr<LiveWindow>> windows;
  for (std::size_t i = 0; i < kLiveWindowsMax + 2; ++i) {
    windows.push_back(std::make_unique<LiveWindow>(memory.data(), 1, 0, "x"));
  }
  const auto file = open("f");
  const auto unnamed = *file->map(0, 4096, WindowUse::kAppend);
  EXPECT_EXIT(
      {
        name_sigbus_without_core();
        store(unnamed->bytes(), 0);
      },
      ::testing::KilledBySignal(SIGBUS), "SIGBUS in memory that is no file window of ours\n");
  windows.clear();
  const auto named = *file->map(0, 4096, WindowUse::kAppend);
  EXPECT_EXIT(
      {
        name_sigbus_without_core();
        store(named->bytes(), 0);
      },
      ::testing::KilledBySignal(SIGBUS), "SIGBUS in .*/f at 0\n");
}

}  // namespace
}  // namespace tern::file
