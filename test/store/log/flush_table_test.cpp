#include "store/flush/flush_table.hpp"

#include "store/log/log_fixture.hpp"
#include "support/simulated_disk.hpp"

namespace tern::store {
namespace {

// Whatever the policy: what is durable, and so may be acknowledged as durable, survives a cut of the power; and once
// nothing more is published, everything becomes durable within the policy's own time.
TEST(FlushPolicies, EachKeepsWhatItCallsDurableAndGetsThereInTime) {
  for (const auto& row : kFlushPolicies) {
    SCOPED_TRACE(row.name);
    EXPECT_FALSE(row.meaning.empty());
    test::SimulatedDisk disk;
    test::ManualClock clock;
    auto options = small_log("/log");
    options.flush_policy = row.name;
    auto [log, found, problem] = open_log(disk, clock, options);
    ASSERT_TRUE(log) << problem;
    EXPECT_EQ(log->flush_policy(), row.name);
    const auto queue = std::make_shared<OffsetsOnly>();
    for (int i = 0; i < 60; ++i) {
      prepare(*log);
      const auto placement = append(*log, queue, std::to_string(i));
      ASSERT_TRUE(placement.has_value());
      clock.advance_ms(37);
      log->flush_step();
      const auto durable = log->watermarks().durable();
      EXPECT_GE(log->watermarks().published(), durable);
      if (log->acknowledges_durable()) {
        EXPECT_EQ(log->watermarks().visible(), durable);
      }
      if (i % 10 == 0) {
        test::Rng rng(static_cast<std::uint64_t>(i));
        const auto after = disk.crash(rng, test::Survival::kNothing);
        test::ManualClock later;
        const auto reopened = open_log(*after, later, options);
        EXPECT_GE(reopened.found.end, durable) << reopened.problem;
      }
    }
    std::int64_t waited_ms = 0;
    while (log->watermarks().durable() < log->watermarks().published()) {
      const auto step = log->flush_step();
      clock.advance_ms(step.next_ms);
      waited_ms += step.next_ms;
      ASSERT_LE(waited_ms, options.flush_thorough_interval_ms.get() + 3 * options.flush_interval_ms.get());
    }
  }
}

class AsyncFlush : public ::testing::Test {
 protected:
  LogOptions options_;
  std::unique_ptr<FlushPolicy> policy_ = find_flush_policy("ASYNC_FLUSH")->make("ASYNC_FLUSH", options_);
  bool syncs(std::int64_t pending, std::int64_t now_ms) { return policy_->decide({pending, now_ms}).sync; }
};

TEST_F(AsyncFlush, WaitsForTheIntervalAndTheLeastPages) {
  EXPECT_FALSE(syncs(1 << 20, 0));
  EXPECT_FALSE(syncs(1 << 20, 499));
  EXPECT_TRUE(syncs(4 * 4096, 500));
  EXPECT_FALSE(syncs(1 << 20, 900));
  EXPECT_FALSE(syncs(4 * 4096 - 1, 1000));
}

TEST_F(AsyncFlush, SyncsTheLastFewBytesAfterTheThoroughInterval) {
  std::int64_t now = 0;
  for (; now < 10'000; now += 500) EXPECT_FALSE(syncs(1, now)) << now;
  EXPECT_TRUE(syncs(1, now));
  EXPECT_FALSE(syncs(0, now + 20'000));
}

TEST_F(AsyncFlush, ObeysAChangedIntervalAtOnce) {
  EXPECT_FALSE(syncs(1 << 20, 0));
  options_.flush_interval_ms.set(10);
  EXPECT_LE(policy_->decide({1 << 20, 1}).next_ms, 10);
}

class RealTimeFlush : public ::testing::Test {
 protected:
  static constexpr std::string_view kName = "ASYNC_FLUSH_REAL_TIME";
  LogOptions options_;
  std::unique_ptr<FlushPolicy> policy_ = find_flush_policy(kName)->make(kName, options_);
};

TEST_F(RealTimeFlush, IsWhatApachesKeyMakesOfAsyncFlush) {
  EXPECT_EQ(chosen_flush_policy(options_), "ASYNC_FLUSH");
  options_.flush_timed = false;
  EXPECT_EQ(chosen_flush_policy(options_), kName);
  options_.flush_policy = "SYNC_FLUSH";
  EXPECT_EQ(chosen_flush_policy(options_), "SYNC_FLUSH");
}

TEST_F(RealTimeFlush, SyncsAsSoonAsEnoughIsPending) {
  EXPECT_TRUE(policy_->wants_publications());
  EXPECT_FALSE(policy_->acknowledges_durable());
  EXPECT_FALSE(policy_->decide({4 * 4096 - 1, 0}).sync);
  EXPECT_TRUE(policy_->decide({4 * 4096, 0}).sync);
  EXPECT_TRUE(policy_->decide({4 * 4096, 0}).sync);
}

TEST_F(RealTimeFlush, LetsTheLastFewBytesWaitForTheIntervalFromWhenTheyCame) {
  EXPECT_FALSE(policy_->decide({0, 0}).sync);
  const auto first = policy_->decide({1, 1000});
  EXPECT_FALSE(first.sync);
  EXPECT_EQ(first.next_ms, 500);
  const auto second = policy_->decide({2, 1400});
  EXPECT_FALSE(second.sync);
  EXPECT_EQ(second.next_ms, 100);
  EXPECT_TRUE(policy_->decide({2, 1500}).sync);
  EXPECT_FALSE(policy_->decide({1, 1501}).sync);
}

// Nobody steps the flush thread but a publication's wake-up.
TEST_F(RealTimeFlush, IsWokenByAPublication) {
  test::SimulatedDisk disk;
  test::ManualClock clock;
  auto options = small_log("/log");
  options.flush_timed = false;
  options.flush_least_pages = 0;
  auto [log, found, problem] = open_log(disk, clock, options);
  ASSERT_TRUE(log) << problem;
  EXPECT_EQ(log->flush_policy(), kName);
  log->flush_step();
  const auto before = log->flush_wakeup().ticket();
  prepare(*log);
  ASSERT_TRUE(append(*log, std::make_shared<OffsetsOnly>(), "body").has_value());
  EXPECT_NE(log->flush_wakeup().ticket(), before);
  log->flush_step();
  EXPECT_EQ(log->watermarks().durable(), log->watermarks().published());
}

TEST(SyncFlush, SyncsWheneverSomethingIsPending) {
  LogOptions options;
  const auto policy = find_flush_policy("SYNC_FLUSH")->make("SYNC_FLUSH", options);
  EXPECT_TRUE(policy->acknowledges_durable());
  EXPECT_FALSE(policy->decide({0, 0}).sync);
  EXPECT_TRUE(policy->decide({1, 0}).sync);
  EXPECT_TRUE(policy->decide({1, 0}).sync);
}

TEST(SyncFlush, WaitsForCompanyWhereItWasSeen) {
  LogOptions options;
  const auto policy = find_flush_policy("SYNC_FLUSH")->make("SYNC_FLUSH", options);
  const auto pause = [&](std::int64_t pending, std::int64_t last_sync_us, int lonely_syncs) {
    const auto decision = policy->decide({pending, 0, last_sync_us, lonely_syncs});
    EXPECT_TRUE(decision.sync);
    return decision.pause_us;
  };
  EXPECT_EQ(pause(1, 90, 0), 90);
  EXPECT_EQ(pause(4095, 90, 7), 90);
  EXPECT_EQ(pause(1, 90, 8), 0) << "nobody came for long";
  EXPECT_EQ(pause(4096, 90, 0), 0) << "a page is pending";
  EXPECT_EQ(pause(1, 500, 0), 500);
  EXPECT_EQ(pause(1, 501, 0), 0) << "a slow device makes groups by itself";
  EXPECT_FALSE(policy->decide({0, 0, 90, 0}).sync);
}

/// Each look at it takes 100 us.
class TickingClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'700'000'000'000; }
  [[nodiscard]] std::int64_t steady_ns() const override { return now_ns_ += 100'000; }

 private:
  mutable std::int64_t now_ns_ = 0;
};

TEST(SyncFlush, PausesOnceForEachGroup) {
  test::SimulatedDisk disk;
  const TickingClock clock;
  auto options = small_log("/log", 1 << 20);
  options.prepare_ahead_bytes = 1 << 20;
  options.flush_policy = "SYNC_FLUSH";
  auto [log, found, problem] = open_log(disk, clock, options);
  ASSERT_TRUE(log) << problem;
  prepare(*log);
  const auto queue = std::make_shared<OffsetsOnly>();
  const auto send = [&] { ASSERT_TRUE(append(*log, queue, "body").has_value()); };
  bool has_company = true;
  log->on_durable([&] {
    if (has_company) send();
  });

  send();
  EXPECT_EQ(log->flush_step().pause_us, 0);  // and somebody publishes meanwhile
  EXPECT_EQ(log->counters().syncs, 1);
  has_company = false;
  EXPECT_EQ(log->flush_step().pause_us, 100);
  EXPECT_EQ(log->counters().syncs, 1);
  send();
  EXPECT_EQ(log->flush_step().pause_us, 0);
  EXPECT_EQ(log->counters().syncs, 2);
  EXPECT_EQ(log->counters().synced_records, 3);
  EXPECT_EQ(log->watermarks().durable(), log->watermarks().published());
  for (int lonely = 1; lonely < 8; ++lonely) {
    send();
    EXPECT_EQ(log->flush_step().pause_us, 100) << lonely;
    EXPECT_EQ(log->flush_step().pause_us, 0) << lonely;
  }
  send();
  EXPECT_EQ(log->flush_step().pause_us, 0);
  EXPECT_EQ(log->watermarks().durable(), log->watermarks().published());
}

}  // namespace
}  // namespace tern::store
