// The adaptive lock with a clock in the test's hands. A retreat is made by holding the lock until the lock has counted
// one, so nothing depends on how fast a thread is.

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "store/put/locked_strategy.hpp"
#include "support/manual_clock.hpp"

namespace tern::store {
namespace {

constexpr int kAcquisitionsPerLook = 64;

class AbsLock : public ::testing::Test {
 protected:
  [[nodiscard]] PutCounters now() const { return lock_->counters(); }

  /// Holds the lock until another thread has retreated `count` times.
  void make_retreats(std::int64_t count) {
    const auto before = now().retreats;
    lock_->lock();
    std::thread waiter([this] { lock_->lock(), lock_->unlock(); });
    while (now().retreats - before < count) std::this_thread::yield();
    lock_->unlock();
    waiter.join();
  }
  /// A second passes, with about `looks` times 64 acquisitions in it; the lock looks at the clock at the last.
  void end_window(int looks = 1) {
    for (int look = 1; look < looks; ++look) acquire_until_look();
    clock_.advance_ms(1000);
    acquire_until_look();
  }
  void acquire_until_look() {
    do {
      lock_->lock(), lock_->unlock();
    } while (now().acquisitions % kAcquisitionsPerLook != 0);
  }
  void sleep_at_last() {
    for (int i = 0; i < 6; ++i) make_retreats(2), end_window();
  }

  test::ManualClock clock_;
  const std::unique_ptr<AppendLock> lock_ = make_abs_lock({clock_, 10, true});
};

TEST_F(AbsLock, StartsSpinningAtTheGivenLimit) {
  EXPECT_EQ(now().spin_limit, 10);
  EXPECT_EQ(now().mode, "spin");
}

TEST_F(AbsLock, TakesItsLimitFromTheProcessorIfNoneIsGiven) {
  const auto lock = make_abs_lock({clock_, 10, false});
  EXPECT_GE(lock->counters().spin_limit, 10);
  EXPECT_LE(lock->counters().spin_limit, 10'000);
}

TEST_F(AbsLock, DoublesItsLimitAfterASecondWithRetreats) {
  make_retreats(2);
  EXPECT_EQ(now().spin_limit, 10);
  end_window();
  EXPECT_EQ(now().spin_limit, 20);
  EXPECT_GE(now().retreats, 2);
  EXPECT_GE(now().waits, 1);
}

TEST_F(AbsLock, ChangesNothingBeforeASecondHasPassed) {
  make_retreats(2);
  clock_.advance_ms(999);
  for (int i = 0; i < 10 * kAcquisitionsPerLook; ++i) lock_->lock(), lock_->unlock();
  EXPECT_EQ(now().spin_limit, 10);
}

TEST_F(AbsLock, GoesToTheMutexAtTheLargestLimitAndComesBackWhenTheRateRises) {
  sleep_at_last();
  EXPECT_EQ(now().mode, "mutex");
  EXPECT_EQ(now().switches, 1);
  EXPECT_EQ(now().spin_limit, 100);
  end_window();
  EXPECT_EQ(now().mode, "mutex");
  end_window();
  end_window(16);
  EXPECT_EQ(now().mode, "spin");
  EXPECT_EQ(now().switches, 2);
  EXPECT_EQ(now().spin_limit, 100);
}

TEST_F(AbsLock, ComesBackWhenTheRateFalls) {
  sleep_at_last();
  end_window();
  end_window(16);
  EXPECT_EQ(now().mode, "mutex");
  end_window();
  EXPECT_EQ(now().mode, "spin");
}

TEST_F(AbsLock, TriesForAQuarterOfAWindow) {
  sleep_at_last();
  clock_.advance_ms(249);
  acquire_until_look();
  EXPECT_EQ(now().mode, "mutex");
  clock_.advance_ms(1);
  acquire_until_look();  // the rate of another load, which shows nothing
  EXPECT_EQ(now().mode, "spin");
}

// A waiter that went to sleep has to be woken by a holder that took the lock when nobody slept any more by the rules.
TEST_F(AbsLock, WakesWhoFellAsleepBeforeTheWayBack) {
  sleep_at_last();
  end_window();
  lock_->lock();
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 3; ++i) sleepers.emplace_back([this] { lock_->lock(), lock_->unlock(); });
  lock_->unlock();
  while (now().mode == "mutex") end_window();
  for (auto& sleeper : sleepers) sleeper.join();
}

// Both ways, many times, under load; that nobody is let in beside another is for append_lock_test's counters and the
// sanitizer, here for the sum.
class AbsLockUnderLoad : public AbsLock, public ::testing::WithParamInterface<int> {};

TEST_P(AbsLockUnderLoad, KeepsExclusionWhileItSwitches) {
  const auto lock = make_abs_lock({clock_, 1, true});
  constexpr std::int64_t kSwitches = 20;
  std::int64_t total = 0;  // guarded by the lock, plain on purpose
  std::atomic<std::int64_t> expected{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < GetParam(); ++t) {
    threads.emplace_back([&] {
      while (lock->counters().switches < kSwitches) {
        for (int i = 0; i < 100; ++i) {
          lock->lock();
          if (++total % 64 == 0) clock_.advance_ms(1000);
          if (total % 61 == 0) std::this_thread::yield();
          lock->unlock();
        }
        expected += 100;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total, expected.load());
  EXPECT_GE(lock->counters().switches, kSwitches);
}
INSTANTIATE_TEST_SUITE_P(Threads, AbsLockUnderLoad, ::testing::Values(2, 8, 64),
                         [](const auto& row) { return std::to_string(row.param); });

}  // namespace
}  // namespace tern::store
