// What each way of taking turns costs: strategy x threads x body size. Every thread stages a record (outside: head,
// CRC, properties), appends it, and waits until it is published; the log is the real tail over plain memory, so that no
// disk and no page fault blurs the picture. Besides the rows of the put table there are the locks that the field names
// and that are no rows, with a verdict each in docs/decisions: mcs and clh (queues of waiters), delaySlots (retries in
// random slots of a growing window), pPersistent (retries with a probability that falls with each collision).
//   put_lock_bench --benchmark_filter=abs --benchmark_repetitions=7 --benchmark_enable_random_interleaving=true
// Columns: appends/s; cpu_ns (of the process, per append); p50/p99/p9999_us from entry to published past the own
// record; fair (appends of the slowest thread / mean).

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cmath>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "tern/base/check.hpp"
#include "tern/store/queue.hpp"

#include "store/log_tail.hpp"
#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"
#include "store/put/put_table.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kSegmentSize = 64 << 20;
constexpr std::int64_t kRunNs = 200'000'000;

// ---- locks that are not in the table

/// A queue of waiters, each spinning on its own node; handed over in order.
class McsLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    Node& mine = node();
    mine.next.store(nullptr, std::memory_order_relaxed);
    mine.waits.store(true, std::memory_order_relaxed);
    Node* const before = tail_.exchange(&mine, std::memory_order_acq_rel);
    if (before == nullptr) return;
    before->next.store(&mine, std::memory_order_release);
    for (int i = 0; mine.waits.load(std::memory_order_acquire); ++i) {
      spin_once();
      if (i % 1000 == 999) std::this_thread::yield();  // without it, nothing moves once threads outnumber processors
    }
  }
  void unlock() noexcept override TERN_RELEASE() {
    Node& mine = node();
    Node* next = mine.next.load(std::memory_order_acquire);
    if (next == nullptr) {
      Node* expected = &mine;
      if (tail_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) return;
      while ((next = mine.next.load(std::memory_order_acquire)) == nullptr) spin_once();
    }
    next->waits.store(false, std::memory_order_release);
  }

 private:
  struct alignas(64) Node {
    std::atomic<Node*> next{nullptr};
    std::atomic<bool> waits{false};
  };
  static Node& node() noexcept {
    thread_local Node node;
    return node;
  }
  alignas(64) std::atomic<Node*> tail_{nullptr};
};

/// The same with the node of the one in front.
class ClhLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    auto*& mine = node();
    if (mine == nullptr) mine = new Node;  // nodes wander from thread to thread; a benchmark may leave them behind
    mine->is_taken.store(true, std::memory_order_relaxed);
    Node* const before = tail_.exchange(mine, std::memory_order_acq_rel);
    for (int i = 0; before->is_taken.load(std::memory_order_acquire); ++i) {
      spin_once();
      if (i % 1000 == 999) std::this_thread::yield();
    }
    held_ = mine;
    mine = before;
  }
  void unlock() noexcept override TERN_RELEASE() { held_->is_taken.store(false, std::memory_order_release); }

 private:
  struct alignas(64) Node {
    std::atomic<bool> is_taken{false};
  };
  static Node*& node() noexcept {
    thread_local Node* node = nullptr;
    return node;
  }
  alignas(64) std::atomic<Node*> tail_{new Node};
  Node* held_ = nullptr;  // the holder's
};

std::uint32_t random_bits() noexcept {
  thread_local std::uint32_t state = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&state) >> 4) | 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/// After the n-th collision, wait a random number of slots below 2^n, then try; beyond 2^10, yield as well.
class DelaySlotsLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    for (std::uint32_t window = 1; !word_.try_lock(); window = std::min(window * 2, 1024U)) {
      for (std::uint32_t slots = random_bits() % window + 1; slots > 0; --slots) spin_once();
      if (window == 1024) std::this_thread::yield();
    }
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }

 private:
  SpinWord word_;
};

/// Each spin tries with probability 1 / 2^collisions. The count grows with each collision and recovers at random; a
/// thousand spins without success yield.
class PPersistentLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    if (word_.try_lock()) return;
    std::uint32_t collisions = 1;
    for (int i = 1;; ++i) {
      spin_once();
      const auto drawn = random_bits();
      if ((drawn & ((1U << collisions) - 1)) == 0) {
        if (word_.try_lock()) return;
        collisions = std::min(collisions + 1, 8U);
      } else if (drawn >> 28 == 0 && collisions > 1) {
        --collisions;
      }
      if (i % 1000 == 0) std::this_thread::yield();
    }
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }

 private:
  SpinWord word_;
};

template <class Lock>
std::unique_ptr<AppendLock> make(const PutSettings&) {
  return std::make_unique<Lock>();
}

std::vector<PutRow> all_rows() {
  std::vector<PutRow> rows(kPutStrategies.begin(), kPutStrategies.end());
  rows.push_back({"mcs", &locked<make<McsLock>>, &make<McsLock>, ""});
  rows.push_back({"clh", &locked<make<ClhLock>>, &make<ClhLock>, ""});
  rows.push_back({"delaySlots", &locked<make<DelaySlotsLock>>, &make<DelaySlotsLock>, ""});
  rows.push_back({"pPersistent", &locked<make<PPersistentLock>>, &make<PPersistentLock>, ""});
  return rows;
}

// ---- the log, in memory

class OffsetsOnly final : public Queue {
 public:
  [[nodiscard]] const std::string& topic() const noexcept override { return topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return 0; }
  [[nodiscard]] bool is_deleted() const noexcept override { return false; }
  Status append(QueueOffset, const QueueEntry&) override { return {}; }
  [[nodiscard]] QueueBounds bounds() const noexcept override { return {}; }
  Result<std::size_t> read(QueueOffset, std::span<QueueEntry>, bool) const override { return std::size_t{0}; }

 private:
  const std::string topic_ = "benchmark";
};

class MemoryWindow final : public file::MappedWindow {
 public:
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] std::int64_t file_position() const noexcept override { return 0; }
  void commit(std::size_t, std::size_t) noexcept override {}
  Status populate(std::size_t, std::size_t) override { return {}; }

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kSegmentSize);
};

/// Segments in turn over a ring of memory that has been touched once.
class MemoryLog {
 public:
  explicit MemoryLog(const PutRow& row)
      : tail_(clock_, watermarks_, wakeup_, wakeup_, {kSegmentSize, kSegmentSize, false}),
        put_(row.make(row.name, tail_, {clock_, 1000, false})) {
    tail_.append_role.assert_held();
    watermarks_.start({0}, false);
    tail_.start({0}, {0}, 0);
    prepare_more();
  }
  PutStrategy& put() { return *put_; }
  [[nodiscard]] LogPosition published() const { return watermarks_.published(); }
  void prepare_more() {
    const std::lock_guard lock(mutex_);
    const auto segment = published().value / kSegmentSize;
    while (tail_.prepared().value / kSegmentSize < segment + kWindows - 1) {
      const LogPosition start{tail_.prepared().value / kSegmentSize * kSegmentSize};
      auto& window = windows_[static_cast<std::size_t>(start.value / kSegmentSize % kWindows)];
      tail_.offer({start, &window, window.bytes().data()});
      tail_.prepare(start + kSegmentSize);
    }
  }

 private:
  static constexpr std::int64_t kWindows = 3;
  const SystemClock clock_;
  Watermarks watermarks_;
  Wakeup wakeup_;
  LogTail tail_;
  const std::unique_ptr<PutStrategy> put_;
  std::mutex mutex_;
  static inline std::array<MemoryWindow, kWindows>
      windows_;  // of one log at a time; touching them anew would take longer than a run
};

std::int64_t cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

struct Sender {
  std::int64_t appends = 0;
  std::vector<std::int64_t> latencies_ns;
};

void send(MemoryLog& log, const std::string& body, const std::atomic<bool>& stop, Sender& sender) {
  const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
  const SystemClock clock;
  AppendBatch batch;
  message::RecordParts parts;
  parts.topic = "benchmark";
  parts.body = std::as_bytes(std::span(body));
  sender.latencies_ns.reserve(1 << 20);
  while (!stop.load(std::memory_order_relaxed)) {
    batch.clear();
    batch.begin_group();
    TERN_CHECK(batch.stage(parts, queue), "stage");
    const auto entered_ns = clock.steady_ns();
    for (log.put().append(batch); !batch.is_settled(); log.put().append(batch)) log.prepare_more();
    const auto& record = batch.records().front();
    const auto end = record.placement.position + record.total_size;
    while (log.published() < end) std::this_thread::yield();
    if (sender.latencies_ns.size() < sender.latencies_ns.capacity()) {
      sender.latencies_ns.push_back(clock.steady_ns() - entered_ns);
    }
    ++sender.appends;
  }
}

void put_lock(benchmark::State& state, const PutRow& row, int threads_count, std::size_t body_size) {
  const std::string body(body_size, 'b');
  std::vector<std::int64_t> latencies;
  std::int64_t appends = 0;
  std::int64_t cpu = 0;
  double seconds = 0;
  double fair = 0;
  for (auto _ : state) {
    MemoryLog log(row);
    std::atomic<bool> stop{false};
    std::vector<Sender> senders(static_cast<std::size_t>(threads_count));
    std::barrier start(threads_count + 1);
    std::vector<std::thread> threads;
    for (auto& sender : senders) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        send(log, body, stop, sender);
      });
    }
    start.arrive_and_wait();
    const SystemClock clock;
    const auto begin_ns = clock.steady_ns();
    const auto begin_cpu_ns = cpu_ns();
    std::this_thread::sleep_for(std::chrono::nanoseconds(kRunNs));
    stop = true;
    for (auto& thread : threads) thread.join();
    const auto took_ns = clock.steady_ns() - begin_ns;
    cpu += cpu_ns() - begin_cpu_ns;
    seconds += static_cast<double>(took_ns) / 1e9;
    state.SetIterationTime(static_cast<double>(took_ns) / 1e9);
    std::int64_t slowest = senders.front().appends;
    std::int64_t all = 0;
    for (const auto& sender : senders) {
      slowest = std::min(slowest, sender.appends);
      all += sender.appends;
      latencies.insert(latencies.end(), sender.latencies_ns.begin(), sender.latencies_ns.end());
    }
    appends += all;
    fair = static_cast<double>(slowest * threads_count) / static_cast<double>(std::max<std::int64_t>(1, all));
  }
  std::ranges::sort(latencies);
  const auto percentile_us = [&](double part) {
    if (latencies.empty()) return 0.0;
    const auto index = static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1));
    return static_cast<double>(latencies[index]) / 1e3;
  };
  state.counters["appends/s"] = static_cast<double>(appends) / seconds;
  state.counters["cpu_ns"] = static_cast<double>(cpu) / static_cast<double>(std::max<std::int64_t>(1, appends));
  state.counters["p50_us"] = percentile_us(0.5);
  state.counters["p99_us"] = percentile_us(0.99);
  state.counters["p9999_us"] = percentile_us(0.9999);
  state.counters["fair"] = fair;
}

void register_all(const std::vector<PutRow>& rows) {
  for (const std::size_t body : {std::size_t{2}, std::size_t{1024}, std::size_t{102'400}}) {
    for (const int threads : {1, 2, 4, 16, 64}) {
      for (const auto& row : rows) {
        const auto name =
            std::string(row.name) + "/threads:" + std::to_string(threads) + "/body:" + std::to_string(body);
        benchmark::RegisterBenchmark(
            name.c_str(), [&row, threads, body](benchmark::State& state) { put_lock(state, row, threads, body); })
            ->UseManualTime()
            ->Iterations(1);
      }
    }
  }
}

}  // namespace
}  // namespace tern::store

// Its own, because the names come from a table that is there only once main() runs.
int main(int argc, char** argv) {
  const auto rows = tern::store::all_rows();
  tern::store::register_all(rows);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
