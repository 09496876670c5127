#pragma once
// A small store in every state in which one may be found, and what an inspector says of it.

#include <gmock/gmock.h>

#include "tern/store/inspector.hpp"

#include "store/store_fixture.hpp"

namespace tern::store {

inline InspectOptions inspected() {
  InspectOptions options;
  options.root = "/store";
  options.index_slots = 64;
  options.index_entries_max = 256;
  return options;
}

/// "<file>[<first byte in doubt>+<how many>] <text>" of what is damage.
inline std::vector<std::string> damages_of(const VerifyReport& report) {
  std::vector<std::string> damages;
  for (const auto& finding : report.findings) {
    if (finding.is_damage)
      damages.push_back(fmt::format("{}[{}+{}] {}", finding.file, finding.at, finding.size, finding.text));
  }
  return damages;
}

inline std::vector<std::string> notes_of(const VerifyReport& report) {
  std::vector<std::string> notes;
  for (const auto& finding : report.findings) {
    if (!finding.is_damage) notes.push_back(fmt::format("{} {}", finding.file, finding.text));
  }
  return notes;
}

class Inspected : public ::testing::Test {
 protected:
  static constexpr int kSent = 60;       // about two segments
  static constexpr int kQueueFile = 10;  // entries in a queue file: two queues have two files

  Inspected() { options_.queues.file_size_bytes = kQueueFile * kQueueEntrySize; }

  static Message message(int i) {
    return {fmt::format("body {}", i), i % 3 == 0 ? "TB" : "TA", i % 2, fmt::format("k{} all", i % 7)};
  }
  void send_some(StoreLife& life, int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(life.send(message(i)));
      clock_.advance_ms(i % 4 == 0 ? 600 : 0);
    }
  }
  void make_stopped(int sent = kSent) {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, sent);
    life.dispatch();
    ASSERT_TRUE(life.close());
  }

  static VerifyReport verify(file::Disk& disk, const InspectOptions& options = inspected()) {
    auto inspector = Inspector::open(disk, options);
    EXPECT_TRUE(inspector) << inspector.error().text;
    if (!inspector) return {};
    const auto report = (*inspector)->verify({});
    EXPECT_TRUE(report) << report.error().text();
    return report ? *report : VerifyReport();
  }
  static void write_byte(file::Disk& disk, const std::string& path, std::int64_t at, std::uint8_t bits) {
    const auto file = disk.open(path, file::OpenMode::kReadWrite);
    ASSERT_TRUE(file) << path;
    auto byte = test::read_text(**file, at, 1);
    byte[0] = static_cast<char>(byte[0] ^ bits);
    ASSERT_TRUE((*file)->write(at, test::bytes_of(byte)));
  }
  static void resize(file::Disk& disk, const std::string& path, std::int64_t size) {
    const auto file = disk.open(path, file::OpenMode::kReadWrite);
    ASSERT_TRUE(file) << path;
    ASSERT_TRUE((*file)->resize(size));
  }
  static std::int64_t size_of(file::Disk& disk, const std::string& path) {
    return static_cast<std::int64_t>(test::read_text(disk, path).size());
  }

  test::ManualClock clock_;
  test::SimulatedDisk disk_{{.clock = &clock_}};
  StoreOptions options_ = small_store();
};

}  // namespace tern::store
