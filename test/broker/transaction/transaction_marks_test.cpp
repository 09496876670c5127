#include "broker/transaction/transaction_marks.hpp"

#include <set>

#include <gmock/gmock.h>

#include "support/simulated_disk.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Begin = TransactionMarks::Begin;
using State = TransactionMarks::State;

class TransactionMarksTest : public ::testing::Test {
 protected:
  void SetUp() override { marks.start(0, 0); }
  void end(std::int64_t half) {
    ASSERT_EQ(marks.begin_end(half), Begin::kTaken);
    marks.end(half, 0);
  }
  /// All that waits, as one op message that is read back.
  void write() {
    const auto batch = marks.take(1 << 20);
    ASSERT_TRUE(marks.read_op(marks.op_next(), batch));
  }
  TransactionMarks marks;
};

TEST_F(TransactionMarksTest, HeadMovesOverWhatIsDone) {
  for (const std::int64_t half : {1, 2, 0}) end(half);
  EXPECT_EQ(marks.advance(), 3);
  marks.resolve(3);
  marks.resolve(70);
  EXPECT_EQ(marks.advance(), 4);
  for (std::int64_t half = 4; half < 70; ++half) marks.resolve(half);
  EXPECT_EQ(marks.advance(), 71);
}

TEST_F(TransactionMarksTest, AnEndThatIsUnderWayHoldsHead) {
  ASSERT_EQ(marks.begin_end(0), Begin::kTaken);
  EXPECT_EQ(marks.state(0), State::kEnding);
  EXPECT_EQ(marks.begin_end(0), Begin::kOver);
  EXPECT_EQ(marks.advance(), 0);
  marks.abandon(0);
  EXPECT_EQ(marks.state(0), State::kOpen);
  EXPECT_EQ(marks.advance(), 0);
  end(0);
  EXPECT_EQ(marks.advance(), 1);
}

TEST_F(TransactionMarksTest, ProgressWaitsForTheOpQueue) {
  end(0);
  marks.resolve(1);
  EXPECT_EQ(marks.advance(), 2);
  EXPECT_EQ(marks.progress(), (TransactionMarks::Progress{0, 0}));
  write();
  EXPECT_EQ(marks.progress(), (TransactionMarks::Progress{2, 1}));
}

TEST_F(TransactionMarksTest, AnOpMessageIsDoneWhenAllItsHalvesAre) {
  ASSERT_TRUE(marks.read_op(0, std::vector<std::int64_t>{0, 2}));
  ASSERT_TRUE(marks.read_op(1, std::vector<std::int64_t>{3}));
  EXPECT_EQ(marks.advance(), 1);
  EXPECT_EQ(marks.progress(), (TransactionMarks::Progress{1, 0}));
  marks.resolve(1);
  EXPECT_EQ(marks.advance(), 4);
  EXPECT_EQ(marks.progress(), (TransactionMarks::Progress{4, 2}));
}

TEST_F(TransactionMarksTest, AMarkReadBeforeProgressPassedItIsNotForgotten) {
  end(0);
  EXPECT_EQ(marks.advance(), 1) << "head is past it, progress is not";
  ASSERT_TRUE(marks.read_op(0, std::vector<std::int64_t>{0}));
  EXPECT_EQ(marks.progress(), (TransactionMarks::Progress{1, 1}));
}

TEST_F(TransactionMarksTest, MarksAreTakenInOrderAndComeBackInOrder) {
  for (const std::int64_t half : {5, 6, 100}) end(half);
  EXPECT_EQ(marks.waiting().bytes, 8U);
  auto batch = marks.take(4);
  EXPECT_THAT(batch, ElementsAre(5, 6));
  EXPECT_EQ(marks.waiting().bytes, 4U);
  marks.give_back(batch, 7);
  EXPECT_EQ(marks.waiting().since_ms, 7);
  EXPECT_THAT(marks.take(100), ElementsAre(5, 6, 100));
  EXPECT_THAT(marks.take(100), IsEmpty());
  EXPECT_EQ(marks.waiting().bytes, 0U);
}

TEST_F(TransactionMarksTest, TheEndOfAnyCopyIsTheEndOfAll) {
  EXPECT_EQ(marks.copied(0, 10, 0), State::kOpen);
  EXPECT_EQ(marks.copied(10, 20, 0), State::kOpen);
  EXPECT_EQ(marks.state(0), State::kOver) << "done, not ended";
  end(10);
  EXPECT_EQ(marks.state(20), State::kOver);
  for (const std::int64_t half : {0, 10, 20}) EXPECT_EQ(marks.begin_end(half), Begin::kOver) << half;
  EXPECT_THAT(marks.take(100), ElementsAre(10, 20));
}

TEST_F(TransactionMarksTest, AnEndUnderWayReachesTheCopyThatComesMeanwhile) {
  ASSERT_EQ(marks.begin_end(0), Begin::kTaken);
  EXPECT_EQ(marks.copied(0, 5, 0), State::kEnding);
  EXPECT_EQ(marks.state(5), State::kEnding);
  EXPECT_EQ(marks.begin_end(5), Begin::kOver);
  marks.end(0, 0);
  EXPECT_EQ(marks.state(5), State::kOver);
  EXPECT_THAT(marks.take(100), ElementsAre(0, 5));
}

TEST_F(TransactionMarksTest, AnAbandonedEndLeavesTheCopyOpen) {
  ASSERT_EQ(marks.begin_end(0), Begin::kTaken);
  marks.copied(0, 5, 0);
  marks.abandon(0);
  EXPECT_EQ(marks.state(5), State::kOpen);
  end(5);
}

TEST_F(TransactionMarksTest, AnEndBeforeTheCopyIsStoredReachesItToo) {
  end(0);
  EXPECT_EQ(marks.copied(0, 5, 0), State::kOver);
  EXPECT_EQ(marks.state(5), State::kOver);
  EXPECT_THAT(marks.take(100), ElementsAre(0, 5));
}

TEST_F(TransactionMarksTest, WhatWasPassedLongAgoCanStillEnd) {
  marks.resolve(0);
  EXPECT_EQ(marks.advance(), 1);
  EXPECT_EQ(marks.begin_end(0), Begin::kTaken);
  marks.end(0, 0);
  write();
  EXPECT_EQ(marks.ending(), 0U);
}

TEST_F(TransactionMarksTest, RefusesMoreEndsThanItMayHold) {
  for (std::size_t i = 0; i < TransactionMarks::kEndingMax; ++i) {
    ASSERT_EQ(marks.begin_end(static_cast<std::int64_t>(i)), Begin::kTaken);
  }
  EXPECT_EQ(marks.begin_end(TransactionMarks::kEndingMax), Begin::kFull);
  marks.abandon(7);
  EXPECT_EQ(marks.begin_end(TransactionMarks::kEndingMax), Begin::kTaken);
}

TEST_F(TransactionMarksTest, KnowsTheNewestChainsAlone) {
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(TransactionMarks::kCopiesMax); ++i) {
    marks.copied(2 * i, 2 * i + 1, 0);
  }
  EXPECT_EQ(marks.begin_end(0), Begin::kOver);
  EXPECT_EQ(marks.state(1), State::kOpen) << "its producer will be asked";
  EXPECT_EQ(marks.advance(), 1);
  EXPECT_EQ(marks.begin_end(0), Begin::kTaken) << "as with Apache's broker";
  const auto last = 2 * static_cast<std::int64_t>(TransactionMarks::kCopiesMax) - 2;
  end(last);
  EXPECT_EQ(marks.state(last + 1), State::kOver);
}

TEST_F(TransactionMarksTest, ReadsNoMarksBeyondItsWindow) {
  EXPECT_FALSE(marks.read_op(0, std::vector<std::int64_t>{TransactionMarks::kWindowMax}));
  EXPECT_EQ(marks.op_next(), 0);
  marks.resolve(0);
  EXPECT_EQ(marks.advance(), 1);
  EXPECT_TRUE(marks.read_op(0, std::vector<std::int64_t>{TransactionMarks::kWindowMax}));
  EXPECT_EQ(marks.state(TransactionMarks::kWindowMax), State::kOver);
}

TEST_F(TransactionMarksTest, StartsInTheMiddle) {
  marks.start(1'000'003, 17);
  EXPECT_EQ(marks.op_next(), 17);
  EXPECT_EQ(marks.advance(), 1'000'003);
  marks.resolve(1'000'002);
  end(1'000'003);
  marks.resolve(1'000'200);
  EXPECT_EQ(marks.advance(), 1'000'004);
  EXPECT_EQ(marks.state(1'000'200), State::kOver);
}

// Against a set, whatever the order: bits, words and the base that follows head.
TEST_F(TransactionMarksTest, AgreesWithASetOfNumbers) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    test::Rng rng(seed);
    TransactionMarks own;
    const std::int64_t start = static_cast<std::int64_t>(rng() % 1000);
    own.start(start, 0);
    std::set<std::int64_t> done;
    std::int64_t head = start;
    for (int i = 0; i < 3'000; ++i) {
      const auto half = head + static_cast<std::int64_t>(rng() % 300);
      own.resolve(half);
      done.insert(half);
      if (rng() % 4 == 0) {
        while (done.contains(head)) ++head;
        ASSERT_EQ(own.advance(), head);
      }
      const auto probe = head + static_cast<std::int64_t>(rng() % 400);
      ASSERT_EQ(own.state(probe) == State::kOver, done.contains(probe)) << probe;
    }
  }
}

}  // namespace
}  // namespace tern::broker
