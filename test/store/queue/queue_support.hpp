#pragma once
// What the tests of queues share: small files, entries that tell their offset, a table on a simulated disk.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tern/store/queue.hpp"

#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

namespace tern::test {

inline constexpr std::int64_t kEntriesPerFile = 200;
inline constexpr std::int64_t kRecordSize = 100;

inline store::QueueOptions small_queue_options() {
  return {"store/consumequeue", kEntriesPerFile * store::kQueueEntrySize, 64 << 10, 64};
}

/// The entry of offset `n`, whose record stands at n * 100.
inline store::QueueEntry entry_of(std::int64_t n) {
  return {{n * kRecordSize}, kRecordSize, n * 7 - 3};
}

inline std::unique_ptr<store::QueueTable> open_table(file::Disk& disk,
                                                     const store::QueueOptions& options = small_queue_options()) {
  std::string problem;
  auto table = store::QueueTable::open(disk, options, problem);
  EXPECT_TRUE(table) << problem;
  return std::move(*table);
}

/// Its name is the caller's affair.
inline bool make_store_directory(file::Disk& disk) {
  return disk.make_directories("store") && disk.sync_directory("/");
}

inline void append_range(store::Queue& queue, std::int64_t from, std::int64_t to) {
  for (std::int64_t n = from; n < to; ++n) {
    const auto status = queue.append({n}, entry_of(n));
    ASSERT_TRUE(status) << n << ": " << status.error().text();
  }
}

inline void write_all(store::QueueTable& table) {
  for (;;) {
    const auto step = table.write_step(1 << 20);
    ASSERT_TRUE(step) << step.error().text();
    if (step->next_ms > 0) return;
  }
}

/// Empty if entries [from, to) are those of entry_of, otherwise what is wrong.
inline std::string check_range(const store::Queue& queue, std::int64_t from, std::int64_t to) {
  std::vector<store::QueueEntry> entries(33);
  for (std::int64_t at = from; at < to;) {
    const auto count = queue.read({at}, entries, false);
    if (!count) return fmt::format("{}: {}", at, count.error().text());
    if (*count == 0) return fmt::format("{}: nothing", at);
    for (std::size_t i = 0; i < *count && at < to; ++i, ++at) {
      if (!(entries[i] == entry_of(at))) {
        return fmt::format("{}: position {} size {} tags {}", at, entries[i].position, entries[i].size,
                           entries[i].tags_code);
      }
    }
  }
  return {};
}

inline std::string bounds_text(const store::Queue& queue) {
  return fmt::format("{}-{}", queue.bounds().min, queue.bounds().max);
}

}  // namespace tern::test
