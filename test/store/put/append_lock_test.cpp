// Every lock of the put table, alone: exclusion, progress and counters, from 2 threads to 64. The thread sanitizer's
// build gives the processor away inside the locks as well (tern/base/preemption.hpp); here it is given away while the
// lock is held. Exclusion also of the locks that only the benchmarks have: a rate that is compared must be that of a
// lock.

#include <map>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tern/base/preemption.hpp"

#include "micro/rival_locks.hpp"
#include "store/put/put_table.hpp"
#include "store/put/spin.hpp"
#include "support/manual_clock.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define TERN_HAS_LEAK_CHECK
#endif
static_assert(tern::kHasPreemptionPoints || !__has_feature(thread_sanitizer), "stress without it says little");
#endif

namespace tern::store {
namespace {

#ifdef TERN_HAS_LEAK_CHECK
using LeaksAreMeant = __lsan::ScopedDisabler;
#else
struct LeaksAreMeant {};
#endif

constexpr int kAcquisitions = 6400;  // of all threads together: some locks collapse with many threads
constexpr int kAcquisitionsOfRivals = 1600;
constexpr int kYieldsEvery = 701;  // acquisitions whose holder gives its processor away

/// So many threads, each with its part of the acquisitions.
void take_turns(AppendLock& lock, test::ManualClock& clock, int threads_count, int acquisitions) {
  // Guarded by the lock, and plain on purpose: an update is lost, and the sanitizer speaks, if two are inside.
  std::int64_t inside = 0;
  std::int64_t total = 0;
  const int each = acquisitions / threads_count;

  std::vector<std::thread> threads;
  for (int t = 0; t < threads_count; ++t) {
    threads.emplace_back([&, each] {
      [[maybe_unused]] const LeaksAreMeant of_clh{};  // whose nodes wander from thread to thread
      for (int i = 0; i < each; ++i) {
        lock.lock();
        EXPECT_EQ(++inside, 1);
        if (++total % kYieldsEvery == 0) std::this_thread::yield();
        if (total % 64 == 0) clock.advance_ms(1000);  // an adaptive lock ends its window
        --inside;
        lock.unlock();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total, each * threads_count);
}

class AppendLocks : public ::testing::TestWithParam<std::tuple<const PutRow*, int>> {};

TEST_P(AppendLocks, LetInOneAtATimeAndEverybodyInTheEnd) {
  const auto [row, threads_count] = GetParam();
  test::ManualClock clock;
  const auto lock = row->make_lock({clock, 20, true});
  take_turns(*lock, clock, threads_count, kAcquisitions);
  const auto counters = lock->counters();
  EXPECT_EQ(counters.acquisitions, kAcquisitions);
  EXPECT_LE(counters.waits, kAcquisitions);
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

class RivalLocks : public ::testing::TestWithParam<std::tuple<PutRow, int>> {};

TEST_P(RivalLocks, LetInOneAtATimeAndEverybodyInTheEnd) {
  [[maybe_unused]] const LeaksAreMeant of_clh{};
  const auto& [row, threads_count] = GetParam();
  test::ManualClock clock;
  take_turns(*row.make_lock({clock, 20, true}), clock, threads_count, kAcquisitionsOfRivals);
}

std::vector<PutRow> rivals() {
  auto rows = put_rows_and_rivals();
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kPutStrategies.size()));
  return rows;
}
INSTANTIATE_TEST_SUITE_P(All, RivalLocks, ::testing::Combine(::testing::ValuesIn(rivals()), ::testing::Values(2, 8)),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param).name) + std::to_string(std::get<1>(row.param));
                         });

}  // namespace
}  // namespace tern::store
