#include "broker/locks/queue_locks.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const MessageQueue kFirst{"T", "b", 0};
const MessageQueue kSecond{"T", "b", 1};

class QueueLocksTest : public ::testing::Test {
 protected:
  test::ManualClock clock;
  QueueLocks locks{clock};
};

TEST_F(QueueLocksTest, GiveAFreeQueueToWhoAsksFirst) {
  EXPECT_THAT(locks.lock("g", "a", {kFirst}), ElementsAre(kFirst));
  EXPECT_THAT(locks.lock("g", "b", {kFirst, kSecond}), ElementsAre(kSecond));
}

TEST_F(QueueLocksTest, KeepGroupsApart) {
  EXPECT_THAT(locks.lock("g", "a", {kFirst}), ElementsAre(kFirst));
  EXPECT_THAT(locks.lock("h", "b", {kFirst}), ElementsAre(kFirst));
}

TEST_F(QueueLocksTest, ExpireSixtySecondsAfterTheLastRequest) {
  locks.lock("g", "a", {kFirst});
  clock.advance_ms(40'000);
  EXPECT_THAT(locks.lock("g", "a", {kFirst}), ElementsAre(kFirst)) << "refreshed";
  clock.advance_ms(60'000);
  EXPECT_THAT(locks.lock("g", "b", {kFirst}), IsEmpty());
  EXPECT_TRUE(locks.any("g"));
  clock.advance_ms(1);
  EXPECT_FALSE(locks.any("g"));
  EXPECT_THAT(locks.lock("g", "b", {kFirst}), ElementsAre(kFirst));
}

TEST_F(QueueLocksTest, DoNotExpireBecauseTheWallClockIsSet) {
  locks.lock("g", "a", {kFirst});
  clock.set_wall_ms(clock.wall_ms() + 3'600'000);
  EXPECT_THAT(locks.lock("g", "b", {kFirst}), IsEmpty());
}

TEST_F(QueueLocksTest, AreUnlockedByTheirOwnerAlone) {
  locks.lock("g", "a", {kFirst});
  locks.unlock("g", "b", {kFirst});
  EXPECT_THAT(locks.lock("g", "b", {kFirst}), IsEmpty());
  locks.unlock("g", "a", {kFirst});
  EXPECT_FALSE(locks.any("g"));
  EXPECT_THAT(locks.lock("g", "b", {kFirst}), ElementsAre(kFirst));
}

TEST_F(QueueLocksTest, GoWithTheirGroup) {
  locks.lock("g", "a", {kFirst});
  locks.remove_group("g");
  EXPECT_FALSE(locks.any("g"));
}

class LockBatchTest : public test::BrokerFixture {
 protected:
  static std::string body(const std::string& client, const std::string& queues) {
    return R"({"consumerGroup":"g","clientId":")" + client + R"(","mqSet":)" + queues + "}";
  }
};
constexpr const char* kQueues = R"([{"brokerName":"b","queueId":0,"topic":"T"}])";

TEST_F(LockBatchTest, AnswersWithWhatTheClientOwnsNow) {
  const auto owned = ask(RequestCode::kLockBatchMq, {}, body("a", kQueues));
  EXPECT_EQ(owned->code(), 0);
  EXPECT_EQ(owned->body(), R"({"lockOKMQSet":[{"brokerName":"b","queueId":0,"topic":"T"}]})");
  EXPECT_EQ(ask(RequestCode::kLockBatchMq, {}, body("z", kQueues))->body(), R"({"lockOKMQSet":[]})");
}

TEST_F(LockBatchTest, AnswersAnEmptySetToAnEmptyOrAbsentOne) {
  EXPECT_EQ(ask(RequestCode::kLockBatchMq, {}, body("a", "[]"))->body(), R"({"lockOKMQSet":[]})");
  EXPECT_EQ(ask(RequestCode::kLockBatchMq, {}, R"({"consumerGroup":"g","clientId":"a"})")->body(),
            R"({"lockOKMQSet":[]})");
}

TEST_F(LockBatchTest, NamesAQueueOnceThatIsAskedForTwice) {
  const std::string queue = R"({"brokerName":"b","queueId":0,"topic":"T"})";
  const auto owned = ask(RequestCode::kLockBatchMq, {}, body("a", "[" + queue + "," + queue + "]"));
  EXPECT_EQ(owned->body(), R"({"lockOKMQSet":[)" + queue + "]}");
}

TEST_F(LockBatchTest, UnlocksWithoutABody) {
  ask(RequestCode::kLockBatchMq, {}, body("a", kQueues));
  const auto unlocked = ask(RequestCode::kUnlockBatchMq, {}, body("a", kQueues));
  EXPECT_EQ(unlocked->code(), 0);
  EXPECT_EQ(unlocked->body(), "");
  EXPECT_FALSE(locks.any("g"));
}

TEST_F(LockBatchTest, RefusesABodyThatIsNoObject) {
  EXPECT_EQ(ask(RequestCode::kLockBatchMq, {}, "[1]")->code(), 1);
  EXPECT_EQ(ask(RequestCode::kLockBatchMq, {}, "{\"mqSet\":")->code(), 1);
}

}  // namespace
}  // namespace tern::broker
