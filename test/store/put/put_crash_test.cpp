// Under every strategy, whatever the moment of the crash, after reopening: everything durable is there, in order, once,
// and nothing else but a prefix of what was sent after. (commit_log_crash_test asks more, of the default strategy.)

#include "store/log/log_fixture.hpp"
#include "store/put/put_table.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

constexpr int kSends = 24;

struct History {
  std::vector<std::string> sent;
  std::size_t durable = 0;
};

std::string body_of(int i) {
  return fmt::format("{} {}", i, std::string(static_cast<std::size_t>(i * 53 % 400), 'b'));
}

class PutCrash : public ::testing::TestWithParam<std::string_view> {};

TEST_P(PutCrash, KeepsEveryDurableRecord) {
  auto options = small_log("/log", 2048);
  options.prepare_ahead_bytes = 4096;
  options.flush_policy = "SYNC_FLUSH";
  options.put_strategy = GetParam();
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        History history;
        test::ManualClock clock;
        auto [log, found, problem] = open_log(disk, clock, options);
        if (!log) return history;
        const std::shared_ptr<Queue> queue = std::make_shared<OffsetsOnly>();
        for (int i = 0; i < kSends; ++i) {
          const std::vector<std::string> bodies = {body_of(i), body_of(i + 100)};  // viewed by the batch
          AppendBatch batch;
          append(*log, batch, queue, bodies);
          for (int attempt = 0; attempt < 20 && !batch.is_settled(); ++attempt) {
            log->segments_step();
            log->append(batch);
          }
          if (batch.records().front().error) break;
          history.sent.insert(history.sent.end(), bodies.begin(), bodies.end());
          if (i % 3 == 0) continue;
          log->flush_step();
          if (!log->read_only_reason().empty()) break;
          if (log->watermarks().durable() == log->watermarks().published()) history.durable = history.sent.size();
        }
        return history;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
        test::ManualClock clock;
        const auto [log, found, problem] = open_log(disk, clock, options);
        ASSERT_TRUE(log) << problem;
        ASSERT_GE(found.bodies.size(), history.durable);
        ASSERT_LE(found.bodies.size(), history.sent.size());
        for (std::size_t i = 0; i < found.bodies.size(); ++i) ASSERT_EQ(found.bodies[i], history.sent[i]) << i;
      },
      {.power_cuts = 3, .stride = 3});
  EXPECT_GT(tried.points, 15);
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> names;
  for (const auto& row : kPutStrategies) names.push_back(row.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, PutCrash, ::testing::ValuesIn(names()),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace tern::store
