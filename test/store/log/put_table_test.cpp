// Each row of the table, with several threads: exclusion, order, progress, counters.

#include "store/put/put_table.hpp"

#include <atomic>
#include <map>
#include <thread>
#include <tuple>

#include "store/log/log_fixture.hpp"
#include "support/temporary_directory.hpp"

namespace tern::store {
namespace {

constexpr int kBatches = 1200;  // of all threads together
constexpr int kQueues = 3;

/// Runs a step like main does, until the test ends.
class StepThread {
 public:
  template <class Step>
  StepThread(Wakeup& wakeup, Step step)
      : wakeup_(wakeup), thread_([this, step] {
          while (!stopped_.load()) {
            const auto ticket = wakeup_.ticket();
            wakeup_.wait(ticket, step().next_ms);
          }
        }) {}
  ~StepThread() {
    stopped_ = true;
    wakeup_.notify();
    thread_.join();
  }

 private:
  Wakeup& wakeup_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

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
  LogOptions options;
  options.directory = directory.file("commitlog");
  options.segment_size_bytes = 64 << 10;
  options.prepare_ahead_bytes = 128 << 10;
  options.put_strategy = name_;
  options.flush_policy = "SYNC_FLUSH";
  std::int64_t grouped = 0;
  {
    const auto opened = open_log(*disk, clock, options);
    ASSERT_TRUE(opened.log) << opened.problem;
    auto* const log = opened.log.get();
    EXPECT_EQ(log->put().name(), name_);
    std::vector<std::shared_ptr<Queue>> queues;
    for (int i = 0; i < kQueues; ++i) queues.push_back(std::make_shared<OffsetsOnly>("TA", i));

    std::atomic<std::int64_t> prepared{0};
    log->on_prepared([&prepared] { prepared.fetch_add(1), prepared.notify_all(); });
    std::atomic<std::int64_t> published{0};
    log->on_published([&published] { published.fetch_add(1), published.notify_all(); });
    const StepThread segments(log->segments_wakeup(), [log] { return log->segments_step(); });
    const StepThread flush(log->flush_wakeup(), [log] { return log->flush_step(); });

    std::vector<std::thread> threads;
    for (int t = 0; t < threads_; ++t) {
      threads.emplace_back([&, t] {
        AppendBatch batch;
        LogPosition last{-1};
        for (int i = 0; i < batches_per_thread_; ++i) {
          batch.clear();
          const auto body = fmt::format("{}:{}:{}", t, i, std::string(static_cast<std::size_t>(i % 97), 'b'));
          for (int group = 0; group < 1 + i % 3; ++group) {
            batch.begin_group();
            for (int k = 0; k < 1 + i % 2; ++k) {
              auto parts = parts_of(body);
              parts.queue_id = (t + i + group) % kQueues;
              ASSERT_TRUE(batch.stage(parts, queues[static_cast<std::size_t>(parts.queue_id)]));
            }
          }
          for (;;) {
            const auto seen = prepared.load();
            log->put().append(batch);
            if (batch.is_settled()) break;
            prepared.wait(seen);
          }
          for (const auto& record : batch.records()) {
            ASSERT_FALSE(record.error);
            ASSERT_GT(record.placement.position, last);
            last = record.placement.position;
          }
          // At once, but for `reserve`, where whoever completes the prefix publishes for us too, and says so.
          const auto end = last + batch.records().back().total_size;
          for (auto seen = published.load(); end > log->watermarks().published(); seen = published.load()) {
            published.wait(seen);
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    const auto counters = log->put().counters();
    EXPECT_GE(counters.acquisitions, threads_ * batches_per_thread_);
    EXPECT_LE(counters.waits, counters.acquisitions);
    EXPECT_FALSE(counters.mode.empty());
    for (int i = 0; i < batches_per_thread_; ++i) grouped += threads_ * (1 + i % 3) * (1 + i % 2);
  }
  // What the disk holds: offsets count up in each queue, and each thread's records stand in the order it sent them.
  auto [log, found, problem] = open_log(*disk, clock, options);
  ASSERT_TRUE(log) << problem;
  EXPECT_EQ(static_cast<std::int64_t>(found.bodies.size()), grouped);
  std::map<std::int32_t, std::int64_t> next_offset;
  std::map<int, int> last_batch;
  std::int64_t last_time = 0;
  const auto end = log->scan(log->min_position(), message::BodyCheck::kVerifyCrc, [&](const auto& record, auto) {
    EXPECT_EQ(record.queue_offset, next_offset[record.queue_id]++);
    int thread = 0, batch = 0;
    std::sscanf(test::text_of(record.body).c_str(), "%d:%d", &thread, &batch);
    EXPECT_GE(batch, last_batch[thread]);
    last_batch[thread] = batch;
    EXPECT_GE(record.store_timestamp, last_time);
    last_time = record.store_timestamp;
    return !::testing::Test::HasFailure();
  });
  ASSERT_TRUE(end);
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
  log->put().append(none);
  EXPECT_TRUE(none.is_settled());
  EXPECT_EQ(log->watermarks().published(), LogPosition{0});
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> names;
  for (const auto& row : kPutStrategies) names.push_back(row.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, PutStrategies,
                         ::testing::Combine(::testing::ValuesIn(names()), ::testing::Values(2, 4, 16)),
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
}

}  // namespace
}  // namespace tern::store
