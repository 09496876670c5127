#pragma once
// Threads that send as io threads do: stage a record (outside: head, CRC, properties), append it, wait until it is
// published. How many of them send, and what, may change while they run.

#include <atomic>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tern/base/check.hpp"
#include "tern/base/histogram.hpp"

#include "memory_log.hpp"

namespace tern::store {

inline std::int64_t process_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

/// From one thread, which is none of the senders.
class PutLoad {
 public:
  PutLoad(MemoryLog& log, int senders_max) : log_(log), senders_(static_cast<std::size_t>(senders_max)) {
    for (auto& sender : senders_) sender = std::make_unique<Sender>();
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      senders_[i]->thread = std::thread([this, i] { run(static_cast<int>(i), *senders_[i]); });
    }
  }
  ~PutLoad() { stop(); }
  PutLoad(const PutLoad&) = delete;
  PutLoad& operator=(const PutLoad&) = delete;

  /// From now on `senders` of them send bodies of that size.
  void set(int senders, std::size_t body_size) {
    bodies_.push_back(std::make_unique<std::string>(body_size, 'b'));
    body_.store(bodies_.back().get());
    active_.store(senders);
    active_.notify_all();
  }
  /// Latencies and appends count from here on / no longer.
  void measure(bool measures) { measures_.store(measures); }
  void stop() {
    stops_.store(true);
    active_.store(static_cast<int>(senders_.size()) + 1);
    active_.notify_all();
    for (auto& sender : senders_) {
      if (sender->thread.joinable()) sender->thread.join();
    }
  }

  /// While measured, of each sender so far.
  [[nodiscard]] std::vector<std::int64_t> measured() const {
    std::vector<std::int64_t> counts;
    for (const auto& sender : senders_) counts.push_back(sender->measured.load(std::memory_order_relaxed));
    return counts;
  }
  /// Of all senders since the beginning.
  [[nodiscard]] std::int64_t appends() const {
    std::int64_t sum = 0;
    for (const auto& sender : senders_) sum += sender->appends.load(std::memory_order_relaxed);
    return sum;
  }
  /// From entering append() to "published past my own record". After stop().
  [[nodiscard]] Histogram latency_ns() const {
    Histogram all;
    for (const auto& sender : senders_) all.add(sender->latency_ns);
    return all;
  }

 private:
  struct Sender {
    alignas(64) std::atomic<std::int64_t> appends{0};  // stored by the sender, relaxed, as the next one
    std::atomic<std::int64_t> measured{0};
    Histogram latency_ns;
    std::thread thread;
  };

  void run(int index, Sender& sender) {
    const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
    const SystemClock clock;
    AppendBatch batch;
    message::RecordParts parts;
    parts.topic = "benchmark";
    while (!stops_.load(std::memory_order_relaxed)) {
      if (const int active = active_.load(); index >= active) {
        active_.wait(active);
        continue;
      }
      parts.body = std::as_bytes(std::span(*body_.load()));
      batch.clear();
      batch.begin_group();
      TERN_CHECK(batch.stage(parts, queue), "stage");
      const bool measures = measures_.load(std::memory_order_relaxed);
      const auto entered_ns = clock.steady_ns();
      log_.append(batch);
      const auto& record = batch.records().front();
      TERN_CHECK(!record.error, "append");
      const auto end = record.placement.position + record.total_size;
      while (log_.published() < end) std::this_thread::yield();
      sender.appends.store(sender.appends.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      if (!measures || !measures_.load(std::memory_order_relaxed)) continue;
      sender.latency_ns.record(clock.steady_ns() - entered_ns);
      sender.measured.store(sender.measured.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  }

  MemoryLog& log_;
  std::vector<std::unique_ptr<std::string>> bodies_;  // kept: a sender may still copy an older one
  std::atomic<const std::string*> body_{nullptr};
  std::atomic<int> active_{0};
  std::atomic<bool> measures_{false};
  std::atomic<bool> stops_{false};
  std::vector<std::unique_ptr<Sender>> senders_;
};

}  // namespace tern::store
