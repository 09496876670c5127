#include "tern/base/wakeup.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace tern {
namespace {

// Long enough that a wait which is not woken shows as a test that hangs.
constexpr std::int64_t kForever = 3'600'000;

TEST(Wakeup, KeepsANotificationThatComesBeforeTheWait) {
  Wakeup wakeup;
  const auto ticket = wakeup.ticket();
  wakeup.notify();
  wakeup.wait(ticket, kForever);
  SUCCEED();
}

TEST(Wakeup, WaitsNoLongerThanAsked) {
  Wakeup wakeup;
  wakeup.notify();
  wakeup.wait(wakeup.ticket(), 0);
  wakeup.wait(wakeup.ticket(), 1);
  SUCCEED();
}

TEST(Wakeup, GivesTheSameTicketUntilSomebodyNotifies) {
  Wakeup wakeup;
  const auto first = wakeup.ticket();
  EXPECT_EQ(wakeup.ticket(), first);
  wakeup.notify();
  EXPECT_NE(wakeup.ticket(), first);
}

// One thread works off what another one hands over, as a step function does; a lost notification would stop it for an
// hour.
TEST(Wakeup, NeverLosesWorkBetweenTwoThreads) {
  constexpr int kPieces = 10'000;
  Wakeup wakeup;
  std::atomic<int> handed_over{0};
  std::thread giver([&] {
    for (int i = 0; i < kPieces; ++i) {
      handed_over.fetch_add(1);
      wakeup.notify();
    }
  });
  int taken = 0;
  while (taken < kPieces) {
    const auto ticket = wakeup.ticket();
    const int found = handed_over.exchange(0);
    taken += found;
    if (found == 0) wakeup.wait(ticket, kForever);
  }
  giver.join();
  EXPECT_EQ(taken, kPieces);
}

}  // namespace
}  // namespace tern
