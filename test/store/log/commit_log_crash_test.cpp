// Whatever the moment of the crash, by a cut of the power or a kill -9, after reopening: every record that was durable
// is there, in order, once; nothing else is there but a prefix of what was sent after; and the log goes on from there.

#include "store/log/log_fixture.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kSegmentSize = 2048;

struct History {
  std::vector<std::string> sent;  // placed, in log order
  std::size_t durable = 0;        // the first so many are acknowledged
};

LogOptions options_of(const char* policy) {
  auto options = small_log("/log", kSegmentSize);
  options.prepare_ahead_bytes = 4096;
  options.flush_policy = policy;
  options.flush_interval_ms = 1;
  options.flush_least_pages = 0;
  return options;
}

class Sender {
 public:
  Sender(CommitLog& log, test::ManualClock& clock, History& history) : log_(log), clock_(clock), history_(history) {
    ends_.resize(history.sent.size(), log.watermarks().published());
  }
  /// False: the disk has stopped.
  bool send(const std::vector<std::string>& bodies) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      if (attempt == 0)
        append(log_, batch_, queue_, bodies);
      else
        log_.append(batch_);
      if (batch_.is_settled()) break;
      log_.segments_step();
    }
    for (const auto& record : batch_.records()) {
      if (record.error) return false;
      history_.sent.push_back(test::text_of(record.body));
      ends_.push_back(record.placement.position + record.total_size);
    }
    return true;
  }
  bool flush() {
    clock_.advance_ms(1);
    log_.flush_step();
    const auto durable = log_.watermarks().durable();
    while (history_.durable < ends_.size() && ends_[history_.durable] <= durable) ++history_.durable;
    return log_.read_only_reason().empty();
  }

 private:
  CommitLog& log_;
  test::ManualClock& clock_;
  History& history_;
  AppendBatch batch_;
  std::vector<LogPosition> ends_;
  std::shared_ptr<Queue> queue_ = std::make_shared<OffsetsOnly>();
};

std::string body_of(int i) {
  return fmt::format("body {} {}", i,
                     std::string(static_cast<std::size_t>(i * 37 % 300), static_cast<char>('a' + i % 26)));
}

bool write_some(CommitLog& log, test::ManualClock& clock, History& history, int from, int to) {
  Sender sender(log, clock, history);
  for (int i = from; i < to; ++i) {
    const auto bodies = i % 5 == 0 ? std::vector{body_of(i), body_of(i + 1000)} : std::vector{body_of(i)};
    if (!sender.send(bodies)) return false;
    if (i % 3 != 0 && !sender.flush()) return false;
  }
  return true;
}

void expect_whole(const Scanned& found, const History& history) {
  ASSERT_GE(found.bodies.size(), history.durable);
  ASSERT_LE(found.bodies.size(), history.sent.size());
  for (std::size_t i = 0; i < found.bodies.size(); ++i) ASSERT_EQ(found.bodies[i], history.sent[i]) << i;
}

// Opens, looks, goes on, and looks again in a third life.
void expect_survival(file::Disk& disk, const History& history, const char* policy) {
  test::ManualClock clock;
  const auto options = options_of(policy);
  History after;
  {
    auto [log, found, problem] = open_log(disk, clock, options);
    ASSERT_TRUE(log) << problem;
    expect_whole(found, history);
    after.sent = found.bodies;
    after.durable = found.bodies.size();
    ASSERT_TRUE(write_some(*log, clock, after, 5000, 5012));
  }
  auto [log, found, problem] = open_log(disk, clock, options);
  ASSERT_TRUE(log) << problem;
  EXPECT_EQ(found.bodies, after.sent);
}

TEST(CommitLogCrash, KeepsEveryDurableRecord) {
  for (const auto* policy : {"SYNC_FLUSH", "ASYNC_FLUSH"}) {
    SCOPED_TRACE(policy);
    const auto tried = test::crash_at_every_operation(
        [&](test::SimulatedDisk& disk) {
          History history;
          test::ManualClock clock;
          const auto options = options_of(policy);
          auto [log, found, problem] = open_log(disk, clock, options);
          if (log) write_some(*log, clock, history, 0, 40);
          return history;
        },
        [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
          expect_survival(disk, history, policy);
        });
    EXPECT_GT(tried.points, 100);
  }
}

// A life that was killed, stale bytes behind its end as Apache's brokers leave them, and a crash at any point of the
// second life, its recovery included.
TEST(CommitLogCrash, KeepsThemThroughARecoveryThatCrashes) {
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        History history;
        test::ManualClock clock;
        const auto options = options_of("SYNC_FLUSH");
        LogPosition tail;
        {
          auto [log, found, problem] = open_log(disk, clock, options);
          if (!log || !write_some(*log, clock, history, 0, 9)) return history;
          tail = log->watermarks().published();
        }
        // Stale: records with the right positions, lined up with nothing, to the segment's end.
        const auto start = tail.value / kSegmentSize * kSegmentSize;
        auto file = disk.open("/log/" + segment_name({start}), file::OpenMode::kReadWrite);
        for (auto at = tail.value + 111; file && at + 200 < start + kSegmentSize; at += kBareSize + 5) {
          const auto stale = message::encode_record(parts_of("stale"), 0, at, 1);
          if (!(*file)->write(at - start, test::bytes_of(stale))) return history;
        }
        auto [log, found, problem] = open_log(disk, clock, options);
        if (!log) return history;
        EXPECT_EQ(found.bodies, history.sent);
        history.durable = history.sent.size();  // start() has synced what it found
        write_some(*log, clock, history, 9, 20);
        return history;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
        expect_survival(disk, history, "SYNC_FLUSH");
      });
  EXPECT_GT(tried.points, 60);
}

// A failed sync may have lost anything since the last good one, and the page cache no longer knows it: what the next
// process finds there and serves must be written again before it counts as durable.
TEST(CommitLogCrash, WritesAgainWhatAnEarlierSyncFailedToWrite) {
  test::SimulatedDisk disk;
  test::ManualClock clock;
  const auto options = options_of("SYNC_FLUSH");
  History history;
  {
    auto [log, found, problem] = open_log(disk, clock, options);
    ASSERT_TRUE(log) << problem;
    Sender sender(*log, clock, history);
    ASSERT_TRUE(sender.send({"unlucky"}));
    disk.fail_at(disk.changes() + 1, EIO);
    EXPECT_FALSE(sender.flush());
    EXPECT_EQ(history.durable, 0);
  }
  auto [log, found, problem] = open_log(disk, clock, options);
  ASSERT_TRUE(log) << problem;
  ASSERT_EQ(found.bodies, history.sent);
  test::Rng rng(1);
  const auto after = disk.crash(rng, test::Survival::kNothing);
  const auto third = open_log(*after, clock, options);
  ASSERT_TRUE(third.log) << third.problem;
  EXPECT_EQ(third.found.bodies, history.sent);
}

TEST(CommitLogCrash, LeavesAWholeLogWhenACleanStopOrARemovalCrashes) {
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        History history;
        test::ManualClock clock;
        const auto options = options_of("SYNC_FLUSH");
        auto [log, found, problem] = open_log(disk, clock, options);
        if (!log || !write_some(*log, clock, history, 0, 30) || !log->remove_before({3 * kSegmentSize})) return history;
        if (log->close()) history.durable = history.sent.size();
        return history;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
        test::ManualClock clock;
        const auto options = options_of("SYNC_FLUSH");
        auto [log, found, problem] = open_log(disk, clock, options);
        ASSERT_TRUE(log) << problem;
        // The front may be gone, in whole segments; the rest is the end of what a full log would hold.
        ASSERT_LE(found.bodies.size(), history.sent.size());
        const auto min = log->min_position();
        ASSERT_LE(min, LogPosition{3 * kSegmentSize});
        if (min == LogPosition{0}) {
          expect_whole(found, history);
        } else if (!found.bodies.empty()) {
          const auto first = std::find(history.sent.begin(), history.sent.end(), found.bodies.front());
          ASSERT_NE(first, history.sent.end());
          const auto skipped = static_cast<std::size_t>(first - history.sent.begin());
          ASSERT_LE(skipped + found.bodies.size(), history.sent.size());
          ASSERT_GE(skipped + found.bodies.size(), history.durable);
          EXPECT_TRUE(std::equal(found.bodies.begin(), found.bodies.end(), first));
        }
      });
  EXPECT_GT(tried.points, 60);
}

}  // namespace
}  // namespace tern::store
