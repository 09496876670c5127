#pragma once
// Threads that send as io threads do: stage a record (outside: head, CRC, properties), append it, wait until it is
// published. How many of them send, and what, may change while they run.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
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
  /// What counts is what happens in a window of this length. It opens a moment later, when all senders know it, however
  /// late this thread gets a processor again. Returns when it has opened; once.
  void open_window(std::chrono::nanoseconds length) {
    constexpr std::chrono::nanoseconds kAhead = std::chrono::milliseconds(20);
    const auto opens_ns = clock_.steady_ns() + kAhead.count();
    closes_ns_.store(opens_ns + length.count());
    opens_ns_.store(opens_ns);
    sleep_until(opens_ns);
  }
  void wait_for_close() const { sleep_until(closes_ns_.load()); }
  void stop() {
    stops_.store(true);
    active_.store(static_cast<int>(senders_.size()) + 1);
    active_.notify_all();
    for (auto& sender : senders_) {
      if (sender->thread.joinable()) sender->thread.join();
    }
  }

  /// Of all senders since the beginning.
  [[nodiscard]] std::int64_t appends() const {
    std::int64_t sum = 0;
    for (const auto& sender : senders_) sum += sender->appends.load(std::memory_order_relaxed);
    return sum;
  }
  // After stop(), because who waits when the window closes is counted once he has had the lock.

  /// Of each sender, those that began and ended in the window.
  [[nodiscard]] std::vector<std::int64_t> appends_in_window() const {
    std::vector<std::int64_t> counts;
    for (const auto& sender : senders_) counts.push_back(sender->appends_in_window);
    return counts;
  }
  /// The senders' time inside append(), as far as it lies in the window; of all of them together.
  [[nodiscard]] std::int64_t inside_ns() const {
    std::int64_t sum = 0;
    for (const auto& sender : senders_) sum += sender->inside_ns;
    return sum;
  }
  /// From entering append() to "published past my own record", in full, of all appends of which a part lies in the
  /// window. Those that cross its borders are the long ones: without them, a lock that starves threads looks quick.
  [[nodiscard]] Histogram latency_ns() const {
    Histogram all;
    for (const auto& sender : senders_) all.add(sender->latency_ns);
    return all;
  }

 private:
  struct Sender {
    alignas(64) std::atomic<std::int64_t> appends{0};  // stored by the sender, relaxed, as the next one
    // The sender's, until it is joined.
    std::int64_t appends_in_window = 0;
    std::int64_t inside_ns = 0;
    Histogram latency_ns;
    std::thread thread;
  };

  void sleep_until(std::int64_t steady_ns) const {
    std::this_thread::sleep_for(std::chrono::nanoseconds(steady_ns - clock_.steady_ns()));
  }

  void run(int index, Sender& sender) {
    const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
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
      const auto entered_ns = clock_.steady_ns();
      log_.append(batch);
      const auto left_ns = clock_.steady_ns();
      const auto& record = batch.records().front();
      TERN_CHECK(!record.error, "append");
      const auto end = record.placement.position + record.total_size;
      auto published_ns = left_ns;
      if (log_.published() < end) {
        while (log_.published() < end) std::this_thread::yield();
        published_ns = clock_.steady_ns();
      }
      sender.appends.store(sender.appends.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      count(sender, entered_ns, left_ns, published_ns);
    }
  }

  void count(Sender& sender, std::int64_t entered_ns, std::int64_t left_ns, std::int64_t published_ns) const {
    const auto opens_ns = opens_ns_.load(std::memory_order_relaxed);
    const auto closes_ns = closes_ns_.load(std::memory_order_relaxed);
    if (published_ns < opens_ns || entered_ns > closes_ns) return;
    sender.latency_ns.record(published_ns - entered_ns);
    sender.inside_ns += std::max<std::int64_t>(0, std::min(left_ns, closes_ns) - std::max(entered_ns, opens_ns));
    if (entered_ns >= opens_ns && published_ns <= closes_ns) ++sender.appends_in_window;
  }

  const SystemClock clock_;
  MemoryLog& log_;
  std::vector<std::unique_ptr<std::string>> bodies_;  // kept: a sender may still copy an older one
  std::atomic<const std::string*> body_{nullptr};
  std::atomic<int> active_{0};
  // Stored once, before the window opens.
  std::atomic<std::int64_t> opens_ns_{INT64_MAX};
  std::atomic<std::int64_t> closes_ns_{INT64_MAX};
  std::atomic<bool> stops_{false};
  std::vector<std::unique_ptr<Sender>> senders_;
};

}  // namespace tern::store
