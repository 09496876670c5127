#include "tern/store/commit_log.hpp"

#include "store/log/log_fixture.hpp"
#include "store/log_tail.hpp"
#include "support/simulated_disk.hpp"
#include "support/temporary_directory.hpp"

namespace tern::store {
namespace {

/// On the real file system, steps by hand.
class CommitLogTest : public ::testing::Test {
 protected:
  void open(const char* policy = "ASYNC_FLUSH", std::int64_t segment_size = 4096) {
    log_.reset();
    options_ = small_log(directory_.file("commitlog"), segment_size);
    options_.flush_policy = policy;
    auto opened = open_log(*disk_, clock_, options_);
    ASSERT_TRUE(opened.log) << opened.problem;
    log_ = std::move(opened.log);
    found_ = std::move(opened.found);
    prepare(*log_);
  }
  std::string read(LogPosition position, std::size_t size) {
    std::string text(size, '?');
    const auto done = log_->read(position, std::as_writable_bytes(std::span(text)));
    return done ? text : done.error().text();
  }
  std::string segment(std::int64_t start) { return options_.directory + "/" + segment_name({start}); }
  /// Bytes that fill a segment of 4096 but for `left`.
  void fill_all_but(std::int64_t left) {
    const auto into = log_->watermarks().published().value % 4096;
    ASSERT_TRUE(append(*log_, queue_, std::string(static_cast<std::size_t>(4096 - into - left - kBareSize), 'f')));
  }

  const test::TemporaryDirectory directory_;
  const std::unique_ptr<file::Disk> disk_ = file::make_real_disk();
  test::ManualClock clock_;
  LogOptions options_;
  std::unique_ptr<CommitLog> log_;
  Scanned found_;
  std::shared_ptr<Queue> queue_ = std::make_shared<OffsetsOnly>();
};

// The record of an Apache broker, 5.5.0, byte for byte.
TEST_F(CommitLogTest, StoresTheBytesThatApacheStores) {
  open();
  clock_.set_wall_ms(0x000001a202a69eaa);
  const std::string properties =
      "MSG_REGION\1DefaultRegion\2UNIQ_KEY\1"
      "7F000001ABCD18B4AAC2000000000001\2CLUSTER\1VC\2TAGS\1TagA\2KEYS\1k1 k2\2"
      "TRACE_ON\1true\2";
  auto parts = parts_of("hello", "TA", properties);
  parts.born_timestamp = 0x000001a202a69e92;
  parts.born_host.port = 0xe92e;
  parts.store_host.port = 0x5597;
  AppendBatch batch;
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts, queue_));
  log_->append(batch);

  constexpr unsigned char kFront[] = {
      0x00, 0x00, 0x00, 0xd3, 0xda, 0xa3, 0x20, 0xa7, 0x36, 0x10, 0xa6, 0x86, 0,    0,    0,    0,    0,
      0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
      0,    0,    0,    0,    0,    0,    0x00, 0x00, 0x01, 0xa2, 0x02, 0xa6, 0x9e, 0x92, 0x7f, 0x00, 0x00,
      0x01, 0x00, 0x00, 0xe9, 0x2e, 0x00, 0x00, 0x01, 0xa2, 0x02, 0xa6, 0x9e, 0xaa, 0x7f, 0x00, 0x00, 0x01,
      0x00, 0x00, 0x55, 0x97, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x00,
      0x00, 0x00, 0x05, 'h',  'e',  'l',  'l',  'o',  0x02, 'T',  'A',  0x00, 0x71};
  const std::string expected = std::string(reinterpret_cast<const char*>(kFront), sizeof(kFront)) + properties;
  ASSERT_EQ(expected.size(), 211);
  EXPECT_EQ(read({0}, 211), expected);
  EXPECT_EQ(test::read_text(*disk_, segment(0)).substr(0, 212), expected + '\0');
  EXPECT_EQ(queue_->next_offset, 1);
}

TEST_F(CommitLogTest, PlacesRecordsOneAfterTheOtherAndPublishesThem) {
  open();
  queue_->next_offset = 7;
  const auto one = append(*log_, queue_, "one");
  const auto two = append(*log_, queue_, "two!");
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->position, LogPosition{0});
  EXPECT_EQ(two->position, LogPosition{kBareSize + 3});
  EXPECT_EQ(one->queue_offset, QueueOffset{7});
  EXPECT_EQ(two->queue_offset, QueueOffset{8});
  EXPECT_EQ(two->store_timestamp, clock_.wall_ms());
  EXPECT_EQ(log_->watermarks().published(), two->position + kBareSize + 4);
  EXPECT_EQ(log_->watermarks().visible(), log_->watermarks().published());
  EXPECT_EQ(log_->last_store_timestamp(), clock_.wall_ms());
}

TEST_F(CommitLogTest, TakesNoQueueOffsetForAPreparedRecord) {
  open();
  queue_->next_offset = 7;
  auto parts = parts_of("half");
  parts.sys_flag = message::kSysTransactionPrepared;
  AppendBatch batch;
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts, nullptr));
  ASSERT_TRUE(batch.stage(parts_of("whole"), queue_));
  log_->append(batch);
  EXPECT_EQ(batch.records()[0].placement.queue_offset, QueueOffset{0});
  EXPECT_EQ(batch.records()[1].placement.queue_offset, QueueOffset{7});
  EXPECT_EQ(queue_->next_offset, 8);
}

TEST_F(CommitLogTest, RollsWithABlankWhenLessThanEightBytesWouldBeLeft) {
  for (const auto left : {8, 7}) {
    open();
    const auto before = log_->watermarks().published();
    const auto end = log_->next_segment(before);
    fill_all_but(100 + kBareSize);
    const auto at = log_->watermarks().published();
    ASSERT_EQ(end - at, 100 + kBareSize);
    const auto placed = append(*log_, queue_, std::string(static_cast<std::size_t>(100 - left), 'x'));
    ASSERT_TRUE(placed) << left;
    if (left == 8) {
      EXPECT_EQ(placed->position, at);
      EXPECT_EQ(log_->watermarks().published(), end - 8);
      prepare(*log_);
      ASSERT_TRUE(append(*log_, queue_, "next"));  // a blank of exactly eight bytes
      EXPECT_EQ(read(end - 8, 8), std::string("\0\0\0\x08\xCB\xD4\x31\x94", 8));
    } else {
      EXPECT_EQ(placed->position, end);
      EXPECT_EQ(read(at, 8), std::string("\0\0\0\xC1\xCB\xD4\x31\x94", 8));
      EXPECT_EQ(read(at + 8, 20), std::string(20, '\0'));
    }
    EXPECT_EQ(scan_all(*log_).end, log_->watermarks().published());
  }
}

TEST_F(CommitLogTest, KeepsAGroupInOneSegment) {
  open();
  fill_all_but(500);
  const auto at = log_->watermarks().published();
  AppendBatch batch;
  append(*log_, batch, queue_, {std::string(200, 'a'), std::string(200, 'b')});  // each would fit, both do not
  EXPECT_EQ(batch.records()[0].placement.position, LogPosition{4096});
  EXPECT_EQ(batch.records()[1].placement.position, LogPosition{4096 + 200 + kBareSize});
  EXPECT_EQ(read(at, 8), std::string("\0\0\x01\xF4\xCB\xD4\x31\x94", 8));
}

TEST_F(CommitLogTest, RefusesWhatIsLargerThanASegmentAndPlacesTheRest) {
  open();
  const auto largest = static_cast<std::size_t>(4096 - 8 - kBareSize);
  AppendBatch batch;
  const std::string too_large(largest + 1, 'x');
  const std::string small = "small";
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of(small), queue_));
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of(small), queue_));
  ASSERT_TRUE(batch.stage(parts_of(too_large), queue_));
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of(small), queue_));
  log_->append(batch);
  EXPECT_TRUE(batch.is_settled());
  EXPECT_FALSE(batch.records()[0].error);
  EXPECT_EQ(batch.records()[1].error, Errc::kRecordTooLarge);
  EXPECT_EQ(batch.records()[2].error, Errc::kRecordTooLarge);
  EXPECT_FALSE(batch.records()[3].error);
  EXPECT_EQ(queue_->next_offset, 2);
  EXPECT_TRUE(append(*log_, queue_, std::string(largest, 'y')));
}

TEST_F(CommitLogTest, RefusesWhatIsNotPreparedAndPlacesItLater) {
  open();
  int told = 0;
  log_->on_prepared([&told] { ++told; });
  AppendBatch batch;
  const std::string body(1500, 'b');
  while (batch.groups().size() < 12) {
    batch.begin_group();
    ASSERT_TRUE(batch.stage(parts_of(body), queue_));
  }
  log_->append(batch);
  ASSERT_FALSE(batch.is_settled());
  const auto placed = batch.groups().size() - batch.pending_groups().size();
  EXPECT_GT(placed, 0);
  for (std::size_t i = 0; i < batch.records().size(); ++i) {
    EXPECT_EQ(batch.records()[i].error, i < placed ? std::nullopt : std::optional(Errc::kNotReady)) << i;
  }
  EXPECT_EQ(queue_->next_offset, static_cast<std::int64_t>(placed));
  EXPECT_GT(log_->counters().not_ready, 0);
  clock_.advance_ms(40);
  EXPECT_EQ(log_->not_ready_for_ms(), 40);

  log_->segments_step();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(log_->not_ready_for_ms(), 0);
  for (int i = 0; i < 10 && !batch.is_settled(); ++i) {
    log_->append(batch);
    prepare(*log_);
  }
  ASSERT_TRUE(batch.is_settled());
  for (std::size_t i = 0; i < batch.records().size(); ++i) {
    EXPECT_FALSE(batch.records()[i].error);
    EXPECT_EQ(batch.records()[i].placement.queue_offset.value, static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(scan_all(*log_).bodies.size(), 12);
}

// The group got kNotReady from a look that was older than the last step: that step has told nobody about it.
TEST_F(CommitLogTest, TellsWaitersEvenIfNothingMoreHadToBePrepared) {
  open();
  int told = 0;
  log_->on_prepared([&told] { ++told; });
  log_->segments_step();
  EXPECT_EQ(told, 0);
  AppendBatch batch;
  for (int i = 0; i < 12; ++i) {
    batch.begin_group();
    ASSERT_TRUE(batch.stage(parts_of(""), queue_));
  }
  log_->append(batch);
  while (batch.is_settled()) {
    append(*log_, batch, queue_, {std::string(1500, 'b')});
  }
  log_->segments_step();
  EXPECT_EQ(told, 1);
  log_->segments_step();
  log_->segments_step();
  EXPECT_LE(told, 2);
}

TEST_F(CommitLogTest, WakesTheSegmentsThreadOnceWhenTheTailRunsLow) {
  open("ASYNC_FLUSH", 1 << 20);
  const auto ticket = log_->segments_wakeup().ticket();
  while (log_->segments_wakeup().ticket() == ticket) ASSERT_TRUE(append(*log_, queue_, std::string(1000, 'b')));
  EXPECT_LE(log_->watermarks().published().value, 8192);
  ASSERT_TRUE(append(*log_, queue_, "x"));
  EXPECT_EQ(log_->segments_wakeup().ticket(), ticket + 1);
  log_->segments_step();
  ASSERT_TRUE(append(*log_, queue_, "x"));
  EXPECT_EQ(log_->segments_wakeup().ticket(), ticket + 1);
}

// The next sync writes what was prepared: a large piece would make its senders wait.
TEST_F(CommitLogTest, PreparesInSmallPiecesOnceTheTailIsReady) {
  auto options = small_log("/log", 16 << 20);
  options.prepare_ahead_bytes = 4 << 20;
  test::SimulatedDisk disk({.file_reservation_bytes = 16 << 20});
  auto [log, found, problem] = open_log(disk, clock_, options);
  ASSERT_TRUE(log) << problem;
  prepare(*log);
  std::int64_t largest = 0;
  while (log->watermarks().published().value < 4 << 20) {
    const auto ticket = log->segments_wakeup().ticket();
    ASSERT_TRUE(append(*log, queue_, std::string(10'000, 'b')));
    if (log->segments_wakeup().ticket() != ticket) largest = std::max(largest, log->segments_step().done);
  }
  EXPECT_GT(largest, 0);
  EXPECT_LE(largest, 300 * 1024);
}

TEST_F(CommitLogTest, WakesTheFlushThreadUnderSyncFlushOnly) {
  open("SYNC_FLUSH");
  auto ticket = log_->flush_wakeup().ticket();
  ASSERT_TRUE(append(*log_, queue_, "x"));
  EXPECT_EQ(log_->flush_wakeup().ticket(), ticket + 1);
  ASSERT_TRUE(append(*log_, queue_, "x"));
  EXPECT_EQ(log_->flush_wakeup().ticket(), ticket + 1);  // it knows
  log_->flush_step();
  ASSERT_TRUE(append(*log_, queue_, "x"));
  EXPECT_EQ(log_->flush_wakeup().ticket(), ticket + 2);
  open("ASYNC_FLUSH");
  ticket = log_->flush_wakeup().ticket();
  ASSERT_TRUE(append(*log_, queue_, "x"));
  EXPECT_EQ(log_->flush_wakeup().ticket(), ticket);
}

TEST_F(CommitLogTest, CallsBackWhenDurableHasAdvanced) {
  open("SYNC_FLUSH");
  int told = 0;
  log_->on_durable([&told] { ++told; });
  log_->flush_step();
  EXPECT_EQ(told, 0);
  ASSERT_TRUE(append(*log_, queue_, "one"));
  ASSERT_TRUE(append(*log_, queue_, "two"));
  EXPECT_EQ(log_->watermarks().visible(), LogPosition{0});
  EXPECT_EQ(log_->flush_step().done, log_->watermarks().published().value);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(log_->watermarks().visible(), log_->watermarks().published());
  EXPECT_EQ(log_->counters().syncs, 1);
  EXPECT_EQ(log_->counters().synced_records, 2);
}

TEST_F(CommitLogTest, NeverLetsTheStoreTimeGoBack) {
  open();
  const auto now = clock_.wall_ms();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  clock_.set_wall_ms(now - 5000);
  const auto behind = append(*log_, queue_, "two");
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->store_timestamp, now);
  clock_.set_wall_ms(now - 5001);
  const auto refused = append(*log_, queue_, "three");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::kClockBehind);
  EXPECT_EQ(log_->counters().clock_behind, 1);
  EXPECT_EQ(queue_->next_offset, 2);
  clock_.set_wall_ms(now + 1);
  EXPECT_EQ(append(*log_, queue_, "four")->store_timestamp, now + 1);
  open();  // and not through a restart either
  EXPECT_EQ(log_->last_store_timestamp(), now + 1);
}

TEST_F(CommitLogTest, TakesSendsBehindTheClockIfTheOperatorAcceptsThat) {
  open();
  const auto now = clock_.wall_ms();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  clock_.set_wall_ms(now - 3'600'000);
  EXPECT_FALSE(append(*log_, queue_, "two"));
  options_.accepts_clock_behind.set(true);
  const auto taken = append(*log_, queue_, "two");
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->store_timestamp, now);
}

TEST_F(CommitLogTest, ReadsUpToPublishedAndNoFurther) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  const auto end = log_->watermarks().published();
  std::vector<std::byte> bytes(static_cast<std::size_t>(end.value));
  EXPECT_TRUE(log_->read({0}, bytes));
  EXPECT_TRUE(log_->read_no_wait({0}, bytes));
  EXPECT_EQ(log_->read({1}, bytes).error().code, make_error_code(Errc::kNotFound));
  EXPECT_EQ(log_->read({-1}, bytes).error().code, make_error_code(Errc::kNotFound));
  bytes.push_back({});
  EXPECT_EQ(log_->read_no_wait({0}, bytes).error().code, make_error_code(Errc::kNotFound));
}

TEST_F(CommitLogTest, ServesTheHotTailFromMemoryAndPinsIt) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "hot"));
  const auto size = log_->watermarks().published().value;
  auto pinned = log_->hot({0}, size);
  ASSERT_TRUE(pinned);
  const auto text = read({0}, static_cast<std::size_t>(size));
  EXPECT_EQ(test::text_of(pinned->bytes), text);
  EXPECT_FALSE(log_->hot({0}, size + 1));
  EXPECT_FALSE(log_->hot({-1}, 1));
  for (int i = 0; i < 20; ++i) {
    prepare(*log_);
    ASSERT_TRUE(append(*log_, queue_, std::string(1000, 'b')));
  }
  clock_.advance_ms(20'000);
  log_->flush_step();
  clock_.advance_ms(20'000);
  log_->flush_step();
  ASSERT_EQ(log_->watermarks().durable(), log_->watermarks().published());
  log_->segments_step();
  EXPECT_FALSE(log_->hot({0}, size));
  EXPECT_EQ(test::text_of(pinned->bytes), text);
  EXPECT_FALSE(log_->hot({4096 * 3 - 10}, 20));  // across two segments
  open();
  EXPECT_FALSE(log_->hot(log_->watermarks().published() - 10, 10));  // of an earlier process: may not be in memory
}

TEST_F(CommitLogTest, TurnsReadOnlyWhenASyncFailsAndStaysSo) {
  test::SimulatedDisk disk;
  const auto options = [] {
    auto small = small_log("/log");
    small.flush_policy = "SYNC_FLUSH";
    return small;
  }();
  auto [log, found, problem] = open_log(disk, clock_, options);
  ASSERT_TRUE(log) << problem;
  prepare(*log);
  int told = 0;
  log->on_durable([&told] { ++told; });
  ASSERT_TRUE(append(*log, queue_, "one"));
  log->flush_step();
  const auto durable = log->watermarks().durable();
  ASSERT_TRUE(append(*log, queue_, "two"));
  disk.fail_at(disk.changes() + 1, EIO);
  log->flush_step();
  EXPECT_EQ(told, 2);
  EXPECT_NE(log->read_only_reason().find("/log/00000000000000000000"), std::string::npos) << log->read_only_reason();
  EXPECT_EQ(append(*log, queue_, "three").error(), Errc::kReadOnly);
  for (int i = 0; i < 3; ++i) log->flush_step();  // the disk would succeed now, and lie
  EXPECT_EQ(log->watermarks().durable(), durable);
  EXPECT_EQ(told, 2);
  EXPECT_FALSE(log->close());
  EXPECT_EQ(log->watermarks().durable(), durable);
}

// As Apache's broker does when it is started on our directory by mistake: it asks for the lock after its recovery.
TEST_F(CommitLogTest, TurnsReadOnlyBeforeItWritesToASegmentThatIsGone) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  ASSERT_TRUE(disk_->remove(segment(4096)));
  log_->segments_step();
  EXPECT_NE(log_->read_only_reason().find(segment(4096)), std::string::npos) << log_->read_only_reason();
  EXPECT_EQ(append(*log_, queue_, "two").error(), Errc::kReadOnly);
  EXPECT_TRUE(log_->close()) << "what was written is safe";
  open();
  EXPECT_EQ(found_.bodies, std::vector<std::string>{"one"});
}

TEST_F(CommitLogTest, NeverCallsDurableWhatStandsInASegmentThatIsGone) {
  open("SYNC_FLUSH");
  ASSERT_TRUE(append(*log_, queue_, "one"));
  log_->flush_step();
  const auto durable = log_->watermarks().durable();
  EXPECT_GT(durable, LogPosition{0});
  ASSERT_TRUE(disk_->remove(segment(4096)));
  fill_all_but(8);
  ASSERT_TRUE(append(*log_, queue_, "two"));
  log_->flush_step();
  EXPECT_EQ(log_->watermarks().durable(), durable);
  EXPECT_NE(log_->read_only_reason().find(segment(4096)), std::string::npos) << log_->read_only_reason();
  log_.reset();
  open();
  EXPECT_EQ(found_.bodies.size(), 2U) << "one, and what filled its segment";
}

// The gap's segment is gone; what had been prepared behind it is there, and empty.
TEST_F(CommitLogTest, OpensUpToAGapBehindWhichNothingWasWritten) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  prepare(*log_);
  log_.reset();
  ASSERT_TRUE(*disk_->exists(segment(8192)));
  ASSERT_TRUE(disk_->remove(segment(4096)));
  open();
  EXPECT_EQ(found_.bodies, std::vector<std::string>{"one"});
  ASSERT_TRUE(append(*log_, queue_, "two"));
  fill_all_but(8);
  ASSERT_TRUE(append(*log_, queue_, "three"));
  fill_all_but(8);
  ASSERT_TRUE(append(*log_, queue_, "four"));
  log_.reset();
  ASSERT_TRUE(disk_->remove(segment(4096)));
  const auto opened = open_log(*disk_, clock_, options_);
  EXPECT_FALSE(opened.log) << "a segment behind the gap holds a record";
  EXPECT_NE(opened.problem.find(segment(4096)), std::string::npos) << opened.problem;
}

TEST_F(CommitLogTest, KeepsTheFirstReasonForBeingReadOnly) {
  open();
  int told = 0;
  log_->on_durable([&told] { ++told; });
  log_->make_read_only("because");
  log_->make_read_only("and also");
  EXPECT_EQ(log_->read_only_reason(), "because");
  EXPECT_EQ(append(*log_, queue_, "x").error(), Errc::kReadOnly);
  log_->flush_step();
  log_->flush_step();
  EXPECT_EQ(told, 1);
}

TEST_F(CommitLogTest, RefusesSendsWhileTheDiskIsFull) {
  open();
  log_->set_disk_full(true);
  EXPECT_EQ(append(*log_, queue_, "x").error(), Errc::kDiskFull);
  log_->set_disk_full(false);
  EXPECT_TRUE(append(*log_, queue_, "x"));
}

TEST_F(CommitLogTest, SaysDiskFullWhenNoBlockIsLeftAndLiftsIt) {
  test::SimulatedDiskOptions disk_options;
  disk_options.capacity_bytes = 32 << 10;
  test::SimulatedDisk disk(disk_options);
  const auto options = small_log("/log");
  auto [log, found, problem] = open_log(disk, clock_, options);
  ASSERT_TRUE(log) << problem;
  int told = 0;
  log->on_prepared([&told] { ++told; });
  std::optional<Errc> refused;
  for (int i = 0; i < 100 && refused != Errc::kDiskFull; ++i) {
    const auto placed = append(*log, queue_, std::string(1000, 'b'));
    refused = placed ? std::nullopt : std::optional(placed.error());
    told = 0;
    log->segments_step();
  }
  EXPECT_EQ(refused, Errc::kDiskFull);
  disk.set_capacity(1 << 20);
  prepare(*log);
  EXPECT_GT(told, 0);
  EXPECT_TRUE(append(*log, queue_, "x"));
  EXPECT_TRUE(disk.violations().empty());
}

TEST_F(CommitLogTest, GoesOnWhenAPreparationFailsOnce) {
  test::SimulatedDisk disk;
  const auto options = small_log("/log");
  auto [log, found, problem] = open_log(disk, clock_, options);
  ASSERT_TRUE(log) << problem;
  for (int i = 0; i < 40; ++i) {
    disk.fail_at(disk.changes() + 1 + i % 6, EIO);
    log->segments_step();
    for (int attempt = 0; attempt < 10; ++attempt) {
      if (append(*log, queue_, fmt::format("{}{}", i, std::string(700, 'b')))) break;
      log->segments_step();
      ASSERT_LT(attempt, 9);
    }
  }
  EXPECT_EQ(scan_all(*log).bodies.size(), 40);
  EXPECT_TRUE(disk.violations().empty());
}

TEST_F(CommitLogTest, CutsAndZeroesGarbageBehindTheTail) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "kept"));
  const auto tail = log_->watermarks().published();
  log_.reset();
  {
    auto file = disk_->open(segment(0), file::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->write(tail.value, test::bytes_of(std::string(300, 'g'))));
    ASSERT_TRUE((*file)->write(4000, test::bytes_of(std::string(96, 'g'))));
    ASSERT_TRUE(test::write_text(*disk_, segment(4096), std::string(4096, 'g')));
  }
  open();
  EXPECT_EQ(found_.bodies, std::vector<std::string>{"kept"});
  EXPECT_EQ(log_->watermarks().published(), tail);
  log_.reset();
  EXPECT_EQ(test::read_text(*disk_, segment(0)).substr(static_cast<std::size_t>(tail.value)),
            std::string(static_cast<std::size_t>(4096 - tail.value), '\0'));
  EXPECT_EQ(test::read_text(*disk_, segment(4096)), std::string(4096, '\0'));  // the prepared one, or absent
}

TEST_F(CommitLogTest, TakesAShortLastFileOnlyIfItEndsWithAWholeRecord) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  const auto tail = log_->watermarks().published();
  ASSERT_TRUE(log_->close());
  log_.reset();
  {
    auto file = disk_->open(segment(0), file::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->resize(tail.value + 1));
  }
  std::string problem;
  const auto refused = CommitLog::open(*disk_, clock_, options_, problem);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), error(Errc::kWrongSegmentSize, tail.value + 1));
  EXPECT_NE(problem.find(segment(0)), std::string::npos) << problem;
  {
    auto file = disk_->open(segment(0), file::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->resize(tail.value));
  }
  open();
  EXPECT_EQ(found_.bodies, std::vector<std::string>{"one"});
  EXPECT_EQ(test::read_text(*disk_, segment(0)).size(), 4096);
}

TEST_F(CommitLogTest, RefusesForeignFilesByName) {
  open();
  log_.reset();
  ASSERT_TRUE(test::write_text(*disk_, options_.directory + "/00000000000000000000.bak", "x"));
  const auto opened = open_log(*disk_, clock_, options_);
  EXPECT_FALSE(opened.log);
  EXPECT_NE(opened.problem.find("00000000000000000000.bak"), std::string::npos) << opened.problem;
}

TEST_F(CommitLogTest, RefusesUnknownNames) {
  for (const auto& [put, flush] : {std::pair("none", "SYNC_FLUSH"), std::pair("mutex", "none")}) {
    auto options = small_log(directory_.file("commitlog"));
    options.put_strategy = put;
    options.flush_policy = flush;
    std::string problem;
    EXPECT_FALSE(CommitLog::open(*disk_, clock_, options, problem));
    EXPECT_NE(problem.find("none"), std::string::npos);
  }
}

TEST_F(CommitLogTest, ReadsUpToTheEndOfItsFilesBeforeItIsStarted) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  ASSERT_TRUE(log_->close());
  std::string problem;
  const auto log = CommitLog::open(*disk_, clock_, options_, problem);
  ASSERT_TRUE(log) << problem;
  std::string text(4096, '?');
  EXPECT_EQ((*log)->files_end(), LogPosition{4096});
  ASSERT_TRUE((*log)->read({0}, std::as_writable_bytes(std::span(text))));
  EXPECT_NE(text.find("one"), std::string::npos);
  EXPECT_FALSE(append(**log, queue_, "too early"));
}

TEST_F(CommitLogTest, SyncsEverythingAndRemovesUnusedSegmentsWhenClosed) {
  open();
  ASSERT_TRUE(append(*log_, queue_, "one"));
  EXPECT_GT(log_->segments().size(), 1);
  ASSERT_TRUE(log_->close());
  EXPECT_EQ(log_->watermarks().durable(), log_->watermarks().published());
  ASSERT_EQ(log_->segments().size(), 1);
  EXPECT_EQ(append(*log_, queue_, "two").error(), Errc::kReadOnly);
  log_->segments_step();
  log_->flush_step();
  EXPECT_EQ(log_->segments().size(), 1);
  EXPECT_NE(read({0}, static_cast<std::size_t>(log_->watermarks().published().value)).find("one"), std::string::npos);
  EXPECT_TRUE(log_->close());
}

TEST_F(CommitLogTest, RemovesOnlyWhatIsDurableAndNotTheLastSegment) {
  open("SYNC_FLUSH");
  for (int i = 0; i < 12; ++i) {
    prepare(*log_);
    ASSERT_TRUE(append(*log_, queue_, std::string(1200, 'b')));
  }
  const auto published = log_->watermarks().published();
  ASSERT_GT(published, LogPosition{3 * 4096});
  ASSERT_TRUE(log_->remove_before(published));
  EXPECT_EQ(log_->min_position(), LogPosition{0});
  log_->flush_step();
  ASSERT_TRUE(log_->remove_before({2 * 4096 + 1}));
  EXPECT_EQ(log_->min_position(), LogPosition{2 * 4096});
  ASSERT_TRUE(log_->remove_before(published + 100'000));
  EXPECT_EQ(log_->min_position().value, published.value / 4096 * 4096);
  EXPECT_EQ(log_->segments().front().start, log_->min_position());
  EXPECT_GT(log_->segments().front().modified_ms, 0);
  std::byte byte{};
  EXPECT_EQ(log_->read({0}, {&byte, 1}).error().code, make_error_code(Errc::kNotFound));
  open("SYNC_FLUSH");
  EXPECT_EQ(log_->watermarks().published(), published);
}

TEST_F(CommitLogTest, StartsBehindABlankThatEndsTheLastSegment) {
  open();
  fill_all_but(400);
  const auto at = log_->watermarks().published();
  ASSERT_TRUE(append(*log_, queue_, std::string(1000, 'b')));
  log_.reset();
  ASSERT_TRUE(disk_->remove(segment(8192)) || true);
  ASSERT_TRUE(disk_->remove(segment(4096)));
  open();
  EXPECT_EQ(log_->watermarks().published(), at);  // the blank goes: its room is used again
  ASSERT_TRUE(append(*log_, queue_, "fits"));
  EXPECT_EQ(scan_all(*log_).bodies.back(), "fits");
}

}  // namespace
}  // namespace tern::store
