// Whatever the order of sends, pops, acknowledgements, changes, restarts and clocks that jump: a message that a group
// has not acknowledged comes again once each time its invisible time has passed, and not before; one that it has
// acknowledged never does. A kill may not change that; only a message that was on its way to a client then is lost to
// that client, and comes again like any other.

#include <map>
#include <set>

#include "broker/pop/pop_case.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::broker {
namespace {

using test::Popped;
using test::SimulatedDisk;

/// One process of the broker, on a disk that outlives it.
class Node final : public test::PopCase {
 public:
  Node(SimulatedDisk& on, std::int64_t wall_ms, bool is_v2) : PopCase("ASYNC_FLUSH", &on) {
    clock.set_wall_ms(wall_ms);
    pop_options.revive_queues = 2;
    pop_options.retries_to_v2 = is_v2;
    store_options.log.segment_size_bytes = 256 << 10;
    store_options.log.prepare_ahead_bytes = 64 << 10;
    store_options.log.accepts_clock_behind = true;
    SetUp();
  }
  void TestBody() override {}
  using PopCase::ack;
  using PopCase::change;
  using PopCase::changed;
  using PopCase::clock;
  using PopCase::flush;
  using PopCase::offsets;
  using PopCase::pass;
  using PopCase::pop;
  using PopCase::pop_all;
  using PopCase::revive;
  using PopCase::reviver;
  using PopCase::send;
  void save_offsets() {
    reviver->mark_offsets();
    EXPECT_TRUE(offsets.save(clock.wall_ms()));
  }
  void close() {
    EXPECT_TRUE(store->close());
    reviver->settle_progress();
    EXPECT_TRUE(offsets.save(clock.wall_ms()));
  }
};

/// What one group knows of a message, by true time: that of the steady clocks of all processes, one after the other.
struct Known {
  bool is_acknowledged = false;
  bool is_out = false;  // handed out, and its invisible time has not passed
  std::int64_t visible_at = 0;
  int deliveries = 0;
  Popped last;
};

class Life {
 public:
  explicit Life(std::uint64_t seed) : rng_(seed), is_v2_(seed % 2 == 0) { start(); }

  void run() {
    for (int i = 0; i < 150 && !::testing::Test::HasFailure(); ++i) one_step();
    if (!::testing::Test::HasFailure()) drain();
  }

 private:
  bool chance(int percent) { return static_cast<int>(rng_() % 100) < percent; }
  std::int64_t number(std::int64_t end) { return static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(end)); }
  void start() { node_ = std::make_unique<Node>(*disk_, wall_ms_, is_v2_); }
  void pass(std::int64_t ms) {
    now_ms_ += ms;
    wall_ms_ += ms;
    node_->pass(ms);
  }
  void one_step() {
    switch (rng_() % 10) {
      case 0:
      case 1: {
        const auto body = fmt::format("m{}", sent_++);
        node_->send("T", body, {}, {{"queueId", std::to_string(number(2))}});
        messages_[body];
        break;
      }
      case 2:
      case 3:
        pop();
        break;
      case 4:
        if (auto* known = one_out()) acknowledge(*known);
        break;
      case 5:
        if (auto* known = one_out()) change(*known);
        break;
      case 6:
        pass(number(20'000));
        break;
      case 7:
        chance(50) ? node_->flush() : node_->save_offsets();
        node_->revive();
        break;
      case 8: {  // somebody sets the machine's time
        wall_ms_ += number(40'001) - 20'000;
        node_->clock.set_wall_ms(wall_ms_);
        node_->revive();
        break;
      }
      default:
        if (chance(40)) restart();
    }
  }
  void pop() {
    const std::int64_t invisible_ms = 1'000 + number(15'000);
    const auto popped = node_->pop_all(
        {{"maxMsgNums", std::to_string(1 + number(5))}, {"invisibleTime", std::to_string(invisible_ms)}});
    for (const auto& message : popped) {
      SCOPED_TRACE(message.body);
      const auto found = messages_.find(message.body);
      ASSERT_NE(found, messages_.end());
      auto& known = found->second;
      EXPECT_FALSE(known.is_acknowledged) << "it was acknowledged";
      EXPECT_LE(known.visible_at, now_ms_) << "its invisible time has not passed";
      EXPECT_EQ(message.reconsume_times, known.deliveries) << "a delivery was lost, or came twice";
      ++known.deliveries;
      known.is_out = true;
      known.visible_at = now_ms_ + invisible_ms;
      known.last = message;
    }
  }
  Known* one_out() {
    std::vector<Known*> out;
    for (auto& [body, known] : messages_) {
      if (known.is_out && !known.is_acknowledged) out.push_back(&known);
    }
    return out.empty() ? nullptr : out[rng_() % out.size()];
  }
  void acknowledge(Known& known) {
    EXPECT_EQ(node_->ack(known.last)->code(), 0);
    // Later than its time it is stale: the message has come again, or will.
    if (known.visible_at > now_ms_) known.is_acknowledged = true;
  }
  void change(Known& known) {
    const std::int64_t invisible_ms = 500 + number(15'000);
    const auto answer = node_->change(known.last, invisible_ms);
    EXPECT_EQ(answer->code(), 0);
    const bool is_taken = answer->field("popTime") != "0";
    EXPECT_EQ(is_taken, known.visible_at > now_ms_);
    if (!is_taken) return;
    known.last = Node::changed(known.last, answer);
    known.visible_at = now_ms_ + invisible_ms;
  }
  void restart() {
    const bool is_clean = chance(30);
    if (is_clean) node_->close();
    node_.reset();
    if (!is_clean) disk_ = disk_->kill();
    // The next process knows only the wall clock, which the machine's owner has set back or ahead meanwhile: what is
    // out comes that much later, at most by its whole time, or earlier.
    const std::int64_t away_ms = number(3'000);
    now_ms_ += away_ms;
    wall_ms_ += away_ms;
    start();
    for (auto& [body, known] : messages_) {
      if (!known.is_out || known.is_acknowledged) continue;
      const auto receipt = parse_receipt(known.last.receipt);
      if (known.visible_at <= now_ms_ - away_ms && known.visible_at <= now_ms_) continue;
      const std::int64_t passed = std::max<std::int64_t>(wall_ms_ - receipt->pop_time, 0);
      known.visible_at = now_ms_ + std::max<std::int64_t>(receipt->invisible_ms - passed, 0);
    }
    node_->revive();
  }
  // Everything comes until it is acknowledged.
  void drain() {
    for (int round = 0; round < 8; ++round) {
      pass(20'000);
      for (;;) {
        const auto popped = node_->pop_all();
        if (popped.empty()) break;
        for (const auto& message : popped) {
          auto& known = messages_.at(message.body);
          EXPECT_FALSE(known.is_acknowledged) << message.body;
          EXPECT_LE(known.visible_at, now_ms_) << message.body;
          EXPECT_EQ(message.reconsume_times, known.deliveries) << message.body;
          ++known.deliveries;
          node_->ack(message);
          known.is_acknowledged = true;
        }
      }
    }
    for (const auto& [body, known] : messages_) EXPECT_TRUE(known.is_acknowledged) << body << " never came";
    EXPECT_EQ(node_->pop->ledger.open(), 0U);
  }

  test::Rng rng_;
  const bool is_v2_;
  std::int64_t now_ms_ = 0;
  std::int64_t wall_ms_ = 1'700'000'000'000;
  std::unique_ptr<SimulatedDisk> disk_ = std::make_unique<SimulatedDisk>();
  std::unique_ptr<Node> node_;
  int sent_ = 0;
  std::map<std::string, Known> messages_;
};

TEST(PopModel, DeliversOncePerInvisibleTimeUntilAcknowledged) {
  constexpr std::uint64_t kSeeds = 150;
  for (std::uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Life(seed).run();
  }
}

}  // namespace
}  // namespace tern::broker
