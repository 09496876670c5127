#include "broker/pull/pull_hold.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;

constexpr int kSuspend = 2 | 4;

class PullHoldTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T");
    make_topic("U");
  }
  /// A pull that may wait for 15 s.
  test::AnswerPtr wait_for(const std::string& topic, const test::Fields& changes = {},
                           const test::FakePeerPtr& over = nullptr) {
    return pull(topic, 0, test::with({{"sysFlag", std::to_string(kSuspend)}}, changes), {.over = over});
  }
  void expire() {
    hold->expire();
    run();
  }
};

TEST_F(PullHoldTest, AnswersWhenAMessageArrives) {
  const auto waiting = wait_for("T");
  EXPECT_FALSE(waiting->has_answer());
  EXPECT_EQ(hold->parked(), 1U);
  send("T", "m");
  EXPECT_EQ(waiting->code(), 0);
  EXPECT_THAT(bodies(messages_of(waiting->body())), ElementsAre("m"));
  EXPECT_EQ(waiting->field("nextBeginOffset"), "1");
  EXPECT_EQ(hold->parked(), 0U);
}

TEST_F(PullHoldTest, IsWokenByItsOwnQueueAlone) {
  const auto waiting = wait_for("T");
  send("U", "another topic");
  send("T", "another queue", {}, {{"queueId", "1"}});
  EXPECT_FALSE(waiting->has_answer());
  send("T", "m");
  EXPECT_TRUE(waiting->has_answer());
}

TEST_F(PullHoldTest, WakesEveryoneWhoWaitsForTheQueue) {
  const auto first = wait_for("T");
  const auto second = wait_for("T", {{"consumerGroup", "h"}}, new_peer());
  send("T", "m");
  EXPECT_EQ(first->code(), 0);
  EXPECT_EQ(second->code(), 0);
}

TEST_F(PullHoldTest, IsWokenOnlyByATagThatItWants) {
  const auto waiting = wait_for("T", {{"subscription", "A"}});
  send("T", "x", {{"TAGS", "B"}});
  EXPECT_FALSE(waiting->has_answer());
  send("T", "a", {{"TAGS", "A"}});
  EXPECT_EQ(waiting->code(), 0);
  EXPECT_THAT(bodies(messages_of(waiting->body())), ElementsAre("a"));
  EXPECT_EQ(waiting->field("nextBeginOffset"), "2");
}

TEST_F(PullHoldTest, MovesAClientOnFiveSecondsAfterAMessageThatItDoesNotWant) {
  const auto waiting = wait_for("T", {{"subscription", "A"}});
  send("T", "x", {{"TAGS", "B"}});
  clock.advance_ms(4'999);
  send("T", "x", {{"TAGS", "B"}});
  expire();
  EXPECT_FALSE(waiting->has_answer());
  clock.advance_ms(1);
  expire();
  EXPECT_EQ(waiting->code(), 20);
  EXPECT_EQ(waiting->remark(), "NO_MATCHED_MESSAGE");
  EXPECT_EQ(waiting->field("nextBeginOffset"), "2");
}

TEST_F(PullHoldTest, AnswersNotFoundWhenTheTimeIsOver) {
  const auto waiting = wait_for("T");
  clock.advance_ms(14'999);
  expire();
  EXPECT_FALSE(waiting->has_answer());
  clock.advance_ms(1);
  expire();
  EXPECT_EQ(waiting->code(), 19);
  EXPECT_EQ(waiting->field("nextBeginOffset"), "0");
  EXPECT_EQ(hold->parked(), 0U);
}

TEST_F(PullHoldTest, WaitsAsLongAsTheBrokerSaysWithoutLongPolling) {
  options.long_polling = false;
  const auto waiting = wait_for("T");
  clock.advance_ms(999);
  expire();
  EXPECT_FALSE(waiting->has_answer());
  clock.advance_ms(1);
  expire();
  EXPECT_EQ(waiting->code(), 19);
}

TEST_F(PullHoldTest, AnswersAtTheNextTickWhoWaitsForNoTime) {
  const auto waiting = wait_for("T", {{"suspendTimeoutMillis", "-7"}});
  expire();
  EXPECT_EQ(waiting->code(), 19);
}

TEST_F(PullHoldTest, ForgetsThePullsOfAClosedConnection) {
  const auto other = new_peer();
  const auto lost = wait_for("T");
  const auto kept = wait_for("T", {}, other);
  hold->peer_closed(*peer);
  EXPECT_TRUE(lost->is_forgotten());
  EXPECT_EQ(hold->parked(), 1U);
  send("T", "m");
  EXPECT_FALSE(lost->has_answer());
  EXPECT_EQ(kept->code(), 0);
}

TEST_F(PullHoldTest, RefusesWhatIsBeyondItsLimitAndNamesIt) {
  options.parked_pulls_max = std::int64_t{2};
  wait_for("T");
  wait_for("U");
  const auto refused = wait_for("T");
  EXPECT_EQ(refused->code(), 2);
  EXPECT_THAT(refused->remark(), ::testing::HasSubstr("2 pulls are parked (parkedPullsMax)"));
  EXPECT_EQ(hold->parked(), 2U);
  send("U", "m");
  EXPECT_FALSE(wait_for("T")->has_answer()) << "there is room again";
}

TEST_F(PullHoldTest, LooksAgainAtEverythingOfATopicThatChanged) {
  const auto waiting = wait_for("T");
  const auto elsewhere = wait_for("U");
  hold->wake_topic("T");
  run();
  EXPECT_EQ(waiting->code(), 19);
  EXPECT_FALSE(elsewhere->has_answer());
}

TEST_F(PullHoldTest, ResumesAtOnceWhatHasBeenOvertakenByAMessage) {
  send("T", "m");
  PendingPull late{remoting::Reply(std::make_shared<test::CapturedAnswer>(), 1, false),
                   peer,
                   "g",
                   store->find_queue("T", 0),
                   nullptr,
                   0};
  int resumed = 0;
  PullHold quick(
      clock, 1, [](std::size_t, std::function<void()> work) { work(); },
      [&](PendingPull pull) {
        ++resumed;
        pull.reply.forget();
      });
  EXPECT_TRUE(quick.park(late, 15'000, 10));
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(quick.parked(), 0U);
}

TEST_F(PullHoldTest, LeavesAPullThatItRefusesToItsCaller) {
  const auto answer = std::make_shared<test::CapturedAnswer>();
  PendingPull refused{remoting::Reply(answer, 1, false), peer, "g", store->queue("T", 0), nullptr, 0};
  EXPECT_FALSE(hold->park(refused, 15'000, 0));
  EXPECT_TRUE(refused.reply.pending());
  refused.reply.forget();
}

}  // namespace
}  // namespace tern::broker
