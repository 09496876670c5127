// Io threads that append and dispatch at once, beside the steps of main's threads, on a real disk: what the dispatch
// role guards is guarded, and no record is left behind when everybody thinks that another one does it. Threads end by
// themselves; one that waits for what nobody does ends with the test run's time.

#include <atomic>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tern/base/clock.hpp"

#include "store/log/append_stress.hpp"
#include "store/store_fixture.hpp"
#include "support/temporary_directory.hpp"

namespace tern::store {
namespace {

constexpr int kSenders = 4;
constexpr int kMessagesOfSender = 600;
constexpr int kQueues = 100;  // more than blocks (64), so that dispatch pauses and upkeep lets it go on

/// Its state is plain on purpose: two holders of the dispatch role at once lose an update, and the sanitizer speaks.
class Arrivals final : public ArrivalListener {
 public:
  void arrived(const Arrival& arrival) override {
    auto& next = next_offset_[arrival.queue.id()];
    EXPECT_EQ(arrival.offset.value, next);
    ++next;
    ++in_round_;
  }
  void arrived_done() override {
    if (in_round_ == 0) return;
    total_.fetch_add(in_round_, std::memory_order_release);
    total_.notify_all();
    in_round_ = 0;
  }
  void wait_for(std::int64_t records) const {
    for (auto seen = total_.load(std::memory_order_acquire); seen < records;
         seen = total_.load(std::memory_order_acquire)) {
      total_.wait(seen, std::memory_order_acquire);
    }
  }

 private:
  std::map<std::int32_t, std::int64_t> next_offset_;
  std::int64_t in_round_ = 0;
  std::atomic<std::int64_t> total_{0};
};

/// An io thread that has nothing else to do than what is posted to it, from run() on.
class PostedDispatch {
 public:
  ~PostedDispatch() {
    is_stopped_ = true;
    post();
    if (thread_.joinable()) thread_.join();
  }
  void run(Store& store) {
    thread_ = std::thread([this, &store] {
      for (auto seen = posted_.load(); !is_stopped_.load(); seen = posted_.load()) {
        while (store.dispatch()) {
        }
        posted_.wait(seen);
      }
    });
  }
  void post() {
    posted_.fetch_add(1);
    posted_.notify_all();
  }

 private:
  std::atomic<std::int64_t> posted_{0};
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

class ConcurrentDispatch : public ::testing::TestWithParam<const char*> {};

TEST_P(ConcurrentDispatch, EntersEachRecordOnceAndLeavesNone) {
  const test::TemporaryDirectory directory;
  const auto disk = file::make_real_disk();
  const SystemClock clock;
  auto options = small_store();
  options.root = directory.file("store");
  options.log = stress_log(options.root + "/commitlog", GetParam());
  options.log.flush_policy = "ASYNC_FLUSH";
  options.queues.directory = options.root + "/consumequeue";
  options.queues.batch_directory = options.root + "/batchconsumequeue";
  options.index.directory = options.root + "/index";
  ASSERT_TRUE(disk->make_directories(options.root));
  OpenReport report;
  auto opened = Store::open(*disk, clock, options, {}, report);
  ASSERT_TRUE(opened) << opened.error().text;
  auto& store = **opened;

  Arrivals arrivals;
  std::atomic<std::int64_t> prepared{0};
  {
    PostedDispatch posted;
    store.start(&arrivals, [&] { posted.post(); });
    store.log().on_published([&] { posted.post(); });
    store.log().on_prepared([&] { prepared.fetch_add(1), prepared.notify_all(); });
    posted.run(store);
    const StepThread segments(store.log().segments_wakeup(), [&] { return store.segments_step(); });
    const StepThread flush(store.log().flush_wakeup(), [&] { return store.flush_step(); });
    const StepThread upkeep(store.upkeep_wakeup(), [&] { return store.upkeep_step(); });

    std::vector<std::thread> senders;
    for (int sender = 0; sender < kSenders; ++sender) {
      senders.emplace_back([&, sender] {
        AppendBatch batch;
        for (int i = 0; i < kMessagesOfSender; ++i) {
          batch.clear();
          batch.begin_group();
          const auto body = fmt::format("{}:{}", sender, i);
          auto parts = parts_of(body);
          parts.queue_id = (sender + i) % kQueues;
          EXPECT_TRUE(batch.stage(parts, store.queue("TA", parts.queue_id)));
          for (;;) {
            const auto seen = prepared.load();
            store.append(batch);
            if (batch.is_settled()) break;
            prepared.wait(seen);
          }
          EXPECT_FALSE(batch.records().front().error);
          while (store.dispatch()) {
          }
        }
      });
    }
    for (auto& sender : senders) sender.join();
    arrivals.wait_for(kSenders * kMessagesOfSender);
  }
  EXPECT_EQ(store.dispatched_records(), kSenders * kMessagesOfSender);
  EXPECT_EQ(store.dispatch_failures(), 0);
  EXPECT_EQ(store.dispatch_behind_bytes(), 0);
  for (int id = 0; id < kQueues; ++id) EXPECT_EQ(bounds_of(store, "TA", id), "0-24") << id;
  EXPECT_TRUE(store.close());
}

INSTANTIATE_TEST_SUITE_P(Locks, ConcurrentDispatch, ::testing::Values("mutex", "reserve"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace tern::store
