#pragma once
// Threads that append to a real log as io threads do, and a judge of what the log then holds.

#include <atomic>
#include <cstdio>
#include <map>
#include <thread>
#include <vector>

#include "store/log/log_fixture.hpp"

namespace tern::store {

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

/// Small segments, so that senders roll them and wait for prepared space all the time.
inline LogOptions stress_log(std::string directory, std::string_view put_strategy) {
  LogOptions options;
  options.directory = std::move(directory);
  options.segment_size_bytes = 64 << 10;
  options.prepare_ahead_bytes = 128 << 10;
  options.put_strategy = put_strategy;
  options.flush_policy = "SYNC_FLUSH";
  return options;
}

/// Over a started log whose steps it runs.
class AppendStress {
 public:
  explicit AppendStress(CommitLog& log)
      : log_(log),
        segments_(
            (log.on_prepared([this] { prepared_.fetch_add(1), prepared_.notify_all(); }),
             log.on_published([this] { published_.fetch_add(1), published_.notify_all(); }), log.segments_wakeup()),
            [&log] { return log.segments_step(); }),
        flush_(log.flush_wakeup(), [&log] { return log.flush_step(); }) {
    for (int i = 0; i < kQueues; ++i) queues_.push_back(std::make_shared<OffsetsOnly>("TA", i));
  }

  /// Records of batch `i` of one sender.
  static int records_of(int i) { return (1 + i % 3) * (1 + i % 2); }

  /// Batch after batch, each waited for until it is published, while `more(i)`. Returns how many.
  template <class More>
  int send(int sender, More more) {
    AppendBatch batch;
    LogPosition last{-1};
    int i = 0;
    for (; more(i); ++i) {
      batch.clear();
      const auto body = fmt::format("{}:{}:{}", sender, i, std::string(static_cast<std::size_t>(i % 97), 'b'));
      for (int group = 0; group < 1 + i % 3; ++group) {
        batch.begin_group();
        for (int k = 0; k < 1 + i % 2; ++k) {
          auto parts = parts_of(body);
          parts.queue_id = (sender + i + group) % kQueues;
          EXPECT_TRUE(batch.stage(parts, queues_[static_cast<std::size_t>(parts.queue_id)]));
        }
      }
      for (;;) {
        const auto seen = prepared_.load();
        log_.append(batch);
        if (batch.is_settled()) break;
        prepared_.wait(seen);
      }
      for (const auto& record : batch.records()) {
        EXPECT_FALSE(record.error);
        EXPECT_GT(record.placement.position, last);
        last = record.placement.position;
      }
      // At once, but for `reserve`, where whoever completes the prefix publishes for us too, and says so.
      const auto end = last + batch.records().back().total_size;
      for (auto seen = published_.load(); end > log_.watermarks().published(); seen = published_.load()) {
        published_.wait(seen);
      }
      appended_.fetch_add(1, std::memory_order_relaxed);
    }
    return i;
  }
  /// Batches of all senders so far.
  [[nodiscard]] std::int64_t appended() const { return appended_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kQueues = 3;
  CommitLog& log_;
  std::vector<std::shared_ptr<Queue>> queues_;
  std::atomic<std::int64_t> prepared_{0};
  std::atomic<std::int64_t> published_{0};
  std::atomic<std::int64_t> appended_{0};
  StepThread segments_;
  StepThread flush_;
};

/// What the disk holds: so many records, offsets count up in each queue, each sender's batches stand in the order it
/// sent them and are all there, and time does not go back.
inline void judge_stressed_log(file::Disk& disk, const Clock& clock, const LogOptions& options,
                               const std::vector<int>& batches_of_sender) {
  auto [log, found, problem] = open_log(disk, clock, options);
  ASSERT_TRUE(log) << problem;
  std::size_t records = 0;
  for (const int batches : batches_of_sender) {
    for (int i = 0; i < batches; ++i) records += static_cast<std::size_t>(AppendStress::records_of(i));
  }
  EXPECT_EQ(found.bodies.size(), records);
  std::map<std::int32_t, std::int64_t> next_offset;
  std::map<int, int> last_batch;
  std::int64_t last_time = 0;
  const auto end = log->scan(log->min_position(), message::BodyCheck::kVerifyCrc, [&](const auto& record, auto) {
    EXPECT_EQ(record.queue_offset, next_offset[record.queue_id]++);
    int sender = 0, batch = 0;
    std::sscanf(test::text_of(record.body).c_str(), "%d:%d", &sender, &batch);
    EXPECT_GE(batch, last_batch[sender]);
    EXPECT_LE(batch, last_batch[sender] + 1);
    last_batch[sender] = batch;
    EXPECT_GE(record.store_timestamp, last_time);
    last_time = record.store_timestamp;
    return !::testing::Test::HasFailure();
  });
  ASSERT_TRUE(end);
}

}  // namespace tern::store
