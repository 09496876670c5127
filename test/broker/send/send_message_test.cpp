#include "broker/send/send_message.hpp"

#include <gmock/gmock.h>

#include "tern/base/byte_order.hpp"

#include "broker/admin/broker_status.hpp"
#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

template <class T>
void append_number(std::string& to, T value) {
  const auto at = to.size();
  to.resize(at + sizeof value);
  store_be(reinterpret_cast<std::byte*>(to.data() + at), value);
}

/// One item of a batch's body.
std::string item(const std::string& body, const std::string& properties = "") {
  std::string made;
  append_number(made, static_cast<std::int32_t>(22 + body.size() + properties.size()));
  append_number(made, std::int32_t{0});
  append_number(made, std::int32_t{0});
  append_number(made, std::int32_t{3});
  append_number(made, static_cast<std::int32_t>(body.size()));
  made += body;
  append_number(made, static_cast<std::int16_t>(properties.size()));
  return made + properties;
}

class SendMessageTest : public test::BrokerFixture {
 public:
  explicit SendMessageTest(std::string_view flush_policy = "ASYNC_FLUSH") : test::BrokerFixture(flush_policy) {}

 protected:
  test::AnswerPtr send_batch(const std::string& topic, const std::string& body, const Fields& changes = {}) {
    return send(topic, body, {}, test::with({{"batch", "true"}}, changes));
  }
  /// A row of brokerStatus.
  std::string status(const std::string& key) {
    remoting::NetworkOptions network_options;
    network_options.io_threads = 1;
    const remoting::Network network(network_options, clock);
    return BrokerStatus(clock, options, identity, *store, *pull_services, *timers, network).table().at(key);
  }
};

TEST_F(SendMessageTest, AnswersWhereTheMessageStands) {
  make_topic("T");
  send("T", "first", {}, {{"queueId", "2"}});
  const auto answer = send("T", "second", {{"UNIQ_KEY", "U1"}}, {{"queueId", "2"}});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->remark(), "");
  EXPECT_EQ(answer->field("queueId"), "2");
  EXPECT_EQ(answer->field("queueOffset"), "1");
  EXPECT_EQ(answer->field("transactionId"), "U1");
  EXPECT_EQ(answer->field("MSG_REGION"), "DefaultRegion");
  EXPECT_EQ(answer->field("TRACE_ON"), "true");
  EXPECT_EQ(answer->field("msgId"), message::offset_message_id(identity.store_host, stored("T", 2).at(1).position));
}

TEST_F(SendMessageTest, AppendsTheSendsOfATurnUnderOneAcquisition) {
  make_topic("T");
  const auto before = store->log().counters().put.acquisitions;
  for (int i = 0; i < 3; ++i) begin(RequestCode::kSendMessage, send_fields("T"), "m");
  EXPECT_EQ(store->log().counters().put.acquisitions, before);
  EXPECT_TRUE(stage().append()) << "dispatch should run";
  EXPECT_EQ(store->log().counters().put.acquisitions, before + 1);
  EXPECT_FALSE(stage().append());
}

TEST_F(SendMessageTest, AppendsEachSendByItselfIfToldTo) {
  make_topic("T");
  options.group_append = false;
  const auto before = store->log().counters().put.acquisitions;
  std::vector<test::AnswerPtr> answers;
  for (int i = 0; i < 3; ++i) {
    answers.push_back(begin(RequestCode::kSendMessage, send_fields("T"), "m"));
    EXPECT_EQ(store->log().counters().put.acquisitions, before + i + 1);
  }
  EXPECT_TRUE(stage().append()) << "dispatch should run";
  EXPECT_FALSE(stage().append());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)]->field("queueOffset"), std::to_string(i));
  run();
  EXPECT_EQ(stored("T").size(), 3U);
}

class FullBatchTest : public SendMessageTest {
 protected:
  FullBatchTest() {
    store_options.log.segment_size_bytes = 4 << 20;
    store_options.log.prepare_ahead_bytes = 4 << 20;
  }
};

// The turn ends with nothing left to append, but what it appended must be dispatched all the same.
TEST_F(FullBatchTest, IsDispatchedWhereItEndsItsTurn) {
  make_topic("T");
  std::string items;
  for (std::size_t i = 0; i < store::kGroupRecordsMax; ++i) items += item("m");
  const auto answer = begin(RequestCode::kSendMessage, test::with(send_fields("T"), {{"batch", "true"}}), items);
  ASSERT_EQ(answer->code(), 0) << answer->remark();
  EXPECT_TRUE(stage().append()) << "dispatch should run";
}

TEST_F(SendMessageTest, UnderstandsTheShortNames) {
  make_topic("T");
  const auto answer =
      ask(RequestCode::kSendMessageV2,
          {{"a", "p"}, {"b", "T"}, {"c", "TBW102"}, {"d", "4"}, {"e", "1"}, {"f", "0"}, {"g", "1"}, {"h", "9"}}, "m");
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(stored("T", 1).at(0).flag, 9);
}

TEST_F(SendMessageTest, AddsWhatTheBrokerKnowsToTheProperties) {
  make_topic("T");
  send("T", "m", {{"TAGS", "A"}, {"POP_CK", "x"}, {"CLUSTER", "forged"}});
  const auto message = stored("T").at(0);
  EXPECT_EQ(message.properties.at("TAGS"), "A");
  EXPECT_EQ(message.properties.at("MSG_REGION"), "DefaultRegion");
  EXPECT_EQ(message.properties.at("TRACE_ON"), "true");
  EXPECT_EQ(message.properties.at("CLUSTER"), "c");
  EXPECT_EQ(message.properties.at("UNIQ_KEY").size(), 32U);
  EXPECT_EQ(message.properties.count("POP_CK"), 0U);
  EXPECT_EQ(message.properties.size(), 5U);
  EXPECT_EQ(message.tags_code, 65);
  EXPECT_EQ(message.born_host, peer->remote_text());
  EXPECT_EQ(message.store_timestamp, clock.wall_ms());
}

TEST_F(SendMessageTest, KeepsTheKeyThatTheProducerMade) {
  make_topic("T");
  send("T", "m", {{"UNIQ_KEY", "U1"}});
  EXPECT_EQ(stored("T").at(0).properties.at("UNIQ_KEY"), "U1");
}

TEST_F(SendMessageTest, PicksTheQueueInTurnIfTheProducerDoesNot) {
  make_topic("T", 2);
  for (const char* queue : {"0", "1", "0"}) EXPECT_EQ(send("T", "m", {}, {{"queueId", "-1"}})->field("queueId"), queue);
}

TEST_F(SendMessageTest, TakesThePriorityForTheQueue) {
  make_topic("T");
  const std::pair<const char*, const char*> queues[] = {
      {"0", "0"}, {"2", "2"}, {"3", "3"}, {"4", "3"}, {"2147483647", "3"}};
  for (const auto& [priority, queue] : queues) {
    const auto answer = send("T", "p", {{"_SYS_MSG_PRIORITY_", priority}}, {{"queueId", "1"}});
    EXPECT_EQ(answer->field("queueId"), queue) << priority;
  }
  EXPECT_EQ(stored("T", 3).size(), 3U);
  EXPECT_EQ(stored("T", 2).at(0).properties.at("_SYS_MSG_PRIORITY_"), "2");
  for (const auto* none : {"-1", "high", "2 ", "2147483648"}) {
    EXPECT_EQ(send("T", "p", {{"_SYS_MSG_PRIORITY_", none}}, {{"queueId", "1"}})->field("queueId"), "1") << none;
  }
  EXPECT_EQ(stored("T", 1).size(), 4U);
}

TEST_F(SendMessageTest, ForgetsThePriorityOfAMessageOfAnotherKind) {
  make_topic("T");
  const auto ordered = send("T", "o", {{"_SYS_MSG_PRIORITY_", "3"}, {"__SHARDINGKEY", "k"}}, {{"queueId", "1"}});
  EXPECT_EQ(ordered->field("queueId"), "1");
  EXPECT_FALSE(stored("T", 1).at(0).properties.contains("_SYS_MSG_PRIORITY_"));
  send("T", "d", {{"_SYS_MSG_PRIORITY_", "3"}, {"DELAY", "2"}}, {{"queueId", "1"}});
  const auto waiting = stored("SCHEDULE_TOPIC_XXXX", 1).at(0);
  EXPECT_EQ(waiting.properties.at("REAL_QID"), "1");
  EXPECT_FALSE(waiting.properties.contains("_SYS_MSG_PRIORITY_"));
}

TEST_F(SendMessageTest, CreatesATopicOnItsFirstSend) {
  EXPECT_EQ(send("new")->code(), 0);
  ASSERT_NE(topics.find("new"), nullptr);
  EXPECT_EQ(topics.find("new")->write_queues, 4);
}

// Each request would fail every later check too.
TEST_F(SendMessageTest, RefusesInApachesOrder) {
  options.auto_create_groups = false;
  options.message_size_max = 1;
  transaction_options.rejects = true;
  const Fields transaction{{"TRAN_MSG", "true"}};
  const auto send_again = [&](const std::string& topic) {
    return send(topic, "too long", transaction, {{"queueId", "4"}});
  };

  EXPECT_EQ(send_again("a b")->code(), 29);
  auto refused = send_again("SCHEDULE_TOPIC_XXXX");
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "Sending message to topic[SCHEDULE_TOPIC_XXXX] is forbidden.");

  refused = send("T", "too long", transaction, {{"queueId", "4"}, {"defaultTopic", "nowhere"}});
  EXPECT_EQ(refused->code(), 17);
  EXPECT_EQ(refused->remark(),
            "topic[T] not exist, apply first please!\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for "
            "further details.\nThe default topic that the producer names passes nothing on");

  make_topic("T", 4, [](TopicConfig& topic) { topic.is_order = true; });
  options.permission = 4;
  refused = send_again("T");
  EXPECT_EQ(refused->code(), 16);
  EXPECT_EQ(refused->remark(), "the broker[10.0.0.1:10911] sending message is forbidden");
  make_topic("T");

  refused = send_again("T");
  EXPECT_EQ(refused->code(), 29) << "a broker that may not be written to still takes sends to topics without an order";
  EXPECT_THAT(refused->remark(),
              StartsWith("request queueId[4] is illegal, TopicConfig [topicName=T, readQueueNums=4, "));
  EXPECT_THAT(refused->remark(), HasSubstr("] Producer: " + peer->remote_text()));

  refused = send("%RETRY%g", "too long", transaction);
  EXPECT_EQ(refused->code(), 26) << "the group, before the size";
  EXPECT_NE(topics.find("%RETRY%g"), nullptr) << "the topic stays";

  refused = send("T", "too long", transaction);
  EXPECT_EQ(refused->code(), 16) << "the transaction, before the size";
  refused = send("T", "too long");
  EXPECT_EQ(refused->code(), 13);
  for (const char* name : {"MSG_REGION", "TRACE_ON"}) EXPECT_NE(refused->field(name), "") << name;
  EXPECT_THAT(stored("T"), IsEmpty());
}

TEST_F(SendMessageTest, DoesNotAskForTheTopicsOwnPermission) {
  make_topic("T", 4, [](TopicConfig& topic) { topic.perm = 0; });
  EXPECT_EQ(send("T")->code(), 0);
}

TEST_F(SendMessageTest, TurnsADelayedMessageIntoOneOfTheScheduleTopic) {
  make_topic("T");
  const auto answer = send("T", "m", {{"DELAY", "3"}, {"TAGS", "A"}, {"TIMER_DELAY_SEC", "9"}}, {{"queueId", "1"}});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("queueId"), "1") << "the producer's, not that of the level";
  EXPECT_THAT(stored("T", 1), IsEmpty());
  const auto message = stored("SCHEDULE_TOPIC_XXXX", 2).at(0);
  EXPECT_EQ(message.properties.at("REAL_TOPIC"), "T");
  EXPECT_EQ(message.properties.at("REAL_QID"), "1");
  EXPECT_EQ(message.properties.at("DELAY"), "3");
  EXPECT_EQ(message.properties.count("TIMER_DELAY_SEC"), 0U) << "DELAY wins";
  EXPECT_EQ(message.tags_code, message.store_timestamp + 10'000);
}

TEST_F(SendMessageTest, CapsADelayAboveTheLastLevel) {
  make_topic("T");
  send("T", "m", {{"DELAY", "77"}});
  EXPECT_EQ(stored("SCHEDULE_TOPIC_XXXX", 17).at(0).properties.at("DELAY"), "18");
}

TEST_F(SendMessageTest, TakesADelayOfZeroOrLessForNone) {
  make_topic("T");
  send("T", "m", {{"DELAY", "0"}});
  send("T", "m", {{"DELAY", "-1"}});
  EXPECT_EQ(stored("T").size(), 2U);
}

TEST_F(SendMessageTest, RefusesADelayThatIsNoNumber) {
  make_topic("T");
  for (const char* delay : {"x", "3x", "1.5", "2147483648"}) {
    const auto refused = send("T", "m", {{"DELAY", delay}});
    EXPECT_EQ(refused->code(), 1) << delay;
    EXPECT_THAT(refused->remark(), HasSubstr("DELAY")) << delay;
  }
}

TEST_F(SendMessageTest, StoresABatchSideBySide) {
  make_topic("T");
  const auto answer =
      send_batch("T", item("a", test::properties({{"TAGS", "A"}, {"UNIQ_KEY", "U1"}})) + item("b") + item("c"),
                 {{"properties", test::properties({{"UNIQ_KEY", "batch"}})}});
  EXPECT_EQ(answer->code(), 0);
  const auto messages = stored("T");
  EXPECT_THAT(bodies(messages), ElementsAre("a", "b", "c"));
  EXPECT_EQ(messages[0].flag, 3);
  EXPECT_EQ(messages[0].tags_code, 65);
  EXPECT_EQ(messages[0].properties, (std::map<std::string, std::string>{{"TAGS", "A"}, {"UNIQ_KEY", "U1"}}))
      << "as they were sent";
  EXPECT_EQ(answer->field("queueOffset"), "0");
  EXPECT_EQ(answer->field("transactionId"), "batch");
  std::string ids;
  for (const auto& message : messages)
    ids += (ids.empty() ? "" : ",") + message::offset_message_id(identity.store_host, message.position);
  EXPECT_EQ(answer->field("msgId"), ids);
}

class AppendedCrcTest : public SendMessageTest {
 protected:
  AppendedCrcTest() { store_options.log.appends_crc = true; }
  /// Whether the record ends with its own CRC.
  bool is_sealed(const test::StoredMessage& message) {
    const auto record = store->record_at({message.position});
    if (!record) return false;
    const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyAppendedCrc);
    return view && message::without_appended_crc(view->properties).size() + message::kAppendedCrcSize ==
                       view->properties.size();
  }
};

TEST_F(AppendedCrcTest, IsTheLastPropertyOfEachMessage) {
  make_topic("T");
  send("T", "m", {{"__CRC32#", "1234567890"}, {"TAGS", "A"}});
  send_batch("T", item("a", test::properties({{"TAGS", "A"}})) + item("b", "K\x01V") + item("c"));
  const auto messages = stored("T");
  ASSERT_THAT(bodies(messages), ElementsAre("m", "a", "b", "c"));
  for (const auto& message : messages) EXPECT_TRUE(is_sealed(message)) << message.body;
  EXPECT_EQ(messages[0].properties.size(), 6U);
  EXPECT_EQ(messages[2].properties.at("K"), "V");
}

TEST_F(AppendedCrcTest, OfADelayedMessageIsNotThatOfItsDelivery) {
  make_topic("T");
  send("T", "later", {{"DELAY", "1"}});
  EXPECT_TRUE(is_sealed(stored("SCHEDULE_TOPIC_XXXX", 0).at(0)));
  clock.advance_ms(1000);
  delayed->step(1);
  run();
  EXPECT_TRUE(is_sealed(stored("T").at(0)));
}

TEST_F(SendMessageTest, DecidesByTheFlagWhatIsABatch) {
  make_topic("T");
  ask(RequestCode::kSendBatchMessage, {{"b", "T"}, {"e", "0"}, {"g", "1"}, {"m", "false"}}, item("a"));
  EXPECT_THAT(bodies(stored("T")), ElementsAre(item("a")));
}

// A reader takes a zero byte for a torn write: in the log it would end it.
TEST_F(SendMessageTest, StoresNoZeroByteAmongProperties) {
  using std::string_literals::operator""s;
  make_topic("T");
  make_topic("B", 4, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  const auto with_zero = [](const std::string& more) { return Fields{{"properties", "a\1b\0c\2"s + more}}; };
  const test::AnswerPtr refused[] = {
      send("T", "value", {}, with_zero("")),
      send("T", "name", {}, {{"properties", "a\0\1b\2"s}}),
      send("T", "delayed", {},
           with_zero("DELAY\1"
                     "3\2")),
      send_batch("T", item("good") + item("item", "a\1\0\2"s)),
      send("B", item("a") + item("b"), {}, test::with({{"batch", "true"}}, with_zero("UNIQ_KEY\1U\2"))),
  };
  for (const auto& answer : refused) {
    EXPECT_EQ(answer->code(), 13);
    EXPECT_THAT(answer->remark(), HasSubstr("Its properties hold a zero byte"));
  }
  for (const auto* topic : {"T", "B", "SCHEDULE_TOPIC_XXXX"}) EXPECT_THAT(stored(topic), IsEmpty()) << topic;
  EXPECT_EQ(send("T", "next")->code(), 0);
  EXPECT_THAT(bodies(stored("T")), ElementsAre("next"));
}

TEST_F(SendMessageTest, StoresNothingOfABatchThatIsWrongAnywhere) {
  make_topic("T");
  EXPECT_EQ(send_batch("T", item("a") + "rest")->code(), 1);
  EXPECT_EQ(send_batch("T", item("a"), {{"sysFlag", "4"}})->code(), 13);
  EXPECT_EQ(send_batch("T", item("a"), {{"properties", test::properties({{"DELAY", "1"}})}})->code(), 13);
  const auto refused = send_batch("%RETRY%g", item("a"));
  EXPECT_EQ(refused->code(), 13);
  EXPECT_THAT(refused->remark(), StartsWith("batch request does not support retry group"));
  EXPECT_THAT(stored("T"), IsEmpty());
}

TEST_F(SendMessageTest, AnswersNothingToAOneWaySend) {
  make_topic("T");
  EXPECT_FALSE(send("T", "m", {}, {}, {.is_one_way = true})->has_answer());
  EXPECT_FALSE(send("a b", "m", {}, {}, {.is_one_way = true})->has_answer());
  EXPECT_THAT(bodies(stored("T")), ElementsAre("m"));
}

TEST_F(SendMessageTest, SendsToTheDeadLettersWhatWasTriedTooOften) {
  make_group("g", [](GroupConfig& group) { group.retry_max_times = 2; });
  send("%RETRY%g", "retry", {}, {{"reconsumeTimes", "2"}});
  EXPECT_THAT(bodies(stored("%RETRY%g")), ElementsAre("retry")) << "more than, not as often as";
  send("%RETRY%g", "dead", {{"DELAY", "5"}}, {{"reconsumeTimes", "3"}});
  const auto dead = stored("%DLQ%g");
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].body, "dead");
  EXPECT_EQ(dead[0].reconsume_times, 3) << "as sent";
  EXPECT_EQ(dead[0].properties.at("DELAY"), "-1");
}

TEST_F(SendMessageTest, CountsAttemptsAsANewEnoughClientSays) {
  const Fields spent{{"reconsumeTimes", "1"}, {"maxReconsumeTimes", "0"}};
  send("%RETRY%g", "old", {}, spent, {.version = 120});
  send("%RETRY%g", "new", {}, spent, {.version = 121});
  EXPECT_THAT(bodies(stored("%RETRY%g")), ElementsAre("old"));
  EXPECT_THAT(bodies(stored("%DLQ%g")), ElementsAre("new"));
}

TEST_F(SendMessageTest, SendsToTheDeadLettersWhileTheGroupConsumesInOrder) {
  locks.lock("g", "client", {{"T", "b", 0}});
  send("%RETRY%g", "dead");
  EXPECT_THAT(bodies(stored("%DLQ%g")), ElementsAre("dead"));
  clock.advance_ms(60'001);
  send("%RETRY%g", "retry");
  EXPECT_THAT(bodies(stored("%RETRY%g")), ElementsAre("retry"));
}

TEST_F(SendMessageTest, MakesARetryTopicAfterTheDefaultTopicIfThatPassesItselfOn) {
  send("%RETRY%g", "m", {}, {{"unitMode", "true"}});
  EXPECT_EQ(topics.find("%RETRY%g")->read_queues, 4);
  EXPECT_EQ(topics.find("%RETRY%g")->sys_flag, kTopicUnitSub);
  send("%RETRY%h", "m", {}, {{"defaultTopic", "nowhere"}});
  EXPECT_EQ(topics.find("%RETRY%h")->read_queues, 1);
}

TEST_F(SendMessageTest, DelaysWhatAClientSendsToARetryTopicItself) {
  send("%RETRY%g", "m", {{"DELAY", "4"}}, {{"reconsumeTimes", "1"}});
  EXPECT_EQ(stored("SCHEDULE_TOPIC_XXXX", 3).at(0).properties.at("REAL_TOPIC"), "%RETRY%g");
}

// docs/format/batch_consume_queue.md: what Apache's broker makes of a batch for such a topic.
TEST_F(SendMessageTest, StoresABatchForBatchQueuesAsOneRecord) {
  make_topic("B", 4, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  EXPECT_EQ(send("B", "single")->field("queueOffset"), "0");
  const auto body = item("a", test::properties({{"TAGS", "A"}, {"UNIQ_KEY", "U1"}})) + item("b") + item("c");
  const auto answer = send_batch(
      "B", body, {{"properties", test::properties({{"UNIQ_KEY", "batch"}, {"INNER_NUM", "7"}, {"TAGS", "A"}})}});
  EXPECT_EQ(answer->code(), 13) << "a client's own count is refused";
  const auto stored_answer = send_batch(
      "B", body, {{"properties", test::properties({{"UNIQ_KEY", "batch"}, {"TAGS", "A"}, {"CLUSTER", "?"}})}});
  EXPECT_EQ(stored_answer->code(), 0);
  EXPECT_EQ(stored_answer->field("queueOffset"), "1");
  EXPECT_EQ(stored_answer->field("transactionId"), "batch");
  EXPECT_EQ(stored_answer->field("batchUniqId"), "batch");
  EXPECT_EQ(send("B", "next")->field("queueOffset"), "4");

  const auto queue = store->find_queue("B", 0);
  ASSERT_TRUE(queue);
  EXPECT_EQ(queue->kind(), store::QueueKind::kBatch);
  EXPECT_EQ(queue->bounds().max.value, 5);
  std::array<store::QueueEntry, 4> entries;
  ASSERT_EQ(queue->read({2}, entries, false).value(), 2U);
  EXPECT_EQ(entries[0].count, 2);
  EXPECT_EQ(stored_answer->field("msgId"), message::offset_message_id(identity.store_host, entries[0].position.value));
  const auto record = store->record_at(entries[0].position);
  const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyCrc);
  EXPECT_EQ(test::text_of(view->body), body);
  EXPECT_EQ(view->queue_offset, 1);
  EXPECT_EQ(view->sys_flag & 0xC0, 0xC0);
  std::map<std::string, std::string> properties;
  message::for_each_property(view->properties, [&](auto name, auto value) { properties[std::string(name)] = value; });
  EXPECT_EQ(properties, (std::map<std::string, std::string>{{"UNIQ_KEY", "batch"},
                                                            {"TAGS", "A"},
                                                            {"CLUSTER", identity.cluster},
                                                            {"MSG_REGION", "DefaultRegion"},
                                                            {"TRACE_ON", "true"},
                                                            {"INNER_NUM", "3"},
                                                            {"INNER_BASE", "0000000000000000001"}}));
}

TEST_F(SendMessageTest, StoresABatchWithoutAKeyOfItsOwnMessageByMessage) {
  make_topic("B", 4, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  const auto answer = send_batch("B", item("a") + item("b"));
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("batchUniqId"), "");
  EXPECT_THAT(bodies(stored("B")), ElementsAre("a", "b"));
}

TEST_F(AppendedCrcTest, OfAnInnerBatchCoversWhereItsOffsetsBegin) {
  make_topic("B", 4, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  for (int i = 0; i < 3; ++i) {
    send_batch("B", item("a") + item("b"), {{"properties", test::properties({{"UNIQ_KEY", "batch"}})}});
  }
  std::array<store::QueueEntry, 3> entries;
  ASSERT_EQ(store->find_queue("B", 0)->read({0}, entries, false).value(), 3U);
  for (const auto& entry : entries) {
    const auto record = store->record_at(entry.position);
    EXPECT_TRUE(message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyAppendedCrc));
  }
}

TEST_F(SendMessageTest, RefusesInnerBatchesThatClientsMake) {
  make_topic("B", 4, [](TopicConfig& topic) { topic.attributes["queue.type"] = "BatchCQ"; });
  make_topic("T");
  for (const auto* topic : {"B", "T"}) {
    EXPECT_EQ(send(topic, "m", {}, {{"sysFlag", std::to_string(0x80)}})->code(), 13);
    EXPECT_EQ(send(topic, "m", {{"INNER_NUM", "2"}})->code(), 13);
    EXPECT_EQ(send_batch(topic, item("a"), {{"sysFlag", std::to_string(0x80)}})->code(), 13);
    EXPECT_EQ(send_batch(topic, item("a"), {{"properties", test::properties({{"INNER_NUM", "1"}})}})->code(), 13);
    EXPECT_THAT(stored(topic), IsEmpty());
  }
}

TEST_F(SendMessageTest, AnswersWhileTheStoreCannotBeWritten) {
  make_topic("T");
  send("T", "m");
  disk.fail_at(disk.changes() + 1, EIO, 1000);
  flush();
  const auto refused = send("T", "m");
  EXPECT_EQ(refused->code(), 14);
  EXPECT_THAT(refused->remark(), HasSubstr("read-only"));
  EXPECT_NE(refused->field("MSG_REGION"), "");
}

TEST_F(SendMessageTest, RefusesOnAFullDiskAndSaysSo) {
  make_topic("T");
  EXPECT_EQ(send("T", "before")->code(), 0);
  const auto capacity = disk.space("store")->total_bytes;
  disk.set_capacity(store_options.free_bytes_min.get());
  clock.advance_ms(1'000);
  store->upkeep_step();
  const auto refused = send("T", "m");
  EXPECT_EQ(refused->code(), 14);
  EXPECT_THAT(refused->remark(), StartsWith("service not available now. "));
  EXPECT_THAT(refused->remark(), ContainsRegex("the broker's disk is full \\[CL: +0\\.[0-9][0-9]\\]"));
  EXPECT_EQ(status("diskFull"), "true");
  EXPECT_EQ(status("readOnlyReason"), "") << "it goes on by itself";
  EXPECT_EQ(pull("T", 0)->code(), 0) << "what is there is read";

  disk.set_capacity(capacity);
  clock.advance_ms(1'000);
  store->upkeep_step();
  EXPECT_EQ(send("T", "after")->code(), 0);
  EXPECT_EQ(status("diskFull"), "false");
  EXPECT_THAT(bodies(stored("T")), ElementsAre("before", "after"));
}

class SyncFlushTest : public SendMessageTest {
 public:
  SyncFlushTest() : SendMessageTest("SYNC_FLUSH") {}
};

TEST_F(SyncFlushTest, AnswersOnceTheMessageIsOnTheDisk) {
  make_topic("T");
  const auto answer = send("T", "m", {{"WAIT", "true"}});
  EXPECT_FALSE(answer->has_answer());
  EXPECT_EQ(stage().waiting(), 1U);
  flush();
  EXPECT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("queueOffset"), "0");
}

TEST_F(SyncFlushTest, DoesNotWaitForWhoDoesNotWantIt) {
  make_topic("T");
  EXPECT_EQ(send("T", "m", {{"WAIT", "false"}})->code(), 0);
  EXPECT_EQ(stage().waiting(), 0U);
}

TEST_F(SyncFlushTest, AnswersAfterFiveSecondsThatTheDiskIsSlow) {
  make_topic("T");
  const auto answer = send("T", "m", {{"UNIQ_KEY", "U1"}});
  clock.advance_ms(5'000);
  stage().expire();
  EXPECT_FALSE(answer->has_answer());
  clock.advance_ms(1);
  stage().expire();
  EXPECT_EQ(answer->code(), 10);
  EXPECT_EQ(answer->field("queueOffset"), "0") << "it is stored, and the answer says where";
  EXPECT_EQ(answer->field("transactionId"), "U1");
  flush();
  EXPECT_THAT(bodies(stored("T")), ElementsAre("m"));
}

TEST_F(SyncFlushTest, AnswersWhoWaitsWhenTheSyncFails) {
  make_topic("T");
  run();
  const auto answer = send("T", "m");
  disk.fail_at(disk.changes() + 1, EIO, 1000);
  flush();
  EXPECT_EQ(answer->code(), 14);
  EXPECT_EQ(answer->field("msgId"), "");
  EXPECT_THAT(status("readOnlyReason"), HasSubstr("store/commitlog/00000000000000000000"));
  EXPECT_EQ(status("diskFull"), "false");
}

TEST_F(SyncFlushTest, WaitsForAWholeBatch) {
  make_topic("T");
  const auto answer = send_batch("T", item("a") + item("b"));
  EXPECT_FALSE(answer->has_answer());
  flush();
  EXPECT_EQ(answer->code(), 0);
  EXPECT_THAT(bodies(stored("T")), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace tern::broker
