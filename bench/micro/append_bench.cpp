// What one append costs a single thread, on a real directory (TMPDIR, or the current one): the way from a staged batch
// to published, with the segments thread preparing ahead as in the broker. A batch of 1 is a sender that waits for each
// reply; of 32, a turn of a busy connection. Staging is measured on its own: it is outside the append lock.
//   append_bench --benchmark_filter=append/1024/32

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "tern/base/check.hpp"
#include "tern/store/commit_log.hpp"
#include "tern/store/queue.hpp"

#include "offsets_only.hpp"

namespace tern::store {
namespace {

/// A log in a directory of its own, with its segments thread. Old segments are removed as it grows.
class Log {
 public:
  Log() {
    const auto* const place = std::getenv("TMPDIR");
    directory_ = std::string(place != nullptr ? place : ".") + "/append_bench." + std::to_string(::getpid());
    options_.directory = directory_ + "/commitlog";
    options_.prepare_ahead_bytes = 64 << 20;
    std::string problem;
    auto opened = CommitLog::open(*disk_, clock_, options_, problem);
    TERN_CHECK(opened, "{} {}", opened.error().text(), problem);
    log_ = std::move(*opened);
    TERN_CHECK(log_->start({0}, {0}, 0), "start");
    thread_ = std::thread([this] {
      while (!stopped_.load()) {
        const auto ticket = log_->segments_wakeup().ticket();
        log_->segments_wakeup().wait(ticket, log_->segments_step().next_ms);
      }
    });
  }
  ~Log() {
    stopped_ = true;
    log_->segments_wakeup().notify();
    thread_.join();
    log_.reset();
    std::filesystem::remove_all(directory_);
  }
  CommitLog& operator*() { return *log_; }

 private:
  const std::unique_ptr<file::Disk> disk_ = file::make_real_disk();
  const SystemClock clock_;
  LogOptions options_;
  std::string directory_;
  std::unique_ptr<CommitLog> log_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

void stage(AppendBatch& batch, const std::string& body, const std::shared_ptr<Queue>& queue, std::int64_t count) {
  static const std::string properties =
      "MSG_REGION\1DefaultRegion\2UNIQ_KEY\1"
      "7F000001ABCD18B4AAC2000000000001\2CLUSTER\1DefaultCluster\2TRACE_ON\1true\2";
  message::RecordParts parts;
  parts.topic = "benchmark";
  parts.body = std::as_bytes(std::span(body));
  parts.properties = properties;
  batch.clear();
  for (std::int64_t i = 0; i < count; ++i) {
    batch.begin_group();
    TERN_CHECK(batch.stage(parts, queue), "stage");
  }
}

void count(benchmark::State& state, std::int64_t records) {
  state.SetItemsProcessed(records);
  state.counters["ns/record"] =
      benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void append(benchmark::State& state) {
  constexpr std::size_t kBatchesPerRound = 64;  // between two looks at the clock, which cost as much as an append
  const std::string body(static_cast<std::size_t>(state.range(0)), 'b');
  Log log;
  const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
  std::vector<AppendBatch> batches(kBatchesPerRound);
  std::int64_t records = 0;
  std::int64_t waits = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (auto& batch : batches) {
      for (; !batch.is_settled(); ++waits) {  // the disk is slower than the copy: counted, not timed
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        (*log).append(batch);
      }
      stage(batch, body, queue, state.range(1));
    }
    state.ResumeTiming();
    for (auto& batch : batches) (*log).append(batch);
    records += state.range(1) * static_cast<std::int64_t>(kBatchesPerRound);
  }
  count(state, records);
  state.counters["waits"] = static_cast<double>(waits);
}
BENCHMARK(append)->ArgsProduct({{128, 1024}, {1, 32}})->ArgNames({"body", "batch"})->Iterations(500);

void stage_only(benchmark::State& state) {
  const std::string body(static_cast<std::size_t>(state.range(0)), 'b');
  const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
  AppendBatch batch;
  std::int64_t records = 0;
  for (auto _ : state) {
    stage(batch, body, queue, state.range(1));
    benchmark::DoNotOptimize(batch.bytes());
    records += state.range(1);
  }
  count(state, records);
}
BENCHMARK(stage_only)->ArgsProduct({{128, 1024}, {1, 32}})->ArgNames({"body", "batch"});

void stage_and_append(benchmark::State& state) {
  const std::string body(static_cast<std::size_t>(state.range(0)), 'b');
  Log log;
  const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
  AppendBatch batch;
  std::int64_t records = 0;
  for (auto _ : state) {
    stage(batch, body, queue, state.range(1));
    (*log).append(batch);
    for (; !batch.is_settled(); (*log).append(batch)) std::this_thread::yield();
    records += state.range(1);
  }
  count(state, records);
}
BENCHMARK(stage_and_append)
    ->ArgsProduct({{128, 1024}, {1, 32}})
    ->ArgNames({"body", "batch"})
    ->Iterations(20'000)
    ->UseRealTime();

}  // namespace
}  // namespace tern::store
