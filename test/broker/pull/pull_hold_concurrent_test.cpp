// Parking, arrivals, ticks, closing connections and io threads at once, as a thread sanitizer sees them. Threads end by
// what they have done, not by time.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "broker/pull/pull_hold.hpp"
#include "support/manual_clock.hpp"

namespace tern::broker {
namespace {

/// A queue that only has an end.
class GrowingQueue final : public store::Queue {
 public:
  [[nodiscard]] const std::string& topic() const noexcept override { return topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return 0; }
  [[nodiscard]] bool is_deleted() const noexcept override { return false; }
  Status append(store::QueueOffset, const store::QueueEntry&) override { return {}; }
  [[nodiscard]] store::QueueBounds bounds() const noexcept override { return {{0}, {end_.load()}}; }
  Result<std::size_t> read(store::QueueOffset, std::span<store::QueueEntry>, bool) const override { return 0; }
  std::int64_t grow() { return end_.fetch_add(1); }

 private:
  const std::string topic_ = "T";
  std::atomic<std::int64_t> end_{0};
};

class Peer final : public remoting::Peer {
 public:
  Peer(std::uint64_t id, std::size_t io_thread) : id_(id), io_thread_(io_thread) {}
  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const message::Host& remote() const noexcept override { return host_; }
  [[nodiscard]] std::string remote_text() const override { return host_.text(); }
  [[nodiscard]] std::size_t io_thread() const noexcept override { return io_thread_; }
  [[nodiscard]] bool is_open() const noexcept override { return is_open_; }
  [[nodiscard]] bool takes_answers() const noexcept override { return looks_++ % 3 != 0; }
  void notify(protocol::Outgoing) override {}
  void call(protocol::Outgoing, std::int64_t, remoting::AnswerHandler) override {}
  void close() override { is_open_ = false; }

 private:
  const std::uint64_t id_;
  const std::size_t io_thread_;
  const message::Host host_{};
  std::atomic<bool> is_open_{true};
  mutable std::atomic<int> looks_{0};
};

/// Counts what became of each reply.
class Counted final : public remoting::Reply::Sink {
 public:
  void answer(std::int32_t, protocol::Response) override { ++answered; }
  void forgotten() override { ++forgot; }
  std::atomic<int> answered{0};
  std::atomic<int> forgot{0};
};

/// An io thread's posted work.
class Turns {
 public:
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    changed_.notify_one();
  }
  void run() {
    for (;;) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !work_.empty(); });
        work = std::move(work_.front());
        work_.pop_front();
      }
      if (!work) return;
      work();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
};

TEST(PullHoldConcurrent, SettlesEveryPullOnce) {
  constexpr int kIoThreads = 2;
  constexpr int kPeers = 8;
  constexpr int kPullsEach = 3000;
  constexpr HoldLimits kLimits{200, 1 << 20};
  const test::ManualClock clock;
  const auto queue = std::make_shared<GrowingQueue>();
  const auto counted = std::make_shared<Counted>();
  std::vector<Turns> turns(kIoThreads);
  PullHold hold(
      clock, kIoThreads, [&](std::size_t i, std::function<void()> work) { turns[i].post(std::move(work)); },
      [](PendingPull pull) {
        pull.reply(protocol::ok());
        return std::int64_t{100};
      });
  std::vector<std::thread> io_threads;
  for (auto& turn : turns) io_threads.emplace_back([&turn] { turn.run(); });

  std::vector<std::shared_ptr<Peer>> peers;
  for (std::uint64_t id = 0; id < kPeers; ++id) peers.push_back(std::make_shared<Peer>(id, id % kIoThreads));
  std::atomic<int> parkers{kPeers};
  std::vector<std::thread> threads;
  for (const auto& peer : peers) {
    threads.emplace_back([&, peer] {
      for (int i = 0; i < kPullsEach; ++i) {
        PendingPull pull{remoting::Reply(counted, i, false), peer, "g", queue, nullptr, queue->bounds().max.value};
        pull.io_thread = peer->io_thread();
        if (i % 7 == 0) {
          hold.defer(std::move(pull));
        } else if (hold.park(pull, 15'000, kLimits) != Parking::kParked) {
          pull.reply(protocol::ok());
        }
        if (i % 500 == 499) hold.peer_closed(*peer);
      }
      --parkers;
    });
  }
  threads.emplace_back([&] {  // the holder of the dispatch role
    while (parkers > 0) {
      const auto offset = queue->grow();
      hold.arrived({*queue, {offset}, 0, 0});
      hold.arrived_done();
    }
  });
  threads.emplace_back([&] {  // the tick
    while (parkers > 0) hold.expire();
  });
  for (auto& thread : threads) thread.join();

  hold.wake_all();
  while (counted->answered + counted->forgot < kPeers * kPullsEach) {
    hold.expire();
    std::this_thread::yield();
  }
  for (auto& turn : turns) turn.post({});
  for (auto& thread : io_threads) thread.join();
  EXPECT_EQ(counted->answered + counted->forgot, kPeers * kPullsEach);
  EXPECT_GT(counted->answered, 0);
  EXPECT_EQ(hold.parked(), 0U);
}

}  // namespace
}  // namespace tern::broker
