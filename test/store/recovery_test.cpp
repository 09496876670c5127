// What a store finds when it is opened: how much it reads, what it repairs, and what it refuses.

#include <gmock/gmock.h>

#include "tern/base/byte_order.hpp"
#include "tern/message/topic_name.hpp"

#include "store/store_fixture.hpp"

namespace tern::store {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Recovery : public OnSimulatedDisk<> {
 protected:
  static constexpr int kSent = 60;  // about two segments

  Message message(int i) {
    return {fmt::format("body {}", i), i % 3 == 0 ? "TB" : "TA", i % 2, fmt::format("k{}", i % 7)};
  }
  void send_some(StoreLife& life, int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(life.send(message(i)));
      if (i % 4 == 0) clock_.advance_ms(5);
    }
  }
  std::vector<std::string> bodies(int to) {
    std::vector<std::string> bodies;
    for (int i = 0; i < to; ++i) bodies.push_back(message(i).body);
    return bodies;
  }
  std::vector<std::string> answers(StoreLife& life) {
    return answers_of(*life.store, {"k0", "k1", "k2", "k3", "k4", "k5", "k6", "none"});
  }
};

// The power cut has taken records whose keys were on the disk already; others take their place.
TEST_F(Recovery, ForgetsTheKeysOfLostRecords) {
  Placement lost;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"kept", "TA", 0, "kept"}));
    life.save();
    lost = *life.send({"lost", "TA", 0, "lost"});
    ASSERT_TRUE(life.send({"lost, too", "TA", 0, "lost"}));
    life.dispatch();
    life->upkeep_step();
    life.kill();
  }
  const auto disk = disk_.kill();
  const auto file = disk->open("/store/commitlog/" + segment_name({0}), file::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->write(lost.position.value, std::vector<std::byte>(500)));
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  ASSERT_EQ(life->max_position(), lost.position);
  EXPECT_TRUE(life->query("TA", "lost", 64, 0, INT64_MAX)->positions.empty());
  ASSERT_TRUE(life.send({"1", "TA", 0, "new"}));
  ASSERT_TRUE(life.send({"2", "TA", 0, "new"}));
  life.dispatch();
  life->upkeep_step();
  EXPECT_TRUE(life->query("TA", "lost", 64, 0, INT64_MAX)->positions.empty());
  EXPECT_EQ(life->query("TA", "new", 64, 0, INT64_MAX)->positions.size(), 2U);
  EXPECT_EQ(life->query("TA", "kept", 64, 0, INT64_MAX)->positions.size(), 1U);
}

TEST_F(Recovery, TakesNoKeysOfRolledBackRecordsWhenTheIndexIsGone) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"kept", "TA", 0, "key"}));
    ASSERT_TRUE(life.send({"rolled back", "TA", 0, "key", message::kSysTransactionRollback}));
    life.dispatch();
    ASSERT_EQ(life->query("TA", "key", 64, 0, INT64_MAX)->positions.size(), 1U);
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/index");
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(life->query("TA", "key", 64, 0, INT64_MAX)->positions.size(), 1U);
}

TEST_F(Recovery, ReadsNothingOfTheLogAfterACleanStop) {
  std::vector<std::string> before;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.dispatch();
    before = answers(life);
    ASSERT_TRUE(life.close());
  }
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_TRUE(life.report.was_clean);
  EXPECT_TRUE(life.report.used_side_file);
  EXPECT_EQ(life.report.scanned_records, 0);
  EXPECT_EQ(life.report.scanned_bytes, 0);
  EXPECT_TRUE(life.report.warnings.empty());
  EXPECT_EQ(answers(life), before);
}

TEST_F(Recovery, ContinuesQueueOffsetsWithoutAGap) {
  for (int i = 0; i < 4; ++i) {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int n = 0; n < 3; ++n) {
      const auto placed = life.send({fmt::format("body {}", i * 3 + n)});
      ASSERT_TRUE(placed);
      EXPECT_EQ(placed->queue_offset, QueueOffset{i * 3 + n});
    }
    if (i % 2 == 0) {
      ASSERT_TRUE(life.close());
    } else {
      life.kill();
    }
  }
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  for (int i = 0; i < 12; ++i) EXPECT_EQ(body_at(*life.store, "TA", 0, i), fmt::format("body {}", i));
}

TEST_F(Recovery, ReadsOnlyWhatIsAboveTheSavedPositionAfterAKill) {
  std::vector<std::string> before;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.save();
    send_some(life, kSent, kSent + 5);
    life.dispatch();
    before = answers(life);
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_FALSE(life.report.was_clean);
  EXPECT_TRUE(life.report.used_side_file);
  EXPECT_EQ(life.report.scanned_records, 5);
  EXPECT_EQ(answers(life), before);
}

// Or every start after a quiet time would read again what arrived in the last seconds before it.
TEST_F(Recovery, ReadsNothingAgainOnceTheKeyIndexHasCaughtUp) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 3);
    life.save();  // the only sync of the index for ten seconds
    send_some(life, 3, 20);
    life.save();
    clock_.advance_ms(10'000);
    life.save();
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(life.report.scanned_records, 0);
}

TEST_F(Recovery, GivesTheSameAnswersWithoutItsDerivedFiles) {
  std::vector<std::string> before;
  for (const bool is_clean : {true, false}) {
    test::SimulatedDisk written({.clock = &clock_});
    {
      StoreLife life(written, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      send_some(life, 0, kSent);
      life.save();
      send_some(life, kSent, kSent + 5);
      life.dispatch();
      before = answers(life);
      if (is_clean) {
        ASSERT_TRUE(life.close());
      }
    }
    const std::vector<std::vector<std::string>> choices = {
        {"consumequeue"}, {"index"}, {"tern"}, {"consumequeue", "index"}, {"consumequeue", "index", "tern"}};
    for (const auto& removed : choices) {
      SCOPED_TRACE(fmt::format("{} {}{}", is_clean ? "closed" : "killed", removed.front(), removed.size()));
      const auto disk = written.kill();
      for (const auto& directory : removed) remove_tree(*disk, "/store/" + directory);
      StoreLife life(*disk, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      EXPECT_EQ(answers(life), before);
      life.upkeep();
      EXPECT_EQ(answers(life), before);
      ASSERT_TRUE(life.close());
      StoreLife again(*disk, clock_, options_);
      ASSERT_TRUE(again) << again.problem.text;
      EXPECT_EQ(again.report.scanned_records, 0);
      EXPECT_EQ(answers(again), before);
    }
  }
}

// Retention has taken every record of TB#1, and nothing on the disk says how far the queue had come but the groups'
// offsets: what consumers have seen must not come again under the same offset.
TEST_F(Recovery, ContinuesAnEmptiedQueueAtItsLargestCommittedOffset) {
  options_.delete_when = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
  options_.file_reserved_hours = 1;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(life.send({"emptied", "TB", 1}));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i), "TA", 0}));
    life.save();
    life.upkeep(2 * 3'600'000);
    ASSERT_EQ(bounds_of(*life.store, "TB", 1), "5-5");
    ASSERT_TRUE(life.close());
  }
  Store::Hooks hooks;
  hooks.committed_offsets = [] {
    return std::vector<CommittedOffset>{{"TB", 1, 4}, {"TA", 0, 7}, {"TC", 0, 0}, {"../out", 0, 3}, {"TB", -1, 3}};
  };
  {
    const auto disk = disk_.kill();
    StoreLife life(*disk, clock_, options_, hooks);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(bounds_of(*life.store, "TB", 1), "5-5") << "the side file knows better";
  }
  remove_tree(disk_, "/store/tern");
  remove_tree(disk_, "/store/consumequeue");
  for (int start = 0; start < 2; ++start) {
    StoreLife life(disk_, clock_, options_, hooks);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(bounds_of(*life.store, "TB", 1), "4-4");
    EXPECT_EQ(bounds_of(*life.store, "TA", 0).substr(bounds_of(*life.store, "TA", 0).find('-')), "-100");
    EXPECT_EQ(bounds_of(*life.store, "TC", 0), "no queue");
    if (start == 0) {
      EXPECT_THAT(life.report.warnings, Contains(HasSubstr("1 queues have no records left")));
      EXPECT_THAT(life.report.warnings, Contains(HasSubstr("TB#1 at 4")));
    } else {
      const auto placed = life.send({"next", "TB", 1});
      ASSERT_TRUE(placed);
      EXPECT_EQ(placed->queue_offset, QueueOffset{4});
    }
    ASSERT_TRUE(life.close());
  }
}

TEST_F(Recovery, ExtendsQueueEntriesAnewIfTheirExtensionIsGone) {
  options_.queues.writes_ext = true;
  options_.queues.ext_file_size_bytes = 1024;
  std::vector<std::string> before;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.save();
    send_some(life, kSent, kSent + 5);
    life.dispatch();
    before = answers(life);
  }
  for (const std::vector<std::string>& removed : {std::vector<std::string>{}, {"tern"}, {"consumequeue_ext", "tern"}}) {
    SCOPED_TRACE(removed.size());
    const auto disk = disk_.kill();
    for (const auto& directory : removed) remove_tree(*disk, "/store/" + directory);
    {
      StoreLife life(*disk, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      EXPECT_EQ(answers(life), before);
      ASSERT_TRUE(life.close());
    }
    StoreLife again(*disk, clock_, options_);
    ASSERT_TRUE(again) << again.problem.text;
    EXPECT_EQ(again.report.scanned_records, 0);
    EXPECT_EQ(answers(again), before) << "as read from the files";
    // The store time stands in the unit.
    const auto unit = test::read_text(*disk, "/store/consumequeue_ext/TA/1/00000000000000000000").substr(10, 8);
    const auto time = again->store_time(*again->find_queue("TA", 1), {0});
    ASSERT_TRUE(time);
    EXPECT_EQ(load_be<std::int64_t>(test::bytes_of(unit).data()), *time);
  }
}

// A wrong entry in the middle of a queue's files: what stands before it stays.
TEST_F(Recovery, RewritesAQueueFromItsFirstWrongEntryOn) {
  std::vector<std::string> before;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.dispatch();
    before = answers(life);
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/tern");
  const auto file = disk_.open("/store/consumequeue/TA/1/00000000000000000000", file::OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write(8 * kQueueEntrySize + 7, test::bytes_of(std::string("\x01"))));
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(answers(life), before);
  ASSERT_TRUE(life.close());
  StoreLife again(disk_, clock_, options_);
  EXPECT_EQ(answers(again), before);
}

// A broker of Apache's that is started on our directory by mistake removes index files before it asks for the lock.
// Keys may then be missing at the end, at the beginning or in between.
TEST_F(Recovery, TakesTheKeysOfAMissingIndexFileFromTheLogAgain) {
  options_.index.entries_max = 16;
  std::vector<std::string> before;
  for (const bool is_clean : {true, false}) {
    test::SimulatedDisk written({.clock = &clock_});
    {
      StoreLife life(written, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      send_some(life, 0, kSent);
      life.save();
      send_some(life, kSent, kSent + 5);
      life.dispatch();
      before = answers(life);
      if (is_clean) {
        ASSERT_TRUE(life.close());
      }
    }
    const auto files = files_in(written, "/store/index");
    ASSERT_GE(files.size(), 4U);
    for (const auto& [removed, content] : files) {
      for (const bool has_state : {true, false}) {
        SCOPED_TRACE(
            fmt::format("{} {}, {}", is_clean ? "closed" : "killed", removed, has_state ? "state" : "no state"));
        const auto disk = written.kill();
        ASSERT_TRUE(disk->remove(removed));
        if (!has_state) remove_tree(*disk, "/store/tern");
        StoreLife life(*disk, clock_, options_);
        ASSERT_TRUE(life) << life.problem.text;
        EXPECT_EQ(answers(life), before);
        life.upkeep();
        EXPECT_EQ(answers(life), before);
        ASSERT_TRUE(life.close());
        StoreLife again(*disk, clock_, options_);
        ASSERT_TRUE(again) << again.problem.text;
        EXPECT_EQ(again.report.scanned_records, 0);
        EXPECT_EQ(answers(again), before);
      }
    }
  }
}

TEST_F(Recovery, TellsTheBrokerOfQueuesThatItFoundInTheLogAlone) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 12);
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/tern");
  remove_tree(disk_, "/store/consumequeue");
  std::set<std::string> found;
  Store::Hooks hooks;
  hooks.queue_found = [&](std::string_view topic, std::int32_t id, QueueKind) {
    found.insert(fmt::format("{}#{}", topic, id));
  };
  StoreLife life(disk_, clock_, options_, hooks);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(found, (std::set<std::string>{"TA#0", "TA#1", "TB#0", "TB#1"}));
}

// The side file knows the queue, and the topic's own file may have been lost with the crash all the same.
TEST_F(Recovery, TellsTheBrokerOfEveryQueueThatTheStoreHas) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 4);
    life.save();
  }
  const auto disk = disk_.kill();
  std::set<std::string> found;
  Store::Hooks hooks;
  hooks.queue_found = [&](std::string_view topic, std::int32_t id, QueueKind) {
    found.insert(fmt::format("{}#{}", topic, id));
  };
  StoreLife life(*disk, clock_, options_, hooks);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_TRUE(life.report.used_side_file);
  EXPECT_EQ(found, (std::set<std::string>{"TA#0", "TA#1", "TB#0", "TB#1"}));
}

TEST_F(Recovery, LetsTheBrokerReadItsTablesOnlyInADirectoryOfItsOwn) {
  std::vector<bool> claimed;
  Store::Hooks hooks;
  hooks.claimed = [&](bool has_records) -> std::optional<std::string> {
    claimed.push_back(has_records);
    return std::nullopt;
  };
  for (const bool sends : {false, true, true}) {
    StoreLife life(disk_, clock_, options_, hooks);
    ASSERT_TRUE(life) << life.problem.text;
    if (sends) {
      ASSERT_TRUE(life.send({"body"}));
    }
  }
  // A segment is there from the first life on, a record from the second.
  EXPECT_EQ(claimed, (std::vector<bool>{false, false, true}));
  auto other = options_;
  other.identity.broker_name = "broker-b";
  StoreLife life(disk_, clock_, other, hooks);
  EXPECT_FALSE(life);
  EXPECT_EQ(claimed.size(), 3U);
}

TEST_F(Recovery, StopsWithTheTextOfTheBrokersTables) {
  Store::Hooks hooks;
  hooks.claimed = [](bool) -> std::optional<std::string> { return "topics.json: no JSON at byte 7"; };
  StoreLife life(disk_, clock_, options_, hooks);
  ASSERT_FALSE(life);
  EXPECT_EQ(life.problem.text, "topics.json: no JSON at byte 7");
}

TEST_F(Recovery, CutsATornTail) {
  LogPosition last;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    life.save();
    const auto placed = life.send({"torn"});
    ASSERT_TRUE(placed);
    last = placed->position;
    life.dispatch();
  }
  const auto disk = disk_.kill();
  flip_byte(*disk, last + 90);
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(life->max_position(), last);
  EXPECT_EQ(bodies_of(*life.store), bodies(20));
  EXPECT_THAT(life.report.warnings, ElementsAre(AllOf(HasSubstr(fmt::format("is cut at position {}", last)),
                                                      HasSubstr("/store/commitlog/"))));
  const auto placed = life.send({"after"});
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->position, last);
  life.dispatch();
  EXPECT_EQ(body_at(*life.store, "TA", 0, placed->queue_offset.value), "after");
}

// A flipped bit outside of the body is seen by the record's own CRC alone, and only by who asks for it.
TEST_F(Recovery, VerifiesTheCrcOfTheWholeRecordWhereThereIsOne) {
  options_.log.appends_crc = true;
  LogPosition last;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    life.batch.append_crcs(false);
    send_some(life, 0, 10);  // as stored before the key was set
    life.batch.append_crcs(true);
    send_some(life, 10, 20);
    life.save();
    const auto placed = life.send({"flipped", "TA", 0, "the key"});
    ASSERT_TRUE(placed);
    last = placed->position;
    life.dispatch();
  }
  for (const bool is_forced : {false, true}) {
    SCOPED_TRACE(is_forced);
    const auto disk = disk_.kill();
    flip_byte(*disk, last + 12 + 3);  // the queue id
    remove_tree(*disk, "/store/tern");
    options_.checks_appended_crc = is_forced;
    StoreLife life(*disk, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(life.report.scanned_records, is_forced ? 20 : 21);
    EXPECT_EQ(life->max_position() == last, is_forced);
  }
}

// Damage is not taken for a torn tail, wherever below the durable position it stands: where opening reads anyway, in
// the last bytes that tie the side file to the log, and where only the key index is behind.
class DamagedLog : public Recovery {
 protected:
  /// Segments stay as they are, and so does a state that there is.
  void expect_refusal(test::SimulatedDisk& disk, LogPosition record) {
    auto before = files_in(disk, "/store/commitlog");
    before.merge(files_in(disk, "/store/tern"));
    StoreLife life(disk, clock_, options_);
    ASSERT_FALSE(life) << "damage at " << record.value << ", tail " << life->max_position().value;
    EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kDamaged));
    EXPECT_THAT(life.problem.text, AllOf(HasSubstr("/store/commitlog"), HasSubstr(std::to_string(record.value))));
    for (const auto& [path, content] : before) EXPECT_EQ(test::read_text(disk, path), content) << path;
    EXPECT_EQ(std::ssize(files_in(disk, "/store/commitlog")), std::ranges::count_if(before, [](const auto& file) {
                return file.first.starts_with("/store/commitlog");
              }));
  }
  /// Sends [from, to), with so much time behind each; where message `noted` stands.
  LogPosition send_noting(StoreLife& life, int from, int to, int noted, int step_ms = 0) {
    LogPosition at{-1};
    for (int i = from; i < to; ++i) {
      const auto placed = life.send(message(i));
      EXPECT_TRUE(placed) << i;
      if (placed && i == noted) at = placed->position;
      clock_.advance_ms(step_ms);
    }
    return at;
  }
  static void write(file::Disk& disk, const std::map<std::string, std::string>& files) {
    for (const auto& [path, content] : files) {
      const auto file = disk.open(path, file::OpenMode::kCreate);
      ASSERT_TRUE(file && (*file)->resize(static_cast<std::int64_t>(content.size())) &&
                  (*file)->write(0, test::bytes_of(content)))
          << path;
    }
  }
};

TEST_F(DamagedLog, StopsStartUpAboveTheDispatchedPosition) {
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    life.flush();
    life.dispatch();
    damaged = send_noting(life, 20, 25, 22);
    life.flush();
    life.upkeep();
  }
  const auto disk = disk_.kill();
  flip_byte(*disk, damaged + 89);
  const auto before = files_in(*disk, "/store");
  expect_refusal(*disk, damaged);
  EXPECT_EQ(files_in(*disk, "/store"), before);
}

// Segments that are gone are no torn tail either, whichever and however the store was stopped.
TEST_F(DamagedLog, StopsStartUpIfItsLastSegmentsAreMissing) {
  for (const bool is_clean : {true, false}) {
    test::SimulatedDisk disk{test::SimulatedDiskOptions{.clock = &clock_}};
    std::size_t last = 0;  // that holds a record; more are prepared behind it
    {
      StoreLife life(disk, clock_, options_);
      ASSERT_TRUE(life) << life.problem.text;
      send_some(life, 0, 150);
      life.flush();
      life.dispatch();
      clock_.advance_ms(20'000);
      life.upkeep();
      last = static_cast<std::size_t>((life->max_position().value - 1) / kSegmentSize);
      if (is_clean) {
        ASSERT_TRUE(life.close());
      }
    }
    std::vector<std::string> segments;
    for (const auto& [path, content] : files_in(disk, "/store/commitlog")) segments.push_back(path);
    ASSERT_GT(last, 1U);
    for (const std::size_t left : {last, last - 1, std::size_t{0}}) {
      SCOPED_TRACE(fmt::format("{}, {} of {} left", is_clean ? "stopped" : "killed", left, segments.size()));
      const auto copy = disk.kill();
      for (std::size_t i = left; i < segments.size(); ++i) ASSERT_TRUE(copy->remove(segments[i]));
      auto before = files_in(*copy, "/store/commitlog");
      before.merge(files_in(*copy, "/store/consumequeue"));
      StoreLife life(*copy, clock_, options_);
      ASSERT_FALSE(life);
      EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kDamaged));
      EXPECT_THAT(life.problem.text, AllOf(HasSubstr("segments are missing"), HasSubstr("ternctl store repair")));
      auto after = files_in(*copy, "/store/commitlog");
      after.merge(files_in(*copy, "/store/consumequeue"));
      EXPECT_EQ(before, after);
    }
  }
}

TEST_F(DamagedLog, StopsStartUpInTheLastBytesOfACleanLog) {
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    const auto placed = life.send({"damaged"});
    ASSERT_TRUE(placed);
    damaged = placed->position;
    send_some(life, 20, 23);
    ASSERT_TRUE(life.close());
  }
  flip_byte(disk_, damaged + 89);
  expect_refusal(disk_, damaged);
}

TEST_F(DamagedLog, StopsStartUpWhereOnlyTheKeyIndexIsBehind) {
  options_.index.hash_slots = 4096;  // the more slots, the more bytes until a sync
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 3);
    life.save();  // the only sync of the index for ten seconds
    damaged = send_noting(life, 3, 2 * kSent, 5);
    life.save();
    ASSERT_TRUE(life.send({"not saved"}));
  }
  const auto disk = disk_.kill();
  flip_byte(*disk, damaged + 89);
  expect_refusal(*disk, damaged);
}

// A clean stop tears nothing: also without a state, the last record that is whole and has its entry says what was
// there. So it is when the refused start has left the marks of a crash.
TEST_F(DamagedLog, StopsStartUpAfterACleanStopWithoutAState) {
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    const auto placed = life.send({"damaged"});
    ASSERT_TRUE(placed);
    damaged = placed->position;
    ASSERT_TRUE(life.send({"behind"}));
    ASSERT_TRUE(life.close());
  }
  flip_byte(disk_, damaged + 89);
  ASSERT_TRUE(disk_.remove("/store/tern/state"));
  ASSERT_TRUE(disk_.remove("/store/checkpoint"));
  expect_refusal(disk_, damaged);
  ASSERT_TRUE(*disk_.exists("/store/abort"));
  expect_refusal(disk_, damaged);
}

// An entry alone says nothing: a power cut may have taken its record.
TEST_F(DamagedLog, IsNotWhatOnlyQueuesKnowOf) {
  LogPosition lost;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    const auto placed = life.send({"lost"});
    ASSERT_TRUE(placed);
    lost = placed->position;
    ASSERT_TRUE(life.close());
  }
  const auto segment = disk_.open("/store/commitlog/" + segment_name({0}), file::OpenMode::kReadWrite);
  ASSERT_TRUE(segment && (*segment)->resize(lost.value) && (*segment)->resize(kSegmentSize));
  remove_tree(disk_, "/store/tern");
  ASSERT_TRUE(disk_.remove("/store/checkpoint"));
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bodies_of(*life.store), bodies(20));
}

// Nor without queues: the segment behind was begun when this one was full.
TEST_F(DamagedLog, StopsStartUpInFrontOfWholeSegments) {
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    damaged = send_noting(life, 0, 150, 5);
    ASSERT_GT(life->max_position().value, 2 * kSegmentSize);
    ASSERT_TRUE(life.close());
  }
  flip_byte(disk_, damaged + 89);
  for (const auto* derived : {"/store/tern", "/store/consumequeue", "/store/index"}) remove_tree(disk_, derived);
  ASSERT_TRUE(disk_.remove("/store/checkpoint"));
  expect_refusal(disk_, damaged);
  expect_refusal(disk_, damaged);
}

// What Apache's broker appends stands above what our state knows, but is no torn tail.
TEST_F(DamagedLog, StopsStartUpInWhatAnotherBrokerAppended) {
  for (const bool is_clean : {true, false}) {
    for (const bool has_checkpoint : {true, false}) {
      SCOPED_TRACE(fmt::format("{}, {} checkpoint", is_clean ? "stopped" : "killed", has_checkpoint ? "a" : "no"));
      if (!is_clean && !has_checkpoint) continue;  // nobody vouches for it
      test::SimulatedDisk disk{test::SimulatedDiskOptions{.clock = &clock_}};
      {
        StoreLife life(disk, clock_, options_);
        ASSERT_TRUE(life) << life.problem.text;
        send_some(life, 0, 20);
        ASSERT_TRUE(life.close());
      }
      const auto ours = files_in(disk, "/store/tern");
      LogPosition damaged;
      {
        StoreLife life(disk, clock_, options_);
        ASSERT_TRUE(life) << life.problem.text;
        damaged = send_noting(life, 20, 150, 40, 100);
        if (is_clean) {
          ASSERT_TRUE(life.close());
        } else {
          life.save();
        }
      }
      const auto copy = disk.kill();
      write(*copy, ours);
      flip_byte(*copy, damaged + 89);
      if (!has_checkpoint) {
        ASSERT_TRUE(copy->remove("/store/checkpoint"));
      }
      expect_refusal(*copy, damaged);
      expect_refusal(*copy, damaged);
    }
  }
}

// The same with a state that knows queues whose files are gone.
TEST_F(DamagedLog, StopsEachStartUpThatWouldBuildQueuesAnew) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    ASSERT_TRUE(life.close());
  }
  const auto ours = files_in(disk_, "/store/tern");
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    damaged = send_noting(life, 20, 30, 25);
    ASSERT_TRUE(life.close());
  }
  write(disk_, ours);
  remove_tree(disk_, "/store/consumequeue/TB");
  ASSERT_TRUE(disk_.remove("/store/checkpoint"));
  flip_byte(disk_, damaged + 89);
  for (int start = 0; start < 2; ++start) {
    StoreLife life(disk_, clock_, options_);
    ASSERT_FALSE(life) << start;
    EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kDamaged));
  }
}

// A directory that Apache's broker wrote has no state of ours: its checkpoint says what was on the disk.
TEST_F(DamagedLog, StopsStartUpBelowWhatTheCheckpointKnows) {
  LogPosition damaged;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    damaged = send_noting(life, 0, 20, 10, 1000);
    life.save();
  }
  const auto disk = disk_.kill();
  remove_tree(*disk, "/store/tern");
  flip_byte(*disk, damaged + 89);
  expect_refusal(*disk, damaged);
  expect_refusal(*disk, damaged);  // and again
  ASSERT_TRUE(disk->remove("/store/checkpoint"));
  StoreLife life(*disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(bodies_of(*life.store), bodies(10));
}

TEST_F(DamagedLog, StopsStartUpWithoutAnySegmentIfTheCheckpointKnowsOfSome) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/tern");
  remove_tree(disk_, "/store/commitlog");
  expect_refusal(disk_, LogPosition{0});
  ASSERT_TRUE(disk_.remove("/store/checkpoint"));
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_THAT(life.report.warnings, Contains(HasSubstr("/store/commitlog has no segments, but")));
}

TEST_F(Recovery, RefusesADirectoryThatIsInUse) {
  disk_.lock_elsewhere("/store/lock", true);
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_FALSE(life);
    EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kInUse));
    EXPECT_THAT(life.problem.text, HasSubstr("/store/lock"));
    EXPECT_FALSE(*disk_.exists("/store/tern"));
  }
  disk_.lock_elsewhere("/store/lock", false);
  StoreLife life(disk_, clock_, options_);
  EXPECT_TRUE(life) << life.problem.text;
}

TEST_F(Recovery, RefusesTheStoreOfAnotherBroker) {
  ASSERT_TRUE(StoreLife(disk_, clock_, options_).close());
  auto other = options_;
  other.identity.broker_name = "broker-b";
  const auto before = files_in(disk_, "/store");
  StoreLife life(disk_, clock_, other);
  ASSERT_FALSE(life);
  EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kForeign));
  EXPECT_THAT(life.problem.text, AllOf(HasSubstr("broker-a"), HasSubstr("broker-b")));
  EXPECT_EQ(files_in(disk_, "/store"), before);
}

TEST_F(Recovery, RefusesARocksDbDirectory) {
  for (const auto* place : {"consumequeue", "config/topics", "config/rdb"}) {
    test::SimulatedDisk disk;
    ASSERT_TRUE(disk.make_directories(file::join("/store", place)));
    ASSERT_TRUE(test::write_text(disk, file::join(file::join("/store", place), "CURRENT"), "MANIFEST-000001\n"));
    StoreLife life(disk, clock_, options_);
    ASSERT_FALSE(life) << place;
    EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kForeign));
    EXPECT_THAT(life.problem.text, AllOf(HasSubstr(place), HasSubstr("RocksDB")));
  }
}

TEST_F(Recovery, RefusesBatchQueueFilesOfAnotherSize) {
  ASSERT_TRUE(disk_.make_directories("/store/batchconsumequeue/TB/0"));
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << "nothing is in it: " << life.problem.text;
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/tern");
  ASSERT_TRUE(test::write_text(disk_, "/store/batchconsumequeue/TB/0/00000000000000000000", "xx"));
  StoreLife life(disk_, clock_, options_);
  ASSERT_FALSE(life);
  EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kWrongSegmentSize));
  EXPECT_THAT(life.problem.text, AllOf(HasSubstr("TB"), HasSubstr("mapperFileSizeBatchConsumeQueue")));
}

TEST_F(Recovery, RefusesAnotherQueueFileSizeWithBothNumbers) {
  {
    StoreLife life(disk_, clock_, options_);
    send_some(life, 0, 40);
    ASSERT_TRUE(life.close());
  }
  const auto size = options_.queues.file_size_bytes;
  for (const bool has_state : {true, false}) {
    if (!has_state) remove_tree(disk_, "/store/tern");
    for (const auto wrong : {size / 2, size * 2, size * 1000}) {
      SCOPED_TRACE(fmt::format("{} instead of {}, {} a state", wrong, size, has_state ? "with" : "without"));
      const auto copy = disk_.kill();
      auto other = options_;
      other.queues.file_size_bytes = wrong;
      const auto before = files_in(*copy, "/store");
      StoreLife life(*copy, clock_, other);
      ASSERT_FALSE(life);
      EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kWrongSegmentSize));
      EXPECT_THAT(life.problem.text, AllOf(HasSubstr("mappedFileSizeConsumeQueue"), HasSubstr(std::to_string(size)),
                                           HasSubstr(std::to_string(wrong))));
      EXPECT_EQ(before, files_in(*copy, "/store"));
    }
  }
}

TEST_F(Recovery, RefusesAnotherSegmentSizeWithBothNumbers) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"body"}));
    ASSERT_TRUE(life.close());
  }
  auto other = options_;
  other.log.segment_size_bytes = 8192;
  const auto before = files_in(disk_, "/store");
  StoreLife life(disk_, clock_, other);
  ASSERT_FALSE(life);
  EXPECT_EQ(life.problem.error.code, make_error_code(Errc::kWrongSegmentSize));
  EXPECT_THAT(life.problem.text, AllOf(HasSubstr("4096"), HasSubstr("8192")));
  EXPECT_EQ(files_in(disk_, "/store"), before);
}

// A start that fails must not make the directory its own.
TEST_F(Recovery, ClaimsADirectoryOnlyOnceItsSizesFit) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life.send({"body"}));
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/tern");
  auto other = options_;
  other.identity.broker_name = "broker-b";
  other.log.segment_size_bytes = 8192;
  ASSERT_FALSE(StoreLife(disk_, clock_, other));
  EXPECT_FALSE(*disk_.exists("/store/tern"));
  StoreLife life(disk_, clock_, options_);
  EXPECT_TRUE(life) << life.problem.text;
}

TEST_F(Recovery, AsksTheScheduleHookForTagsOfTheScheduleTopicAlone) {
  Store::Hooks hooks;
  hooks.schedule_tags_code = [](std::string_view properties, std::int64_t store_timestamp) {
    return store_timestamp + static_cast<std::int64_t>(properties.size());
  };
  const Message delayed{"later", std::string(message::kScheduleTopic), 2, "key"};
  const auto due = clock_.wall_ms() + static_cast<std::int64_t>(properties_of(delayed).size());
  const auto tags_of = [](StoreLife& life, const Message& sent) {
    std::array<QueueEntry, 1> entry;
    const auto queue = life->find_queue(sent.topic, sent.queue_id);
    EXPECT_TRUE(queue && queue->read({0}, entry, false));
    return entry[0].tags_code;
  };
  {
    StoreLife life(disk_, clock_, options_, hooks);
    ASSERT_TRUE(life.send(delayed));
    ASSERT_TRUE(life.send({"now"}));
    life.dispatch();
    EXPECT_EQ(tags_of(life, delayed), due);
    EXPECT_EQ(tags_of(life, {"now"}), 0);
  }
  const auto disk = disk_.kill();
  StoreLife life(*disk, clock_, options_, hooks);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(tags_of(life, delayed), due);
  EXPECT_EQ(tags_of(life, {"now"}), 0);
}

TEST_F(Recovery, KeepsTheNextOffsetOfAQueueThatHoldsNothingAnyMore) {
  options_.delete_when = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
  options_.file_reserved_hours = 1;
  {
    StoreLife life(disk_, clock_, options_);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(life.send({"old", "TOld"}));
    send_some(life, 0, kSent);
    life.save();
    life.upkeep(2 * 3'600'000);
    EXPECT_EQ(bounds_of(*life.store, "TOld", 0), "3-3");
    ASSERT_TRUE(life.close());
  }
  remove_tree(disk_, "/store/consumequeue");
  for (int i = 0; i < 2; ++i) {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(bounds_of(*life.store, "TOld", 0), "3-3");
    ASSERT_TRUE(life.close());
  }
  StoreLife life(disk_, clock_, options_);
  const auto placed = life.send({"new", "TOld"});
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->queue_offset, QueueOffset{3});
}

}  // namespace
}  // namespace tern::store
