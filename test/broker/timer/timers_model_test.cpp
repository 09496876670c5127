// Whatever the order of sends, cancels, steps, saves, stops, kills, power cuts and jumps of the clock: a message is
// never delivered early by the wall clock, late by the precision at most once the timer has had its steps, never lost
// while its record is there, and twice only over a kill or a power cut. What was cancelled in time is not delivered.

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "broker/timer/timer_case.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::broker {
namespace {

using test::SimulatedDisk;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kPrecisionMs = 100;

class Node final : public test::TimerCase {
 public:
  Node(SimulatedDisk& on, std::int64_t wall_ms) : TimerCase(&on) {
    clock.set_wall_ms(wall_ms);
    store_options.log.segment_size_bytes = 256 << 10;
    store_options.log.prepare_ahead_bytes = 64 << 10;
    timer_options.log_file_size_bytes = 4096;
    timer_options.slots_total = 1'200;
    timer_options.roll_window_slots = 300;
    SetUp();
  }
  void TestBody() override {}
  using TimerCase::clock;
  using TimerCase::close_broker;
  using TimerCase::flush;
  using TimerCase::posted;
  using TimerCase::save;
  using TimerCase::send_at;
  using TimerCase::settle;
  using TimerCase::step;
  using TimerCase::stored;
  using TimerCase::timers;
  bool is_open() const { return store != nullptr; }
  bool can_store() { return store->log().read_only_reason().empty(); }
};

struct Wanted {
  std::int64_t deliver_ms = 0;
  bool is_cancelled = false;
  bool may_be_either = false;  // cancelled, and then something came between
  int delivered = 0;
  int allowed = 1;
};

class Life {
 public:
  explicit Life(std::uint64_t seed) : rng_(seed) { start(kStart); }

  void run(int operations) {
    for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) one();
    if (::testing::Test::HasFailure()) return;
    std::int64_t last = node_->clock.wall_ms();
    for (const auto& [body, wanted] : wanted_) last = std::max(last, wanted.deliver_ms);
    while (node_->clock.wall_ms() < last + kPrecisionMs) {
      node_->clock.advance_ms(10'000);
      node_->settle();
    }
    look(true);
    EXPECT_EQ(node_->timers->counts().waiting, 0);
  }

 private:
  bool chance(int percent) { return static_cast<int>(rng_() % 100) < percent; }

  void start(std::int64_t wall_ms) {
    node_ = std::make_unique<Node>(*disk_, wall_ms);
    ASSERT_TRUE(node_->is_open());
    seen_ = 0;
    for (auto& [body, wanted] : wanted_) wanted.delivered = 0;
    for (const auto& message : node_->stored("T")) {
      ++wanted_[message.body].delivered;
      ++seen_;
    }
    if (!was_killed_) return;
    // What was not saved is done again: for a message that was rolled, for each of its records.
    std::map<std::string, int> records;
    for (const auto& message : node_->stored("rmq_sys_wheel_timer")) ++records[message.body];
    for (auto& [body, wanted] : wanted_) wanted.allowed = std::max(wanted.allowed, wanted.delivered + records[body]);
  }

  // What has been delivered since the last look.
  void look(bool has_settled) {
    const auto now = node_->clock.wall_ms();
    const auto all = node_->stored("T");
    for (; seen_ < all.size(); ++seen_) {
      const auto& body = all[seen_].body;
      ASSERT_TRUE(wanted_.contains(body)) << body;
      auto& wanted = wanted_[body];
      ++wanted.delivered;
      EXPECT_LE(wanted.deliver_ms, now) << body << " is early";
      EXPECT_FALSE(wanted.is_cancelled && !wanted.may_be_either) << body << " was cancelled";
      EXPECT_LE(wanted.delivered, wanted.allowed) << body << " came twice";
    }
    if (!has_settled) return;
    for (const auto& [body, wanted] : wanted_) {
      if (wanted.is_cancelled || wanted.deliver_ms + kPrecisionMs > now) continue;
      EXPECT_GE(wanted.delivered, 1) << body << " is late by " << now - wanted.deliver_ms;
    }
  }

  void send() {
    const auto body = fmt::format("m{}", next_++);
    const auto delay =
        chance(70) ? static_cast<std::int64_t>(rng_() % 20'000) : static_cast<std::int64_t>(rng_() % 120'000) - 5'000;
    const auto at = node_->clock.wall_ms() + delay;
    if (node_->send_at(body, at, {{"UNIQ_KEY", body}})->code() != 0) return;
    wanted_[body].deliver_ms = at;
    if (delay <= 0) look(false);
  }

  void cancel() {
    std::vector<std::string> waiting;
    for (const auto& [body, wanted] : wanted_) {
      if (wanted.deliver_ms > node_->clock.wall_ms() + kPrecisionMs && wanted.delivered == 0) waiting.push_back(body);
    }
    if (waiting.empty()) return;
    const auto& body = waiting[rng_() % waiting.size()];
    if (node_->send_at("x", wanted_[body].deliver_ms, {{"TIMER_DEL_UNIQKEY", "T+" + body}})->code() != 0) return;
    node_->settle();
    wanted_[body].is_cancelled = true;
    look(true);
  }

  void doubt_cancels() {
    for (auto& [body, wanted] : wanted_) wanted.may_be_either = true;
  }

  void end() {
    const auto now = node_->clock.wall_ms();
    const auto how = rng_() % 3;
    if (how == 0) {
      if (chance(50)) node_->timers->step();  // something is on its way
      node_->close_broker();
    }
    was_killed_ = how != 0;
    node_.reset();
    if (how == 1) disk_ = disk_->kill();
    if (how == 2) disk_ = disk_->crash(rng_, test::Survival::kDrawn);
    if (how != 0) doubt_cancels();
    start(now + 50);
    if (how != 2) return;
    // What the power cut took is nobody's any more.
    std::set<std::string> kept;
    for (const auto& message : node_->stored("rmq_sys_wheel_timer")) kept.insert(message.body);
    for (const auto& message : node_->stored("T")) kept.insert(message.body);
    std::erase_if(wanted_, [&](const auto& one) { return !kept.contains(one.first); });
  }

  void one() {
    auto& clock = node_->clock;
    switch (rng_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return send();
      case 5:
        return cancel();
      case 6:
      case 7:
      case 8:
        clock.advance_ms(static_cast<std::int64_t>(rng_() % 3'000));
        node_->step();
        return look(false);
      case 9:
      case 10:
        clock.advance_ms(static_cast<std::int64_t>(rng_() % 10'000));
        node_->settle();
        return look(true);
      case 11:
        node_->save();
        return look(false);
      case 12:
        node_->flush();
        return;
      case 13:
        if (!chance(30)) return;
        clock.set_wall_ms(clock.wall_ms() - static_cast<std::int64_t>(rng_() % 100'000));
        node_->settle();
        return look(true);
      case 14:
        if (!chance(30)) return;
        doubt_cancels();
        clock.set_wall_ms(clock.wall_ms() + static_cast<std::int64_t>(rng_() % 400'000));
        node_->settle();
        return look(true);
      default:
        if (chance(40)) end();
    }
  }

  test::Rng rng_;
  std::unique_ptr<SimulatedDisk> disk_ = std::make_unique<SimulatedDisk>();
  std::unique_ptr<Node> node_;
  std::map<std::string, Wanted> wanted_;
  std::size_t seen_ = 0;
  int next_ = 0;
  bool was_killed_ = false;  // at the last end
};

TEST(TimersModel, DeliversEachMessageInTimeAndOnce) {
  constexpr std::uint64_t kSeeds = 400;
  for (std::uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Life(seed).run(120);
  }
}

// Waves that are entered, saved, delivered and rolled, and a slot that is under way at the end.
std::map<std::string, std::int64_t> some_waves(Node& node) {
  std::map<std::string, std::int64_t> sent;
  const auto wave = [&](const char* name, int count, std::int64_t delay_ms) {
    for (int i = 0; i < count; ++i) {
      const auto body = fmt::format("{}{}", name, i);
      const auto at = node.clock.wall_ms() + delay_ms;
      if (node.send_at(body, at)->code() == 0) sent[body] = at;
    }
  };
  const auto pass = [&](std::int64_t ms) {
    node.clock.advance_ms(ms);
    if (node.can_store()) node.settle();
    node.flush();
    node.step();
    if (node.timers->begin_save()) static_cast<void>(node.timers->save());
  };
  wave("a", 3, 2'000);
  wave("far", 2, 40'000);
  pass(0);
  pass(1'000);
  wave("b", 90, 5'000);  // more than a file of the timer log
  pass(1'000);
  pass(1'000);
  wave("c", 2, 500);
  pass(0);
  pass(5'000);
  pass(1'000);
  return sent;
}

TEST(TimersCrash, LosesNothingThatIsThere) {
  test::CrashOptions options;
  options.power_cuts = 3;
  {
    SimulatedDisk disk;
    Node node(disk, kStart);
    options.first_operation = disk.changes() + 1;
  }
  const auto tried = test::crash_at_every_operation(
      [&](SimulatedDisk& disk) {
        Node node(disk, kStart);
        return some_waves(node);
      },
      [&](SimulatedDisk& disk, const test::CrashPoint& point, const std::map<std::string, std::int64_t>& sent) {
        Node node(disk, kStart + 9'500);
        ASSERT_TRUE(node.is_open());
        std::set<std::string> kept;
        for (const auto& message : node.stored("rmq_sys_wheel_timer")) kept.insert(message.body);
        std::map<std::string, int> delivered;
        const auto look = [&] {
          delivered.clear();
          for (const auto& message : node.stored("T")) ++delivered[message.body];
        };
        node.settle();
        look();
        for (const auto& [body, at] : sent) {
          EXPECT_TRUE(kept.contains(body) || point.kind == test::CrashPoint::Kind::kPowerCut) << body << " is lost";
          EXPECT_TRUE(delivered[body] == 0 || at <= node.clock.wall_ms()) << body << " is early";
        }
        for (int i = 0; i < 6; ++i) {
          node.clock.advance_ms(10'000);
          node.settle();
        }
        look();
        for (const auto& body : kept) {
          EXPECT_GE(delivered[body], 1) << body << " is not delivered";
          EXPECT_LE(delivered[body], 2) << body;
        }
        EXPECT_EQ(node.timers->counts().waiting, 0);
        node.close_broker();
        Node again(disk, node.clock.wall_ms() + 1'000);
        again.settle();
        const auto before = delivered;
        delivered.clear();
        for (const auto& message : again.stored("T")) ++delivered[message.body];
        EXPECT_EQ(delivered, before) << "a clean stop leaves nothing to do";
      },
      options);
  EXPECT_GT(tried.points, 10);
}

}  // namespace
}  // namespace tern::broker
