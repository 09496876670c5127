// What a broker answers to requests that are wrong: Apache's code, and a text that says what and the limit. Nothing is
// stored or created by them, and the next request of the same client is served.

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Matcher;
using ::testing::StartsWith;

class BadInputTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T");
    send("T", "first");
    topics_before_ = topics.all().size();
  }
  void TearDown() override {
    EXPECT_EQ(topics.all().size(), topics_before_) << "a topic was created";
    EXPECT_EQ(stored("T").size(), 1U);
    EXPECT_EQ(send("T", "after")->code(), 0);
    EXPECT_EQ(pull("T", 1)->code(), 0);
  }

 private:
  std::size_t topics_before_ = 0;
};

TEST_F(BadInputTest, ATopicOfAPathIsIllegal) {
  const auto refused = send("../../x");
  EXPECT_EQ(refused->code(), 29);
  EXPECT_EQ(refused->remark(),
            "The specified topic: ../../x, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$");
}

TEST_F(BadInputTest, ATopicWithoutANameIsIllegal) {
  EXPECT_EQ(send("")->code(), 29);
  EXPECT_EQ(send("")->remark(), "The specified topic is blank.");
  EXPECT_EQ(send("  ")->remark(), "The specified topic is blank.");
}

TEST_F(BadInputTest, ATopicOf128CharactersIsTooLong) {
  const auto refused = send(std::string(128, 't'));
  EXPECT_EQ(refused->code(), 29);
  EXPECT_THAT(refused->remark(), AllOf(HasSubstr(std::string(128, 't')), HasSubstr("topic max length: 127")));
  const auto retry = send("%RETRY%" + std::string(249, 't'));
  EXPECT_EQ(retry->code(), 29);
  EXPECT_THAT(retry->remark(), HasSubstr("topic max length: 255"));
}

TEST_F(BadInputTest, ATopicOfAPathCannotBePulled) {
  for (const auto& topic : {std::string("../../x"), std::string(), std::string(128, 't')}) {
    const auto refused = pull(topic, 0);
    EXPECT_EQ(refused->code(), 17) << topic;
    EXPECT_THAT(refused->remark(), HasSubstr("topic[" + topic + "] not exist")) << topic;
  }
}

TEST_F(BadInputTest, ABodyAboveMaxMessageSizeIsIllegal) {
  const auto refused = send("T", std::string(4'194'305, 'x'));
  EXPECT_EQ(refused->code(), 13);
  EXPECT_EQ(
      refused->remark(),
      "the message is illegal, maybe msg body or properties length not matched. msg body length limit 4194304B, msg "
      "properties length limit 32KB. The body has 4194305 bytes, more than maxMessageSize=4194304 allows");
  options.message_size_max = 10;
  EXPECT_THAT(send("T", "eleven bytes")->remark(), AllOf(HasSubstr("limit 10B"), HasSubstr("maxMessageSize=10")));
}

TEST_F(BadInputTest, ABodyOfNothingIsIllegal) {
  EXPECT_EQ(send("T", "")->code(), 13);
  EXPECT_THAT(send("T", "")->remark(), AllOf(StartsWith("the message is illegal"), HasSubstr("The body is empty")));
}

TEST_F(BadInputTest, PropertiesAbove32767BytesAreIllegal) {
  const auto refused = send("T", "m", {}, {{"properties", std::string("K\x01") + std::string(32'766, 'v')}});
  EXPECT_EQ(refused->code(), 13);
  EXPECT_THAT(refused->remark(),
              AllOf(HasSubstr("properties length limit 32KB"), HasSubstr("The properties have 32768 bytes"),
                    HasSubstr("32767 that a record can hold")));
  const auto grown = send("T", "m", {}, {{"properties", std::string("K\x01") + std::string(32'765, 'v')}});
  EXPECT_EQ(grown->code(), 13) << "with what the broker adds they are too long";
  EXPECT_THAT(grown->remark(), HasSubstr("With what the broker adds"));
}

TEST_F(BadInputTest, AQueueThatDoesNotExistIsIllegal) {
  const auto sent = send("T", "m", {}, {{"queueId", "4"}});
  EXPECT_EQ(sent->code(), 29);
  EXPECT_THAT(sent->remark(), AllOf(HasSubstr("queueId[4]"), HasSubstr("writeQueueNums=4")));
  for (const char* queue : {"4", "-1", "2147483647", "-2147483648"}) {
    const auto pulled = pull("T", 0, {{"queueId", queue}});
    EXPECT_EQ(pulled->code(), 29);
    EXPECT_THAT(pulled->remark(),
                AllOf(HasSubstr("queueId[" + std::string(queue) + "]"), HasSubstr("readQueueNums:[4]")));
  }
}

TEST_F(BadInputTest, APullOutsideOfAQueueIsToldWhereToGoOn) {
  for (const auto& [offset, status, next] : {std::tuple{std::int64_t{2}, "OFFSET_OVERFLOW_BADLY", "1"},
                                             {INT64_MAX, "OFFSET_OVERFLOW_BADLY", "1"},
                                             {std::int64_t{-1}, "OFFSET_TOO_SMALL", "0"},
                                             {INT64_MIN, "OFFSET_TOO_SMALL", "0"}}) {
    const auto moved = pull("T", offset, {{"sysFlag", "6"}});
    EXPECT_EQ(moved->code(), 21) << offset;
    EXPECT_EQ(moved->remark(), status) << offset;
    EXPECT_EQ(moved->field("nextBeginOffset"), next) << offset;
    EXPECT_EQ(moved->field("minOffset"), "0");
    EXPECT_EQ(moved->field("maxOffset"), "1");
  }
}

TEST_F(BadInputTest, AnUnknownGroupIsRefusedWithAutoCreationOff) {
  options.auto_create_groups = false;
  EXPECT_EQ(pull("T", 0)->code(), 26);
  const auto names_the_setting = HasSubstr("autoCreateSubscriptionGroup=true");
  EXPECT_THAT(pull("T", 0)->remark(), AllOf(StartsWith("subscription group [g] does not exist"), names_the_setting));
  const auto back = ask(RequestCode::kConsumerSendMessageBack, {{"offset", "0"}, {"group", "g"}, {"delayLevel", "0"}});
  EXPECT_EQ(back->code(), 26);
  EXPECT_THAT(back->remark(), AllOf(StartsWith("subscription group not exist, g "), names_the_setting));
  EXPECT_THAT(ask(RequestCode::kUpdateConsumerOffset,
                  {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "1"}})
                  ->remark(),
              AllOf(StartsWith("Group g not exist!"), names_the_setting));
  EXPECT_EQ(groups.find("g"), nullptr);
  options.auto_create_groups = true;
}

TEST_F(BadInputTest, ATopicThatIsNotCreatedNamesTheReason) {
  const auto refused = send("New", "m", {}, {{"defaultTopic", "T"}});
  EXPECT_EQ(refused->code(), 17);
  EXPECT_THAT(refused->remark(), AllOf(StartsWith("topic[New] not exist, apply first please!"),
                                       HasSubstr("default topic that the producer names passes nothing on")));
  options.auto_create_topics = false;
  EXPECT_THAT(send("New", "m", {}, {{"defaultTopic", "T"}})->remark(), HasSubstr("autoCreateTopicEnable=false"));
  options.auto_create_topics = true;
}

TEST_F(BadInputTest, AGroupOfAPathIsNotCreated) {
  const auto refused = pull("T", 0, {{"consumerGroup", "../../g"}});
  EXPECT_EQ(refused->code(), 26);
  EXPECT_EQ(groups.find("../../g"), nullptr);
}

struct Lacking {
  RequestCode code;
  Fields fields;
  std::vector<std::string> required;
  std::vector<std::string> numbers;
};

TEST_F(BadInputTest, AFieldThatIsMissingOrNoNumberIsNamed) {
  const std::vector<Lacking> requests{
      {RequestCode::kSendMessage,
       send_fields("T"),
       {"topic", "queueId", "bornTimestamp"},
       {"queueId", "bornTimestamp", "sysFlag", "flag", "reconsumeTimes", "maxReconsumeTimes"}},
      {RequestCode::kSendMessageV2,
       {{"b", "T"}, {"e", "0"}, {"g", "1"}},
       {"b", "e", "g"},
       {"d", "e", "f", "g", "h", "j", "l"}},
      {RequestCode::kPullMessage,
       pull_fields("T", 0),
       {"consumerGroup", "topic", "queueId", "queueOffset"},
       {"queueId", "queueOffset", "maxMsgNums", "sysFlag", "commitOffset", "suspendTimeoutMillis", "subVersion"}},
      {RequestCode::kConsumerSendMessageBack,
       {{"offset", "0"}, {"group", "g"}, {"delayLevel", "0"}},
       {"offset", "group", "delayLevel"},
       {"offset", "delayLevel", "maxReconsumeTimes"}},
      {RequestCode::kQueryConsumerOffset,
       {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "0"}},
       {"consumerGroup", "topic", "queueId"},
       {"queueId"}},
      {RequestCode::kUpdateConsumerOffset,
       {{"consumerGroup", "g"}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "1"}},
       {"consumerGroup", "topic"},
       {"queueId", "commitOffset"}},
      {RequestCode::kGetMaxOffset, {{"topic", "T"}, {"queueId", "0"}}, {"topic", "queueId"}, {"queueId"}},
      {RequestCode::kGetMinOffset, {{"topic", "T"}, {"queueId", "0"}}, {"topic", "queueId"}, {"queueId"}},
      {RequestCode::kSearchOffsetByTimestamp,
       {{"topic", "T"}, {"queueId", "0"}, {"timestamp", "1"}},
       {"topic", "queueId", "timestamp"},
       {"timestamp"}},
      {RequestCode::kUnregisterClient, {{"clientID", "c"}}, {"clientID"}, {}},
      {RequestCode::kGetConsumerListByGroup, {{"consumerGroup", "g"}}, {"consumerGroup"}, {}},
  };
  for (const auto& request : requests) {
    const auto code = static_cast<int>(request.code);
    for (const auto& name : request.required) {
      const auto refused = ask(request.code, test::with(request.fields, {{"-" + name, ""}}), "m");
      EXPECT_EQ(refused->code(), 1) << code << " " << name;
      EXPECT_EQ(refused->remark(), "the custom field <" + name + "> is null") << code;
    }
    for (const auto& name : request.numbers) {
      for (const std::string value : {"x", "", "1x", "99999999999999999999"}) {
        const auto refused = ask(request.code, test::with(request.fields, {{name, value}}), "m");
        EXPECT_EQ(refused->code(), 1) << code << " " << name << "=" << value;
        EXPECT_EQ(refused->remark(), "the custom field <" + name + "> has an illegal value: " + value) << code;
      }
    }
  }
}

TEST_F(BadInputTest, ATopicWithoutANameIsNotDeleted) {
  for (const auto& fields : {test::Fields{}, test::Fields{{"topic", ""}}, test::Fields{{"topic", " \t"}}}) {
    const auto refused = ask(RequestCode::kDeleteTopicInBroker, fields);
    EXPECT_EQ(refused->code(), 29);
    EXPECT_EQ(refused->remark(), "The specified topic is blank.");
  }
}

TEST_F(BadInputTest, ACodeThatNobodyKnowsIsNotSupported) {
  const auto refused = ask(static_cast<RequestCode>(9'999), {});
  EXPECT_EQ(refused->code(), 3);
  EXPECT_THAT(refused->remark(), HasSubstr("9999"));
}

}  // namespace
}  // namespace tern::broker
