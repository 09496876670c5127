#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::kInvisibleMs;
using test::Popped;
using test::RequestCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AckMessage : public test::PopCase {
 protected:
  std::vector<Popped> popped(int count) {
    for (int i = 0; i < count; ++i) send("T", fmt::format("m{}", i));
    auto all = pop_all({{"queueId", "0"}});
    EXPECT_THAT(all, SizeIs(count));
    return all;
  }
  /// What comes again by the end of the invisible time.
  std::vector<std::string> again() {
    pass(kInvisibleMs);
    return bodies_of(pop_all());
  }
  test::AnswerPtr batch_ack(std::string_view body) { return ask(RequestCode::kBatchAckMessage, {}, body); }
};

TEST_F(AckMessage, AnAcknowledgedMessageNeverComesAgain) {
  const auto messages = popped(3);
  const auto answer = ack(messages[1]);
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field_count(), 0U);
  EXPECT_THAT(again(), ::testing::ElementsAre("m0", "m2"));
}

TEST_F(AckMessage, IsWrittenAsApachesBrokerReadsIt) {
  const auto messages = popped(1);
  const auto receipt = parse_receipt(messages[0].receipt);
  ack(messages[0]);
  const auto written = stored("rmq_sys_REVIVE_LOG_c", receipt->revive_queue);
  ASSERT_THAT(written, SizeIs(2));
  EXPECT_EQ(written[1].body,
            fmt::format(R"({{"ao":0,"bn":"b","c":"g","pt":{},"q":0,"so":0,"t":"T"}})", clock.wall_ms()));
  EXPECT_EQ(written[1].properties.at("TAGS"), "ack");
}

TEST_F(AckMessage, ASecondAcknowledgementChangesNothing) {
  const auto messages = popped(1);
  ack(messages[0]);
  const auto before = records("rmq_sys_REVIVE_LOG_c");
  EXPECT_EQ(ack(messages[0])->code(), 0);
  EXPECT_EQ(records("rmq_sys_REVIVE_LOG_c"), before);
}

TEST_F(AckMessage, AStaleReceiptChangesNothing) {
  const auto messages = popped(1);
  pass(kInvisibleMs);
  EXPECT_EQ(ack(messages[0])->code(), 0);
  const auto second = pop_all();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(ack(messages[0])->code(), 0) << "the first receipt does not acknowledge the second delivery";
  pass(kInvisibleMs);
  EXPECT_THAT(pop_all(), SizeIs(1));
}

TEST_F(AckMessage, AForgedReceiptChangesNothing) {
  const auto messages = popped(2);
  const auto before = records("rmq_sys_REVIVE_LOG_c");
  const auto forge = [&](const std::function<void(Receipt&)>& how) {
    auto receipt = *parse_receipt(messages[0].receipt);
    how(receipt);
    std::string text;
    append_receipt(receipt, text);
    EXPECT_EQ(ack(messages[0], {{"extraInfo", text}})->code(), 0) << text;
  };
  forge([](Receipt& receipt) { receipt.pop_time += 1; });
  forge([](Receipt& receipt) { receipt.start_offset += 1; });
  forge([](Receipt& receipt) { receipt.queue_id = 1; });
  forge([](Receipt& receipt) { receipt.offset = 1; });
  EXPECT_EQ(ack(messages[0], {{"consumerGroup", "h"}})->code(), 0);
  EXPECT_EQ(records("rmq_sys_REVIVE_LOG_c"), before);
  EXPECT_THAT(again(), SizeIs(2));
}

TEST_F(AckMessage, AReceiptOfAnotherQueueChangesNothing) {
  send("T", "a");
  send("T", "b", {}, {{"queueId", "1"}});
  const auto messages = pop_all();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(ack(messages[0], {{"extraInfo", messages[1].receipt}})->code(), 0);
  EXPECT_THAT(again(), SizeIs(2));
}

TEST_F(AckMessage, RefusesInApachesOrder) {
  const auto messages = popped(1);
  EXPECT_EQ(ack(messages[0], {{"topic", "U"}})->code(), 17);
  EXPECT_EQ(ack(messages[0], {{"queueId", "4"}})->code(), 13);
  EXPECT_EQ(ack(messages[0], {{"queueId", "-1"}})->code(), 13);
  EXPECT_EQ(ack(messages[0], {{"offset", "-1"}})->code(), 208);
  const auto beyond = ack(messages[0], {{"offset", "2"}});
  EXPECT_EQ(beyond->code(), 208);
  EXPECT_EQ(beyond->remark(), "offset is illegal, key:T@0, commit:2, store:0~1");
  EXPECT_EQ(ack(messages[0], {{"offset", "1"}})->code(), 0);
  EXPECT_EQ(ack(messages[0], {{"extraInfo", "1 2 3"}})->code(), 1);
  EXPECT_EQ(ack(messages[0], {{"-extraInfo", ""}})->code(), 1);
}

TEST_F(AckMessage, WhatIsNotStoredIsNotDone) {
  const auto messages = popped(1);
  flush();
  send("T", "b");
  disk.fail_at(disk.changes() + 1, EIO, 10);
  store->flush_step();
  run();
  EXPECT_EQ(ack(messages[0])->code(), 14);
  EXPECT_EQ(pop->ledger.open_messages({"g", "T", 0}), 1);
}

// ---- batches

TEST_F(AckMessage, ABatchNamesOffsetsByBits) {
  const auto messages = popped(10);
  const auto receipt = *parse_receipt(messages[0].receipt);
  // Bits 0 and 9.
  const auto body = fmt::format(
      R"({{"acks":[{{"b":"AQI=","c":"g","it":60000,"pt":{},"q":0,"r":"0","rq":{},"so":0,"t":"T"}}],"brokerName":"b"}})",
      receipt.pop_time, receipt.revive_queue);
  EXPECT_EQ(batch_ack(body)->code(), 0);
  EXPECT_EQ(stored("rmq_sys_REVIVE_LOG_c", receipt.revive_queue).back().properties.at("TAGS"), "bAck");
  const auto left = again();
  EXPECT_THAT(left, SizeIs(8));
  EXPECT_THAT(left, ::testing::Not(::testing::Contains("m0")));
  EXPECT_THAT(left, ::testing::Not(::testing::Contains("m9")));
}

TEST_F(AckMessage, ABatchAcknowledgesRetriesByTheirOriginalTopic) {
  popped(1);
  pass(kInvisibleMs);
  const auto second = pop_all();
  ASSERT_THAT(second, SizeIs(1));
  const auto receipt = *parse_receipt(second[0].receipt);
  const auto body = fmt::format(
      R"({{"acks":[{{"bitSet":"AQ","consumerGroup":"g","popTime":{},"queueId":{},"retry":"1","startOffset":{},)"
      R"("topic":"T"}}]}})",
      receipt.pop_time, receipt.queue_id, receipt.start_offset);
  EXPECT_EQ(batch_ack(body)->code(), 0);
  EXPECT_THAT(again(), IsEmpty());
}

TEST_F(AckMessage, ABatchSkipsWhatItCannotUse) {
  popped(1);
  for (const auto* body : {"", "{", "[]", "{}", R"({"acks":[]})", R"({"acks":7})"})
    EXPECT_EQ(batch_ack(body)->code(), 208) << body;
  for (const auto* body : {R"({"acks":[1,null,"x",[]]})", R"({"acks":[{}]})",
                           R"({"acks":[{"c":"g","t":"T","q":0,"so":0,"pt":1,"b":"AQ"}]})",
                           R"({"acks":[{"c":"g","t":"T","q":0,"so":9223372036854775807,"pt":1,"b":"//////"}]})",
                           R"({"acks":[{"c":"g","t":"T","q":99999999999,"so":0,"pt":1,"b":"!!"}]})"}) {
    EXPECT_EQ(batch_ack(body)->code(), 0) << body;
  }
  EXPECT_THAT(again(), SizeIs(1));
}

TEST_F(AckMessage, ABatchHasALimit) {
  std::string body = R"({"acks":[{})";
  for (int i = 0; i < 10'000; ++i) body += ",{}";
  EXPECT_THAT(batch_ack(body + "]}")->remark(), HasSubstr("the limit is 10000"));
}

}  // namespace
}  // namespace tern::broker
