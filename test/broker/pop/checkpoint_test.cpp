// The bodies are those of Apache's brokers.
#include "broker/pop/checkpoint.hpp"

#include <gmock/gmock.h>

#include "tern/message/properties.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;

ReviveRecord parse(std::string_view tag, std::string_view body, bool was_timed = false) {
  std::string properties;
  message::PropertyWriter writer(properties);
  writer.add("TAGS", tag);
  if (was_timed) writer.add("TIMER_OUT_MS", "1");
  message::RecordView record;
  record.body = std::as_bytes(std::span(body));
  record.properties = properties;
  return parse_revive_record(record);
}

TEST(Checkpoint, ReadsApaches) {
  const auto read =
      parse("ck",
            R"({"bm":0,"bn":"b","c":"G","d":[0,3],"it":500,"n":2,"pt":1000,"q":1,"reviveTime":1500,"ro":0,)"
            R"("so":100,"sp":false,"t":"T"})",
            true);
  ASSERT_TRUE(read.checkpoint);
  EXPECT_TRUE(read.was_timed);
  const auto& made = *read.checkpoint;
  EXPECT_EQ(made.broker, "b");
  EXPECT_EQ(made.group, "G");
  EXPECT_EQ(made.topic, "T");
  EXPECT_EQ(made.queue_id, 1);
  EXPECT_EQ(made.start_offset, 100);
  EXPECT_EQ(made.pop_time, 1000);
  EXPECT_EQ(made.invisible_ms, 500);
  EXPECT_THAT(made.deltas, ElementsAre(0, 3));
}

TEST(Checkpoint, WithoutDeltasCountsFromItsStart) {
  const auto read = parse("ck", R"({"bn":"b","c":"G","it":500,"n":3,"pt":1,"q":1,"so":100,"t":"T"})");
  ASSERT_TRUE(read.checkpoint);
  EXPECT_THAT(read.checkpoint->deltas, ElementsAre(0, 1, 2));
}

TEST(Checkpoint, ReadsWhatItWrites) {
  Checkpoint made{"T", "G", "b", 2, 7, {0, 2, 5}, 0x80000002U, 1000, 500};
  const auto text = checkpoint_text(made, 77);
  const auto read = parse("ck", text.body);
  ASSERT_TRUE(read.checkpoint);
  EXPECT_EQ(read.checkpoint->acknowledged, made.acknowledged);
  EXPECT_EQ(read.checkpoint->deltas, made.deltas);
  EXPECT_EQ(message::find_property(text.properties, "TIMER_DELIVER_MS"), "77");
  EXPECT_EQ(message::find_property(text.properties, "UNIQ_KEY"), "T@2@7@G@1000@b@ck");
}

TEST(Checkpoint, RefusesWhatIsNone) {
  for (const auto* body :
       {"", "{", "[]", "{}", R"({"c":"G","n":1,"pt":1,"q":0,"so":0})", R"({"c":"G","n":0,"pt":1,"q":0,"so":0,"t":"T"})",
        R"({"c":"G","n":1,"pt":1,"q":-1,"so":0,"t":"T"})", R"({"c":"G","n":1,"pt":1,"q":0,"so":-5,"t":"T"})",
        R"({"c":"G","n":2,"d":[3,3],"pt":1,"q":0,"so":0,"t":"T"})",
        R"({"c":"G","n":2,"d":[0,-1],"pt":1,"q":0,"so":0,"t":"T"})",
        R"({"c":"G","n":1,"d":[99999999999],"pt":1,"q":0,"so":0,"t":"T"})",
        R"({"c":"G","n":1,"d":["x"],"pt":1,"q":0,"so":0,"t":"T"})"}) {
    EXPECT_FALSE(parse("ck", body).checkpoint) << body;
  }
  EXPECT_FALSE(parse("other", R"({"c":"G","n":1,"pt":1,"q":0,"so":0,"t":"T"})").checkpoint);
}

TEST(Checkpoint, HasAtMostAsManyMessagesAsItsBits) {
  const auto read = parse("ck", R"({"c":"G","n":1000000000,"pt":1,"q":0,"so":0,"t":"T"})");
  ASSERT_TRUE(read.checkpoint);
  EXPECT_EQ(read.checkpoint->deltas.size(), kCheckpointMessagesMax);
}

TEST(Acknowledgement, ReadsApaches) {
  const auto one = parse("ack", R"({"ao":5,"bn":"b","c":"G","pt":9,"q":0,"so":3,"t":"T"})");
  ASSERT_TRUE(one.acknowledgement);
  EXPECT_THAT(one.acknowledgement->offsets, ElementsAre(5));
  EXPECT_EQ(one.acknowledgement->start_offset, 3);
  EXPECT_EQ(one.acknowledgement->pop_time, 9);
  const auto batch = parse("bAck", R"({"ao":-1,"aol":[3,5],"bn":"b","c":"G","pt":9,"q":0,"so":3,"t":"T"})");
  ASSERT_TRUE(batch.acknowledgement);
  EXPECT_THAT(batch.acknowledgement->offsets, ElementsAre(3, 5));
  const auto long_names = parse("ack", R"({"ackOffset":5,"brokerName":"b","consumerGroup":"G","popTime":9,"queueId":0,)"
                                       R"("startOffset":3,"topic":"T"})");
  ASSERT_TRUE(long_names.acknowledgement);
  EXPECT_THAT(long_names.acknowledgement->offsets, ElementsAre(5));
}

TEST(Acknowledgement, WritesApaches) {
  const auto one = acknowledgement_text({"T", "G", "b", 0, 3, 9, {5}}, 77);
  EXPECT_EQ(one.body, R"({"ao":5,"bn":"b","c":"G","pt":9,"q":0,"so":3,"t":"T"})");
  EXPECT_EQ(message::find_property(one.properties, "TAGS"), "ack");
  EXPECT_EQ(message::find_property(one.properties, "UNIQ_KEY"), "T@0@5@G@9@b@ack");
  const auto batch = acknowledgement_text({"T", "G", "b", 0, 3, 9, {3, 5}}, 77);
  EXPECT_EQ(batch.body, R"({"ao":-1,"aol":[3,5],"bn":"b","c":"G","pt":9,"q":0,"so":3,"t":"T"})");
  EXPECT_EQ(message::find_property(batch.properties, "TAGS"), "bAck");
  EXPECT_EQ(message::find_property(batch.properties, "UNIQ_KEY"), "T@0@-1@G@9@b@ack");
}

TEST(Acknowledgement, RefusesWhatIsNone) {
  for (const auto* body : {"", "{}", R"({"ao":5,"c":"G","q":0,"so":3})", R"({"ao":5,"c":"G","q":-2,"so":3,"t":"T"})"})
    EXPECT_FALSE(parse("ack", body).acknowledgement) << body;
  EXPECT_FALSE(parse("bAck", R"({"ao":5,"c":"G","q":0,"so":3,"t":"T"})").acknowledgement);
}

}  // namespace
}  // namespace tern::broker
