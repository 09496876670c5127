// Batch queues in a whole store: what dispatch makes of records that stand for several messages, and that neither a
// restart nor a crash nor a lost directory changes it.
#include <functional>

#include "store/store_fixture.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

Store::Hooks batch_hooks() {
  Store::Hooks hooks;
  hooks.queue_kind = [](std::string_view topic) {
    return std::optional(topic == "TB" ? QueueKind::kBatch : QueueKind::kSimple);
  };
  return hooks;
}

/// Every third is a message by itself.
Message batch_message(int i) {
  return {fmt::format("b{}", i),
          i % 4 == 3 ? "TA" : "TB",
          0,
          fmt::format("k{}", i),
          0,
          static_cast<std::int16_t>(i % 4 == 3 || i % 3 == 0 ? 0 : i % 7 + 1)};
}

/// Walks the log beside its queues: "topic first-end body" for each record that its queue holds rightly.
std::vector<std::string> walk(Store& store) {
  std::vector<std::string> lines;
  std::map<std::string, std::int64_t> next;
  for (auto at = store.min_position(); at < store.max_position();) {
    const auto record = store.record_at(at);
    if (!record) {
      at = store.log().next_segment(at);
      continue;
    }
    const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyCrc);
    const std::string topic(view->topic);
    const auto queue = store.find_queue(topic, view->queue_id);
    if (!queue) return {"no queue " + topic};
    auto& offset = next.try_emplace(topic, queue->bounds().min.value).first->second;
    std::array<QueueEntry, 1> entry;
    const auto count = queue->read({offset}, entry, false);
    if (!count || *count != 1 || entry[0].position != at || entry[0].size != view->total_size ||
        view->queue_offset != offset) {
      lines.push_back(fmt::format("{} {} is not that of {}", topic, offset, at));
    }
    const auto inner = message::find_property(view->properties, message::property::kInnerNum);
    if (inner) {
      const auto base = message::find_property(view->properties, message::property::kInnerBase);
      if (!base || std::stoll(std::string(*base)) != offset) lines.push_back("wrong INNER_BASE");
    }
    lines.push_back(fmt::format("{} {}-{} {}", topic, offset, offset + entry[0].count, test::text_of(view->body)));
    offset += entry[0].count;
    at += view->total_size;
  }
  for (const auto& [topic, end] : next) {
    const auto queue = store.find_queue(topic, 0);
    lines.push_back(fmt::format("{} ends at {}, {} next", topic, queue->bounds().max, queue->next_offset - end));
  }
  return lines;
}

class BatchQueues : public OnSimulatedDisk<> {
 protected:
  void send(StoreLife& life, int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(life.send(batch_message(i))) << i;
      clock_.advance_ms(1);
    }
    life.flush();
    life.dispatch();
  }
};

TEST_F(BatchQueues, CountMessagesAndTellRecords) {
  StoreLife life(disk_, clock_, options_, batch_hooks());
  ASSERT_TRUE(life) << life.problem.text;
  ASSERT_EQ(life.send({"one", "TB"})->queue_offset.value, 0);
  ASSERT_EQ(life.send({"five", "TB", 0, "k", 0, 5})->queue_offset.value, 1);
  ASSERT_EQ(life.send({"three", "TB", 0, "k", 0, 3})->queue_offset.value, 6);
  life.flush();
  life.dispatch();
  EXPECT_EQ(walk(*life.store),
            (std::vector<std::string>{"TB 0-1 one", "TB 1-6 five", "TB 6-9 three", "TB ends at 9, 0 next"}));
  EXPECT_TRUE(disk_.exists("/store/commitlog").value());
  ASSERT_TRUE(life.close());
  EXPECT_TRUE(disk_.exists("/store/batchconsumequeue/TB/0/00000000000000000000").value());
  EXPECT_FALSE(disk_.exists("/store/consumequeue/TB").value());
}

TEST_F(BatchQueues, AreTheSameAfterEveryKindOfRestart) {
  std::vector<std::string> before;
  {
    StoreLife life(disk_, clock_, options_, batch_hooks());
    send(life, 0, 120);
    before = walk(*life.store);
    ASSERT_TRUE(life.close());
  }
  const std::pair<const char*, std::function<void()>> kCases[] = {
      {"clean stop", [] {}},
      {"side files gone", [&] { remove_tree(disk_, "/store/tern"); }},
      {"directory gone", [&] { remove_tree(disk_, "/store/batchconsumequeue"); }},
      {"both gone",
       [&] {
         remove_tree(disk_, "/store/tern");
         remove_tree(disk_, "/store/batchconsumequeue");
       }},
      {"entry damaged",
       [&] {
         remove_tree(disk_, "/store/tern");
         const auto file = disk_.open("/store/batchconsumequeue/TB/0/00000000000000000000", file::OpenMode::kReadWrite);
         ASSERT_TRUE((*file)->write(46 * 7 + 37, test::bytes_of(std::string("\x55"))));
       }},
      {"store time of an entry damaged",
       [&] {
         remove_tree(disk_, "/store/tern");
         const auto file = disk_.open("/store/batchconsumequeue/TB/0/00000000000000000000", file::OpenMode::kReadWrite);
         ASSERT_TRUE((*file)->write(46 * 9 + 25, test::bytes_of(std::string("\x55"))));
       }},
  };
  for (const auto& [what, damage] : kCases) {
    SCOPED_TRACE(what);
    damage();
    StoreLife life(disk_, clock_, options_, batch_hooks());
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(walk(*life.store), before);
    const auto queue = life->find_queue("TB", 0);
    std::array<QueueEntry, 1> entry;
    for (auto at = queue->bounds().min; at < queue->bounds().max; at += entry[0].count) {
      ASSERT_EQ(queue->read(at, entry, false).value(), 1U);
      ASSERT_EQ(entry[0].store_timestamp, life->store_time(*queue, at).value());
    }
    ASSERT_TRUE(life.close());
  }
}

TEST_F(BatchQueues, FindOffsetsByTimeAsApache) {
  StoreLife life(disk_, clock_, options_, batch_hooks());
  std::vector<std::pair<std::int64_t, std::int64_t>> batches;  // time, first offset
  for (int i = 0; i < 10; ++i) {
    clock_.advance_ms(10);
    const auto placed = life.send({"b", "TB", 0, "k", 0, 4});
    batches.emplace_back(placed->store_timestamp, placed->queue_offset.value);
  }
  life.flush();
  life.dispatch();
  const auto queue = life->find_queue("TB", 0);
  const auto find = [&](std::int64_t time, TimeBoundary boundary) {
    return life->offset_by_time(*queue, time, boundary).value().value;
  };
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto [time, first] = batches[i];
    EXPECT_EQ(find(time, TimeBoundary::kLower), first);
    EXPECT_EQ(find(time, TimeBoundary::kUpper), first);
    EXPECT_EQ(find(time - 5, TimeBoundary::kLower), first);
    EXPECT_EQ(find(time + 5, TimeBoundary::kUpper), first);
  }
  EXPECT_EQ(find(0, TimeBoundary::kLower), 0);
  EXPECT_EQ(find(0, TimeBoundary::kUpper), 0);
  EXPECT_EQ(find(INT64_MAX, TimeBoundary::kLower), 36);  // the last record's, where a simple queue says its end
  EXPECT_EQ(find(INT64_MAX, TimeBoundary::kUpper), 36);
}

TEST_F(BatchQueues, GoOnWhereTheyEndedAfterRetentionTookEverything) {
  options_.file_reserved_hours = 1;
  options_.delete_when = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";
  std::int64_t end = 0;
  {
    StoreLife life(disk_, clock_, options_, batch_hooks());
    send(life, 0, 40);
    end = life->find_queue("TB", 0)->bounds().max.value;
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(life.send({std::string(200, 'x'), "TA"}));
    life.save();
    clock_.advance_ms(2 * 3'600'000);
    for (int i = 0; i < 3; ++i) life.upkeep(kRetentionEveryMs);
    EXPECT_EQ(bounds_of(*life.store, "TB", 0), fmt::format("{0}-{0}", end));
    life.kill();
  }
  for (int round = 0; round < 2; ++round) {
    StoreLife life(disk_, clock_, options_, batch_hooks());
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(bounds_of(*life.store, "TB", 0), fmt::format("{0}-{0}", end));
    if (round == 1) {
      EXPECT_EQ(life.send({"next", "TB", 0, "k", 0, 3})->queue_offset.value, end);
      life.save();
      EXPECT_EQ(bounds_of(*life.store, "TB", 0), fmt::format("{}-{}", end, end + 3));
    }
  }
}

TEST_F(BatchQueues, DoNotOpenWithTheOtherKindsAttribute) {
  {
    StoreLife life(disk_, clock_, options_, batch_hooks());
    send(life, 0, 9);
    ASSERT_TRUE(life.close());
  }
  for (const bool with_state : {true, false}) {
    if (!with_state) remove_tree(disk_, "/store/tern");
    Store::Hooks hooks;
    hooks.queue_kind = [](std::string_view) { return std::optional(QueueKind::kSimple); };
    StoreLife life(disk_, clock_, options_, std::move(hooks));
    ASSERT_FALSE(life);
    EXPECT_EQ(life.problem.error.code, Errc::kForeign);
    EXPECT_NE(life.problem.text.find("/store/batchconsumequeue holds queues of topic TB"), std::string::npos)
        << life.problem.text;
  }
  // Nobody knows the topic: the directory says what it is, and the broker is told.
  Store::Hooks hooks;
  std::map<std::string, QueueKind> found;
  hooks.queue_found = [&](std::string_view topic, std::int32_t, QueueKind kind) { found[std::string(topic)] = kind; };
  StoreLife life(disk_, clock_, options_, std::move(hooks));
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ(found["TB"], QueueKind::kBatch);
  EXPECT_EQ(found["TA"], QueueKind::kSimple);
}

struct Sent {
  std::vector<LogPosition> ends;
  std::size_t durable = 0;
};

bool send_some(StoreLife& life, Sent& sent, int from, int to) {
  for (int i = from; i < to; ++i) {
    if (!life.send(batch_message(i))) return false;
    sent.ends.push_back(life.batch.records().front().placement.position + life.batch.records().front().total_size);
    if (i % 2 == 0) life.flush();
    const auto durable = life->log().watermarks().durable();
    while (sent.durable < sent.ends.size() && sent.ends[sent.durable] <= durable) ++sent.durable;
    if (i % 3 != 0) life.dispatch();
    if (i % 4 == 3) life.upkeep();
    if (life.disk.crashed()) return false;
  }
  return true;
}

// Whatever the moment of the crash: every durable record is in its queue with all its offsets, which follow each other,
// and the next one goes on behind them.
TEST(BatchQueuesCrash, KeepOffsetsWithoutGapAtEveryOperation) {
  auto options = small_store("SYNC_FLUSH");
  options.log.segment_size_bytes = 2048;
  options.log.prepare_ahead_bytes = 4096;
  options.queues.file_size_bytes = 8 * kQueueEntrySize;
  options.queues.batch_file_size_bytes = 6 * kBatchEntrySize;
  const auto tried = test::crash_at_every_operation(
      [&](test::SimulatedDisk& disk) {
        Sent sent;
        test::ManualClock clock(1'700'000'000'000);
        StoreLife life(disk, clock, options, batch_hooks());
        if (!life || !send_some(life, sent, 0, 36)) return sent;
        if (life.close()) sent.durable = sent.ends.size();
        return sent;
      },
      [&](test::SimulatedDisk& disk, const auto&, const Sent& sent) {
        test::ManualClock clock(1'700'000'000'000 + 86'400'000);
        for (int life_number = 0; life_number < 2; ++life_number) {
          StoreLife life(disk, clock, options, batch_hooks());
          ASSERT_TRUE(life) << life.problem.text;
          const auto lines = walk(*life.store);
          std::size_t records = 0;
          for (const auto& line : lines) {
            ASSERT_EQ(line.find("is not that"), std::string::npos) << line;
            ASSERT_EQ(line.find("wrong"), std::string::npos) << line;
            if (line.find(" ends at ") == std::string::npos) {
              if (life_number == 0) {
                ASSERT_TRUE(line.ends_with(" " + batch_message(static_cast<int>(records)).body)) << line;
              }
              ++records;
            } else {
              ASSERT_TRUE(line.ends_with(", 0 next")) << line;
            }
          }
          ASSERT_GE(records, sent.durable);
          Sent after;
          ASSERT_TRUE(send_some(life, after, 100, 104));
          life.kill();
        }
      });
  EXPECT_GT(tried.points, 100);
}

}  // namespace
}  // namespace tern::store
