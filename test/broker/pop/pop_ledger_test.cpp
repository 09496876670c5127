#include "broker/pop/pop_ledger.hpp"

#include <gmock/gmock.h>

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr PopQueueName kQueue{"g", "T", 0};
constexpr PopLedger::Named kName{kQueue, 10, 1000};

Checkpoint checkpoint(std::int64_t start = 10, std::vector<std::int32_t> deltas = {0, 2, 3}) {
  return {"T", "g", "b", 0, start, std::move(deltas), 0, 1000, 500};
}

class Ledger : public ::testing::Test {
 protected:
  PopLedger::Id add(std::int64_t start = 10, std::int64_t revive_offset = 5, std::int64_t due = 100) {
    const auto id = ledger.begin(checkpoint(start), 1, 0);
    EXPECT_TRUE(id);
    ledger.stored(*id, revive_offset, {1'000}, due);
    return *id;
  }
  PopLedger ledger;
};

TEST_F(Ledger, LetsOnePopReadAQueue) {
  EXPECT_TRUE(ledger.lock(kQueue));
  EXPECT_FALSE(ledger.lock(kQueue));
  EXPECT_TRUE(ledger.lock({"h", "T", 0}));
  EXPECT_TRUE(ledger.lock({"g", "T", 1}));
  ledger.unlock(kQueue);
  EXPECT_TRUE(ledger.lock(kQueue));
}

TEST_F(Ledger, ForgetsWhatIsAllDone) {
  add();
  EXPECT_EQ(ledger.open_messages(kQueue), 3);
  EXPECT_THAT(ledger.begin_ack(kName, {10, 12}), ElementsAre(10, 12));
  ledger.end_ack(kName, {10, 12}, true);
  EXPECT_EQ(ledger.open_messages(kQueue), 1);
  EXPECT_THAT(ledger.begin_ack(kName, {13}), ElementsAre(13));
  ledger.end_ack(kName, {13}, true);
  EXPECT_EQ(ledger.open(), 0U);
  EXPECT_EQ(ledger.next_due(0), std::nullopt);
}

TEST_F(Ledger, TakesNoAcknowledgementTwiceNorOfAnythingElse) {
  add();
  EXPECT_THAT(ledger.begin_ack(kName, {10}), SizeIs(1));
  EXPECT_THAT(ledger.begin_ack(kName, {10}), IsEmpty());
  EXPECT_THAT(ledger.begin_ack(kName, {11, 9, 14, -1}), IsEmpty());
  EXPECT_THAT(ledger.begin_ack({kQueue, 10, 1001}, {12}), IsEmpty());
  EXPECT_THAT(ledger.begin_ack({{"g", "T", 1}, 10, 1000}, {12}), IsEmpty());
  ledger.end_ack(kName, {10}, false);
  EXPECT_THAT(ledger.begin_ack(kName, {10}), SizeIs(1)) << "it was not stored: it is open again";
}

TEST_F(Ledger, HasOneCheckpointOfAName) {
  const auto id = ledger.begin(checkpoint(), 1, 0);
  EXPECT_TRUE(id);
  EXPECT_FALSE(ledger.begin(checkpoint(), 1, 0));
  ledger.abandon(*id);
  EXPECT_TRUE(ledger.begin(checkpoint(), 1, 0));
}

TEST_F(Ledger, GivesWhatIsDueAndOnlyWhatIsOpenOfIt) {
  const auto id = add();
  static_cast<void>(ledger.begin_ack(kName, {12}));
  ledger.end_ack(kName, {12}, true);
  EXPECT_THAT(ledger.take_due(99, 10), IsEmpty());
  EXPECT_EQ(ledger.next_due(60), 40);
  const auto due = ledger.take_due(100, 10);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_THAT(due[0].checkpoint.deltas, ElementsAre(0, 3));
  EXPECT_THAT(ledger.take_due(1'000, 10), IsEmpty());
  EXPECT_THAT(ledger.begin_ack(kName, {10}), IsEmpty()) << "too late";
  ledger.revived(id, {10}, 200);
  EXPECT_THAT(ledger.take_due(199, 10), IsEmpty());
  const auto again = ledger.take_due(200, 10);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_THAT(again[0].checkpoint.deltas, ElementsAre(3));
  EXPECT_EQ(again[0].failures, 1);
  ledger.revived(id, {13}, 300);
  EXPECT_EQ(ledger.open(), 0U);
}

TEST_F(Ledger, DoesNotReviveWhatIsBeingAcknowledged) {
  add();
  static_cast<void>(ledger.begin_ack(kName, {10}));
  EXPECT_THAT(ledger.take_due(100, 10), IsEmpty());
  ledger.end_ack(kName, {10}, true);
  EXPECT_THAT(ledger.take_due(200, 10), SizeIs(1));
}

TEST_F(Ledger, NeedsTheReviveQueueFromItsFirstOpenCheckpointOn) {
  EXPECT_EQ(ledger.first_needed(1, 20), 20);
  add(10, 5);
  add(20, 9);
  EXPECT_EQ(ledger.first_needed(1, 20), 5);
  EXPECT_EQ(ledger.first_needed(2, 20), 20);
  static_cast<void>(ledger.begin_ack(kName, {10, 12, 13}));
  ledger.end_ack(kName, {10, 12, 13}, true);
  EXPECT_EQ(ledger.first_needed(1, 20), 9);
}

TEST_F(Ledger, NeedsWhatIsBeingStored) {
  const auto id = ledger.begin(checkpoint(), 1, 7);
  EXPECT_EQ(ledger.first_needed(1, 20), 7);
  EXPECT_EQ(ledger.first_in_flight(), *id);
  ledger.stored(*id, 15, {0}, 100);
  EXPECT_EQ(ledger.first_needed(1, 20), 15);
  EXPECT_EQ(ledger.first_in_flight(), ledger.next_id());
}

TEST_F(Ledger, TakesWhatItFinds) {
  ledger.found(checkpoint(), 1, 5, {0}, 100);
  ledger.found(Acknowledgement{"T", "g", "b", 0, 10, 1000, {10, 13, 99}});
  EXPECT_EQ(ledger.open_messages(kQueue), 1);
  ledger.found(Acknowledgement{"T", "g", "b", 0, 10, 1000, {12}});
  EXPECT_EQ(ledger.open(), 0U);
  ledger.found(Acknowledgement{"T", "g", "b", 0, 10, 1000, {12}});
  EXPECT_EQ(ledger.open(), 0U);
}

TEST_F(Ledger, ALaterCopyOfACheckpointTakesItsPlace) {
  ledger.found(checkpoint(), 1, 5, {0}, 100);
  ledger.found(Acknowledgement{"T", "g", "b", 0, 10, 1000, {10}});
  auto copy = checkpoint();
  copy.acknowledged = 0b010;
  ledger.found(copy, 1, 50, {0}, 100);
  EXPECT_EQ(ledger.open(), 1U);
  EXPECT_EQ(ledger.open_messages(kQueue), 1);
  EXPECT_EQ(ledger.first_needed(1, 60), 50);
}

TEST_F(Ledger, MovesACheckpointThatHoldsUpProgress) {
  const auto id = add(10, 5);
  static_cast<void>(ledger.begin_ack(kName, {12}));
  ledger.end_ack(kName, {12}, true);
  EXPECT_FALSE(ledger.take_laggard(1, 105, 100));
  const auto laggard = ledger.take_laggard(1, 106, 100);
  ASSERT_TRUE(laggard);
  EXPECT_THAT(laggard->checkpoint.deltas, ElementsAre(0, 2, 3));
  EXPECT_EQ(laggard->checkpoint.acknowledged, 0b010U);
  EXPECT_FALSE(ledger.take_laggard(1, 106, 100));
  EXPECT_THAT(ledger.take_due(100, 10), IsEmpty());
  ledger.moved(id, 106);
  EXPECT_EQ(ledger.first_needed(1, 200), 106);
  EXPECT_THAT(ledger.take_due(200, 10), SizeIs(1));
}

TEST_F(Ledger, DoesNotMoveWhatWasAcknowledgedMeanwhile) {
  const auto id = add(10, 5);
  ASSERT_TRUE(ledger.take_laggard(1, 106, 100));
  static_cast<void>(ledger.begin_ack(kName, {12}));
  ledger.end_ack(kName, {12}, true);
  ledger.moved(id, 106);
  EXPECT_EQ(ledger.first_needed(1, 200), 5) << "the acknowledgement may stand before the copy";
  ASSERT_TRUE(ledger.take_laggard(1, 106, 100));
  static_cast<void>(ledger.begin_ack(kName, {10, 13}));
  ledger.end_ack(kName, {10, 13}, true);
  EXPECT_EQ(ledger.open(), 0U);
  ledger.moved(id, 107);
  EXPECT_EQ(ledger.open(), 0U);
}

TEST_F(Ledger, CountsAllMessagesOfAFullCheckpoint) {
  std::vector<std::int32_t> deltas;
  std::vector<std::int64_t> offsets;
  for (int i = 0; i < 32; ++i) {
    deltas.push_back(i);
    offsets.push_back(10 + i);
  }
  const auto id = ledger.begin(checkpoint(10, deltas), 1, 0);
  ledger.stored(*id, 5, {0}, 100);
  EXPECT_EQ(ledger.open_messages(kQueue), 32);
  EXPECT_THAT(ledger.begin_ack(kName, offsets), SizeIs(32));
  ledger.end_ack(kName, offsets, true);
  EXPECT_EQ(ledger.open(), 0U);
}

}  // namespace
}  // namespace tern::broker
