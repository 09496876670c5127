// The put lock changes while threads append, from each row to each other one: nothing is lost, nobody waits for ever,
// and the queues' order stays that of the log. In the thread sanitizer's build the processor is given away between the
// look at who has the tail and the lock, and between the lock and the second look (tern/base/preemption.hpp).

#include "store/put/put_switch.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "store/log/append_stress.hpp"
#include "store/log_tail.hpp"
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

/// A log in a directory of its own.
class PutChangeOnce : public ::testing::Test {
 protected:
  const test::TemporaryDirectory directory_;
  const std::unique_ptr<file::Disk> disk_ = file::make_real_disk();
  const SystemClock clock_;
  LogOptions options_ = small_log(directory_.file("commitlog"));
};

TEST_F(PutChangeOnce, DoesNothingWhereTheNameIsTheOneInUse) {
  auto [log, found, problem] = open_log(*disk_, clock_, options_);
  ASSERT_TRUE(log) << problem;
  log->apply_put_strategy();
  EXPECT_EQ(log->counters().put.changes, 0);
}

TEST_F(PutChangeOnce, CountsOnOverAChange) {
  options_.put_strategy = "mutex";
  auto [log, found, problem] = open_log(*disk_, clock_, options_);
  ASSERT_TRUE(log) << problem;
  prepare(*log);
  const auto queue = std::make_shared<OffsetsOnly>();
  ASSERT_TRUE(append(*log, queue, "one"));
  options_.put_strategy = "kBackoff";
  log->apply_put_strategy();
  ASSERT_TRUE(append(*log, queue, "two"));
  EXPECT_EQ(log->counters().put.mode, "spin");
  EXPECT_GE(log->counters().put.acquisitions, 2);
  EXPECT_EQ(log->counters().put.changes, 1);
}

/// Memory whose commit(), the end of a copy, waits until it is let go.
class HeldWindow final : public file::MappedWindow {
 public:
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] std::int64_t file_position() const noexcept override { return 0; }
  void commit(std::size_t, std::size_t) noexcept override {
    is_reached_ = true;
    is_reached_.notify_all();
    is_held_.wait(true);
  }
  Status populate(std::size_t, std::size_t) override { return {}; }
  void wait_until_reached() { is_reached_.wait(false); }
  void let_go() {
    is_held_ = false;
    is_held_.notify_all();
  }
  [[nodiscard]] bool is_held() const { return is_held_.load(); }

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(64 << 10);
  std::atomic<bool> is_reached_{false};
  std::atomic<bool> is_held_{true};
};

// An append is stopped in the middle of its copy while the lock changes from `reserve` to another one.
TEST_F(PutChangeOnce, LeavesReserveOnlyWhenAllThatItPlacedIsPublished) {
  constexpr std::int64_t kSize = 64 << 10;
  constexpr int kChances = 2000;  // for a change that does not wait to show itself
  const Live<bool> accepts_clock_behind = false;
  HeldWindow window;
  Watermarks watermarks;
  Wakeup wakeup;
  LogTail tail(clock_, watermarks, wakeup, wakeup, {kSize, kSize, false, accepts_clock_behind});
  tail.append_role.assert_held();
  watermarks.start({0}, false);
  tail.start({0}, {0}, 0);
  tail.offer({{0}, &window, window.bytes().data()});
  tail.prepare({kSize});
  PutSwitch put(*find_put_strategy("reserve"), tail, {clock_, 100, true});
  const auto queue = std::make_shared<OffsetsOnly>();
  const auto append_one = [&] {
    AppendBatch batch;
    batch.begin_group();
    EXPECT_TRUE(batch.stage(parts_of("m"), queue));
    put.append(batch);
    const auto& record = batch.records().front();
    EXPECT_FALSE(record.error);
    return record.placement.position + record.total_size;
  };

  LogPosition end;
  std::thread appender([&] { end = append_one(); });
  window.wait_until_reached();
  std::thread changer([&] {
    put.change_to(*find_put_strategy("mutex"));
    EXPECT_FALSE(window.is_held());
    EXPECT_GT(watermarks.published(), LogPosition{0});
  });
  for (int i = 0; i < kChances; ++i) std::this_thread::yield();
  EXPECT_EQ(watermarks.published(), LogPosition{0});
  window.let_go();
  changer.join();
  appender.join();
  EXPECT_EQ(put.name(), "mutex");
  EXPECT_EQ(watermarks.published(), end);
  const auto end_of_next = append_one();
  EXPECT_EQ(watermarks.published(), end_of_next);
}

TEST_F(PutChangeOnce, ListsTheNamesWhereOneIsUnknown) {
  options_.put_strategy = "mutexx";
  std::string problem;
  EXPECT_FALSE(CommitLog::open(*disk_, clock_, options_, problem));
  EXPECT_THAT(problem, ::testing::HasSubstr("mutex, spin, kBackoff, parking, abs, reserve"));
}

}  // namespace
}  // namespace tern::store
