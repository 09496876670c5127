#include "broker/groups/group_table.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;

class GroupTableTest : public test::BrokerFixture {
 protected:
  std::unique_ptr<GroupTable> load_again() {
    EXPECT_TRUE(groups.save());
    auto again = std::make_unique<GroupTable>(options, disk, "store/config/subscriptionGroup.json", clock, blocking);
    EXPECT_EQ(again->load(), std::nullopt);
    return again;
  }
};

TEST_F(GroupTableTest, HoldsTheGroupsThatEveryBrokerHas) {
  for (const char* name : {"TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
                           "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER", "CID_RMQ_SYS_TRANS"}) {
    EXPECT_NE(groups.find(name), nullptr) << name;
  }
}

TEST_F(GroupTableTest, CreatesAnUnknownGroupWithApachesDefaults) {
  const auto group = groups.find_or_create("g");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->retry_queues, 1);
  EXPECT_EQ(group->retry_max_times, 16);
  EXPECT_TRUE(group->consume_enable && group->consume_broadcast_enable && group->notify_consumer_ids_changed_enable);
  EXPECT_EQ(groups.find("g"), group);
}

TEST_F(GroupTableTest, CreatesOnlySystemGroupsWithAutoCreationOff) {
  options.auto_create_groups = false;
  EXPECT_EQ(groups.find_or_create("g"), nullptr);
  EXPECT_NE(groups.find_or_create("CID_RMQ_SYS_x"), nullptr);
}

TEST_F(GroupTableTest, CreatesNoGroupOfAnIllegalName) {
  for (const auto& name : {std::string(), std::string("a b"), std::string("../x"), std::string(121, 'g')}) {
    const auto before = groups.all().size();
    EXPECT_EQ(groups.find_or_create(name), nullptr) << name;
    EXPECT_EQ(groups.all().size(), before);
  }
  EXPECT_NE(groups.find_or_create(std::string(120, 'g')), nullptr);
}

TEST_F(GroupTableTest, KeepsMembersThatItDoesNotRead) {
  const auto json = protocol::parse_json(
      R"({"groupName":"g","retryMaxTimes":3,"groupRetryPolicy":{"type":"EXPONENTIAL"},"odd":[1]})");
  groups.put(*group_from_json(*json));
  const auto again = load_again();
  const auto group = again->find("g");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->retry_max_times, 3);
  EXPECT_EQ(to_json(*group)["groupRetryPolicy"]["type"], "EXPONENTIAL");
  EXPECT_EQ(to_json(*group)["odd"], protocol::Json::array({1}));
}

TEST_F(GroupTableTest, KeepsOfItsFileWhatItDoesNotRead) {
  constexpr const char* kPath = "store/config/subscriptionGroup.json";
  ASSERT_TRUE(test::write_text(disk, kPath, R"({"odd":1,"forbiddenTable":{},
    "subscriptionGroupTable":{"g":{"groupName":"g","newer":true},"h":{"groupName":""}}})"));
  GroupTable table(options, disk, kPath, clock, blocking);
  ASSERT_EQ(table.load(), std::nullopt);
  ASSERT_TRUE(table.save());
  const auto saved = protocol::parse_json(test::read_text(disk, kPath));
  ASSERT_TRUE(saved);
  EXPECT_EQ((*saved)["odd"], 1);
  EXPECT_EQ((*saved)["subscriptionGroupTable"]["g"]["newer"], true);
  EXPECT_EQ((*saved)["subscriptionGroupTable"]["h"]["groupName"], "");
}

TEST_F(GroupTableTest, ForbidsAGroupATopicAcrossARestart) {
  groups.set_forbidden("g", "T", true);
  EXPECT_TRUE(groups.is_forbidden("g", "T"));
  EXPECT_FALSE(groups.is_forbidden("g", "U"));
  EXPECT_FALSE(groups.is_forbidden("h", "T"));
  const auto again = load_again();
  EXPECT_TRUE(again->is_forbidden("g", "T"));
  again->set_forbidden("g", "T", false);
  EXPECT_FALSE(again->is_forbidden("g", "T"));
}

TEST_F(GroupTableTest, ForgetsARemovedGroupWithItsRules) {
  make_group("g");
  groups.set_forbidden("g", "T", true);
  EXPECT_TRUE(groups.remove("g"));
  EXPECT_FALSE(groups.remove("g"));
  EXPECT_EQ(groups.find("g"), nullptr);
  EXPECT_FALSE(groups.is_forbidden("g", "T"));
}

TEST_F(GroupTableTest, AnswersAnUpdateOnceItIsSaved) {
  const auto updated =
      ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, R"({"groupName":"g","retryMaxTimes":2})");
  EXPECT_EQ(updated->code(), 0);
  EXPECT_EQ(groups.find("g")->retry_max_times, 2);
  EXPECT_NE(test::read_text(disk, "store/config/subscriptionGroup.json").find("\"g\""), std::string::npos);
}

TEST_F(GroupTableTest, RefusesAnUpdateWithAnIllegalName) {
  EXPECT_EQ(ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, R"({"groupName":"a b"})")->code(), 29);
  EXPECT_EQ(ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, R"({"groupName":7)")->code(), 1);
  for (const char* nameless : {"{}", R"({"groupName":""})", R"({"groupName":null})"}) {
    const auto refused = ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, nameless);
    EXPECT_EQ(refused->code(), 29) << nameless;
    EXPECT_EQ(refused->remark(), "The specified group is blank.") << nameless;
  }
}

TEST_F(GroupTableTest, RefusesAnUpdateWithANumberThatIsNone) {
  for (const char* value : {"2147483648", "-2147483649", R"("many")", "1.5", "[]"}) {
    const auto body = std::string(R"({"groupName":"g","retryMaxTimes":)") + value + "}";
    EXPECT_EQ(ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, body)->code(), 1) << value;
    EXPECT_EQ(groups.find("g"), nullptr) << value;
  }
  EXPECT_EQ(ask(RequestCode::kUpdateAndCreateSubscriptionGroup, {}, R"({"groupName":"g","retryMaxTimes":"3"})")->code(),
            0);
  EXPECT_EQ(groups.find("g")->retry_max_times, 3);
}

TEST_F(GroupTableTest, LetsAGroupGoWithItsOffsetsOnlyIfAsked) {
  make_group("g");
  make_group("h");
  offsets.commit("g", "T", 0, 5);
  offsets.commit("h", "T", 0, 6);
  ask(RequestCode::kDeleteSubscriptionGroup, {{"groupName", "g"}, {"cleanOffset", "true"}});
  ask(RequestCode::kDeleteSubscriptionGroup, {{"groupName", "h"}});
  EXPECT_EQ(offsets.find("g", "T", 0), std::nullopt);
  EXPECT_EQ(offsets.find("h", "T", 0), 6);
}

}  // namespace
}  // namespace tern::broker
