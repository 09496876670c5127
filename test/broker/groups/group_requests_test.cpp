// Lists of groups, and what a group may not read.

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"
#include "broker/registration/nameserver_registration.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using test::with;
using ::testing::HasSubstr;

class GroupRequestsTest : public test::BrokerFixture {
 protected:
  test::AnswerPtr update_list(std::string_view body) {
    return ask(RequestCode::kUpdateAndCreateSubscriptionGroupList, {}, body);
  }
  test::AnswerPtr forbidden(const Fields& changes = {}) {
    return ask(RequestCode::kUpdateAndGetGroupForbidden, with({{"group", "g"}, {"topic", "T"}}, changes));
  }
  std::string table() { return groups.to_json()["forbiddenTable"].dump(); }
};

TEST_F(GroupRequestsTest, MakeAllGroupsOfAList) {
  EXPECT_EQ(update_list(R"({"groupConfigList":[{"groupName":"a","retryMaxTimes":3},{"groupName":"b"}]})")->code(), 0);
  ASSERT_NE(groups.find("a"), nullptr);
  EXPECT_EQ(groups.find("a")->retry_max_times, 3);
  EXPECT_NE(groups.find("b"), nullptr);
  EXPECT_EQ(update_list(R"({"groupConfigList":[]})")->code(), 0);
}

TEST_F(GroupRequestsTest, MakeNoneOfAListWithOneThatIsWrong) {
  EXPECT_EQ(update_list(R"({"groupConfigList":[{"groupName":"a"},{"groupName":"x/y"}]})")->code(), 29);
  EXPECT_EQ(update_list(R"({"groupConfigList":[{"groupName":"a"},7]})")->code(), 1);
  EXPECT_EQ(update_list(R"({"groupConfigList":[{"groupName":"a","brokerId":"x"}]})")->code(), 1);
  EXPECT_THAT(update_list("{}")->remark(), HasSubstr("groupConfigList"));
  EXPECT_EQ(update_list("")->code(), 1);
  EXPECT_EQ(groups.find("a"), nullptr);
}

TEST_F(GroupRequestsTest, ChangeAttributesBySign) {
  const auto update = [&](const std::string& attributes) {
    return ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {},
               R"({"groupName":"g","attributes":)" + attributes + "}");
  };
  const auto attributes = [&] { return to_json(*groups.find("g"))["attributes"].dump(); };
  EXPECT_EQ(update(R"({"-priority.factor":""})")->code(), 1) << "it is new";
  EXPECT_EQ(groups.find("g"), nullptr);
  EXPECT_EQ(update(R"({"+priority.factor":"5"})")->code(), 0);
  EXPECT_EQ(attributes(), R"({"priority.factor":"5"})");
  EXPECT_EQ(update(R"({"+lite.bind.topic":"a,b=c"})")->code(), 0);
  EXPECT_EQ(attributes(), R"({"lite.bind.topic":"a,b=c","priority.factor":"5"})") << "the others stay";
  for (const auto* wrong :
       {R"({"priority.factor":"5"})", R"({"+priority.factor":"101"})", R"({"+priority.factor":"x"})",
        R"({"+unheard.of":"5"})", R"({"-lite.sub.model":""})", R"({"":"5"})"})
    EXPECT_EQ(update(wrong)->code(), 1) << wrong;
  EXPECT_EQ(update(R"({"-lite.bind.topic":"","+priority.factor":7})")->code(), 0);
  EXPECT_EQ(attributes(), R"({"priority.factor":"7"})");
  EXPECT_EQ(update("null")->code(), 0);
  EXPECT_EQ(attributes(), R"({"priority.factor":"7"})");
}

TEST_F(GroupRequestsTest, SayAndChangeWhatAGroupMayRead) {
  EXPECT_EQ(forbidden()->body(), R"({"group":"g","readable":true,"topic":"T"})");
  EXPECT_EQ(forbidden({{"readable", "false"}})->body(), R"({"group":"g","readable":false,"topic":"T"})");
  EXPECT_TRUE(groups.is_forbidden("g", "T"));
  EXPECT_EQ(table(), R"({"g":{"T":4}})") << "as Apache's file has it";
  forbidden({{"topic", "U"}, {"readable", "false"}});
  EXPECT_EQ(forbidden({{"readable", "true"}})->body(), R"({"group":"g","readable":true,"topic":"T"})");
  EXPECT_EQ(table(), R"({"g":{"U":4}})") << "the other rule stays";
  forbidden({{"topic", "U"}, {"readable", "true"}});
  EXPECT_EQ(table(), "{}");
  EXPECT_EQ(forbidden({{"-topic", ""}})->code(), 1);
}

TEST_F(GroupRequestsTest, KeepWhatAGroupMayNotReadInTheFile) {
  forbidden({{"readable", "false"}});
  GroupTable again(options, disk, "store/config/subscriptionGroup.json", clock, blocking);
  EXPECT_EQ(again.load(), std::nullopt);
  EXPECT_TRUE(again.is_forbidden("g", "T"));
}

class TopicListTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    std::get<NameserverRegistration*>(services.parts) = &registration_;
  }
  test::AnswerPtr update_list(std::string_view body) { return ask(RequestCode::kUpdateAndCreateTopicList, {}, body); }

 private:
  remoting::NetworkOptions network_options_;
  remoting::Network network_{network_options_, clock};
  NameserverRegistration registration_{network_, options, identity, topics, clock};
};

TEST_F(TopicListTest, IsRefusedWholeForOneThatIsWrong) {
  const auto list = [](const std::string& entry) {
    return R"({"topicConfigList":[{"topicName":"a","readQueueNums":4,"writeQueueNums":4,"perm":6},)" + entry + "]}";
  };
  EXPECT_EQ(update_list(list(R"({"topicName":"x/y"})"))->code(), 29);
  EXPECT_EQ(update_list(list(R"({"topicName":"TBW102"})"))->code(), 29);
  EXPECT_EQ(update_list(list(R"({"topicName":"second","writeQueueNums":99999999999})"))->code(), 29);
  EXPECT_EQ(update_list(list(R"({"topicName":"second","topicFilterType":"x"})"))->code(), 1);
  EXPECT_EQ(update_list(list(R"({"topicName":"second","attributes":{"+message.type":"MIXED"}})"))->code(), 29);
  EXPECT_EQ(update_list(list(R"({"topicName":"second","attributes":{"message.type":"FIFO"}})"))->code(), 1)
      << "no sign";
  EXPECT_EQ(update_list(list("3"))->code(), 1);
  EXPECT_THAT(update_list("[]")->remark(), HasSubstr("topicConfigList"));
  EXPECT_EQ(topics.find("a"), nullptr);
}

TEST_F(TopicListTest, OfTopicsAsTheyAreChangesNothing) {
  make_topic("a");
  const auto before = topics.version();
  EXPECT_EQ(update_list(R"({"topicConfigList":[{"topicName":"a","readQueueNums":4,"writeQueueNums":4}]})")->code(), 0);
  EXPECT_EQ(update_list(R"({"topicConfigList":[]})")->code(), 0);
  EXPECT_EQ(topics.version(), before);
}

}  // namespace
}  // namespace tern::broker
