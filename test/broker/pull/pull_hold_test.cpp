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
  EXPECT_THAT(refused->remark(), ::testing::HasSubstr("limit of 2 (parkedPullsMax)"));
  EXPECT_EQ(hold->parked(), 2U);
  send("U", "m");
  EXPECT_FALSE(wait_for("T")->has_answer()) << "there is room again";
}

TEST_F(PullHoldTest, CountsTheBytesOfSubscriptionsThatCameWithPulls) {
  std::string tags = "A";
  for (int i = 0; i < 1000; ++i) tags += fmt::format("||tag{}", i);
  options.parked_pulls_bytes_max = std::int64_t{50'000};
  const auto parked = wait_for("T", {{"subscription", tags}});
  EXPECT_FALSE(parked->has_answer());
  const auto refused = wait_for("T", {{"subscription", tags}});
  EXPECT_EQ(refused->code(), 2);
  EXPECT_THAT(refused->remark(), ::testing::HasSubstr("limit of 50000 (parkedPullsBytesMax)"));
  send("T", "m", {{"TAGS", "A"}});
  EXPECT_EQ(parked->code(), 0);
  EXPECT_FALSE(wait_for("T", {{"subscription", tags}, {"queueOffset", "1"}})->has_answer()) << "there is room again";
}

TEST_F(PullHoldTest, DropsTheLargestHolderForOneThatHoldsLess) {
  options.parked_pulls_max = std::int64_t{3};
  const auto greedy = new_peer();
  const auto modest = new_peer();
  const auto first = wait_for("T", {}, greedy);
  wait_for("T", {}, greedy);
  wait_for("U", {}, greedy);
  const auto taken = wait_for("T", {}, modest);
  EXPECT_FALSE(taken->has_answer());
  EXPECT_FALSE(greedy->is_open());
  EXPECT_TRUE(first->is_forgotten());
  EXPECT_TRUE(modest->is_open());
  EXPECT_EQ(hold->parked(), 1U);
  EXPECT_EQ(hold->dropped_for_budget(), 1);
  send("T", "m");
  EXPECT_EQ(taken->code(), 0);
}

// One message may wake any number of pulls; what they are given must not pile up for a client that does not read.
TEST_F(PullHoldTest, GivesNothingToAConnectionThatTakesNoAnswers) {
  const auto slow = new_peer();
  const auto quick = new_peer();
  std::vector<test::AnswerPtr> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(wait_for("T", {}, slow));
  const auto other = wait_for("T", {}, quick);
  slow->take_answers(false);
  send("T", "m");
  EXPECT_EQ(other->code(), 0);
  for (const auto& answer : waiting) EXPECT_FALSE(answer->has_answer());
  expire();
  for (const auto& answer : waiting) EXPECT_FALSE(answer->has_answer());
  slow->take_answers(true);
  expire();
  for (const auto& answer : waiting) EXPECT_EQ(answer->code(), 0);
}

TEST_F(PullHoldTest, ForgetsWhatAClosedConnectionCouldNotTake) {
  const auto slow = new_peer();
  const auto waiting = wait_for("T", {}, slow);
  slow->take_answers(false);
  send("T", "m");
  hold->peer_closed(*slow);
  EXPECT_TRUE(waiting->is_forgotten());
  slow->take_answers(true);
  expire();
  EXPECT_FALSE(waiting->has_answer());
}

// A turn ends, and its answers leave, before the next portion is read.
TEST_F(PullHoldTest, ResumesInPortions) {
  std::vector<std::function<void()>> turns;
  int resumed = 0;
  PullHold hold_by_hand(
      clock, 1, [&](std::size_t, std::function<void()> work) { turns.push_back(std::move(work)); },
      [&](PendingPull pull) {
        ++resumed;
        pull.reply.forget();
        return std::int64_t{600'000};
      });
  const auto queue = store->queue("T", 0);
  for (int i = 0; i < 5; ++i) {
    PendingPull pull{remoting::Reply(std::make_shared<test::CapturedAnswer>(), 1, false), peer, "g", queue, nullptr, 0};
    ASSERT_EQ(hold_by_hand.park(pull, 15'000, {10, 1 << 20}), Parking::kParked);
  }
  hold_by_hand.wake_all();
  std::vector<int> after_each_turn;
  while (!turns.empty()) {
    const auto turn = std::move(turns.front());
    turns.erase(turns.begin());
    turn();
    after_each_turn.push_back(resumed);
  }
  EXPECT_THAT(after_each_turn, ElementsAre(2, 4, 5));
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
        return std::int64_t{0};
      });
  EXPECT_EQ(quick.park(late, 15'000, {10, 1 << 20}), Parking::kParked);
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(quick.parked(), 0U);
}

TEST_F(PullHoldTest, LeavesAPullThatItRefusesToItsCaller) {
  const auto answer = std::make_shared<test::CapturedAnswer>();
  PendingPull refused{remoting::Reply(answer, 1, false), peer, "g", store->queue("T", 0), nullptr, 0};
  EXPECT_EQ(hold->park(refused, 15'000, {0, 1 << 20}), Parking::kTooMany);
  EXPECT_EQ(hold->park(refused, 15'000, {1, 0}), Parking::kTooManyBytes);
  EXPECT_TRUE(refused.reply.pending());
  refused.reply.forget();
}

}  // namespace
}  // namespace tern::broker
