// Dispatch, upkeep and readers at once, as a thread sanitizer sees them. Threads end by what they have seen, not by
// time.

#include <array>
#include <atomic>
#include <thread>

#include "queue_support.hpp"

namespace tern::store {
namespace {

TEST(QueueTable, ServesReadersWhileDispatchAndUpkeepRun) {
  constexpr std::int64_t kLast = 6000;
  constexpr int kQueues = 3;
  test::SimulatedDisk disk;
  const auto table = test::open_table(disk);
  std::atomic<bool> dispatched{false};
  std::thread dispatch([&] {
    for (std::int64_t n = 0; n < kLast; ++n) {
      while (table->is_memory_full()) std::this_thread::yield();
      for (int id = 0; id < kQueues; ++id) {
        EXPECT_TRUE(table->get_or_create("TA", id)->append({n}, test::entry_of(n)));
      }
    }
    dispatched = true;
  });
  std::thread upkeep([&] {
    std::int64_t rounds = 0;
    for (bool is_last = false; !is_last; ++rounds) {
      is_last = dispatched;
      test::write_all(*table);
      EXPECT_TRUE(table->sync_step(2));
      const auto queue = table->find("TA", 0);
      if (rounds % 8 == 7 && queue) {
        EXPECT_TRUE(table->forget_before({queue->bounds().max.value * 100 / 4}));
      }
      if (rounds % 16 == 15) {
        EXPECT_TRUE(table->remove_topic("TB"));
      }
      static_cast<void>(table->get_or_create("TB", static_cast<std::int32_t>(rounds % 4)));
    }
    EXPECT_TRUE(table->flush_all());
  });
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      std::array<QueueEntry, 32> entries;
      std::int64_t at = 0;
      while (at < kLast) {
        const auto queue = table->find("TA", reader);
        if (!queue) continue;
        const auto count = queue->read({at}, entries, reader == 0);
        if (!count) {
          ASSERT_EQ(count.error().code, Errc::kWouldBlock) << count.error().text();
          at = std::max(at + 1, queue->bounds().min.value);
          continue;
        }
        if (*count == 0) {
          at = std::max(at, queue->bounds().min.value);
          std::this_thread::yield();
          continue;
        }
        for (std::size_t i = 0; i < *count; ++i, ++at) ASSERT_EQ(entries[i], test::entry_of(at)) << at;
      }
    });
  }
  dispatch.join();
  upkeep.join();
  for (auto& reader : readers) reader.join();
  for (int id = 0; id < kQueues; ++id) {
    const auto queue = table->find("TA", id);
    EXPECT_EQ(queue->bounds().max.value, kLast);
    EXPECT_EQ(test::check_range(*queue, queue->bounds().min.value, kLast), "");
  }
}

}  // namespace
}  // namespace tern::store
