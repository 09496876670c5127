// When producers are asked, about what, and what is kept of it. A manual clock that jumps, stands still and goes back.

#include "broker/transaction/transaction_check.hpp"

#include <gmock/gmock.h>

#include "broker/transaction/transaction_case.hpp"

namespace tern::broker {
namespace {

using test::kCommit;
using test::kRollback;
using test::kRoundMs;
using test::kTimeoutMs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TransactionCheckTest : public test::TransactionCase {
 protected:
  std::vector<std::string> visible() { return bodies(stored("T")); }
  std::vector<std::string> discarded() { return bodies(stored("TRANS_CHECK_MAX_TIME_TOPIC")); }
  std::vector<std::string> asked_about() {
    std::vector<std::string> all;
    for (const auto& question : questions()) all.push_back(question.message.body);
    return all;
  }
  /// As a new process would take it up.
  void restart_check() {
    transactions.reset(new Transactions{transaction_options,
                                        options,
                                        identity,
                                        clock,
                                        *store,
                                        blocking,
                                        [this](std::size_t, std::function<void(SendStage&)> work) {
                                          posted.push_back([this, work = std::move(work)] { work(stage()); });
                                        },
                                        store->log().watermarks().published(),
                                        {}});
    std::get<Transactions*>(services.parts) = transactions.get();
    transaction_check = std::make_unique<TransactionCheck>(TransactionCheck::Parts{
        *transactions, clients, offsets, topics, store_options.file_reserved_hours, timed_wakeup});
  }
};

TEST_F(TransactionCheckTest, AsksInTheFirstRoundAfterTheTimeout) {
  send_half("m");
  clock.advance_ms(kRoundMs - 1);
  settle();
  EXPECT_THAT(asked_about(), IsEmpty()) << "the first round begins an interval after the start";
  clock.advance_ms(1);
  settle();
  EXPECT_THAT(asked_about(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, DoesNotAskAboutTheYoung) {
  clock.advance_ms(kRoundMs - kTimeoutMs);
  send_half("exactly the timeout");
  clock.advance_ms(kTimeoutMs);
  settle();
  EXPECT_THAT(asked_about(), IsEmpty());
  clock.advance_ms(kRoundMs - 1);
  settle();
  EXPECT_THAT(asked_about(), IsEmpty()) << "the next round is an interval later";
  clock.advance_ms(1);
  settle();
  EXPECT_THAT(asked_about(), ElementsAre("exactly the timeout"));
}

TEST_F(TransactionCheckTest, AsksAsApachesBrokerDoes) {
  const auto half =
      send_half("m", {{"TAGS", "A"}, {"UNIQ_KEY", "U1"}, {"WAIT", "true"}}, {{"queueId", "2"}, {"flag", "7"}});
  const auto born = clock.wall_ms();
  round();
  const auto all = questions();
  ASSERT_THAT(all, SizeIs(1));
  ASSERT_THAT(halves(), SizeIs(2));
  const auto copy = halves()[1];
  EXPECT_EQ(copy.queue_offset, 1);
  EXPECT_EQ(copy.sys_flag, 0);
  EXPECT_EQ(copy.flag, 7);
  EXPECT_EQ(copy.born_timestamp, born);
  EXPECT_EQ(copy.born_host, peer->remote_text());
  EXPECT_EQ(copy.body, "m");
  auto properties = halves()[0].properties;
  properties["TRANSACTION_CHECK_TIMES"] = "1";
  EXPECT_EQ(copy.properties, properties);

  EXPECT_EQ(all[0].fields, (std::map<std::string, std::string>{
                               {"topic", "RMQ_SYS_TRANS_HALF_TOPIC"},
                               {"tranStateTableOffset", "1"},
                               {"commitLogOffset", std::to_string(copy.position)},
                               {"msgId", "U1"},
                               {"transactionId", "U1"},
                               {"offsetMsgId", message::offset_message_id(identity.store_host, copy.position)},
                               {"bname", "b"}}));
  const auto& message = all[0].message;
  EXPECT_EQ(message.topic, "T");
  EXPECT_EQ(message.queue_id, 2);
  EXPECT_EQ(message.queue_offset, 1);
  EXPECT_EQ(message.position, copy.position);
  EXPECT_EQ(message.sys_flag, 0);
  EXPECT_EQ(message.born_timestamp, born);
  EXPECT_EQ(message.store_timestamp, halves()[0].store_timestamp);
  properties["WAIT"] = "false";
  EXPECT_EQ(message.properties, properties);
  EXPECT_NE(half.position, copy.position);
}

TEST_F(TransactionCheckTest, TheAnswerEndsTheCopy) {
  send_half("m");
  round();
  const auto question = questions().at(0);
  EXPECT_EQ(end(question.half, kCommit, {{"fromTransactionCheck", "true"}})->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("m"));
  EXPECT_EQ(stored("T")[0].prepared_offset, question.half.position);
  EXPECT_EQ(stored("T")[0].properties.at("TRANSACTION_CHECK_TIMES"), "1");
  round();
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), ElementsAre("m"));
  EXPECT_EQ(marks(), "1,");
}

TEST_F(TransactionCheckTest, UnknownIsAskedAgain) {
  send_half("m");
  for (int i = 1; i <= 3; ++i) {
    round();
    const auto all = questions();
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].message.properties.at("TRANSACTION_CHECK_TIMES"), std::to_string(i));
    EXPECT_EQ(end(all[0].half, test::kUnknown, {{"fromTransactionCheck", "true"}})->has_answer(), false);
  }
}

TEST_F(TransactionCheckTest, ALateCommitByTheFirstOffsetEndsTheCopiesToo) {
  const auto half = send_half("m");
  round();
  round();
  EXPECT_THAT(questions(), SizeIs(2));
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), ElementsAre("m"));
  EXPECT_EQ(marks(), "0,2,") << "the copy that stands for it has a mark as well";
}

TEST_F(TransactionCheckTest, AnAnswerToEachQuestionIsOneCommit) {
  const auto half = send_half("m");
  round();
  round();
  const auto all = questions();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(end(all[1].half, kCommit)->code(), 0);
  EXPECT_EQ(end(all[0].half, kCommit)->code(), 0);
  EXPECT_EQ(end(half, kRollback)->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, ASecondCommitLongAfterTheFirstIsNone) {
  const auto half = send_half("m");
  end(half, kCommit);
  marks();
  settle();
  EXPECT_TRUE(transactions->marks.is_past(half.offset));
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, AnEndWhileTheCopyIsOnItsWayIsOneEnd) {
  const auto half = send_half("m");
  clock.advance_ms(kRoundMs);
  transaction_check->step();  // the group is posted to the io thread
  ASSERT_THAT(posted, SizeIs(1));
  const auto answer = begin(test::RequestCode::kEndTransaction, end_fields(half, kCommit));
  run();
  EXPECT_EQ(answer->code(), 0);
  settle();
  round();
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, DoesNotAskAboutWhatHasEnded) {
  const auto first = send_half("a");
  send_half("b");
  const auto third = send_half("c");
  end(first, kCommit);
  end(third, kRollback);
  round();
  EXPECT_THAT(asked_about(), ElementsAre("b"));
  EXPECT_THAT(halves(), SizeIs(4));
}

TEST_F(TransactionCheckTest, DoesNotAskAboutWhatTheOpQueueNames) {
  send_half("a");
  send_half("b");
  send_half("c");
  message::RecordParts parts;  // what another broker has left
  parts.topic = message::kTransactionOpTopic;
  const auto text = test::properties({{"TAGS", "d"}});
  parts.properties = text;
  for (const char* body : {"0", "rubbish,,-1,99999999999999999999,7,", "2,2,"}) {
    parts.body = test::bytes_of(body);
    ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
    run();
  }
  restart_check();
  round();
  EXPECT_THAT(asked_about(), ElementsAre("b"));
}

TEST_F(TransactionCheckTest, PassesOverOpMessagesOfAnotherKind) {
  send_half("a");
  message::RecordParts parts;
  parts.topic = message::kTransactionOpTopic;
  const auto text = test::properties({{"TAGS", "x"}});
  parts.properties = text;
  parts.body = test::bytes_of("0,");
  ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
  run();
  round();
  EXPECT_THAT(asked_about(), ElementsAre("a"));
}

TEST_F(TransactionCheckTest, DiscardsAfterTooManyQuestions) {
  transaction_options.checks_max = 2;
  send_half("m", {{"TAGS", "A"}}, {{"flag", "7"}});
  round();
  round();
  EXPECT_THAT(asked_about(), ElementsAre("m", "m"));
  EXPECT_EQ(topics.find("TRANS_CHECK_MAX_TIME_TOPIC"), nullptr);
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  ASSERT_THAT(discarded(), ElementsAre("m"));
  const auto message = stored("TRANS_CHECK_MAX_TIME_TOPIC")[0];
  EXPECT_EQ(message.flag, 7);
  EXPECT_EQ(message.queue_id, 0);
  EXPECT_EQ(message.properties, halves().back().properties);
  EXPECT_EQ(message.properties.at("REAL_TOPIC"), "T");
  const auto topic = topics.find("TRANS_CHECK_MAX_TIME_TOPIC");
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->read_queues, 1);
  EXPECT_EQ(topic->perm, 6);
  round();
  EXPECT_THAT(discarded(), ElementsAre("m"));
  EXPECT_THAT(visible(), IsEmpty());
}

TEST_F(TransactionCheckTest, DiscardsWhatIsOlderThanTheLogIsKept) {
  store_options.file_reserved_hours = std::int64_t{1};
  send_half("old", {}, {{"bornTimestamp", std::to_string(clock.wall_ms() - 3'600'000)}});
  send_half("young");
  round();
  EXPECT_THAT(discarded(), ElementsAre("old"));
  EXPECT_THAT(asked_about(), ElementsAre("young"));
}

TEST_F(TransactionCheckTest, CountsAlsoWhenNobodyCanBeAsked) {
  send_half("m", {{"PGROUP", "gone"}});
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_EQ(halves().back().properties.at("TRANSACTION_CHECK_TIMES"), "1");
}

TEST_F(TransactionCheckTest, AsksEveryProducerOfTheGroupInItsTurn) {
  const auto second = new_peer();
  const auto third = new_peer();
  become_producer(second);
  become_producer(third);
  for (int i = 0; i < 6; ++i) send_half("m");
  round();
  EXPECT_THAT(questions(peer), SizeIs(2));
  EXPECT_THAT(questions(second), SizeIs(2));
  EXPECT_THAT(questions(third), SizeIs(2));
  second->close();
  third->take_answers(false);
  round();
  EXPECT_THAT(questions(peer), SizeIs(6));
  EXPECT_THAT(questions(second), IsEmpty());
  EXPECT_THAT(questions(third), IsEmpty());
}

TEST_F(TransactionCheckTest, AnotherGroupIsNotAsked) {
  const auto other = new_peer();
  become_producer(other, "q");
  send_half("m");
  round();
  EXPECT_THAT(other->notices(), IsEmpty());
}

TEST_F(TransactionCheckTest, UnderImmunityItIsPutBackAndNotAskedAbout) {
  const auto half = send_half("immune", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "70"}, {"WAIT", "true"}});
  send_half("behind it");
  round();
  EXPECT_THAT(asked_about(), ElementsAre("behind it"));
  ASSERT_THAT(halves(), SizeIs(4));
  auto properties = halves()[0].properties;
  properties["TRAN_PREPARED_QUEUE_OFFSET"] = "0";
  properties["WAIT"] = "false";
  EXPECT_EQ(halves()[2].properties, properties);
  round();
  EXPECT_THAT(asked_about(), ElementsAre("behind it"));
  EXPECT_EQ(halves()[4].properties, properties) << "still the first offset, and still not counted";
  round();
  EXPECT_THAT(asked_about(), ::testing::UnorderedElementsAre("immune", "behind it"));
  EXPECT_EQ(half.offset, 0);
}

TEST_F(TransactionCheckTest, AnEndByTheFirstOffsetCountsUnderImmunity) {
  const auto committed = send_half("committed", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "70"}});
  const auto rolled_back = send_half("rolled back", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "70"}});
  round();
  EXPECT_EQ(end(committed, kCommit)->code(), 0);
  EXPECT_EQ(end(rolled_back, kRollback)->code(), 0);
  for (int i = 0; i < 4; ++i) round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), ElementsAre("committed"));
}

TEST_F(TransactionCheckTest, TheClockStandsStill) {
  send_half("m");
  for (int i = 0; i < 100; ++i) step();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(halves(), SizeIs(1));
}

TEST_F(TransactionCheckTest, TheClockJumpsADayAhead) {
  send_half("m");
  clock.set_wall_ms(clock.wall_ms() + 86'400'000);
  settle();
  EXPECT_THAT(asked_about(), IsEmpty()) << "rounds go by the clock that never jumps";
  round();
  EXPECT_THAT(asked_about(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, TheClockGoesBackAnHour) {
  send_half("m");
  flush();
  clock.set_wall_ms(clock.wall_ms() - 3'600'000);
  round();
  EXPECT_THAT(asked_about(), IsEmpty()) << "the store takes nothing while its last record is that far ahead";
  clock.set_wall_ms(clock.wall_ms() + 3'600'000);
  round();
  EXPECT_THAT(asked_about(), ElementsAre("m"));
  EXPECT_THAT(halves(), SizeIs(2));
}

// It would else be young for as long as its producer's clock is wrong. Apache's broker asks as well.
TEST_F(TransactionCheckTest, AsksAboutWhatComesFromTheFuture) {
  clock.advance_ms(kRoundMs - 1);
  send_half("m", {}, {{"bornTimestamp", std::to_string(clock.wall_ms() + 3'600'000)}});
  clock.advance_ms(1);
  settle();
  EXPECT_THAT(asked_about(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, EachStepIsBounded) {
  for (int i = 0; i < 150; ++i) send_half("m");
  clock.advance_ms(kRoundMs);
  step();
  EXPECT_THAT(questions(), SizeIs(64));
  step();
  EXPECT_THAT(questions(), SizeIs(64));
  step();
  EXPECT_THAT(questions(), SizeIs(22));
  settle();
  EXPECT_THAT(questions(), IsEmpty()) << "copies wait for the next round";
}

TEST_F(TransactionCheckTest, OneGroupIsOnItsWayAtATime) {
  for (int i = 0; i < 100; ++i) send_half("m");
  clock.advance_ms(kRoundMs);
  transaction_check->step();
  transaction_check->step();
  EXPECT_THAT(posted, SizeIs(1));
  run();
  EXPECT_THAT(halves(), SizeIs(164));
}

TEST_F(TransactionCheckTest, ProgressIsKeptOnlyOnceWhatItStandsForIsDurable) {
  send_half("a");
  end(send_half("b"), kCommit);
  marks();
  flush();
  round();
  EXPECT_EQ(progress(), std::nullopt) << "the copy may still be lost";
  flush();
  step();
  step();
  EXPECT_EQ(progress(), 2);
  EXPECT_EQ(progress(message::kTransactionOpTopic), 1);
}

TEST_F(TransactionCheckTest, ProgressDoesNotPassAMarkThatIsNotWritten) {
  transaction_options.op_interval_ms = 3'600'000;
  end(send_half("a"), kRollback);
  send_half("b");
  round();
  flush();
  settle();
  EXPECT_THAT(asked_about(), ElementsAre("b"));
  EXPECT_EQ(progress(), std::nullopt);
  marks();
  flush();
  settle();
  flush();
  settle();
  EXPECT_EQ(progress(), 2);
}

TEST_F(TransactionCheckTest, GoesOnWhereItWas) {
  send_half("a");
  send_half("b");
  round();
  flush();
  settle();
  ASSERT_EQ(progress(), 2);
  questions();
  restart_check();
  round();
  EXPECT_THAT(asked_about(), ElementsAre("a", "b")) << "their copies, each once";
  EXPECT_THAT(halves(), SizeIs(6));
}

TEST_F(TransactionCheckTest, FindsACommitWhoseMarkWasLost) {
  const auto half = send_half("m", {{"UNIQ_KEY", "U1"}});
  end(half, kCommit);
  restart_check();  // what was in memory is gone
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), ElementsAre("m"));
  EXPECT_EQ(marks(), "0,") << "the next broker need not look again";
}

TEST_F(TransactionCheckTest, FindsACommitByAnEarlierOffset) {
  const auto half = send_half("m");
  round();
  questions();
  end(half, kCommit);
  restart_check();
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
}

TEST_F(TransactionCheckTest, FindsTheCopiesWhenProgressWasLost) {
  send_half("m");
  round();
  round();
  questions();
  restart_check();  // from the beginning
  round();
  EXPECT_THAT(asked_about(), ElementsAre("m"));
  EXPECT_EQ(halves().back().properties.at("TRANSACTION_CHECK_TIMES"), "3");
}

TEST_F(TransactionCheckTest, ASecondCommitAfterARestartIsNone) {
  const auto half = send_half("m");
  round();
  const auto question = questions().at(0);
  end(half, kCommit);
  restart_check();
  EXPECT_EQ(end(question.half, kCommit)->code(), 0);
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), ElementsAre("m"));
}

TEST_F(TransactionCheckTest, ARollbackByAnEarlierOffsetAfterARestartEndsTheCopy) {
  const auto half = send_half("m");
  round();
  questions();
  restart_check();
  EXPECT_EQ(end(half, kRollback)->code(), 0);
  round();
  round();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_THAT(visible(), IsEmpty());
}

// Both sends of one message object are transactions of their own, though clients give both one key.
TEST_F(TransactionCheckTest, TellsTwoSendsOfOneMessageApart) {
  const auto first = send_half("m", {{"UNIQ_KEY", "U1"}});
  send_half("m", {{"UNIQ_KEY", "U1"}});
  end(first, kCommit);
  marks();
  restart_check();
  round();
  const auto all = questions();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(end(all[0].half, kCommit)->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("m", "m"));
}

TEST_F(TransactionCheckTest, CopiesThatCannotBeStoredAreTriedAgain) {
  send_half("a");
  send_half("b");
  flush();
  clock.set_wall_ms(clock.wall_ms() - 60'000);  // the store refuses what is that far behind its last record
  clock.advance_ms(kRoundMs);
  step();
  EXPECT_THAT(asked_about(), IsEmpty());
  EXPECT_EQ(step().next_ms, 100);
  clock.set_wall_ms(clock.wall_ms() + 60'000);
  clock.advance_ms(100);
  settle();
  EXPECT_THAT(asked_about(), ElementsAre("a", "b"));
  EXPECT_THAT(halves(), SizeIs(4)) << "each copied once";
}

TEST_F(TransactionCheckTest, WhatNobodyCanEndIsDiscardedInTheEnd) {
  transaction_options.checks_max = 2;
  message::RecordParts parts;
  parts.topic = message::kTransactionHalfTopic;
  parts.body = test::bytes_of("lost");
  parts.born_timestamp = clock.wall_ms();
  ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
  run();
  send_half("m");
  round();
  EXPECT_THAT(asked_about(), ElementsAre("m"));
  round();
  round();
  EXPECT_THAT(discarded(), ElementsAre("lost", "m"));
}

TEST_F(TransactionCheckTest, WhatHasNoRoomForACountIsDiscarded) {
  message::RecordParts parts;
  parts.topic = message::kTransactionHalfTopic;
  parts.body = test::bytes_of("full");
  parts.born_timestamp = clock.wall_ms();
  const auto text = test::properties({{"PGROUP", "p"}, {"k", std::string(32'750, 'v')}});
  parts.properties = text;
  ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
  run();
  send_half("m");
  round();
  EXPECT_THAT(discarded(), ElementsAre("full"));
  EXPECT_THAT(asked_about(), ElementsAre("m"));
}

}  // namespace
}  // namespace tern::broker
