// Queues made up entry by entry over a real store, so that every status can be had.

#include "broker/pull/message_reader.hpp"

#include <gmock/gmock.h>

#include "tern/base/log.hpp"

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;

/// Entries in memory, and what is wrong with them.
class MadeUpQueue final : public store::Queue {
 public:
  [[nodiscard]] const std::string& topic() const noexcept override { return topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return 0; }
  [[nodiscard]] bool is_deleted() const noexcept override { return false; }
  Status append(store::QueueOffset, const store::QueueEntry&) override { return {}; }
  [[nodiscard]] store::QueueBounds bounds() const noexcept override {
    return {{min}, {min + static_cast<std::int64_t>(entries.size())}};
  }
  Result<std::size_t> read(store::QueueOffset from, std::span<store::QueueEntry> to, bool no_wait) const override {
    if (no_wait && is_cold) return store::error(store::Errc::kWouldBlock);
    if (is_damaged) return store::error(store::Errc::kDamaged);
    std::size_t count = 0;
    for (auto at = from.value - min; at < static_cast<std::int64_t>(entries.size()) && count < to.size(); ++at) {
      to[count++] = entries[static_cast<std::size_t>(at)];
    }
    return count;
  }

  std::int64_t min = 0;
  std::vector<store::QueueEntry> entries;
  bool is_cold = false;
  bool is_damaged = false;
  std::string topic_ = "%LMQ%T";  // its entries may name records of another topic's queue
};

constexpr std::int64_t kNoTag = 0;

class MessageReaderTest : public test::BrokerFixture {
 protected:
  /// An entry of a message that the store really has.
  store::QueueEntry entry(const std::string& body, std::int64_t tags_code = kNoTag) {
    message::RecordParts parts;
    parts.topic = "real";
    parts.body = test::bytes_of(body);
    store::Placement placement;
    EXPECT_TRUE(stage().send(parts, false, [&](const PutOutcome& outcome) { placement = outcome.placement; }));
    run();
    return {placement.position, static_cast<std::int32_t>(message::record_size(parts)), tags_code};
  }
  ReadResult read(std::int64_t offset, const ReadLimits& limits = {}, const Subscription* filter = nullptr,
                  bool no_wait = true) {
    return read_messages(*store, queue, offset, limits, {.tags = filter}, no_wait);
  }
  static std::string summary(const ReadResult& result) {
    return fmt::format("{} {}", to_text(result.status), result.next_offset);
  }

  MadeUpQueue queue;
};

TEST_F(MessageReaderTest, FindsNothingInAnEmptyQueue) {
  EXPECT_EQ(summary(read(0)), "NO_MESSAGE_IN_QUEUE 0");
  EXPECT_EQ(summary(read(7)), "NO_MESSAGE_IN_QUEUE 0");
}

TEST_F(MessageReaderTest, SendsWhoIsOutsideToTheNearestEnd) {
  queue.min = 5;
  queue.entries = {entry("a"), entry("b")};
  EXPECT_EQ(summary(read(4)), "OFFSET_TOO_SMALL 5");
  EXPECT_EQ(summary(read(-1)), "OFFSET_TOO_SMALL 5");
  EXPECT_EQ(summary(read(7)), "OFFSET_OVERFLOW_ONE 7");
  EXPECT_EQ(summary(read(8)), "OFFSET_OVERFLOW_BADLY 7");
  const auto found = read(6);
  EXPECT_EQ(found.bounds.min.value, 5);
  EXPECT_EQ(found.bounds.max.value, 7);
}

TEST_F(MessageReaderTest, GivesWholeRecordsOneBehindTheOther) {
  queue.entries = {entry("a"), entry("b"), entry("c")};
  const auto found = read(1);
  EXPECT_EQ(summary(found), "FOUND 3");
  EXPECT_EQ(found.count, 2);
  EXPECT_THAT(bodies(messages_of(found.messages)), ElementsAre("b", "c"));
}

TEST_F(MessageReaderTest, StopsAtTheCount) {
  queue.entries = {entry("a"), entry("b"), entry("c")};
  EXPECT_EQ(summary(read(0, {2, 1 << 20})), "FOUND 2");
  EXPECT_EQ(summary(read(0, {0, 1 << 20})), "FOUND 1") << "never less than one";
  EXPECT_EQ(summary(read(0, {-5, 1 << 20})), "FOUND 1");
}

TEST_F(MessageReaderTest, StopsAtTheBytesButGivesTheFirstWhateverItsSize) {
  queue.entries = {entry(std::string(1000, 'x')), entry("b"), entry("c")};
  EXPECT_EQ(summary(read(0, {32, 10})), "FOUND 1");
  EXPECT_EQ(summary(read(0, {32, queue.entries[0].size + queue.entries[1].size})), "FOUND 2");
}

TEST_F(MessageReaderTest, TakesOnlyTheMemoryThatTheMessagesNeed) {
  for (int i = 0; i < 9; ++i) queue.entries.push_back(entry(std::string(1000, 'x')));
  const auto found = read(0);
  ASSERT_EQ(found.count, 9);
  EXPECT_EQ(found.messages.capacity(), found.messages.size());
}

TEST_F(MessageReaderTest, PassesWhatTheFilterDoesNotMatch) {
  const auto filter = *parse_subscription("T", "A", "TAG");
  queue.entries = {entry("x", 66), entry("a", 65), entry("y", 66)};
  const auto found = read(0, {}, &filter);
  EXPECT_EQ(summary(found), "FOUND 3") << "the filtered ones count";
  EXPECT_THAT(bodies(messages_of(found.messages)), ElementsAre("a"));
  EXPECT_EQ(summary(read(2, {}, &filter)), "NO_MATCHED_MESSAGE 3");
}

TEST_F(MessageReaderTest, LooksAtEightHundredEntriesAtMostWhileFiltering) {
  const auto filter = *parse_subscription("T", "A", "TAG");
  queue.entries.assign(2000, entry("x", 66));
  EXPECT_EQ(summary(read(0, {}, &filter)), "NO_MATCHED_MESSAGE 800");
  EXPECT_EQ(summary(read(1900, {}, &filter)), "NO_MATCHED_MESSAGE 2000");
  EXPECT_EQ(summary(read(0, {1000, 1 << 20}, &filter)), "NO_MATCHED_MESSAGE 1000") << "as many as were asked for";
}

TEST_F(MessageReaderTest, StepsOverRecordsThatHaveLeftTheLog) {
  const store::QueueEntry gone{{-100}, 100, 0};
  queue.entries = {gone, gone};
  EXPECT_EQ(summary(read(0)), "MESSAGE_WAS_REMOVING 2");
  queue.entries.push_back(entry("a"));
  EXPECT_EQ(summary(read(0)), "FOUND 3");
}

TEST_F(MessageReaderTest, SaysThatAQueueCannotBeReadThere) {
  queue.entries = {entry("a")};
  queue.is_damaged = true;
  EXPECT_EQ(summary(read(0)), "OFFSET_FOUND_NULL 0");
}

// The record is there, so nobody may be sent past it; and the size that stands there is not believed.
TEST_F(MessageReaderTest, DoesNotPassAnEntryWithAFlippedBit) {
  queue.topic_ = "real";
  queue.entries = {entry("a"), entry("b"), entry("c")};
  const auto whole = queue.entries[1];
  const auto expect_damage = [&](const store::QueueEntry& damaged) {
    queue.entries[1] = damaged;
    for (const bool no_wait : {true, false}) {
      const auto found = read(1, {}, nullptr, no_wait);
      EXPECT_EQ(summary(found), "OFFSET_FOUND_NULL 1");
      EXPECT_LT(found.messages.capacity(), 1000U);
      EXPECT_EQ(summary(read(0, {}, nullptr, no_wait)), "FOUND 1") << "what stands before it";
    }
  };
  for (int bit = 0; bit < 64; ++bit) {
    SCOPED_TRACE(fmt::format("bit {} of the position", bit));
    const auto flipped =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(whole.position.value) ^ std::uint64_t{1} << bit);
    expect_damage({{flipped}, whole.size, whole.tags_code});
  }
  for (int bit = 0; bit < 32; ++bit) {
    SCOPED_TRACE(fmt::format("bit {} of the size", bit));
    const auto flipped = static_cast<std::int32_t>(static_cast<std::uint32_t>(whole.size) ^ std::uint32_t{1} << bit);
    expect_damage({whole.position, flipped, whole.tags_code});
  }
  EXPECT_GT(log_counts().errors, 0U) << "at least the first such line is written";
  {
    SCOPED_TRACE("the record of its neighbour, which is as large");
    expect_damage(queue.entries[2]);
  }
  queue.entries[1] = whole;
  EXPECT_EQ(summary(read(1)), "FOUND 3");
}

TEST_F(MessageReaderTest, AsksTheDiskOnlyWhereItMay) {
  queue.entries = {entry("a")};
  queue.is_cold = true;
  EXPECT_EQ(summary(read(0)), "WOULD_BLOCK 0");
  EXPECT_EQ(summary(read(0, {}, nullptr, /*no_wait=*/false)), "FOUND 1");
}

// A batch is read whole, from whatever offset in it, counts for all its messages, and waits for the next pull if that
// are too many.
TEST_F(MessageReaderTest, CountsTheMessagesOfBatches) {
  make_topic("B", 1, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  for (const std::int16_t count : {4, 2, 1, 40}) {
    std::string properties;
    message::append_inner_batch(properties, count);
    message::RecordParts parts;
    parts.topic = "B";
    parts.properties = properties;
    parts.body = test::bytes_of(std::string_view("batch"));
    parts.offset_count = count;
    parts.ends_with_inner_base = true;
    EXPECT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
    run();
  }
  const auto read_from = [&](std::int64_t offset, ReadLimits limits = {}) {
    const auto found = read_messages(*store, *store->find_queue("B", 0), offset, limits, {}, true);
    return fmt::format("{}: {} in {}", summary(found), found.count, messages_of(found.messages).size());
  };
  EXPECT_EQ(read_from(0), "FOUND 7: 7 in 3");
  EXPECT_EQ(read_from(0, {5, 1 << 20}), "FOUND 4: 4 in 1") << "the next two would be one too many";
  EXPECT_EQ(read_from(3, {5, 1 << 20}), "FOUND 7: 4 in 3");
  EXPECT_EQ(read_from(6, {1, 1 << 20}), "FOUND 7: 1 in 1");
  EXPECT_EQ(read_from(7, {1, 1 << 20}), "FOUND 47: 40 in 1") << "never less than one record";
  EXPECT_EQ(read_from(46), "FOUND 47: 1 in 1");
  EXPECT_EQ(read_from(47), "OFFSET_OVERFLOW_ONE 47: 0 in 0");
}

// The consumer must not be sent past what is there and cannot be read now.
class ColdMessageReaderTest : public MessageReaderTest {
 protected:
  void SetUp() override {
    store_options.log.hot_bytes = 0;
    MessageReaderTest::SetUp();
  }
};

TEST_F(ColdMessageReaderTest, DoesNotPassADamagedRecord) {
  queue.topic_ = "real";
  queue.entries = {entry("a"), entry("b")};
  flush();
  queue.entries[0].size += 4;  // into the next record
  EXPECT_EQ(summary(read(0, {}, nullptr, false)), "OFFSET_FOUND_NULL 0");
  queue.entries[0].size -= 4;
  EXPECT_EQ(summary(read(0, {}, nullptr, false)), "FOUND 2");
}

TEST_F(ColdMessageReaderTest, StaysWhereTheDiskFails) {
  queue.entries = {entry("a"), entry("b")};
  flush();
  disk.fail_read_at(disk.reads() + 1, EIO);
  const auto failed = read(0, {}, nullptr, false);
  EXPECT_EQ(failed.status, ReadStatus::kOffsetFoundNull);
  EXPECT_EQ(failed.next_offset, 0);
  const auto again = read(0, {}, nullptr, false);
  EXPECT_EQ(again.status, ReadStatus::kFound);
  EXPECT_EQ(again.count, 2);
}

}  // namespace
}  // namespace tern::broker
