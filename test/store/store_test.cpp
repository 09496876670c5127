// One life of a store: what is sent can be read, by offset, position and key; what must not enter a queue does not.

#include "tern/store/store.hpp"

#include <set>

#include "store/store_fixture.hpp"

namespace tern::store {
namespace {

class StoreTest : public OnSimulatedDisk<> {
 protected:
  /// After ten messages "body 0" to "body 9" and a failed sync; ends the store's life.
  static void expect_read_only(StoreLife& life) {
    EXPECT_EQ(life.send({"refused"}).error(), Errc::kReadOnly);
    life.dispatch();
    EXPECT_EQ(body_at(*life.store, "TA", 0, 9), "body 9");
    EXPECT_FALSE(life.close());
    EXPECT_TRUE(*life.disk.exists("/store/abort"));
  }
};

TEST_F(StoreTest, GivesBackWhatWasSent) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  const auto first = life.send({"first", "TA", 0, "key"});
  const auto second = life.send({"second", "TA", 0, "key"});
  const auto other = life.send({"other", "TA", 1});
  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-0");
  life.dispatch();
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-2");
  EXPECT_EQ(body_at(*life.store, "TA", 0, 0), "first");
  EXPECT_EQ(body_at(*life.store, "TA", 0, 1), "second");
  EXPECT_EQ(body_at(*life.store, "TA", 0, 2), "no entry");
  EXPECT_EQ(body_at(*life.store, "TA", 1, 0), "other");
  EXPECT_EQ(life->find_queue("TA", 2), nullptr);
  const auto found = life->query("TA", "key", 10, 0, INT64_MAX);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->positions, (std::vector{second->position, first->position}));
  EXPECT_EQ(life->dispatched_records(), 3);
  EXPECT_EQ(life->dispatch_behind_bytes(), 0);
}

TEST_F(StoreTest, ShowsARecordOnlyOnceItIsDurableIfItsPolicyWaitsForThat) {
  options_ = small_store("SYNC_FLUSH");
  StoreLife life(disk_, clock_, options_);
  const auto placed = life.send({"body"});
  ASSERT_TRUE(placed);
  life.dispatch();
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-0");
  EXPECT_FALSE(life->record_at(placed->position));
  life.flush();
  life.dispatch();
  EXPECT_EQ(body_at(*life.store, "TA", 0, 0), "body");
  EXPECT_TRUE(life->record_at(placed->position));
}

TEST_F(StoreTest, RollsOverToNewSegments) {
  StoreLife life(disk_, clock_, options_);
  constexpr int kSent = 220;
  for (int i = 0; i < kSent; ++i) {
    ASSERT_TRUE(life.send({fmt::format("body {}", i)}));
    if (i % 50 == 0) life.dispatch();
  }
  life.save();
  EXPECT_GE(life->max_position().value, 5 * kSegmentSize);
  EXPECT_GE(life->log().segments().size(), 5);
  for (int i = 0; i < kSent; ++i) EXPECT_EQ(body_at(*life.store, "TA", 0, i), fmt::format("body {}", i));
  EXPECT_EQ(bodies_of(*life.store).size(), kSent);
}

TEST_F(StoreTest, KeepsPreparedAndRolledBackRecordsOutOfQueues) {
  const std::vector<Message> sent = {{"plain"},
                                     {"prepared", "TA", 0, "p", message::kSysTransactionPrepared},
                                     {"rolled back", "TA", 0, "r", message::kSysTransactionRollback},
                                     {"committed", "TA", 0, "c", message::kSysTransactionCommit}};
  const auto expect_two = [](StoreLife& life) {
    EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-2");
    EXPECT_EQ(body_at(*life.store, "TA", 0, 0), "plain");
    EXPECT_EQ(body_at(*life.store, "TA", 0, 1), "committed");
    EXPECT_EQ(bodies_of(*life.store).size(), 4);
    EXPECT_EQ(life->query("TA", "p", 10, 0, INT64_MAX)->positions.size(), 1);
    EXPECT_TRUE(life->query("TA", "r", 10, 0, INT64_MAX)->positions.empty());
  };
  {
    StoreLife life(disk_, clock_, options_);
    for (const auto& message : sent) ASSERT_TRUE(life.send(message));
    life.dispatch();
    expect_two(life);
  }
  for (const bool removes_state : {false, true}) {
    const auto disk = disk_.kill();
    if (removes_state) remove_tree(*disk, "/store/tern");
    StoreLife life(*disk, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    expect_two(life);
  }
}

TEST_F(StoreTest, TellsTheListenerOfEachRecordOnce) {
  class Listener final : public ArrivalListener {
   public:
    void arrived(const Arrival& arrival) override {
      seen.push_back(fmt::format("{}#{} {}", arrival.queue.topic(), arrival.queue.id(), arrival.offset));
    }
    void arrived_done() override { ++rounds; }
    std::vector<std::string> seen;
    int rounds = 0;
  };
  Listener listener;
  StoreLife life(disk_, clock_, options_);
  life->start(&listener, {});
  ASSERT_TRUE(life.send({"a", "TA", 0}) && life.send({"b", "TB", 3}) && life.send({"c", "TA", 0}));
  ASSERT_TRUE(life.send({"prepared", "TA", 0, "", message::kSysTransactionPrepared}));
  life.dispatch();
  life.dispatch();
  EXPECT_EQ(listener.seen, (std::vector<std::string>{"TA#0 0", "TB#3 0", "TA#0 1"}));
  EXPECT_GE(listener.rounds, 1);
}

TEST_F(StoreTest, BeginsARemovedTopicAnew) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"old"}) && life.send({"old"}));
  life.save();
  ASSERT_TRUE(life->remove_topic("TA"));
  EXPECT_EQ(life->find_queue("TA", 0), nullptr);
  const auto placed = life.send({"new"});
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->queue_offset, QueueOffset{0});
  life.save();
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-1");
  life.kill();
  const auto disk = disk_.kill();
  StoreLife again(*disk, clock_, options_);
  ASSERT_TRUE(again) << again.problem.text;
  EXPECT_EQ(bounds_of(*again.store, "TA", 0), "0-1");
  EXPECT_EQ(body_at(*again.store, "TA", 0, 0), "new");
}

// They were sent before the removal: nobody will ask for them, and the topic's next life begins at 0.
TEST_F(StoreTest, ForgetsTheUndispatchedRecordsOfARemovedTopic) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"old"}) && life.send({"old"}));
  ASSERT_TRUE(life->remove_topic("TA"));
  life.dispatch();
  EXPECT_EQ(life->find_queue("TA", 0), nullptr);
  ASSERT_TRUE(life.send({"new"}));
  life.dispatch();
  EXPECT_EQ(bounds_of(*life.store, "TA", 0), "0-1");
  EXPECT_EQ(body_at(*life.store, "TA", 0, 0), "new");
  // A crash at once: what the log holds of both lives is read again.
  const auto disk = disk_.kill();
  StoreLife again(*disk, clock_, options_);
  ASSERT_TRUE(again) << again.problem.text;
  EXPECT_EQ(bounds_of(*again.store, "TA", 0), "0-1");
  EXPECT_EQ(body_at(*again.store, "TA", 0, 0), "new");
}

// The saved state knows the first life, the files are those of the second.
TEST_F(StoreTest, KeepsARemovedTopicsNextLifeThroughACrash) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life.send({"old"}) && life.send({"old"}));
  life.save();
  ASSERT_TRUE(life->remove_topic("TA"));
  ASSERT_TRUE(life.send({"new"}));
  life.dispatch();
  life->upkeep_step();
  const auto disk = disk_.kill();
  StoreLife again(*disk, clock_, options_);
  ASSERT_TRUE(again) << again.problem.text;
  EXPECT_EQ(bounds_of(*again.store, "TA", 0), "0-1");
  EXPECT_EQ(body_at(*again.store, "TA", 0, 0), "new");
}

// No state can be saved any more, and dispatch would stop for good once the memory for what waits is full.
TEST_F(StoreTest, TurnsReadOnlyAfterAFailedSyncOfQueuesOrIndex) {
  std::set<std::string> reasons;
  bool has_failed = true;
  for (int failing = 1; has_failed; ++failing) {
    SCOPED_TRACE(failing);
    test::SimulatedDisk disk({.clock = &clock_});
    std::vector<std::string> acknowledged;
    {
      StoreLife life(disk, clock_, options_);
      for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(life.send({acknowledged.emplace_back(fmt::format("body {}", i)), "TA", 0, "key"}));
      }
      life.flush();
      life.dispatch();
      const auto operation = disk.changes() + failing;
      disk.fail_at(operation, EIO);
      // The index is synced every ten seconds.
      for (int seconds = 0; seconds < 12; ++seconds) life.upkeep();
      has_failed = disk.changes() >= operation;
      const auto reason = life->log().read_only_reason();
      if (reason.empty()) continue;
      reasons.insert(reason.substr(0, reason.find(':')));
      expect_read_only(life);
    }
    test::Rng rng(1);
    for (const auto survival : {test::Survival::kNothing, test::Survival::kEverything}) {
      const auto reopened = disk.crash(rng, survival);
      StoreLife life(*reopened, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      EXPECT_EQ(bodies_of(*life.store), acknowledged);
      for (int i = 0; i < 10; ++i)
        EXPECT_EQ(body_at(*life.store, "TA", 0, i), acknowledged[static_cast<std::size_t>(i)]);
      const auto found = life->query("TA", "key", 64, 0, INT64_MAX);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->positions.size(), acknowledged.size());
    }
  }
  EXPECT_EQ(reasons, (std::set<std::string>{"the sync of a queue's file failed", "the sync of an index file failed"}));
}

TEST_F(StoreTest, TurnsReadOnlyAfterAFailedSync) {
  for (const auto* policy : {"SYNC_FLUSH", "ASYNC_FLUSH"}) {
    SCOPED_TRACE(policy);
    options_ = small_store(policy);
    test::SimulatedDisk disk({.clock = &clock_});
    std::vector<std::string> acknowledged;
    {
      StoreLife life(disk, clock_, options_);
      for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(life.send({acknowledged.emplace_back(fmt::format("body {}", i))}));
      }
      life.save();
      ASSERT_TRUE(life.send({"unlucky"}));
      disk.fail_at(disk.changes() + 1, EIO);
      life.flush();
      EXPECT_NE(life->log().read_only_reason(), "");
      expect_read_only(life);
    }
    test::Rng rng(1);
    for (const auto survival : {test::Survival::kNothing, test::Survival::kEverything}) {
      const auto reopened = disk.crash(rng, survival);
      StoreLife life(*reopened, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      auto found = bodies_of(*life.store);
      if (found.size() > acknowledged.size()) {
        EXPECT_EQ(found.back(), "unlucky");
        found.pop_back();
      }
      EXPECT_EQ(found, acknowledged);
      EXPECT_TRUE(life.send({"again"}));
    }
  }
}

}  // namespace
}  // namespace tern::store
