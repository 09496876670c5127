#include "nameserver/bodies.hpp"

#include <gtest/gtest.h>

#include "nameserver/fake_peer.hpp"
#include "nameserver/registrations.hpp"
#include "nameserver/route_bodies.hpp"

namespace tern::nameserver {
namespace {

TopicRoute one_topic() {
  TopicRoute route;
  route.brokers["b"] = {"c", {{0, "1.1.1.1:10911"}, {1, "1.1.1.2:10911"}}, false, std::nullopt};
  route.queues["b"] = {4, 4, 6, 0};
  return route;
}

TEST(Bodies, WriteIdsOfARouteWithoutQuotesForOldClients) {
  EXPECT_EQ(route_body(one_topic(), RouteStyle::kOld),
            R"({"brokerDatas":[{"brokerAddrs":{0:"1.1.1.1:10911",1:"1.1.1.2:10911"},"brokerName":"b","cluster":"c",)"
            R"("enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6,)"
            R"("readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})");
}

TEST(Bodies, WriteIdsOfARouteWithQuotesForNewClients) {
  EXPECT_EQ(
      route_body(one_topic(), RouteStyle::kNew),
      R"({"brokerDatas":[{"brokerAddrs":{"0":"1.1.1.1:10911","1":"1.1.1.2:10911"},"brokerName":"b","cluster":"c",)"
      R"("enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6,)"
      R"("readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]})");
}

TEST(Bodies, WriteTheOptionalMembersOfARouteInTheirAlphabeticalPlaces) {
  auto route = one_topic();
  route.brokers["b"].zone = "z";
  route.brokers["b"].enable_acting_master = true;
  route.brokers["b"].addresses.erase(1);
  route.mappings["b"] = {{"bname", "b"}, {"currIdMap", {{"0", 1}}}};
  EXPECT_EQ(route_body(route, RouteStyle::kOld, "b:4"),
            R"({"brokerDatas":[{"brokerAddrs":{0:"1.1.1.1:10911"},"brokerName":"b","cluster":"c",)"
            R"("enableActingMaster":true,"zoneName":"z"}],"filterServerTable":{},"orderTopicConf":"b:4",)"
            R"("queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}],)"
            R"("topicQueueMappingByBroker":{"b":{"bname":"b","currIdMap":{0:1}}}})");
}

TEST(Bodies, WriteClusterInfoWithUnquotedIdsAlways) {
  RouteTable::Clusters clusters;
  clusters.brokers["b"] = {"c", {{0, "1:1"}}, false, std::nullopt};
  clusters.clusters["c"] = {"b"};
  EXPECT_EQ(cluster_info_body(clusters),
            R"({"brokerAddrTable":{"b":{"brokerAddrs":{0:"1:1"},"brokerName":"b","cluster":"c",)"
            R"("enableActingMaster":false}},"clusterAddrTable":{"c":["b"]}})");
  EXPECT_EQ(cluster_info_body({}), R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
}

TEST(Bodies, WriteAMemberGroupWithUnquotedIdsAlways) {
  EXPECT_EQ(member_group_body("c", "b", {{0, "x"}, {2, "y"}}),
            R"({"brokerMemberGroup":{"brokerAddrs":{0:"x",2:"y"},"brokerName":"b","cluster":"c"}})");
  EXPECT_EQ(member_group_body("c", "nobody", {}),
            R"({"brokerMemberGroup":{"brokerAddrs":{},"brokerName":"nobody","cluster":"c"}})");
}

TEST(Bodies, WriteTopicListsEvenWhenEmpty) {
  const std::string topics[] = {"T", "U"};
  EXPECT_EQ(topic_list_body(topics), R"({"topicList":["T","U"]})");
  EXPECT_EQ(topic_list_body(topics, "1:1"), R"({"brokerAddr":"1:1","topicList":["T","U"]})");
  EXPECT_EQ(topic_list_body({}), R"({"topicList":[]})");
}

TEST(Bodies, WriteDataVersionsAndTables) {
  EXPECT_EQ(data_version_body({1, 2, 3}), R"({"counter":3,"stateVersion":1,"timestamp":2})");
  EXPECT_EQ(key_value_table_body({{"k", "v\"w"}}), R"({"table":{"k":"v\"w"}})");
  EXPECT_EQ(key_value_table_body({}), R"({"table":{}})");
}

class RouteBodiesTest : public ::testing::Test {
 protected:
  test::DefaultOptions defaults;
  RouteTable table{defaults.options};
  RouteBodies bodies{table};
};

TEST_F(RouteBodiesTest, GivesTheSameTextUntilTheTableChanges) {
  EXPECT_EQ(bodies.body("T", RouteStyle::kNew), nullptr);
  table.register_broker(test::registration("b", 0, "1:1", {"T", "U"}), test::FakePeer::make(), 0);
  const auto first = bodies.body("T", RouteStyle::kNew);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(bodies.body("T", RouteStyle::kNew), first);
  EXPECT_EQ(*bodies.body("T", RouteStyle::kOld), route_body(*table.route("T"), RouteStyle::kOld));
  EXPECT_EQ(bodies.body("T", RouteStyle::kNew), first);

  table.change_permissions("b", [](int) { return 4; });
  const auto second = bodies.body("T", RouteStyle::kNew);
  EXPECT_NE(second, first);
  EXPECT_EQ(*second, route_body(*table.route("T"), RouteStyle::kNew));
}

TEST_F(RouteBodiesTest, ForgetsATopicThatIsGone) {
  table.register_broker(test::registration("b", 0, "1:1", {"T", "U"}), test::FakePeer::make(), 0);
  ASSERT_NE(bodies.body("T", RouteStyle::kNew), nullptr);
  table.remove_topic("T");
  EXPECT_EQ(bodies.body("T", RouteStyle::kNew), nullptr);
}

TEST_F(RouteBodiesTest, FollowsAnOptionThatChangesAnswers) {
  table.register_broker(test::with_acting_master(test::registration("b", 1, "1:1", {"T", "U"})), test::FakePeer::make(),
                        0);
  EXPECT_NE(bodies.body("T", RouteStyle::kOld)->find("{1:"), std::string::npos);
  defaults.options.support_acting_master.set(true);
  EXPECT_NE(bodies.body("T", RouteStyle::kOld)->find("{0:"), std::string::npos);
}

}  // namespace
}  // namespace tern::nameserver
