// Half messages and what ends them: each byte that Apache's broker would write, and each request that is wrong.

#include <gmock/gmock.h>

#include "broker/transaction/transaction_case.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::kCommit;
using test::kRollback;
using test::kUnknown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class EndTransactionTest : public test::TransactionCase {
 protected:
  std::vector<std::string> visible() { return bodies(stored("T")); }
};

TEST_F(EndTransactionTest, AHalfMessageIsNotVisibleInItsTopic) {
  const auto answer = ask_half("m", {{"TAGS", "A"}, {"UNIQ_KEY", "U1"}}, {{"queueId", "2"}, {"flag", "7"}});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("queueId"), "2") << "the real one";
  EXPECT_EQ(answer->field("queueOffset"), "0");
  EXPECT_EQ(answer->field("transactionId"), "U1");
  EXPECT_THAT(stored("T", 2), IsEmpty());
  ASSERT_EQ(halves().size(), 1U);
  const auto half = halves()[0];
  EXPECT_EQ(half.topic, "RMQ_SYS_TRANS_HALF_TOPIC");
  EXPECT_EQ(half.queue_id, 0);
  EXPECT_EQ(half.sys_flag, 0) << "an ordinary record of its topic";
  EXPECT_EQ(half.flag, 7);
  EXPECT_EQ(half.prepared_offset, 0);
  EXPECT_EQ(half.born_timestamp, clock.wall_ms());
  EXPECT_EQ(half.born_host, peer->remote_text());
  EXPECT_EQ(half.store_host, identity.store_host.text());
  EXPECT_EQ(half.tags_code, 65);
  EXPECT_EQ(half.properties, (std::map<std::string, std::string>{{"TRAN_MSG", "true"},
                                                                 {"PGROUP", "p"},
                                                                 {"TAGS", "A"},
                                                                 {"UNIQ_KEY", "U1"},
                                                                 {"__transactionId__", "U1"},
                                                                 {"REAL_TOPIC", "T"},
                                                                 {"REAL_QID", "2"},
                                                                 {"MSG_REGION", "DefaultRegion"},
                                                                 {"TRACE_ON", "true"},
                                                                 {"CLUSTER", "c"}}));
}

TEST_F(EndTransactionTest, ItsProducerCannotSayWhereItGoes) {
  send_half("m", {{"REAL_TOPIC", "other"}, {"REAL_QID", "9"}, {"__transactionId__", "x"}, {"UNIQ_KEY", "U1"}});
  EXPECT_EQ(halves()[0].properties.at("REAL_TOPIC"), "T");
  EXPECT_EQ(halves()[0].properties.at("REAL_QID"), "0");
  EXPECT_EQ(halves()[0].properties.at("__transactionId__"), "U1");
}

TEST_F(EndTransactionTest, CommitMakesItAMessageOfItsTopic) {
  const auto half = send_half("m", {{"TAGS", "A"}, {"UNIQ_KEY", "U1"}, {"WAIT", "true"}},
                              {{"queueId", "2"}, {"flag", "7"}, {"sysFlag", "5"}});
  clock.advance_ms(10);
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  const auto messages = stored("T", 2);
  ASSERT_EQ(messages.size(), 1U);
  const auto& message = messages[0];
  EXPECT_EQ(message.body, "m");
  EXPECT_EQ(message.flag, 7);
  EXPECT_EQ(message.sys_flag, 0x9) << "compressed, committed";
  EXPECT_EQ(message.prepared_offset, half.position);
  EXPECT_EQ(message.born_timestamp, clock.wall_ms() - 10);
  EXPECT_EQ(message.store_timestamp, clock.wall_ms());
  EXPECT_EQ(message.born_host, peer->remote_text());
  EXPECT_EQ(message.store_host, halves()[0].store_host);
  EXPECT_EQ(message.tags_code, 65);
  auto properties = halves()[0].properties;
  properties.erase("REAL_TOPIC");
  properties.erase("REAL_QID");
  EXPECT_EQ(message.properties, properties) << "TRAN_MSG stays: consumers take the transaction's id for it";
}

TEST_F(EndTransactionTest, RollbackLeavesAMarkAlone) {
  const auto half = send_half("m");
  EXPECT_EQ(end(half, kRollback)->code(), 0);
  EXPECT_THAT(visible(), IsEmpty());
  EXPECT_EQ(marks(), "0,");
}

TEST_F(EndTransactionTest, AMarkIsWhatApachesBrokerWrites) {
  const auto first = send_half("a");
  const auto second = send_half("b");
  end(second, kRollback);
  end(first, kCommit);
  EXPECT_THAT(ops(), IsEmpty()) << "it waits for others";
  clock.advance_ms(2'999);
  EXPECT_EQ(step().next_ms, 1);
  EXPECT_THAT(ops(), IsEmpty());
  clock.advance_ms(1);
  step();
  ASSERT_EQ(ops().size(), 1U);
  const auto op = ops()[0];
  EXPECT_EQ(op.body, "1,0,");
  EXPECT_EQ(op.sys_flag, 0);
  EXPECT_EQ(op.flag, 0);
  EXPECT_EQ(op.prepared_offset, 0);
  EXPECT_EQ(op.born_timestamp, clock.wall_ms());
  EXPECT_EQ(op.born_host, identity.store_host.text());
  EXPECT_EQ(op.store_host, identity.store_host.text());
  EXPECT_EQ(op.tags_code, 100) << "of d";
  EXPECT_EQ(op.properties, (std::map<std::string, std::string>{{"WAIT", "true"}, {"TAGS", "d"}}));
}

TEST_F(EndTransactionTest, ManyMarksDoNotWait) {
  transaction_options.op_bytes_max = 10;
  std::vector<Half> sent;
  for (int i = 0; i < 6; ++i) sent.push_back(send_half("m"));
  for (int i = 0; i < 5; ++i) end(sent[static_cast<std::size_t>(i)], kRollback);
  EXPECT_THAT(ops(), IsEmpty()) << "ten bytes";
  end(sent[5], kRollback);
  run();
  EXPECT_EQ(bodies(ops()), (std::vector<std::string>{"0,1,2,3,4,"}));
  EXPECT_EQ(marks(), "0,1,2,3,4,5,");
}

TEST_F(EndTransactionTest, AMarkThatCannotBeStoredIsWrittenLater) {
  const auto half = send_half("m");
  end(half, kRollback);
  disk.fail_at(disk.changes() + 1, ENOSPC, 1000);  // the sync of the log fails: read-only
  flush();
  transaction_check->write_all_marks();
  run();
  EXPECT_THAT(ops(), IsEmpty());
  EXPECT_EQ(transactions->marks.waiting().bytes, 2U);
}

TEST_F(EndTransactionTest, UnknownIsNotAnswered) {
  const auto half = send_half("m");
  const auto answer = end(half, kUnknown);
  EXPECT_FALSE(answer->has_answer());
  EXPECT_TRUE(answer->is_forgotten());
  EXPECT_THAT(visible(), IsEmpty());
  EXPECT_EQ(marks(), "");
  EXPECT_EQ(end(half, kCommit)->code(), 0) << "it can still be ended";
}

TEST_F(EndTransactionTest, TheFirstDecisionCounts) {
  const auto committed = send_half("committed");
  end(committed, kCommit);
  EXPECT_EQ(end(committed, kCommit)->code(), 0);
  EXPECT_EQ(end(committed, kRollback)->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("committed"));
  const auto rolled_back = send_half("rolled back");
  end(rolled_back, kRollback);
  EXPECT_EQ(end(rolled_back, kCommit)->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("committed"));
  EXPECT_EQ(marks(), "0,1,");
}

TEST_F(EndTransactionTest, AnotherDecisionThatIsNoneIsRefused) {
  const auto half = send_half("m");
  for (const int decision : {4, 9, -1, 16}) {
    const auto refused = end(half, decision);
    EXPECT_EQ(refused->code(), 1);
    EXPECT_EQ(refused->remark(), fmt::format("commitOrRollback field wrong: {} is none of 0 (unknown), 8 (commit), 12 "
                                             "(rollback)",
                                             decision));
  }
}

TEST_F(EndTransactionTest, AFieldThatIsMissingOrNoNumberIsNamed) {
  const auto half = send_half("m");
  for (const char* name : {"producerGroup", "tranStateTableOffset", "commitLogOffset", "commitOrRollback"}) {
    const auto refused = end(half, kCommit, {{std::string("-") + name, ""}});
    EXPECT_EQ(refused->code(), 1);
    EXPECT_THAT(refused->remark(), HasSubstr(name));
  }
  for (const char* name : {"tranStateTableOffset", "commitLogOffset", "commitOrRollback"}) {
    const auto refused = end(half, kCommit, {{name, "12x"}});
    EXPECT_EQ(refused->code(), 1);
    EXPECT_THAT(refused->remark(), HasSubstr(name));
    EXPECT_THAT(refused->remark(), HasSubstr("12x"));
  }
  EXPECT_THAT(visible(), IsEmpty());
}

TEST_F(EndTransactionTest, ThePositionOfNoRecordIsRefused) {
  const auto half = send_half("m");
  const auto end_of_log = store->max_position().value;
  for (const std::int64_t position :
       {half.position + 1, end_of_log, end_of_log + 1, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    const auto refused = end({half.offset, position}, kCommit);
    EXPECT_EQ(refused->code(), 1);
    EXPECT_THAT(refused->remark(), StartsWith("Find prepared transaction message failed: commitLogOffset " +
                                              std::to_string(position) + " is no message"));
  }
  EXPECT_THAT(visible(), IsEmpty());
}

TEST_F(EndTransactionTest, AnOrdinaryMessageIsNoHalfMessage) {
  send("T", "ordinary", half_properties({{"TRAN_MSG", "false"}}));
  const auto message = stored("T").at(0);
  const auto refused = end({message.queue_offset, message.position}, kCommit);
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), fmt::format("Find prepared transaction message failed: commitLogOffset {} holds no half "
                                           "message",
                                           message.position));
  EXPECT_THAT(visible(), ElementsAre("ordinary"));
}

TEST_F(EndTransactionTest, AnotherGroupMayNotEndIt) {
  const auto half = send_half("m");
  const auto refused = end(half, kCommit, {{"producerGroup", "q"}});
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), fmt::format("The producer group wrong: producerGroup is \"q\", the half message at "
                                           "commitLogOffset {} is of \"p\"",
                                           half.position));
  EXPECT_THAT(visible(), IsEmpty());
  const auto ownerless = send_half("m", {{"-PGROUP", ""}});
  EXPECT_EQ(end(ownerless, kCommit, {{"producerGroup", ""}})->code(), 1);
}

TEST_F(EndTransactionTest, AnotherOffsetIsNotTheSameMessage) {
  const auto half = send_half("m");
  const auto refused = end({half.offset + 1, half.position}, kRollback);
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), fmt::format("The transaction state table offset wrong: tranStateTableOffset is 1, the "
                                           "half message at commitLogOffset {} has 0",
                                           half.position));
  EXPECT_EQ(marks(), "");
}

TEST_F(EndTransactionTest, WhatNamesNoPlaceCannotBeCommitted) {
  message::RecordParts parts;
  parts.topic = message::kTransactionHalfTopic;
  parts.body = test::bytes_of("m");
  parts.born_timestamp = clock.wall_ms();
  for (const auto& where : {Fields{}, Fields{{"REAL_TOPIC", "../T"}, {"REAL_QID", "0"}},
                            Fields{{"REAL_TOPIC", "T"}, {"REAL_QID", "x"}}, Fields{{"REAL_TOPIC", "T"}}}) {
    const auto text = test::properties(test::with({{"PGROUP", "p"}}, where));
    parts.properties = text;
    ASSERT_TRUE(stage().send(parts, false, [](const PutOutcome&) {}));
    run();
    const Half half{halves().back().queue_offset, halves().back().position};
    const auto refused = end(half, kCommit);
    EXPECT_EQ(refused->code(), 1);
    EXPECT_THAT(refused->remark(), HasSubstr("names no place to go to: REAL_TOPIC is "));
    EXPECT_EQ(end(half, kRollback)->code(), 0);
  }
  EXPECT_THAT(visible(), IsEmpty());
}

TEST_F(EndTransactionTest, AfterItsImmunityAProducerWaitsToBeAsked) {
  const auto half = send_half("m", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "10"}});
  clock.advance_ms(10'001);
  const auto refused = end(half, kCommit);
  EXPECT_EQ(refused->code(), 604);
  EXPECT_THAT(refused->remark(), HasSubstr("born 10001 ms ago, and CHECK_IMMUNITY_TIME_IN_SECONDS=10 with "
                                           "transactionTimeOut=6000 allows 10000 ms"));
  EXPECT_EQ(end(half, kRollback)->code(), 604);
  EXPECT_THAT(visible(), IsEmpty());
  EXPECT_EQ(end(half, kCommit, {{"fromTransactionCheck", "true"}})->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("m"));
}

TEST_F(EndTransactionTest, AnImmunityBelowTheTimeoutIsTheTimeout) {
  const auto half = send_half("m", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "1"}});
  const auto odd = send_half("odd", {{"CHECK_IMMUNITY_TIME_IN_SECONDS", "soon"}});
  clock.advance_ms(6'000);
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  clock.advance_ms(1);
  EXPECT_EQ(end(odd, kCommit)->code(), 604);
}

TEST_F(EndTransactionTest, ACommitThatCannotBeStoredLeavesItOpen) {
  const auto half = send_half("m");
  disk.fail_at(disk.changes() + 1, EIO, 1000);
  flush();
  const auto refused = end(half, kCommit);
  EXPECT_EQ(refused->code(), 14);
  EXPECT_THAT(refused->remark(), HasSubstr("read-only"));
  EXPECT_EQ(transactions->marks.state(half.offset), TransactionMarks::State::kOpen);
}

TEST_F(EndTransactionTest, IsAnsweredOnceItIsInTheLogThoughItWouldHaveWaited) {
  const auto half = send_half("m", {{"WAIT", "true"}});
  EXPECT_EQ(end(half, kCommit)->code(), 0);
}

TEST_F(EndTransactionTest, RejectedSendsSayWhichSettingItIs) {
  const auto before = send_half("before");
  transaction_options.rejects = true;
  const auto refused = ask_half("m");
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(),
            "the broker[10.0.0.1:10911] sending transaction message is forbidden: rejectTransactionMessage is true");
  EXPECT_NE(refused->field("MSG_REGION"), "");
  EXPECT_EQ(halves().size(), 1U);
  EXPECT_EQ(end(before, kCommit)->code(), 0) << "what was taken before can be ended";
}

TEST_F(EndTransactionTest, ATransactionCannotBeDelayed) {
  const auto refused = ask_half("m", {{"DELAY", "3"}});
  EXPECT_EQ(refused->code(), 13);
  EXPECT_THAT(refused->remark(), HasSubstr("A transactional message cannot be delayed: DELAY is 3"));
  EXPECT_EQ(ask_half("m", {{"DELAY", "0"}})->code(), 0);
}

TEST_F(EndTransactionTest, ARetriedDelayedMessageIsNoTransaction) {
  EXPECT_EQ(ask_half("m", {{"DELAY", "3"}}, {{"reconsumeTimes", "1"}, {"sysFlag", "0"}})->code(), 0);
  EXPECT_THAT(halves(), IsEmpty());
  EXPECT_EQ(stored("SCHEDULE_TOPIC_XXXX", 2).size(), 1U);
}

TEST_F(EndTransactionTest, PropertiesLeaveRoomForThoseOfACopy) {
  const auto refused = ask_half("m", {{"k", std::string(32'500, 'v')}});
  EXPECT_EQ(refused->code(), 13);
  EXPECT_THAT(refused->remark(), HasSubstr("more than the 32639 that a half message may have"));
  EXPECT_THAT(halves(), IsEmpty());
  EXPECT_EQ(ask_half("m", {{"k", std::string(32'300, 'v')}})->code(), 0);
}

TEST_F(EndTransactionTest, ACommitOfWhatIsNotInMemoryReadsTheDisk) {
  store_options.log.hot_bytes = 0;
  const auto half = send_half("m");
  send("T", std::string(2'000, 'x'), {}, {{"queueId", "1"}});
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  EXPECT_THAT(visible(), ElementsAre("m"));
}

}  // namespace
}  // namespace tern::broker
