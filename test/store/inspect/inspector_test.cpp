// What there is, and what stands where.

#include "store/inspect/inspect_fixture.hpp"

namespace tern::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InspectorTest : public Inspected {};

TEST_F(InspectorTest, ListsAStoppedStore) {
  make_stopped();
  auto inspector = Inspector::open(disk_, inspected());
  ASSERT_TRUE(inspector) << inspector.error().text;
  const auto overview = (*inspector)->overview();
  ASSERT_TRUE(overview) << overview.error().text();
  EXPECT_EQ(overview->use, StoreUse::kStopped);
  EXPECT_EQ(overview->lock_holder, std::nullopt);
  EXPECT_EQ(overview->identity, options_.identity);
  ASSERT_TRUE(overview->state);
  EXPECT_TRUE(overview->state_fits);
  EXPECT_TRUE(overview->state->is_clean);
  ASSERT_TRUE(overview->checkpoint);
  EXPECT_EQ(overview->checkpoint->queue_position, overview->state->dispatched.value);

  EXPECT_EQ(overview->segment_size_bytes, kSegmentSize);
  ASSERT_EQ(overview->segments.size(), 2U);
  EXPECT_EQ(overview->segments[0].records_end, LogPosition{kSegmentSize});
  EXPECT_EQ(overview->segments[0].first_store_timestamp, 1'700'000'000'000);
  EXPECT_EQ(overview->segments[1].start, LogPosition{kSegmentSize});
  EXPECT_EQ(overview->segments[1].records_end, overview->state->durable);

  EXPECT_EQ(overview->queue_file_size_bytes, kQueueFile * kQueueEntrySize);
  std::vector<std::string> queues;
  for (const auto& queue : overview->queues) {
    queues.push_back(
        fmt::format("{}#{} {}-{} {}", queue.topic, queue.id, queue.bounds.min, queue.bounds.max, queue.files));
  }
  EXPECT_THAT(queues, ElementsAre("TA#0 0-20 2", "TA#1 0-20 2", "TB#0 0-10 1", "TB#1 0-10 1"));
  ASSERT_EQ(overview->index_files.size(), 1U);
  EXPECT_EQ(overview->index_files[0].entries, 2 * kSent);
  EXPECT_THAT(overview->findings, IsEmpty());
}

TEST_F(InspectorTest, TellsHowAStoreIsUsed) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  EXPECT_EQ((*Inspector::open(disk_, inspected()))->overview()->use, StoreUse::kCrashed);
  disk_.lock_elsewhere("/store/lock", true);
  const auto overview = (*Inspector::open(disk_, inspected()))->overview();
  EXPECT_EQ(overview->use, StoreUse::kRunning);
  EXPECT_EQ(overview->lock_holder, 4711);
}

TEST_F(InspectorTest, SaysWhatAPositionHolds) {
  make_stopped();
  auto inspector = Inspector::open(disk_, inspected());
  ASSERT_TRUE(inspector);
  const auto first = (*inspector)->at({0});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Held::Kind::kRecord);
  const auto record = message::parse_record(test::bytes_of(first->bytes), message::BodyCheck::kVerifyCrc);
  ASSERT_TRUE(record);
  EXPECT_EQ(test::text_of(record->body), "body 0");

  // Any byte of a record says which one that is.
  const auto second = (*inspector)->at(LogPosition{first->size + 5});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kind, Held::Kind::kRecord);
  EXPECT_EQ(second->start, LogPosition{first->size});

  const auto blank = (*inspector)->at(LogPosition{kSegmentSize - 1});
  ASSERT_TRUE(blank);
  EXPECT_EQ(blank->kind, Held::Kind::kBlank);
  EXPECT_EQ(blank->start + blank->size, LogPosition{kSegmentSize});

  const auto end = (*inspector)->overview()->state->durable;
  const auto zeros = (*inspector)->at(end + 8);
  ASSERT_TRUE(zeros);
  EXPECT_EQ(zeros->kind, Held::Kind::kZeros);
  EXPECT_EQ(zeros->start, end);
  EXPECT_EQ((*inspector)->at(LogPosition{2 * kSegmentSize}).error().code, Errc::kNotFound);
  EXPECT_EQ((*inspector)->at(LogPosition{-1}).error().code, Errc::kNotFound);

  write_byte(disk_, "/store/commitlog/00000000000000000000", first->size + 4, 0x01);
  const auto damaged = (*inspector)->at(LogPosition{first->size + 90});
  ASSERT_TRUE(damaged);
  EXPECT_EQ(damaged->kind, Held::Kind::kDamaged);
  EXPECT_EQ(damaged->start, LogPosition{first->size});
  EXPECT_THAT(damaged->problem, testing::HasSubstr("is not how a record begins"));
}

TEST_F(InspectorTest, ReadsAQueueWithItsRecords) {
  make_stopped();
  auto inspector = Inspector::open(disk_, inspected());
  ASSERT_TRUE(inspector);
  std::vector<std::string> seen;
  const auto visit = [&](const HeldEntry& entry) {
    const auto record = message::parse_record(test::bytes_of(entry.held->bytes), message::BodyCheck::kVerifyCrc);
    seen.push_back(fmt::format("{} {} {}", entry.offset, entry.at, test::text_of(record->body)));
    return true;
  };
  ASSERT_TRUE((*inspector)->entries("TA", 0, {9}, 3, visit));
  EXPECT_THAT(seen, ElementsAre("9 180 body 28", "10 0 body 32", "11 20 body 34"));
  seen.clear();
  ASSERT_TRUE((*inspector)->entries("TA", 0, {18}, 100, visit));
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ((*inspector)->entries("TA", 7, {0}, 1, visit).error().code, Errc::kNotFound);
}

TEST_F(InspectorTest, TellsHowManyQueuesItHasLookedAt) {
  make_stopped();
  std::vector<std::int64_t> told;
  ASSERT_TRUE((*Inspector::open(disk_, inspected()))->overview([&](std::int64_t done, std::int64_t total) {
    told.insert(told.end(), {done, total});
  }));
  EXPECT_THAT(told, ElementsAre(1, 4, 2, 4, 3, 4, 4, 4));
}

TEST_F(InspectorTest, BeginsAQueueWithItsFirstRecordInTheLog) {
  make_stopped();
  ASSERT_TRUE(disk_.remove("/store/commitlog/00000000000000000000"));
  auto inspector = Inspector::open(disk_, inspected());
  ASSERT_TRUE(inspector);
  const auto overview = (*inspector)->overview();
  ASSERT_TRUE(overview);
  const auto& queue = overview->queues.front();
  EXPECT_GT(queue.bounds.min.value, 0);
  bool is_first = true;
  ASSERT_TRUE((*inspector)->entries(queue.topic, queue.id, queue.bounds.min - 1, 2, [&](const HeldEntry& entry) {
    EXPECT_EQ(entry.held.has_value(), !is_first);
    is_first = false;
    return true;
  }));
}

}  // namespace
}  // namespace tern::store
