// Every lock of the put table, alone: exclusion, progress and counters, from 2 threads to 64. The thread sanitizer's
// build gives the processor away inside the locks as well (tern/base/preemption.hpp); here it is given away while the
// lock is held.

#include <map>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tern/base/preemption.hpp"

#include "store/put/put_table.hpp"
#include "store/put/spin.hpp"
#include "support/manual_clock.hpp"

namespace tern::store {
namespace {

#if defined(__has_feature)
static_assert(kHasPreemptionPoints || !__has_feature(thread_sanitizer), "stress without it says little");
#endif

constexpr int kAcquisitions = 6400;  // of all threads together: some locks collapse with many threads
constexpr int kYieldsEvery = 701;    // acquisitions whose holder gives its processor away

class AppendLocks : public ::testing::TestWithParam<std::tuple<const PutRow*, int>> {};

TEST_P(AppendLocks, LetInOneAtATimeAndEverybodyInTheEnd) {
  const auto [row, threads_count] = GetParam();
  test::ManualClock clock;
  const auto lock = row->make_lock({clock, 20, true});
  // Guarded by the lock, and plain on purpose: an update is lost, and the sanitizer speaks, if two are inside.
  std::int64_t inside = 0;
  std::int64_t total = 0;
  const int each = kAcquisitions / threads_count;

  std::vector<std::thread> threads;
  for (int t = 0; t < threads_count; ++t) {
    threads.emplace_back([&, each] {
      for (int i = 0; i < each; ++i) {
        lock->lock();
        EXPECT_EQ(++inside, 1);
        if (++total % kYieldsEvery == 0) std::this_thread::yield();
        if (total % 64 == 0) clock.advance_ms(1000);  // an adaptive lock ends its window
        --inside;
        lock->unlock();
      }
    });
  }
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(total, each * threads_count);
  const auto counters = lock->counters();
  EXPECT_EQ(counters.acquisitions, total);
  EXPECT_LE(counters.waits, total);
  EXPECT_FALSE(counters.mode.empty());
}

TEST_P(AppendLocks, CountWhoHadToWait) {
  const auto* const row = std::get<0>(GetParam());
  test::ManualClock clock;
  const auto lock = row->make_lock({clock, 20, true});
  lock->lock(), lock->unlock();
  EXPECT_EQ(lock->counters().acquisitions, 1);
  EXPECT_EQ(lock->counters().waits, 0);
}

TEST(ParkingLock, SpinsForATenthOfWhatSleepingCosts) {
  const test::ManualClock clock;
  const auto lock = find_put_strategy("parking")->make_lock({clock, 20, true});
  EXPECT_EQ(lock->counters().spin_limit, spins_per_context_switch(spin_ns()) / 10);
}

std::vector<const PutRow*> rows_with_a_lock() {
  std::vector<const PutRow*> rows;
  for (const auto& row : kPutStrategies) {
    if (row.make_lock != nullptr) rows.push_back(&row);
  }
  return rows;
}
INSTANTIATE_TEST_SUITE_P(All, AppendLocks,
                         ::testing::Combine(::testing::ValuesIn(rows_with_a_lock()), ::testing::Values(2, 8, 64)),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param)->name) + std::to_string(std::get<1>(row.param));
                         });

}  // namespace
}  // namespace tern::store
