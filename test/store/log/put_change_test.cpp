// The put lock changes while threads append, from each row to each other one: nothing is lost, nobody waits for ever,
// and the queues' order stays that of the log. In the thread sanitizer's build the processor is given away between the
// look at who has the tail and the lock, and between the lock and the second look (tern/base/preemption.hpp).

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "store/log/append_stress.hpp"
#include "store/put/put_table.hpp"
#include "support/temporary_directory.hpp"

namespace tern::store {
namespace {

/// Every ordered pair of different rows, as a walk: each step is a change.
std::vector<std::string_view> walk_over_all_pairs() {
  const auto count = kPutStrategies.size();
  std::vector<std::string_view> walk;
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) {
      walk.push_back(kPutStrategies[a].name);
      walk.push_back(kPutStrategies[b].name);
    }
    walk.push_back(kPutStrategies[a].name);
  }
  return walk;
}

class PutChange : public ::testing::TestWithParam<int> {};

TEST_P(PutChange, LosesNothingAndKeepsOrderUnderLoad) {
  const int threads_count = GetParam();
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  auto options = stress_log(directory.file("commitlog"), kPutStrategies.front().name);
  std::vector<int> batches(static_cast<std::size_t>(threads_count), 0);
  {
    const auto opened = open_log(*disk, clock, options);
    ASSERT_TRUE(opened.log) << opened.problem;
    auto& log = *opened.log;
    AppendStress stress(log);
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t) {
      threads.emplace_back(
          [&, t] { batches[static_cast<std::size_t>(t)] = stress.send(t, [&stop](int) { return !stop.load(); }); });
    }
    std::int64_t changes = 0;
    for (const auto name : walk_over_all_pairs()) {
      if (name != log.put_strategy()) ++changes;
      options.put_strategy = name;
      log.apply_put_strategy();
      EXPECT_EQ(log.put_strategy(), name);
      // Each strategy is used, and some change again while those that it found waiting still do.
      const auto enough = stress.appended() + (changes % 3 == 0 ? 1 : 2 * threads_count);
      while (stress.appended() < enough) std::this_thread::yield();
    }
    stop = true;
    for (auto& thread : threads) thread.join();
    EXPECT_GE(changes, static_cast<std::int64_t>(kPutStrategies.size() * (kPutStrategies.size() - 1)));
    EXPECT_EQ(log.counters().put.changes, changes);
    EXPECT_GE(log.counters().put.acquisitions, stress.appended());
  }
  judge_stressed_log(*disk, clock, options, batches);
}

INSTANTIATE_TEST_SUITE_P(All, PutChange, ::testing::Values(2, 8, 64),
                         [](const auto& row) { return std::to_string(row.param); });

TEST(PutChangeOnce, DoesNothingWhereTheNameIsTheOneInUse) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  const auto options = small_log(directory.file("commitlog"));
  auto [log, found, problem] = open_log(*disk, clock, options);
  ASSERT_TRUE(log) << problem;
  log->apply_put_strategy();
  EXPECT_EQ(log->counters().put.changes, 0);
}

TEST(PutChangeOnce, CountsOnOverAChange) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  auto options = small_log(directory.file("commitlog"));
  options.put_strategy = "mutex";
  auto [log, found, problem] = open_log(*disk, clock, options);
  ASSERT_TRUE(log) << problem;
  prepare(*log);
  const auto queue = std::make_shared<OffsetsOnly>();
  ASSERT_TRUE(append(*log, queue, "one"));
  options.put_strategy = "kBackoff";
  log->apply_put_strategy();
  ASSERT_TRUE(append(*log, queue, "two"));
  EXPECT_EQ(log->counters().put.mode, "spin");
  EXPECT_GE(log->counters().put.acquisitions, 2);
  EXPECT_EQ(log->counters().put.changes, 1);
}

TEST(PutChangeOnce, ListsTheNamesWhereOneIsUnknown) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  auto options = small_log(directory.file("commitlog"));
  options.put_strategy = "mutexx";
  std::string problem;
  EXPECT_FALSE(CommitLog::open(*disk, clock, options, problem));
  EXPECT_THAT(problem, ::testing::HasSubstr("mutex, spin, kBackoff, parking, abs, reserve"));
}

}  // namespace
}  // namespace tern::store
