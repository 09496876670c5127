// Reading by position, time and key: what a client may ask for, sensible or not.

#include "tern/base/byte_order.hpp"
#include "tern/base/log.hpp"
#include "tern/message/record_layout.hpp"

#include "store/store_fixture.hpp"

namespace tern::store {
namespace {

class ReadTest : public OnSimulatedDisk<> {
 protected:
  std::int64_t by_time(std::int64_t timestamp_ms, TimeBoundary boundary) {
    const auto queue = life_->find_queue("TA", 0);
    const auto offset = life_->offset_by_time(*queue, timestamp_ms, boundary);
    EXPECT_TRUE(offset) << offset.error().text();
    return offset ? offset->value : -1;
  }
  std::vector<LogPosition> query(std::string_view key, int count_max = 64, std::int64_t begin_ms = 0,
                                 std::int64_t end_ms = INT64_MAX) {
    const auto found = life_->query("TA", key, count_max, begin_ms, end_ms);
    EXPECT_TRUE(found) << found.error().text();
    return found ? found->positions : std::vector<LogPosition>{};
  }

  /// Of a store of its own, which reads from its files at once.
  const StoreOptions& cold() {
    cold_.log.hot_bytes = 0;
    cold_.root = "/cold";
    cold_.log.directory = "/cold/commitlog";
    cold_.queues.directory = "/cold/consumequeue";
    cold_.queues.batch_directory = "/cold/batchconsumequeue";
    cold_.index.directory = "/cold/index";
    return cold_;
  }

  StoreLife life_{disk_, clock_, options_};
  StoreOptions cold_ = small_store();
};

TEST_F(ReadTest, KnowsTheStoreTimeOfTheOldestRecord) {
  EXPECT_EQ(life_->earliest_store_time().error().code, make_error_code(Errc::kNotFound));
  ASSERT_TRUE(life_.send({"first"}));
  const auto first_ms = clock_.wall_ms();
  clock_.advance_ms(10);
  ASSERT_TRUE(life_.send({"second"}));
  EXPECT_EQ(life_->earliest_store_time().value(), first_ms);
}

// Whoever takes it for gone passes over it.
TEST_F(ReadTest, DoesNotTakeADiskThatFailsForARecordThatIsGone) {
  StoreLife life(disk_, clock_, cold());
  ASSERT_TRUE(life) << life.problem.text;
  const auto placed = life.send({"body"});
  ASSERT_TRUE(placed);
  life.flush();
  for (const int read : {1, 2}) {
    disk_.fail_read_at(disk_.reads() + read, EIO);
    const auto record = life->record_at(placed->position);
    ASSERT_FALSE(record) << read;
    EXPECT_EQ(record.error().code, std::errc::io_error) << read << ": " << record.error().text();
  }
  EXPECT_TRUE(life->record_at(placed->position));
}

TEST_F(ReadTest, FindsTheRecordAtItsPositionAndNowhereElse) {
  const auto first = life_.send({"first"});
  const auto second = life_.send({"second"});
  ASSERT_TRUE(first && second);
  const auto record = life_->record_at(second->position);
  ASSERT_TRUE(record);
  const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyCrc);
  ASSERT_TRUE(view);
  EXPECT_EQ(test::text_of(view->body), "second");
  EXPECT_EQ(view->store_timestamp, clock_.wall_ms());
  for (std::int64_t at = -2; at < life_->max_position().value + 20; ++at) {
    if (LogPosition{at} == first->position || LogPosition{at} == second->position) continue;
    const auto found = life_->record_at({at});
    ASSERT_FALSE(found) << at;
    EXPECT_EQ(found.error().code, make_error_code(Errc::kNotFound));
  }
  for (const std::int64_t far : {kSegmentSize, 5 * kSegmentSize, INT64_MAX - 7, INT64_MAX, INT64_MIN}) {
    EXPECT_FALSE(life_->record_at({far})) << far;
  }
}

// A body may hold what looks like a record, with a size of its sender's choice.
TEST_F(ReadTest, TakesNoBytesInsideABodyForARecord) {
  for (const std::int64_t wrong_by : {0, 1}) {
    const auto end = life_->max_position().value;
    const auto body_at = end + kBareSize - 5;  // topic, its length and that of the properties stand behind
    auto inner = message::encode_record(parts_of("inner"), 0, body_at - 1 + wrong_by, clock_.wall_ms());
    if (wrong_by == 0) store_be(reinterpret_cast<std::byte*>(inner.data()), std::int32_t{0x7FFF'FFF0});
    ASSERT_TRUE(life_.send({inner}));
    for (auto at = end + 1; at < life_->max_position().value; ++at) {
      if (at == body_at && wrong_by == 1) continue;  // lies about nothing: it is a record, byte for byte
      EXPECT_FALSE(life_->record_at({at})) << at;
    }
  }
}

// What a reader passes over must have left the log: nothing else may be taken for that.
TEST_F(ReadTest, TellsAnEntryThatIsWrongFromOneWhoseRecordIsGone) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(life_.send({fmt::format("body {:02}", i)}));
  life_.dispatch();
  const auto queue = life_->find_queue("TA", 0);
  std::array<QueueEntry, 1> entry;
  const auto code_of = [&](std::int64_t offset, const QueueEntry& named) {
    const auto record = life_->record_of(*queue, {offset}, named);
    return record ? std::error_code() : record.error().code;
  };
  ASSERT_EQ(queue->read({99}, entry, false).value(), 1U);
  const auto last = entry[0];
  ASSERT_EQ(queue->read({5}, entry, false).value(), 1U);
  const auto whole = entry[0];
  EXPECT_EQ(code_of(5, whole), std::error_code());
  for (int bit = 0; bit < 63; ++bit) {
    const QueueEntry wrong{{whole.position.value ^ std::int64_t{1} << bit}, whole.size, whole.tags_code};
    EXPECT_EQ(code_of(5, wrong), make_error_code(Errc::kDamaged)) << "bit " << bit << " of the position";
  }
  for (int bit = 0; bit < 31; ++bit) {
    const QueueEntry wrong{whole.position, whole.size ^ std::int32_t{1} << bit, whole.tags_code};
    EXPECT_EQ(code_of(5, wrong), make_error_code(Errc::kDamaged)) << "bit " << bit << " of the size";
  }
  EXPECT_EQ(code_of(5, last), make_error_code(Errc::kDamaged)) << "another record";

  // Its segment goes first, then the entries.
  life_.flush();
  ASSERT_TRUE(life_->log().remove_before({kSegmentSize}));
  ASSERT_EQ(life_->min_position().value, kSegmentSize);
  ASSERT_GT(life_->min_position(), whole.position);
  ASSERT_EQ(queue->bounds().min.value, 0);
  EXPECT_EQ(code_of(5, whole), make_error_code(Errc::kNotFound));
  ASSERT_TRUE(life_->queues().forget_before(life_->min_position()));
  ASSERT_GT(queue->bounds().min.value, 5);
  EXPECT_EQ(code_of(99, whole), make_error_code(Errc::kDamaged)) << "older ones are there";
  EXPECT_EQ(code_of(99, last), std::error_code());
}

// The entry is right. Nothing makes the record whole again, so it is named and passed over.
TEST_F(ReadTest, NamesARecordThatIsDamagedBehindItsHead) {
  StoreLife life(disk_, clock_, cold());
  ASSERT_TRUE(life) << life.problem.text;
  const auto placed = life.send({"body"});
  ASSERT_TRUE(placed);
  life.flush();
  life.dispatch();
  const auto queue = life->find_queue("TA", 0);
  std::array<QueueEntry, 1> entry;
  ASSERT_EQ(queue->read({0}, entry, false).value(), 1U);
  ASSERT_TRUE(life->record_of(*queue, {0}, entry[0]));
  const auto body_size_at = placed->position.value + message::offset_of::body(false, false) - 4;
  const auto file = disk_.open("/cold/commitlog/" + segment_name({0}), file::OpenMode::kReadWrite);
  ASSERT_TRUE(file && (*file)->write(body_size_at, test::bytes_of(std::string_view("\x7f"))));
  const auto errors = log_counts().errors;
  const auto record = life->record_of(*queue, {0}, entry[0]);
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, make_error_code(Errc::kNotFound));
  EXPECT_EQ(log_counts().errors, errors + 1);
}

TEST_F(ReadTest, FindsTheRecordAtItsPositionAcrossSegments) {
  std::vector<Placement> placements;
  for (int i = 0; i < 120; ++i) {
    const auto placed = life_.send({fmt::format("body {}", i)});
    ASSERT_TRUE(placed);
    placements.push_back(*placed);
  }
  for (std::size_t i = 0; i < placements.size(); ++i) {
    const auto record = life_->record_at(placements[i].position);
    ASSERT_TRUE(record) << i;
    EXPECT_NE(record->find(fmt::format("body {}", i)), std::string::npos);
  }
}

// Store times 100, 200, 200, 200, 300 after the start: offsets 0 to 4.
TEST_F(ReadTest, FindsOffsetsByTimeExactlyAtTies) {
  const auto start = clock_.wall_ms();
  for (const std::int64_t after : {100, 200, 200, 200, 300}) {
    clock_.set_wall_ms(start + after);
    ASSERT_TRUE(life_.send({"body"}));
  }
  life_.dispatch();
  struct Row {
    std::int64_t after, lower, upper;
  };
  for (const auto& row : {Row{0, 0, 0}, Row{99, 0, 0}, Row{100, 0, 0}, Row{101, 1, 0}, Row{199, 1, 0}, Row{200, 1, 3},
                          Row{201, 4, 3}, Row{299, 4, 3}, Row{300, 4, 4}, Row{301, 5, 4}, Row{1'000'000, 5, 4}}) {
    EXPECT_EQ(by_time(start + row.after, TimeBoundary::kLower), row.lower) << row.after;
    EXPECT_EQ(by_time(start + row.after, TimeBoundary::kUpper), row.upper) << row.after;
  }
}

TEST_F(ReadTest, FindsTheBeginOfAnEmptyQueueAtAnyTime) {
  ASSERT_TRUE(life_->queue("TA", 0));
  for (const auto boundary : {TimeBoundary::kLower, TimeBoundary::kUpper}) {
    EXPECT_EQ(by_time(0, boundary), 0);
    EXPECT_EQ(by_time(INT64_MAX, boundary), 0);
  }
}

TEST_F(ReadTest, FindsOffsetsByTimeInFilesToo) {
  const auto start = clock_.wall_ms();
  constexpr int kSent = 450;  // three queue files
  for (int i = 0; i < kSent; ++i) {
    clock_.set_wall_ms(start + i / 3 * 10);
    ASSERT_TRUE(life_.send({fmt::format("body {}", i)}));
  }
  life_.dispatch();
  ASSERT_TRUE(life_.close());
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  const auto queue = life->find_queue("TA", 0);
  for (int i = 0; i < kSent; i += 3) {
    EXPECT_EQ(life->offset_by_time(*queue, start + i / 3 * 10, TimeBoundary::kLower)->value, i);
    EXPECT_EQ(life->offset_by_time(*queue, start + i / 3 * 10, TimeBoundary::kUpper)->value, i + 2);
  }
}

TEST_F(ReadTest, GivesTheStoreTimeOfEachEntry) {
  const auto start = clock_.wall_ms();
  ASSERT_TRUE(life_.send({"body"}));
  clock_.advance_ms(7);
  ASSERT_TRUE(life_.send({"body"}));
  life_.dispatch();
  const auto queue = life_->find_queue("TA", 0);
  EXPECT_EQ(*life_->store_time(*queue, {0}), start);
  EXPECT_EQ(*life_->store_time(*queue, {1}), start + 7);
  for (const std::int64_t outside : {-1, 2}) {
    EXPECT_EQ(life_->store_time(*queue, {outside}).error().code, make_error_code(Errc::kNotFound)) << outside;
  }
}

TEST_F(ReadTest, FindsKeysNewestFirstWithinATimeRange) {
  const auto start = clock_.wall_ms();
  std::vector<LogPosition> positions;
  for (int i = 0; i < 6; ++i) {
    const auto placed = life_.send({"body", "TA", i % 2, i % 2 == 0 ? "even both" : "odd both"});
    ASSERT_TRUE(placed);
    positions.push_back(placed->position);
    clock_.advance_ms(2000);
  }
  life_.dispatch();
  for (const bool is_written : {false, true}) {
    SCOPED_TRACE(is_written);
    if (is_written) life_.upkeep();
    EXPECT_EQ(query("even"), (std::vector{positions[4], positions[2], positions[0]}));
    EXPECT_EQ(query("odd"), (std::vector{positions[5], positions[3], positions[1]}));
    EXPECT_EQ(query("both", 2), (std::vector{positions[5], positions[4]}));
    EXPECT_EQ(query("both", 64, start + 4000, start + 6000), (std::vector{positions[3], positions[2]}));
    EXPECT_TRUE(query("neither").empty());
    EXPECT_TRUE(life_->query("TB", "both", 64, 0, INT64_MAX)->positions.empty());
  }
}

}  // namespace
}  // namespace tern::store
