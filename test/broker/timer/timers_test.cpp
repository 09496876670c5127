#include "broker/timer/timers.hpp"

#include <gmock/gmock.h>

#include "tern/base/log.hpp"

#include "broker/timer/timer_case.hpp"
#include "support/logged_lines.hpp"

namespace tern::broker {
namespace {

using test::SimulatedDisk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kStart = 1'700'000'000'000;

class TimersTest : public test::TimerCase {};

/// A process on a disk that outlives it.
class Node final : public test::TimerCase {
 public:
  Node(SimulatedDisk& on, std::int64_t wall_ms, int precision_ms = 100, int window_slots = 1'000) : TimerCase(&on) {
    clock.set_wall_ms(wall_ms);
    timer_options.precision_ms = precision_ms;
    timer_options.roll_window_slots = window_slots;
    SetUp();
  }
  void TestBody() override {}
  using TimerCase::clock;
  using TimerCase::close_broker;
  using TimerCase::delivered;
  using TimerCase::flush;
  using TimerCase::posted;
  using TimerCase::run;
  using TimerCase::save;
  using TimerCase::send_at;
  using TimerCase::send_in;
  using TimerCase::settle;
  using TimerCase::step;
  using TimerCase::stored;
  using TimerCase::timers;
};

TEST_F(TimersTest, DeliversWhenTheTimeHasComeAndNotBefore) {
  ASSERT_EQ(send_at("m", kStart + 12'345)->code(), 0);
  settle();
  clock.advance_ms(12'344);
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(1 + 99);  // at most one precision late
  settle();
  EXPECT_THAT(delivered(), ElementsAre("m"));
  clock.advance_ms(100'000);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("m")) << "once";
}

TEST_F(TimersTest, IsNotEarlyForATimeThatIsAMultipleOfThePrecision) {
  ASSERT_EQ(send_at("m", kStart + 1'000)->code(), 0);
  settle();
  clock.advance_ms(999);
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(1);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("m"));
}

TEST_F(TimersTest, SleepsUntilTheFirstIsDue) {
  ASSERT_EQ(send_in("m", 90'730)->code(), 0);
  settle();
  while (save()) {
  }
  clock.advance_ms(2'000);  // the nudge is forgotten
  clock.set_wall_ms(kStart + 20'000);
  EXPECT_EQ(step().next_ms, 1'000) << "at most, as the clock may be set";
  clock.set_wall_ms(kStart + 90'100);
  EXPECT_EQ(step().next_ms, 700);
}

TEST_F(TimersTest, KeepsTheOrderOfOneMoment) {
  for (int i = 0; i < 1'500; ++i) ASSERT_EQ(send_at(std::to_string(i), kStart + 5'000)->code(), 0);
  settle();
  clock.advance_ms(5'000);
  settle();
  const auto all = delivered();
  ASSERT_THAT(all, SizeIs(1'500));
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], std::to_string(i));
}

TEST_F(TimersTest, DeliversWhatTheSendSaid) {
  ASSERT_EQ(send_in("m", 300, {{"TAGS", "A"}, {"KEYS", "k"}, {"UNIQ_KEY", "u"}})->code(), 0);
  settle();
  clock.advance_ms(300);
  settle();
  ASSERT_THAT(stored("T"), SizeIs(1));
  const auto message = stored("T").front();
  EXPECT_EQ(message.queue_id, 0);
  EXPECT_EQ(message.properties.at("TAGS"), "A");
  EXPECT_EQ(message.properties.at("UNIQ_KEY"), "u");
  EXPECT_EQ(message.properties.at("REAL_TOPIC"), "T");
  EXPECT_EQ(message.properties.at("TIMER_DELAY_MS"), "300");
  EXPECT_EQ(message.properties.at("TIMER_OUT_MS"), std::to_string(kStart + 200));
  EXPECT_EQ(message.properties.at("TIMER_ENQUEUE_MS"), std::to_string(kStart));
  EXPECT_EQ(message.properties.at("TIMER_DEQUEUE_MS"), std::to_string(kStart + 300));
  EXPECT_NE(message.tags_code, 0);
}

TEST_F(TimersTest, RollsWhatIsDueBehindTheWindow) {
  ASSERT_EQ(send_in("far", 350'000)->code(), 0);  // three and a half windows
  settle();
  for (int i = 0; i < 3'499; ++i) {
    clock.advance_ms(100);
    step();
    step();
  }
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(100);
  settle();
  ASSERT_THAT(stored("T"), SizeIs(1));
  EXPECT_EQ(stored("T").front().properties.at("TIMER_ROLL_TIMES"), "3");
}

TEST_F(TimersTest, IsNotEarlyWhenTheClockGoesBack) {
  ASSERT_EQ(send_in("before", 1'000)->code(), 0);
  settle();
  clock.set_wall_ms(kStart - 3'600'000);
  ASSERT_EQ(send_in("after", 1'000)->code(), 0);
  settle();
  clock.advance_ms(999);
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(1);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("after"));
  clock.set_wall_ms(kStart + 999);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("after"));
  clock.set_wall_ms(kStart + 1'000);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("after", "before"));
}

TEST_F(TimersTest, DeliversAllThatAClockJumpsOver) {
  for (int i = 0; i < 50; ++i) ASSERT_EQ(send_in(std::to_string(i), 1'000 + 700 * i)->code(), 0);
  settle();
  clock.set_wall_ms(kStart + std::int64_t{30} * 86'400'000);
  settle();
  EXPECT_THAT(delivered(), SizeIs(50));
  ASSERT_EQ(send_in("later", 500)->code(), 0);
  settle();
  clock.advance_ms(500);
  settle();
  EXPECT_EQ(delivered().back(), "later");
}

// Two times that are a whole turn of the wheel apart have one place in its file.
TEST_F(TimersTest, DeliversBothOfTwoTimesWithOnePlaceInTheFile) {
  const std::int64_t turn = 2 * timer_options.slots_total * 100;
  ASSERT_EQ(send_at("late", kStart + 20'000)->code(), 0);
  settle();
  clock.set_wall_ms(kStart - turn);
  ASSERT_EQ(send_at("early", kStart - turn + 20'000)->code(), 0);
  settle();
  clock.advance_ms(19'999);
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  clock.advance_ms(101);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("early"));
  clock.set_wall_ms(kStart + 20'000);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("early", "late"));
}

TEST_F(TimersTest, PassesOverWhatIsNoTimerMessage) {
  ASSERT_EQ(send("rmq_sys_wheel_timer", "plain")->code(), 0);
  ASSERT_EQ(send("rmq_sys_wheel_timer", "no topic", {{"TIMER_OUT_MS", "1700000000500"}})->code(), 0);
  ASSERT_EQ(send("rmq_sys_wheel_timer", "no time", {{"TIMER_OUT_MS", "soon"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "0"}})
                ->code(),
            0);
  ASSERT_EQ(send("rmq_sys_wheel_timer", "the lowest time",
                 {{"TIMER_OUT_MS", std::to_string(INT64_MIN)}, {"REAL_TOPIC", "T"}, {"REAL_QID", "0"}})
                ->code(),
            0);
  ASSERT_EQ(send("rmq_sys_wheel_timer", "back again",
                 {{"TIMER_OUT_MS", "5"}, {"REAL_TOPIC", "rmq_sys_wheel_timer"}, {"REAL_QID", "0"}})
                ->code(),
            0);
  ASSERT_EQ(
      send("rmq_sys_wheel_timer", "no queue", {{"TIMER_OUT_MS", "5"}, {"REAL_TOPIC", "T"}, {"REAL_QID", "2000000000"}})
          ->code(),
      0);
  ASSERT_EQ(send_in("good", 500)->code(), 0);
  settle();
  EXPECT_EQ(timers->counts().offset_behind, 0);
  clock.advance_ms(500);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("good"));
  EXPECT_THAT(stored("rmq_sys_wheel_timer"), SizeIs(7)) << "nothing was put back";
}

TEST_F(TimersTest, DeliversAgainWhatCouldNotBeStored) {
  ASSERT_EQ(send_in("m", 500)->code(), 0);
  settle();
  clock.advance_ms(500);
  clock.set_wall_ms(kStart + 500);
  store_options.free_bytes_min = std::int64_t{1} << 50;
  store->upkeep_step();
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  store_options.free_bytes_min = std::int64_t{0};
  clock.advance_ms(10'000);
  store->upkeep_step();
  settle();
  EXPECT_THAT(delivered(), ElementsAre("m"));
}

TEST_F(TimersTest, CancelsAMessageOfTheSameTime) {
  ASSERT_EQ(send_at("one", kStart + 4'000, {{"UNIQ_KEY", "k1"}})->code(), 0);
  ASSERT_EQ(send_at("two", kStart + 4'000, {{"UNIQ_KEY", "k2"}})->code(), 0);
  ASSERT_EQ(send_at("x", kStart + 4'000, {{"TIMER_DEL_UNIQKEY", "T+k1"}})->code(), 0);
  settle();
  EXPECT_EQ(timers->counts().waiting, 1);
  clock.advance_ms(4'000);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("two"));
  EXPECT_EQ(timers->counts().waiting, 0);
}

TEST_F(TimersTest, SavesOnlyWhatIsDurable) {
  ASSERT_EQ(send_in("m", 5'000)->code(), 0);
  settle();
  clock.advance_ms(1'000);
  step();
  EXPECT_FALSE(timers->begin_save()) << "the message could be lost, and its place be another's";
  flush();
  ASSERT_TRUE(timers->begin_save());
  EXPECT_FALSE(timers->begin_save()) << "one at a time";
  EXPECT_TRUE(timers->save());
  EXPECT_FALSE(timers->begin_save()) << "nothing has changed";
}

TEST_F(TimersTest, CountsWhatWaitsByTopic) {
  ASSERT_EQ(send_in("a", 4'000)->code(), 0);
  ASSERT_EQ(send_in("b", 5'000)->code(), 0);
  settle();
  const auto count = [&] {
    const auto answer = ask(test::RequestCode::kGetTimerMetrics, {});
    return protocol::int_member(
        *protocol::object_member(*protocol::object_member(*protocol::parse_json(answer->body()), "timingCount"), "T"),
        "count");
  };
  EXPECT_EQ(count(), 2);
  clock.advance_ms(4'000);
  settle();
  EXPECT_EQ(count(), 1);
}

TEST_F(TimersTest, RefusesWhatIsTooMuchForOneMoment) {
  timer_options.slot_count_max = 5;
  for (int i = 0; i < 6; ++i) ASSERT_EQ(send_at("m", kStart + 4'000)->code(), 0);
  settle();
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    refused += send_at("m", kStart + 4'000)->code() == 1 ? 1 : 0;
    settle();
  }
  EXPECT_EQ(timers->counts().waiting, 10) << "by chance until twice as many";
  EXPECT_EQ(refused, 196);
  EXPECT_EQ(send_at("m", kStart + 8'000)->code(), 0) << "another moment";
}

TEST_F(TimersTest, RemovesFilesOfItsLogWhoseMessagesAreGone) {
  const auto files = [&] { return disk.list("store/timerlog")->size(); };
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(send_in(std::string(3'000, 'x'), 500)->code(), 0);
    settle();
    clock.advance_ms(500);
    settle();
    ASSERT_TRUE(save());
  }
  EXPECT_GE(files(), 4U);
  store_options.bytes_max = std::int64_t{1} << 20;
  for (int i = 0; i < 60; ++i) {
    clock.advance_ms(10'000);
    store->upkeep_step();
  }
  for (int round = 0; round < 6; ++round) {
    ASSERT_EQ(send_in("m", 500)->code(), 0);
    settle();
    clock.advance_ms(40'000);
    settle();
    ASSERT_TRUE(save());
  }
  EXPECT_LE(files(), 2U);
}

/// The checkpoint, and the offset behind the message of the log's last unit.
std::pair<TimerCheckpoint, std::int64_t> saved(SimulatedDisk& disk) {
  std::string bytes(TimerCheckpoint::kFileSize, '\0');
  const auto file = disk.open("store/config/timercheck", file::OpenMode::kRead);
  EXPECT_TRUE((*file)->read(0, std::as_writable_bytes(std::span(bytes))));
  std::string why;
  const auto point = *TimerCheckpoint::decode(bytes, why);
  TimerLog log(disk, "store", 16 << 10);
  EXPECT_EQ(log.open(), std::nullopt);
  std::int64_t last = -1;
  for (auto at = log.next_unit(log.begin()); at >= 0; at = log.next_unit(at + TimerUnit::kSize)) last = at;
  const auto unit = *log.read(last);
  EXPECT_EQ(last + TimerUnit::kSize, point.log_end);
  std::string record(static_cast<std::size_t>(unit.size), '\0');
  const auto segment = disk.open("store/commitlog/00000000000000000000", file::OpenMode::kRead);
  EXPECT_TRUE((*segment)->read(unit.position, std::as_writable_bytes(std::span(record))));
  return {point, parse_timer_message(std::as_bytes(std::span(record)))->record.queue_offset + 1};
}

TEST(TimersRestart, TellsApachesBrokerWhereToGoOn) {
  SimulatedDisk disk;
  {
    Node node(disk, kStart);
    ASSERT_EQ(node.send_in("waits", 50'000)->code(), 0);
    node.settle();
    ASSERT_EQ(node.send_in("due when it is entered", 200)->code(), 0);
    node.clock.advance_ms(1'000);
    node.settle();
    EXPECT_THAT(node.delivered(), SizeIs(1));
    node.close_broker();
  }
  const auto [point, next] = saved(disk);
  EXPECT_EQ(next, 2);
  EXPECT_EQ(point.queue_offset, 2);
  EXPECT_EQ(point.read_ms, kStart + 1'000);
  Node node(disk, kStart + 2'000);
  node.settle();
  EXPECT_EQ(node.timers->counts().waiting, 1);
  node.clock.advance_ms(50'000);
  node.settle();
  EXPECT_THAT(node.delivered(), SizeIs(2));
}

TEST(TimersRestart, ContinuesAfterACleanStop) {
  SimulatedDisk disk;
  {
    Node node(disk, kStart);
    ASSERT_EQ(node.send_in("due before", 500)->code(), 0);
    ASSERT_EQ(node.send_in("waits", 5'000)->code(), 0);
    node.settle();
    node.clock.advance_ms(500);
    node.settle();
    ASSERT_EQ(node.send_in("not entered", 5'000)->code(), 0);
    node.close_broker();
  }
  Node node(disk, kStart + 600);
  node.settle();
  EXPECT_THAT(node.delivered(), ElementsAre("due before"));
  EXPECT_EQ(node.timers->counts().waiting, 2);
  node.clock.advance_ms(5'000);
  node.settle();
  EXPECT_THAT(node.delivered(), ElementsAre("due before", "waits", "not entered"));
}

TEST(TimersRestart, ForgetsNothingOfASlotThatWasUnderWay) {
  SimulatedDisk disk;
  {
    Node node(disk, kStart);
    for (int i = 0; i < 1'300; ++i) {
      const test::Fields key{{"UNIQ_KEY", fmt::format("k{}", i)}};
      ASSERT_EQ(node.send_at(std::to_string(i), kStart + 9'000, key)->code(), 0);
    }
    ASSERT_EQ(node.send_at("x", kStart + 9'000, {{"TIMER_DEL_UNIQKEY", "T+k1200"}})->code(), 0);
    node.settle();
    node.clock.advance_ms(9'000);
    node.step();          // a first part is delivered
    node.timers->step();  // a second is on its way
    EXPECT_THAT(node.delivered(), SizeIs(512));
    node.close_broker();
  }
  const auto [point, next] = saved(disk);
  EXPECT_EQ(point.queue_offset, 1'301);
  EXPECT_EQ(next, 1'301) << "where Apache's broker would go on";
  Node node(disk, kStart + 9'100);
  node.settle();
  auto all = node.delivered();
  EXPECT_THAT(all, SizeIs(1'299));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "once each";
  EXPECT_FALSE(std::binary_search(all.begin(), all.end(), "1200"));
}

TEST(TimersRestart, ContinuesWithWhatAKillHasLeft) {
  SimulatedDisk disk;
  auto node = std::make_unique<Node>(disk, kStart);
  ASSERT_EQ(node->send_in("saved", 5'000)->code(), 0);
  node->settle();
  ASSERT_TRUE(node->save());
  ASSERT_EQ(node->send_in("not saved", 5'000)->code(), 0);
  node->settle();
  const auto left = disk.kill();
  node.reset();
  Node again(*left, kStart + 3'000);
  again.settle();
  EXPECT_EQ(again.timers->counts().waiting, 2);
  again.clock.advance_ms(5'000);
  again.settle();
  EXPECT_THAT(again.delivered(), ElementsAre("saved", "not saved"));
}

TEST(TimersRestart, TakesTheWaitingAlongWhenThePrecisionChanges) {
  constexpr int kCount = 12;
  const auto delay = [](int i) { return 3'000 + 2'630 * i; };
  for (const auto& [before, after] :
       {std::pair(100, 1'000), std::pair(1'000, 100), std::pair(200, 500), std::pair(500, 200)}) {
    SCOPED_TRACE(fmt::format("{} to {}", before, after));
    SimulatedDisk disk;
    {
      Node node(disk, kStart, before);
      for (int i = 0; i < kCount; ++i) ASSERT_EQ(node.send_in(std::to_string(i), delay(i))->code(), 0);
      node.settle();
      node.close_broker();
    }
    Node node(disk, kStart + 10, after);
    node.settle();
    EXPECT_THAT(node.delivered(), IsEmpty());
    for (int i = 0; i < kCount; ++i) {
      node.clock.set_wall_ms(kStart + delay(i) - 1);
      node.settle();
      ASSERT_THAT(node.delivered(), SizeIs(i)) << "early";
      node.clock.set_wall_ms(kStart + delay(i) + before + after);
      node.settle();
      ASSERT_THAT(node.delivered(), SizeIs(i + 1)) << "late";
    }
  }
}

TEST(TimersRestart, BuildsTheWheelAnewWithoutItsFiles) {
  for (const std::string lost : {"store/timerwheel", "store/timerlog/00000000000000000000"}) {
    SCOPED_TRACE(lost);
    SimulatedDisk disk;
    {
      Node node(disk, kStart);
      ASSERT_EQ(node.send_in("over", 500)->code(), 0);
      ASSERT_EQ(node.send_in("waits", 5'000)->code(), 0);
      node.settle();
      node.clock.advance_ms(500);
      node.settle();
      node.close_broker();
    }
    ASSERT_TRUE(disk.remove(lost));
    {
      Node node(disk, kStart + 600);
      node.settle();
      EXPECT_EQ(node.timers->counts().waiting, 1);
      node.clock.advance_ms(5'000);
      node.settle();
      EXPECT_THAT(node.delivered(), ElementsAre("over", "waits"));
      node.close_broker();
    }
    Node node(disk, kStart + 6'000);
    node.settle();
    EXPECT_THAT(node.delivered(), ElementsAre("over", "waits"));
  }
}

class TimersLoadTest : public TimersTest {
 protected:
  void write(const std::string& path, std::int64_t size) {
    const auto file = disk.open(path, file::OpenMode::kCreate);
    ASSERT_TRUE((*file)->resize(size));
  }
  std::optional<std::string> load() {
    return Timers(Timers::Parts{clock, *store, timer_options, identity, disk, "store", {}, timed_wakeup}).load();
  }
};

TEST_F(TimersLoadTest, RefusesAWheelOfAnotherSize) {
  write("store/timerwheel", 1'000);
  EXPECT_THAT(load().value_or(""), HasSubstr("store/timerwheel: has 1000 bytes instead of 320000"));
}

TEST_F(TimersLoadTest, RefusesALogOfAnotherFileSize) {
  ASSERT_TRUE(disk.make_directories("store/timerlog"));
  write("store/timerlog/00000000000000000000", 1'000);
  EXPECT_THAT(load().value_or(""), HasSubstr("has 1000 bytes instead of the 16384 that mappedFileSizeTimerLog says"));
}

// Whatever stands in the files: it is refused, or taken for what it is; nothing crashes, hangs or asks for the moon.
TEST_F(TimersLoadTest, SurvivesDamage) {
  for (int i = 0; i < 30; ++i) ASSERT_EQ(send_in(std::to_string(i), 2'000 + 300 * i)->code(), 0);
  settle();
  ASSERT_TRUE(save());
  const std::string paths[] = {"store/timerwheel", "store/timerlog/00000000000000000000", "store/config/timercheck"};
  std::map<std::string, std::string> whole;
  const auto bytes_of = [&](const std::string& path) {
    const auto file = disk.open(path, file::OpenMode::kRead);
    std::string bytes(static_cast<std::size_t>(*(*file)->size()), '\0');
    EXPECT_TRUE((*file)->read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  };
  const auto put = [&](const std::string& path, const std::string& bytes) {
    const auto file = disk.open(path, file::OpenMode::kCreate);
    EXPECT_TRUE((*file)->write(0, std::as_bytes(std::span(bytes))));
  };
  for (const auto& path : paths) whole[path] = bytes_of(path);
  const auto now = clock.wall_ms();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    test::Rng rng(seed);
    clock.set_wall_ms(now);
    for (const auto& [path, bytes] : whole) put(path, bytes);
    const auto& path = paths[rng() % 3];
    auto bytes = whole[path];
    for (std::uint64_t flips = 1 + rng() % 8; flips > 0; --flips) {
      std::size_t at = rng() % bytes.size();
      while (path != paths[2] && bytes[at] == '\0' && rng() % 5'000 != 0) at = (at + 1) % bytes.size();
      bytes[path == paths[2] ? at % 56 : at] = static_cast<char>(rng());
    }
    put(path, bytes);
    auto another =
        std::make_unique<Timers>(Timers::Parts{clock, *store, timer_options, identity, disk, "store",
                                               [this](std::size_t, std::function<void(SendStage&)> work) {
                                                 posted.push_back([this, work = std::move(work)] { work(stage()); });
                                               },
                                               timed_wakeup});
    if (another->load()) continue;
    timers = std::move(another);
    settle();
    clock.advance_ms(20'000);
    settle();
    EXPECT_LE(timers->counts().offset_behind, 0);
  }
}

// It names the file, or says that it takes the one before.
TEST_F(TimersLoadTest, IsNotSilentAboutASmallFileThatIsCutShortAtAnyByte) {
  TimerMetrics metrics;
  metrics.add("T", 3, kStart);
  const std::map<std::string, std::string> files = {
      {"store/config/timercheck", TimerCheckpoint{.read_ms = kStart, .precision_ms = 100}.encode()},
      {"store/config/timermetrics", protocol::write_json(metrics.to_json())}};
  for (const auto& [path, whole] : files) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      SCOPED_TRACE(fmt::format("{} cut at {}", path, size));
      ASSERT_TRUE(test::write_text(disk, path, whole.substr(0, size)));
      ASSERT_THAT(load().value_or(""), HasSubstr(path + ": "));
      ASSERT_TRUE(test::write_text(disk, path + ".bak", whole));
      const auto warnings = log_counts().warnings;
      ASSERT_EQ(load(), std::nullopt);
      ASSERT_EQ(log_counts().warnings, warnings + 1) << "that the backup is used";
      ASSERT_TRUE(disk.remove(path + ".bak"));
    }
    ASSERT_TRUE(test::write_text(disk, path, whole));
    ASSERT_EQ(load(), std::nullopt);
  }
}

// Of a checkpoint of zeros nobody can tell whether it was ever another; what follows from it has to be said.
TEST_F(TimersLoadTest, SaysWhatACheckpointOfZerosMeans) {
  ASSERT_EQ(send_in("m", 90'000)->code(), 0);
  settle();
  ASSERT_TRUE(save());
  ASSERT_TRUE(test::write_text(disk, "store/config/timercheck", std::string(TimerCheckpoint::kFileSize, '\0')));
  const test::LoggedLines lines;
  EXPECT_EQ(load(), std::nullopt);
  EXPECT_THAT(lines.text(), HasSubstr("store/config/timercheck holds zeros: all messages"));
}

}  // namespace
}  // namespace tern::broker
