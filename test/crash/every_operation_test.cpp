// Lives of a store that end before, or in which fails, operation 1, 2, 3 ... until none does. Each time the store is
// opened again, compared with the model, and lived in for a while.

#include "store/store_model.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

constexpr const char* kEveryHour = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
constexpr std::int64_t kTwoHoursMs = 7'200'000;

/// What a life has sent and what of it must be there; and how its last end differs from a kill.
struct Story {
  StoreModel model;
  Losses losses;
  std::int64_t wall_ms = 0;
};

StoreOptions tiny_store(const char* policy) {
  auto options = small_store(policy);
  options.log.segment_size_bytes = 2048;
  options.log.prepare_ahead_bytes = 4096;
  options.queues.file_size_bytes = 8 * kQueueEntrySize;
  options.index.hash_slots = 8;
  options.index.entries_max = 24;
  options.delete_when = kEveryHour;
  options.file_reserved_hours = 1;
  return options;
}

/// Everything about a message follows from its number.
Message message_of(int i) {
  Message message{fmt::format("{} {}", i, std::string(static_cast<std::size_t>(i * 37 % 200), 'x')),
                  i % 3 == 0 ? "TB" : "TA", i % 2, fmt::format("k{}", i % 5)};
  if (i % 11 == 10) message.sys_flag = message::kSysTransactionPrepared;
  return message;
}

void note_durable(StoreLife& life, StoreModel& model) {
  if (life) model.note_durable(life->log().watermarks().durable());
}

/// Sends singly and in batches, rolls segments, reads nothing, saves its state; at 20 a topic is removed, at 30 hours
/// pass. Ends early when the disk has stopped.
void live(StoreLife& life, StoreModel& model, int from, int to) {
  for (int i = from; i < to && !life.disk.crashed(); ++i) {
    std::vector<std::vector<Message>> groups{{message_of(10 * i)}};
    if (i % 3 == 0) groups = {{message_of(10 * i), message_of(10 * i + 1)}, {message_of(10 * i + 2)}};
    ASSERT_EQ(send_groups(life, model, groups), "");
    if (i % 2 == 0) life.flush();
    note_durable(life, model);
    if (i % 3 != 0) life.dispatch();
    if (i == 20) {
      const auto removed = life->remove_topic("TB");
      if (removed || life->queues_of("TB").empty()) {
        model.note_removed("TB");
      } else {
        model.note_half_removed("TB");
      }
    }
    if (i % 4 == 3) life.upkeep(i == 31 ? kTwoHoursMs : kUpkeepEveryMs);
    model.note_begin(life->min_position());
  }
}

/// Two lives on what is left, the second after a kill.
void expect_survival(test::SimulatedDisk& disk, Story story, const StoreOptions& options) {
  test::ManualClock clock(story.wall_ms);
  {
    // Once more if need be: what could not be written back is told by the next sync, whoever asks for it.
    auto first = std::make_unique<StoreLife>(disk, clock, options);
    if (!*first && (first->problem.error.code == std::errc::io_error ||
                    first->problem.error.code == std::errc::no_space_on_device))
      first = std::make_unique<StoreLife>(disk, clock, options);
    StoreLife& life = *first;
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_EQ(story.model.compare_opened(*life.store, story.losses), "");
    ASSERT_NO_FATAL_FAILURE(live(life, story.model, 100, 106));
    life.flush();
    life.dispatch();
    ASSERT_EQ(story.model.compare(*life.store), "");
  }
  StoreLife life(disk, clock, options);
  ASSERT_TRUE(life) << life.problem.text;
  ASSERT_EQ(story.model.compare_opened(*life.store, {}), "");
}

class EveryOperation : public ::testing::TestWithParam<const char*> {
 protected:
  void expect_survival_of(const test::SimulatedDisk& disk, Story story, const StoreOptions& options) {
    test::Rng random(1);
    expect_survival(*disk.kill(), story, options);
    if (HasFatalFailure()) return;
    story.losses.unsynced = true;
    for (const auto survival : {test::Survival::kNothing, test::Survival::kDrawn}) {
      expect_survival(*disk.crash(random, survival), story, options);
      if (HasFatalFailure()) return;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Policies, EveryOperation, ::testing::Values("SYNC_FLUSH", "ASYNC_FLUSH"));

TEST_P(EveryOperation, MayBeTheLast) {
  const auto options = tiny_store(GetParam());
  test::ManualClock clock;
  test::CrashOptions crashes;
  crashes.power_cuts = 3;
  crashes.disk.clock = &clock;
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        Story story;
        clock.set_wall_ms(1'700'000'000'000);
        StoreLife life(disk, clock, options);
        if (life) {
          live(life, story.model, 0, 36);
          // After a clean stop everything is durable.
          if (!disk.crashed() && life.close()) story.model.note_durable({INT64_MAX});
        }
        story.wall_ms = clock.wall_ms();
        return story;
      },
      [&](test::SimulatedDisk& disk, const test::CrashPoint& point, Story story) {
        story.losses.unsynced = point.kind == test::CrashPoint::Kind::kPowerCut;
        expect_survival(disk, std::move(story), options);
      },
      crashes);
  EXPECT_GT(tried.points, 200);
}

// The power was cut in the middle of a life, an operator may have removed what can be built anew, and now the recovery
// is cut off, too.
TEST_P(EveryOperation, OfARecoveryMayBeTheLast) {
  const auto options = tiny_store(GetParam());
  test::ManualClock clock;
  for (const std::vector<std::string>& removed :
       {std::vector<std::string>{}, {"tern"}, {"consumequeue"}, {"index"}, {"tern", "consumequeue", "index"}}) {
    SCOPED_TRACE(fmt::format("removed: {}", fmt::join(removed, " ")));
    Story before;
    test::SimulatedDisk first({.clock = &clock});
    clock.set_wall_ms(1'700'000'000'000);
    {
      StoreLife life(first, clock, options);
      ASSERT_TRUE(life) << life.problem.text;
      ASSERT_NO_FATAL_FAILURE(live(life, before.model, 0, 34));
    }
    before.wall_ms = clock.wall_ms();
    before.losses.unsynced = true;
    before.losses.emptied_queues = removed.size() > 1;
    std::int64_t operation = 1;
    for (bool is_completed = false; !is_completed; ++operation) {
      SCOPED_TRACE(fmt::format("operation {}", operation));
      test::Rng random(7);
      const auto disk = first.crash(random);
      for (const auto& directory : removed) {
        for (const auto& [path, bytes] : files_in(*disk, "/store/" + directory)) {
          ASSERT_TRUE(disk->remove(path) && disk->sync_directory(path.substr(0, path.rfind('/'))));
        }
      }
      disk->crash_at(disk->changes() + operation);
      Story story = before;
      {
        StoreLife life(*disk, clock, options);
        if (life && !disk->crashed()) {
          ASSERT_EQ(story.model.compare_opened(*life.store, story.losses), "");
          story.losses.unsynced = false;
          life.upkeep();
        }
        is_completed = !disk->crashed();
      }
      ASSERT_NO_FATAL_FAILURE(expect_survival_of(*disk, story, options));
    }
    EXPECT_GT(operation, 10);
  }
}

// Failed writes, allocations, syncs (which leave the pages clean: no later sync writes them), renames, all of them; the
// life goes on as well as it can.
TEST_P(EveryOperation, MayFail) {
  const auto options = tiny_store(GetParam());
  for (const int errno_value : {EIO, ENOSPC}) {
    SCOPED_TRACE(errno_value);
    for (std::int64_t operation = 1;; ++operation) {
      SCOPED_TRACE(fmt::format("operation {}", operation));
      Story story;
      test::ManualClock clock;
      test::SimulatedDisk disk({.clock = &clock});
      disk.fail_at(operation, errno_value);
      {
        StoreLife life(disk, clock, options);
        if (life) {
          ASSERT_NO_FATAL_FAILURE(live(life, story.model, 0, 36));
          ASSERT_EQ(story.model.compare(*life.store), "");
          if (operation % 2 == 0 && life.close()) story.model.note_durable({INT64_MAX});
        }
      }
      story.wall_ms = clock.wall_ms();
      const bool is_completed = disk.changes() < operation;
      ASSERT_NO_FATAL_FAILURE(expect_survival_of(disk, story, options));
      if (is_completed) break;
    }
  }
}

}  // namespace
}  // namespace tern::store
