#include "tern/base/work_queue.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace tern {
namespace {

TEST(WorkQueue, RunsWorkInTheOrderItCame) {
  WorkQueue queue;
  std::vector<int> ran;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.post([&ran, i] { ran.push_back(i); }));
  EXPECT_EQ(queue.depth(), 3U);
  EXPECT_TRUE(ran.empty()) << "nothing runs before the step";
  EXPECT_EQ(queue.step().done, 3);
  EXPECT_THAT(ran, testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(queue.depth(), 0U);
  EXPECT_EQ(queue.step().done, 0);
}

TEST(WorkQueue, RefusesWorkBeyondItsDepth) {
  WorkQueue queue({.depth_max = 2});
  int ran = 0;
  EXPECT_TRUE(queue.post([&] { ++ran; }));
  EXPECT_TRUE(queue.post([&] { ++ran; }));
  EXPECT_FALSE(queue.post([&] { ++ran; }));
  queue.step();
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(queue.post([] {})) << "there is room again";
}

TEST(WorkQueue, TakesWorkThatIsPostedByWorkInTheNextStep) {
  WorkQueue queue;
  int ran = 0;
  ASSERT_TRUE(queue.post([&] {
    ++ran;
    EXPECT_TRUE(queue.post([&] { ++ran; }));
  }));
  EXPECT_EQ(queue.step().done, 1);
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(queue.step().done, 1);
  EXPECT_EQ(ran, 2);
}

TEST(WorkQueue, TellsWorkThatWaitedTooLongInsteadOfDoingIt) {
  test::ManualClock clock;
  const Live<std::int64_t> wait_ms_max(100);
  WorkQueue queue({.clock = &clock, .wait_ms_max = &wait_ms_max});
  std::vector<std::string> heard;
  const auto post = [&](const std::string& name) {
    return queue.post([&heard, name] { heard.push_back(name); },
                      [&heard, name](const WorkQueue::Lateness& late) {
                        heard.push_back(fmt::format("{} late by {} before {}", name, late.waited_ms, late.depth));
                      });
  };
  ASSERT_TRUE(post("first"));
  ASSERT_TRUE(queue.post([&] { heard.push_back("patient"); }));
  clock.advance_ms(1);
  ASSERT_TRUE(post("second"));
  clock.advance_ms(100);
  queue.step();
  EXPECT_THAT(heard, testing::ElementsAre("first late by 101 before 2", "patient", "second"));
}

TEST(WorkQueue, WakesItsThread) {
  WorkQueue queue;
  const auto ticket = queue.wakeup().ticket();
  ASSERT_TRUE(queue.post([] {}));
  queue.wakeup().wait(ticket, 3'600'000);
  SUCCEED();
}

TEST(WorkQueue, RunsEveryPieceOfManyThreadsOnce) {
  constexpr int kThreads = 4;
  constexpr int kPieces = 500;
  WorkQueue queue;
  std::atomic<int> refused{0};
  int ran = 0;
  std::vector<std::thread> givers;
  for (int i = 0; i < kThreads; ++i) {
    givers.emplace_back([&] {
      for (int piece = 0; piece < kPieces; ++piece) refused += queue.post([&ran] { ++ran; }) ? 0 : 1;
    });
  }
  while (ran < kThreads * kPieces) {
    const auto ticket = queue.wakeup().ticket();
    if (queue.step().done == 0) queue.wakeup().wait(ticket, 3'600'000);
  }
  for (std::thread& giver : givers) giver.join();
  EXPECT_EQ(ran, kThreads * kPieces);
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace tern
