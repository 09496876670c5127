// Each row of the table, with several threads: exclusion, order, progress, counters.

#include "store/put/put_table.hpp"

#include <atomic>
#include <map>
#include <thread>
#include <tuple>

#include "tern/message/record.hpp"

#include "store/log/append_stress.hpp"
#include "support/temporary_directory.hpp"

namespace tern::store {
namespace {

constexpr int kBatches = 1280;  // of all threads together

class PutStrategies : public ::testing::TestWithParam<std::tuple<std::string_view, int>> {
 protected:
  const std::string_view name_ = std::get<0>(GetParam());
  const int threads_ = std::get<1>(GetParam());
  const int batches_per_thread_ = kBatches / threads_;
};

TEST_P(PutStrategies, KeepQueueOffsetsConsecutiveAndInLogOrder) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  const auto options = stress_log(directory.file("commitlog"), name_);
  {
    const auto opened = open_log(*disk, clock, options);
    ASSERT_TRUE(opened.log) << opened.problem;
    auto& log = *opened.log;
    EXPECT_EQ(log.put_strategy(), name_);
    AppendStress stress(log);
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_; ++t) {
      threads.emplace_back([&, t] { stress.send(t, [this](int i) { return i < batches_per_thread_; }); });
    }
    for (auto& thread : threads) thread.join();
    const auto counters = log.counters().put;
    EXPECT_GE(counters.acquisitions, threads_ * batches_per_thread_);
    EXPECT_LE(counters.waits, counters.acquisitions);
    EXPECT_GE(counters.timed, threads_ * (batches_per_thread_ / 64));
    EXPECT_GE(counters.waited_ns, 0);
    EXPECT_EQ(counters.held_ns > 0, counters.timed > 0);
    EXPECT_FALSE(counters.mode.empty());
  }
  judge_stressed_log(*disk, clock, options, std::vector<int>(static_cast<std::size_t>(threads_), batches_per_thread_));
}

// Where readers look at the very memory that appenders store to, only published stands between them.
TEST_P(PutStrategies, ShowReadersWholeRecordsInTheHotTail) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  const auto options = stress_log(directory.file("commitlog"), name_);
  const auto opened = open_log(*disk, clock, options);
  ASSERT_TRUE(opened.log) << opened.problem;
  auto& log = *opened.log;
  AppendStress stress(log);
  std::atomic<bool> are_done{false};
  std::int64_t records = 0;
  std::thread reader([&] {
    for (LogPosition at{0}; !are_done.load(std::memory_order_relaxed);) {
      const auto end = std::min(log.watermarks().published(), log.next_segment(at));
      if (end == at) std::this_thread::yield();
      const auto pinned = log.hot(at, end - at);
      std::size_t used = 0;
      while (pinned && used < pinned->bytes.size()) {
        const auto record = message::parse_record(pinned->bytes.subspan(used), message::BodyCheck::kVerifyCrc);
        ASSERT_TRUE(record) << record.error().text() << " at " << at.value << " + " << used;
        used += static_cast<std::size_t>(record->total_size);
        ++records;
      }
      at = end;  // read, or by now no more in memory
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < threads_; ++t) {
    threads.emplace_back([&, t] { stress.send(t, [this](int i) { return i < batches_per_thread_ / 4; }); });
  }
  for (auto& thread : threads) thread.join();
  are_done.store(true, std::memory_order_relaxed);
  reader.join();
  RecordProperty("records", std::to_string(records));
}

TEST_P(PutStrategies, WaitForEarlierAppendsWithAnEmptyBatch) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  auto options = small_log(directory.file("commitlog"));
  options.put_strategy = name_;
  auto [log, found, problem] = open_log(*disk, clock, options);
  ASSERT_TRUE(log) << problem;
  AppendBatch none;
  log->append(none);
  EXPECT_TRUE(none.is_settled());
  EXPECT_EQ(log->watermarks().published(), LogPosition{0});
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> names;
  for (const auto& row : kPutStrategies) names.push_back(row.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, PutStrategies,
                         ::testing::Combine(::testing::ValuesIn(names()), ::testing::Values(2, 4, 16, 64)),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param)) + std::to_string(std::get<1>(row.param));
                         });

TEST(PutTable, HasDistinctNamesAndMeanings) {
  std::map<std::string_view, int> names;
  for (const auto& row : kPutStrategies) {
    EXPECT_EQ(++names[row.name], 1) << row.name;
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    EXPECT_EQ(find_put_strategy(row.name), &row);
  }
  EXPECT_EQ(find_put_strategy("none"), nullptr);
  EXPECT_EQ(put_strategy_names(), "mutex, spin, kBackoff, parking, abs, reserve");
}

}  // namespace
}  // namespace tern::store
