// Whatever the moment of the crash, by a cut of the power or a kill -9, after reopening: every record that was durable
// is there, in order, once; nothing that was never sent appears; every record has its queue entry and its key, every
// entry its record, and none points past the log. And the store goes on from there.

#include "store/store_fixture.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

struct History {
  std::vector<std::string> sent;  // placed, in log order
  std::vector<LogPosition> ends;
  std::size_t durable = 0;  // the first so many are acknowledged
};

StoreOptions tiny_store(const char* policy) {
  auto options = small_store(policy);
  options.log.segment_size_bytes = 2048;
  options.log.prepare_ahead_bytes = 4096;
  options.queues.file_size_bytes = 8 * kQueueEntrySize;
  options.index.hash_slots = 8;
  options.index.entries_max = 24;
  return options;
}

/// Everything about a message follows from its number, which its body begins with.
Message message_of(int i) {
  const std::string filler(static_cast<std::size_t>(i * 37 % 200), static_cast<char>('a' + i % 26));
  return {fmt::format("{} {}", i, filler), i % 3 == 0 ? "TB" : "TA", i % 2, fmt::format("k{}", i)};
}

void note_durable(const StoreLife& life, History& history) {
  const auto durable = life->log().watermarks().durable();
  while (history.durable < history.ends.size() && history.ends[history.durable] <= durable) ++history.durable;
}

/// False: the disk has stopped.
bool send_some(StoreLife& life, History& history, int from, int to) {
  for (int i = from; i < to; ++i) {
    const auto message = message_of(i);
    const auto placed = life.send(message);
    if (!placed) return false;
    history.sent.push_back(message.body);
    history.ends.push_back(placed->position + life.batch.records().front().total_size);
    if (i % 2 == 0) {
      life.flush();
      note_durable(life, history);
    }
    if (i % 3 != 0) life.dispatch();
    if (i % 4 == 3) life.upkeep();
    if (life.disk.crashed()) return false;
  }
  return true;
}

bool close(StoreLife& life, History& history) {
  if (!life.close()) return false;
  history.durable = history.sent.size();
  return true;
}

void expect_consistent(Store& store) {
  const auto bodies = bodies_of(store);
  std::size_t entries_seen = 0;
  for (const auto& queue : store.queues().all()) {
    const auto [min, max] = queue->bounds();
    ASSERT_EQ(queue->next_offset, max.value);
    LogPosition last{-1};
    for (auto at = min; at < max; at += 1, ++entries_seen) {
      std::array<QueueEntry, 1> entry;
      const auto count = queue->read(at, entry, false);
      ASSERT_TRUE(count && *count == 1) << queue->topic() << queue->id() << " " << at.value;
      ASSERT_GT(entry[0].position, last);
      ASSERT_LE(entry[0].position + entry[0].size, store.max_position());
      last = entry[0].position;
      const auto body = body_at(store, *queue, at.value);
      const auto message = message_of(std::atoi(body.c_str()));
      ASSERT_EQ(body, message.body) << queue->topic() << queue->id() << " " << at.value;
      ASSERT_EQ(queue->topic(), message.topic);
      ASSERT_EQ(queue->id(), message.queue_id);
      const auto found = store.query(message.topic, message.key, 4, 0, INT64_MAX);
      ASSERT_TRUE(found) << found.error().text();
      ASSERT_EQ(std::count(found->positions.begin(), found->positions.end(), entry[0].position), 1) << body;
    }
  }
  ASSERT_EQ(entries_seen, bodies.size());
}

/// `first` of what was sent may be gone at the front, to retention.
void expect_survival(test::SimulatedDisk& disk, const History& history, const StoreOptions& options) {
  test::ManualClock clock(1'700'000'000'000 + 86'400'000);
  History after;
  {
    StoreLife life(disk, clock, options);
    ASSERT_TRUE(life) << life.problem.text;
    const auto bodies = bodies_of(*life.store);
    const auto min = life->min_position();
    std::size_t gone = 0;
    while (gone < history.ends.size() && history.ends[gone] <= min) ++gone;
    ASSERT_GE(gone + bodies.size(), history.durable);
    ASSERT_LE(gone + bodies.size(), history.sent.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) ASSERT_EQ(bodies[i], history.sent[gone + i]) << i;
    ASSERT_NO_FATAL_FAILURE(expect_consistent(*life.store));
    after.sent = bodies;
    after.ends.resize(bodies.size(), life->max_position());
    ASSERT_TRUE(send_some(life, after, 500, 512));
    life.flush();
    life.dispatch();
    ASSERT_EQ(bodies_of(*life.store), after.sent);
    ASSERT_NO_FATAL_FAILURE(expect_consistent(*life.store));
  }
  StoreLife life(disk, clock, options);
  ASSERT_TRUE(life) << life.problem.text;
  ASSERT_EQ(bodies_of(*life.store), after.sent);
  ASSERT_NO_FATAL_FAILURE(expect_consistent(*life.store));
}

class StoreCrash : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Policies, StoreCrash, ::testing::Values("SYNC_FLUSH", "ASYNC_FLUSH", "ASYNC_FLUSH_REAL_TIME"));

// A life that ends in a clean stop and one that does not.
TEST_P(StoreCrash, KeepsEveryDurableRecordAndItsEntries) {
  const auto options = tiny_store(GetParam());
  test::CrashOptions crashes;
  crashes.power_cuts = 3;
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        History history;
        test::ManualClock clock;
        {
          StoreLife life(disk, clock, options);
          if (!life || !send_some(life, history, 0, 24) || !close(life, history)) return history;
        }
        StoreLife life(disk, clock, options);
        if (life) send_some(life, history, 24, 40);
        return history;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
        expect_survival(disk, history, options);
      },
      crashes);
  EXPECT_GT(tried.points, 100);
}

// The second life recovers what a kill has left, with nothing derived to rely on, and may crash while it does.
TEST_P(StoreCrash, KeepsThemThroughARecoveryThatCrashes) {
  const auto options = tiny_store(GetParam());
  for (const auto* removed : {"", "tern", "consumequeue"}) {
    SCOPED_TRACE(removed);
    test::CrashOptions crashes;
    crashes.power_cuts = 3;
    const auto tried = test::crash_at_every_operation(
        [&](test::SimulatedDisk& disk) {
          History history;
          test::ManualClock clock;
          {
            StoreLife life(disk, clock, options);
            if (!life || !send_some(life, history, 0, 15)) return history;
          }
          if (*removed != '\0') {
            const auto directory = file::join("/store", removed);
            for (const auto& [path, bytes] : files_in(disk, directory)) {
              if (!disk.remove(path)) return history;
            }
          }
          StoreLife life(disk, clock, options);
          if (life) send_some(life, history, 15, 22);
          return history;
        },
        [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
          expect_survival(disk, history, options);
        },
        crashes);
    EXPECT_GT(tried.points, 60);
  }
}

// An index file that is far from full when the power goes: any part of what was not synced may be missing, and the
// state must not speak of it.
TEST_P(StoreCrash, FindsTheKeysOfAnUnfinishedIndexFile) {
  auto options = tiny_store(GetParam());
  options.index.entries_max = 400;
  test::CrashOptions crashes;
  crashes.power_cuts = 8;
  crashes.stride = 5;
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        History history;
        test::ManualClock clock;
        StoreLife life(disk, clock, options);
        if (life) send_some(life, history, 0, 80);
        return history;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
        expect_survival(disk, history, options);
      },
      crashes);
  EXPECT_GT(tried.points, 100);
}

TEST_P(StoreCrash, LeavesAWholeStoreWhenRetentionCrashes) {
  auto options = tiny_store(GetParam());
  options.delete_when = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
  options.file_reserved_hours = 1;
  test::CrashOptions crashes;
  crashes.power_cuts = 3;
  test::ManualClock clock;
  crashes.disk.clock = &clock;
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        History history;
        clock.set_wall_ms(1'700'000'000'000);
        StoreLife life(disk, clock, options);
        if (!life || !send_some(life, history, 0, 40)) return history;
        life.upkeep(2 * 3'600'000);
        if (send_some(life, history, 40, 44)) close(life, history);
        return history;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint&, const History& history) {
        auto quiet = options;
        quiet.delete_when = "";
        expect_survival(disk, history, quiet);
      },
      crashes);
  EXPECT_GT(tried.points, 100);
}

}  // namespace
}  // namespace tern::store
