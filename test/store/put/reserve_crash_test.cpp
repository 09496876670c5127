// Two appends have their places; the one behind is copied first. Whatever the moment of the crash, after reopening:
// what is there is a prefix of the log, never the record behind without the one in front; and what was cut does not
// come back behind later records.

#include "store/log/log_fixture.hpp"
#include "store/log_segment.hpp"
#include "store/log_tail.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kSegmentSize = 4096;

/// The tail alone, in the test's hands.
class Tail {
 public:
  explicit Tail(file::Disk& disk) : segments_(disk, "/log", kSegmentSize) {}

  bool prepare() {
    std::string problem;
    if (!segments_.load(problem)) return false;
    const auto segment = segments_.add();
    if (!segment || !(*segment)->file().allocate(0, kSegmentSize)) return false;
    segment_ = *segment;
    auto window = segments_.map(*segment_);
    if (!window || !(*window)->populate(0, static_cast<std::size_t>(kSegmentSize))) return false;
    window_ = *window;
    tail_.append_role.assert_held();
    tail_.start({0}, {0}, 0);
    tail_.offer({{0}, window_.get(), window_->bytes().data()});
    tail_.prepare({kSegmentSize});
    return true;
  }
  /// The bodies are viewed until they are copied.
  LogTail::Placed place(AppendBatch& batch, std::span<const std::string> bodies) {
    for (const auto& body : bodies) {
      batch.begin_group();
      EXPECT_TRUE(batch.stage(parts_of(body), queue_));
    }
    tail_.append_role.assert_held();
    LogTail::Placed placed;
    tail_.place(batch, clock_.wall_ms(), placed);
    EXPECT_EQ(placed.groups, bodies.size());
    return placed;
  }
  void copy(AppendBatch& batch, const LogTail::Placed& placed) { tail_.copy(batch, placed); }
  bool sync() { return segment_->file().sync().has_value(); }

 private:
  test::ManualClock clock_;
  Watermarks watermarks_;
  Wakeup segments_wakeup_;
  Wakeup flush_wakeup_;
  SegmentList segments_;
  SegmentPtr segment_;
  WindowPtr window_;
  const Live<bool> accepts_clock_behind_{false};
  LogTail tail_{
      clock_, watermarks_, segments_wakeup_, flush_wakeup_, {kSegmentSize, kSegmentSize, false, accepts_clock_behind_}};
  const std::shared_ptr<Queue> queue_ = std::make_shared<OffsetsOnly>();
};

const std::vector<std::string> kBodies = {"first", "second, in the same batch", "behind", "behind that"};

TEST(ReserveCrash, LeavesAPrefixHoweverTheCopiesWereOrdered) {
  const auto tried = test::crash_at_every_operation(
      [](test::SimulatedDisk& disk) {
        Tail tail(disk);
        if (!tail.prepare()) return;
        AppendBatch front;
        AppendBatch behind;
        const auto first = tail.place(front, std::span(kBodies).first(2));
        const auto second = tail.place(behind, std::span(kBodies).last(2));
        tail.copy(behind, second);
        if (!tail.sync()) return;
        tail.copy(front, first);
        tail.sync();
      },
      [](test::SimulatedDisk& disk, const test::CrashPoint&) {
        test::ManualClock clock;
        const auto options = small_log("/log", kSegmentSize);
        std::vector<std::string> expected;
        {
          auto [log, found, problem] = open_log(disk, clock, options);
          ASSERT_TRUE(log) << problem;
          ASSERT_LE(found.bodies.size(), kBodies.size());
          expected.assign(kBodies.begin(), kBodies.begin() + static_cast<std::ptrdiff_t>(found.bodies.size()));
          ASSERT_EQ(found.bodies, expected);
          // As long as those that may have been lost, so that it ends where the next of them began.
          for (std::size_t i = 0; i < 2; ++i) {
            prepare(*log);
            ASSERT_TRUE(append(*log, std::make_shared<OffsetsOnly>(), kBodies[i]));
            expected.push_back(kBodies[i]);
          }
        }
        const auto [log, found, problem] = open_log(disk, clock, options);
        ASSERT_TRUE(log) << problem;
        EXPECT_EQ(found.bodies, expected);
      });
  EXPECT_GT(tried.points, 5);
}

}  // namespace
}  // namespace tern::store
