#include "nameserver/route_table.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nameserver/fake_peer.hpp"
#include "nameserver/registrations.hpp"

namespace tern::nameserver {
namespace {

using test::FakePeer;
using test::registration;
using test::with_acting_master;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Outcome = Registered::Outcome;

class RouteTableTest : public ::testing::Test {
 protected:
  Registered add(const Registration& made) { return table.register_broker(made, FakePeer::make(), now_ms); }
  [[nodiscard]] int perm(const std::string& topic, const std::string& broker) const {
    const auto route = table.route(topic);
    return route ? route->queues.at(broker).perm : -1;
  }
  [[nodiscard]] std::map<std::int64_t, std::string> shown(const std::string& topic, const std::string& broker) const {
    const auto route = table.route(topic);
    return route ? route->brokers.at(broker).addresses : std::map<std::int64_t, std::string>{};
  }

  test::DefaultOptions defaults;
  NameserverOptions& options = defaults.options;
  RouteTable table{options};
  std::int64_t now_ms = 1'000'000;
};

TEST_F(RouteTableTest, HasNoRouteForTopicsThatNobodyRegistered) {
  EXPECT_FALSE(table.route("T"));
  add(registration("b", 0, "1:1", {"T", "U"}));
  EXPECT_FALSE(table.route("V"));
  EXPECT_FALSE(table.route(""));
}

TEST_F(RouteTableTest, ShowsMasterAndSlavesOfOneNameInOneRoute) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"T", "U"}));
  add(registration("d", 0, "1:3", {"T", "V"}));
  const auto route = table.route("T");
  ASSERT_TRUE(route);
  EXPECT_THAT(route->brokers.at("b").addresses, ElementsAre(Pair(0, "1:1"), Pair(1, "1:2")));
  EXPECT_THAT(route->brokers.at("d").addresses, ElementsAre(Pair(0, "1:3")));
  EXPECT_THAT(route->queues, ElementsAre(Pair("b", test::four_queues()), Pair("d", test::four_queues())));
}

TEST_F(RouteTableTest, MergesLaterRegistrationsWithTheFirst) {
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  add(registration("b", 0, "1:1", {"V"}, 2));
  EXPECT_THAT(table.topics(), ElementsAre("T", "U", "V"));
}

TEST_F(RouteTableTest, RefusesOneTopicAloneBeforeTheFirstWholeRegistration) {
  EXPECT_EQ(add(registration("b", 0, "1:1", {"T"})).outcome, Outcome::kRefused);
  EXPECT_FALSE(table.route("T"));
  EXPECT_FALSE(table.data_version("c", "1:1"));
  // Its name stays behind, as Apache's does.
  EXPECT_THAT(table.clusters().brokers.at("b").addresses, IsEmpty());
  EXPECT_THAT(table.clusters().clusters, ElementsAre(Pair("c", ElementsAre("b"))));
  EXPECT_EQ(add(registration("b", 0, "1:1", {"T", "U"})).outcome, Outcome::kAccepted);
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, AcceptsAFirstRegistrationWithoutTopics) {
  EXPECT_EQ(add(registration("b", 0, "1:1", {})).outcome, Outcome::kAccepted);
  EXPECT_TRUE(table.data_version("c", "1:1"));
}

TEST_F(RouteTableTest, ForgetsTheNameOfARefusedBrokerWhenItUnregisters) {
  add(registration("b", 0, "1:1", {"T"}));
  EXPECT_THAT(table.unregister({"c", "b", "1:1", 0}).brokers, IsEmpty());
  EXPECT_THAT(table.clusters().brokers, IsEmpty());
  EXPECT_THAT(table.clusters().clusters, IsEmpty());
}

TEST_F(RouteTableTest, GivesAnAddressOneIdWhenItsBrokerSwitchesRole) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"T", "U"}));
  table.unregister({"c", "b", "1:1", 0});
  const auto switched = add(registration("b", 0, "1:2", {"T", "U"}));
  EXPECT_EQ(switched.outcome, Outcome::kAccepted);
  EXPECT_THAT(table.addresses_of("b"), ElementsAre(Pair(0, "1:2")));
  ASSERT_TRUE(switched.minimum_change);
  EXPECT_EQ(switched.minimum_change->ha_address, "1:2/ha");
  EXPECT_FALSE(switched.minimum_change->offline_address);
}

TEST_F(RouteTableTest, IgnoresAnIdThatAnotherAddressHoldsWithANewerState) {
  auto newer = registration("b", 0, "1:1", {"T", "U"});
  newer.topics.version.state_version = 7;
  add(newer);
  auto stale = registration("b", 0, "1:2", {"T", "V"});
  stale.topics.version.state_version = 6;
  EXPECT_EQ(add(stale).outcome, Outcome::kStale);
  EXPECT_THAT(table.addresses_of("b"), ElementsAre(Pair(0, "1:1")));
  EXPECT_FALSE(table.data_version("c", "1:2"));
  EXPECT_FALSE(table.route("V"));

  stale.topics.version.state_version = 7;
  EXPECT_EQ(add(stale).outcome, Outcome::kAccepted);
  EXPECT_THAT(table.addresses_of("b"), ElementsAre(Pair(0, "1:2")));
}

TEST_F(RouteTableTest, TakesTopicsFromAMasterAndNotFromItsSlave) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"X", "Y"}));
  EXPECT_THAT(table.topics(), ElementsAre("T", "U"));
}

TEST_F(RouteTableTest, TakesTopicsFromTheSmallestSlaveThatKnowsOfActingMasters) {
  auto old_slave = registration("a", 1, "1:9", {"X", "Y"});
  add(old_slave);
  EXPECT_THAT(table.topics(), IsEmpty());

  add(with_acting_master(registration("b", 1, "1:2", {"T", "U"})));
  EXPECT_EQ(perm("T", "b"), 4) << "a slave that may act does not take messages";
  add(with_acting_master(registration("b", 2, "1:3", {"V", "W"})));
  EXPECT_FALSE(table.route("V"));

  auto does_not_act = registration("d", 1, "1:4", {"M", "N"});
  does_not_act.enable_acting_master = false;
  add(does_not_act);
  EXPECT_EQ(perm("M", "d"), 6);
}

TEST_F(RouteTableTest, TellsASlaveItsMasterOnlyIfThatIsAlive) {
  EXPECT_FALSE(add(registration("b", 1, "1:2", {"T", "U"})).master_address);
  add(registration("b", 0, "1:1", {"T", "U"}));
  const auto slave = add(registration("b", 1, "1:2", {"T", "U"}));
  EXPECT_EQ(slave.master_address, "1:1");
  EXPECT_EQ(slave.master_ha_address, "1:1/ha");
  EXPECT_FALSE(add(registration("b", 0, "1:1", {"T", "U"})).master_address);
}

TEST_F(RouteTableTest, KeepsAnAdministratorsPermissionUntilTheBrokerHasNews) {
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  EXPECT_EQ(table.change_permissions("b", [](int perm) { return perm & ~kPermWrite; }), 2);
  EXPECT_EQ(table.change_permissions("nobody", [](int perm) { return perm; }), 0);
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  EXPECT_EQ(perm("T", "b"), 4);
  add(registration("b", 0, "1:1", {"T", "U"}, 2));
  EXPECT_EQ(perm("T", "b"), 6);
}

TEST_F(RouteTableTest, TakesADeletedTopicAgainThoughTheVersionIsTheSame) {
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  table.remove_topic("T");
  EXPECT_FALSE(table.route("T"));
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, KeepsTopicsThatARegistrationDoesNotNameUnlessToldOtherwise) {
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  add(registration("d", 0, "1:3", {"U", "W"}, 1));
  add(registration("b", 0, "1:1", {"V", "W"}, 2));
  EXPECT_THAT(table.topics(), ElementsAre("T", "U", "V", "W"));

  options.delete_absent_topics.set(true);
  add(registration("b", 0, "1:1", {"V", "W"}, 3));
  EXPECT_THAT(table.topics(), ElementsAre("U", "V", "W"));
  EXPECT_THAT(table.route("U")->queues, ElementsAre(Pair("d", test::four_queues())));
}

TEST_F(RouteTableTest, ComparesAllOfADataVersion) {
  add(registration("b", 0, "1:1", {"T", "U"}, 5));
  EXPECT_EQ(table.data_version("c", "1:1"), (DataVersion{0, 1000, 5}));
  EXPECT_NE(table.data_version("c", "1:1"), (DataVersion{1, 1000, 5}));
  EXPECT_NE(table.data_version("c", "1:1"), (DataVersion{0, 1001, 5}));
  EXPECT_FALSE(table.data_version("other", "1:1"));
}

TEST_F(RouteTableTest, EmptiesAllTablesWhenTheLastBrokerUnregisters) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  const auto removal = table.unregister({"c", "b", "1:1", 0});
  EXPECT_THAT(removal.brokers, ElementsAre(BrokerName{"c", "b", "1:1", 0}));
  EXPECT_THAT(removal.minimum_changes, IsEmpty());
  EXPECT_THAT(table.topics(), IsEmpty());
  EXPECT_THAT(table.clusters().brokers, IsEmpty());
  EXPECT_THAT(table.clusters().clusters, IsEmpty());
  EXPECT_THAT(table.unregister({"c", "b", "1:1", 0}).brokers, IsEmpty());
}

TEST_F(RouteTableTest, KeepsTopicsForConsumersWhenOnlyTheMasterGoes) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"T", "U"}));
  const auto removal = table.unregister({"c", "b", "1:1", 0});
  EXPECT_EQ(perm("T", "b"), 6);
  EXPECT_THAT(shown("T", "b"), ElementsAre(Pair(1, "1:2")));
  ASSERT_EQ(removal.minimum_changes.size(), 1U);
  EXPECT_EQ(removal.minimum_changes[0].offline_address, "1:1");
  EXPECT_THAT(removal.minimum_changes[0].addresses, ElementsAre(Pair(1, "1:2")));
}

TEST_F(RouteTableTest, TellsOfNoNewMinimumWhenALargerIdGoes) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"T", "U"}));
  EXPECT_THAT(table.unregister({"c", "b", "1:2", 1}).minimum_changes, IsEmpty());
}

TEST_F(RouteTableTest, WipesWritingWhenAMasterWithActingSlavesGoes) {
  add(with_acting_master(registration("b", 0, "1:1", {"T", "U"})));
  add(with_acting_master(registration("b", 1, "1:2", {"T", "U"})));
  EXPECT_EQ(perm("T", "b"), 6);
  table.unregister({"c", "b", "1:1", 0});
  EXPECT_EQ(perm("T", "b"), 4);
}

TEST_F(RouteTableTest, ShowsTheSmallestSlaveAsMasterOnlyIfEverybodyAgrees) {
  add(with_acting_master(registration("b", 0, "1:1", {"T", "U", "rmq_sys_SYNC_BROKER_MEMBER_b"})));
  add(with_acting_master(registration("b", 2, "1:2", {"T", "U"})));
  add(with_acting_master(registration("b", 3, "1:3", {"T", "U"})));
  table.unregister({"c", "b", "1:1", 0});
  EXPECT_THAT(shown("T", "b"), ElementsAre(Pair(2, "1:2"), Pair(3, "1:3"))) << "supportActingMaster is off";

  options.support_acting_master.set(true);
  EXPECT_THAT(shown("T", "b"), ElementsAre(Pair(0, "1:2"), Pair(3, "1:3")));
  EXPECT_THAT(shown("rmq_sys_SYNC_BROKER_MEMBER_b", "b"), ElementsAre(Pair(2, "1:2"), Pair(3, "1:3")));
  EXPECT_THAT(table.addresses_of("b"), ElementsAre(Pair(2, "1:2"), Pair(3, "1:3")));

  table.change_permissions("b", [](int) { return 6; });
  EXPECT_THAT(shown("T", "b"), ElementsAre(Pair(2, "1:2"), Pair(3, "1:3"))) << "still writable";
}

TEST_F(RouteTableTest, ShowsNoActingMasterWhereTheBrokersDoNotWantOne) {
  options.support_acting_master.set(true);
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 2, "1:2", {"T", "U"}));
  table.unregister({"c", "b", "1:1", 0});
  table.change_permissions("b", [](int) { return 4; });
  EXPECT_THAT(shown("T", "b"), ElementsAre(Pair(2, "1:2")));
}

TEST_F(RouteTableTest, RemovesEveryBrokerOfAConnectionThatEnds) {
  const auto peer = FakePeer::make();
  table.register_broker(registration("b", 0, "1:1", {"T", "U"}), peer, now_ms);
  table.register_broker(registration("d", 0, "1:2", {"T", "U"}), peer, now_ms);
  add(registration("e", 0, "1:3", {"T", "U"}));
  EXPECT_THAT(table.remove_peer(peer->id()).brokers,
              ElementsAre(BrokerName{"c", "b", "1:1", 0}, BrokerName{"c", "d", "1:2", 0}));
  EXPECT_THAT(table.route("T")->queues, ElementsAre(Pair("e", test::four_queues())));
}

TEST_F(RouteTableTest, KeepsABrokerThatHasRegisteredAgainOverAnotherConnection) {
  const auto old_peer = FakePeer::make();
  table.register_broker(registration("b", 0, "1:1", {"T", "U"}), old_peer, now_ms);
  add(registration("b", 0, "1:1", {"T", "U"}));
  EXPECT_THAT(table.remove_peer(old_peer->id()).brokers, IsEmpty());
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, ExpiresABrokerOnlyAfterItsTimeout) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  auto quick = registration("d", 0, "1:2", {"T", "U"});
  quick.timeout_ms = 10'000;
  add(quick);
  EXPECT_THAT(table.expire(now_ms + 10'000).brokers, IsEmpty());
  EXPECT_THAT(table.expire(now_ms + 10'001).brokers, ElementsAre(BrokerName{"c", "d", "1:2", 0}));
  EXPECT_THAT(table.expire(now_ms + 120'000).brokers, IsEmpty());
  table.refresh("c", "1:1", now_ms + 120'000);
  EXPECT_THAT(table.expire(now_ms + 240'000).brokers, IsEmpty());
  EXPECT_THAT(table.expire(now_ms + 240'001).brokers, ElementsAre(BrokerName{"c", "b", "1:1", 0}));
  EXPECT_THAT(table.clusters().brokers, IsEmpty());
}

TEST_F(RouteTableTest, SurvivesTimeoutsBeyondAllTime) {
  auto eternal = registration("b", 0, "1:1", {"T", "U"});
  eternal.timeout_ms = std::numeric_limits<std::int64_t>::max();
  add(eternal);
  auto never = registration("d", 0, "1:2", {"T", "U"});
  never.timeout_ms = std::numeric_limits<std::int64_t>::min();
  add(never);
  EXPECT_THAT(table.expire(now_ms + 1'000'000'000).brokers, ElementsAre(BrokerName{"c", "d", "1:2", 0}));
}

TEST_F(RouteTableTest, RefusesMoreBrokerNamesAndTopicsThanItsLimits) {
  Registration huge = registration("b", 0, "1:1", {});
  huge.topics.queues.assign(kTopicsMax + 1, {"T", test::four_queues()});
  for (std::size_t i = 0; i < huge.topics.queues.size(); ++i) huge.topics.queues[i].first = std::to_string(i);
  EXPECT_EQ(add(huge).outcome, Outcome::kFull);
  EXPECT_THAT(table.clusters().brokers, IsEmpty());

  for (std::size_t i = 0; i < kBrokerNamesMax; ++i) add(registration("b" + std::to_string(i), 0, "1:1", {"T"}));
  EXPECT_EQ(add(registration("one more", 0, "1:1", {"T", "U"})).outcome, Outcome::kFull);
  EXPECT_EQ(add(registration("b0", 0, "1:1", {"T", "U"})).outcome, Outcome::kAccepted);
}

TEST_F(RouteTableTest, ExpiresABrokerWithAllThatShareItsConnection) {
  const auto peer = FakePeer::make();
  auto quick = registration("b", 0, "1:1", {"T", "U"});
  quick.timeout_ms = 10;
  table.register_broker(quick, peer, now_ms);
  table.register_broker(registration("d", 0, "1:2", {"T", "U"}), peer, now_ms);
  const auto removal = table.expire(now_ms + 11);
  EXPECT_EQ(removal.brokers.size(), 2U);
  EXPECT_THAT(removal.peers, ::testing::Each(remoting::PeerPtr(peer)));
}

TEST_F(RouteTableTest, DoesNotKnowBrokersByTheirHeartbeatsAlone) {
  table.refresh("c", "1:1", now_ms);
  EXPECT_FALSE(table.data_version("c", "1:1"));
}

TEST_F(RouteTableTest, DeletesATopicInOneClusterOnly) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  auto elsewhere = registration("d", 0, "1:2", {"T", "U"});
  elsewhere.name.cluster = "other";
  add(elsewhere);
  table.remove_topic_of_cluster("T", "nowhere");
  EXPECT_EQ(table.route("T")->queues.size(), 2U);
  table.remove_topic_of_cluster("T", "c");
  EXPECT_THAT(table.route("T")->queues, ElementsAre(Pair("d", test::four_queues())));
  table.remove_topic_of_cluster("T", "other");
  EXPECT_FALSE(table.route("T"));
  EXPECT_THAT(table.topics(), ElementsAre("U"));
}

TEST_F(RouteTableTest, AddsASingleTopicForKnownBrokersOnly) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  const std::pair<std::string, QueueData> queues[] = {{"nobody", test::four_queues()}, {"b", test::four_queues(2)}};
  EXPECT_EQ(table.add_topic("V", queues), "broker nobody is not known");
  EXPECT_THAT(table.route("V")->queues, ElementsAre(Pair("b", test::four_queues(2))));
  EXPECT_FALSE(table.add_topic("V", std::span(queues).subspan(1)));
}

TEST_F(RouteTableTest, ListsTopicsByClusterAndByFlag) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  auto elsewhere = registration("d", 0, "1:2", {"U", "V"});
  elsewhere.name.cluster = "other";
  elsewhere.topics.queues[1].second.topic_sys_flag = 2;
  add(elsewhere);
  EXPECT_THAT(table.topics_of_cluster("c"), ElementsAre("T", "U"));
  EXPECT_THAT(table.topics_of_cluster("other"), ElementsAre("U", "V"));
  EXPECT_THAT(table.topics_of_cluster("nowhere"), IsEmpty());
  EXPECT_THAT(table.topics_with([](std::int32_t flag) { return flag == 2; }), ElementsAre("V"));
}

TEST_F(RouteTableTest, KeepsTheMappingOfAStaticTopicWhileTheTopicHasQueuesElsewhere) {
  auto with_mapping = registration("b", 0, "1:1", {"T", "U"});
  with_mapping.topics.mappings.push_back({"T", "b", {{"bname", "b"}}});
  add(with_mapping);
  add(registration("d", 0, "1:2", {"T", "V"}));
  table.unregister({"c", "b", "1:1", 0});
  EXPECT_THAT(table.route("T")->mappings, ElementsAre(Pair("b", protocol::Json{{"bname", "b"}})));
  table.unregister({"c", "d", "1:2", 0});
  add(registration("d", 0, "1:2", {"T", "V"}));
  EXPECT_THAT(table.route("T")->mappings, IsEmpty());
}

TEST_F(RouteTableTest, GrowsItsVersionWithEveryChangeOfARouteAndWithNothingElse) {
  auto last = table.version();
  const auto has_grown = [&] { return std::exchange(last, table.version()) < table.version(); };
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  EXPECT_TRUE(has_grown());
  add(registration("b", 0, "1:1", {"T", "U"}, 1));
  EXPECT_FALSE(has_grown());
  add(registration("b", 0, "1:1", {"T", "U"}, 2));
  EXPECT_FALSE(has_grown()) << "a new data version with the same topics";
  table.refresh("c", "1:1", now_ms);
  EXPECT_FALSE(has_grown());
  add(registration("b", 0, "1:1", {"V"}, 3));
  EXPECT_TRUE(has_grown());
  add(registration("b", 1, "1:2", {"T", "U"}));
  EXPECT_TRUE(has_grown());
  auto zoned = registration("b", 1, "1:2", {"T", "U"});
  zoned.zone = "z";
  add(zoned);
  EXPECT_TRUE(has_grown());
  table.unregister({"c", "b", "1:2", 1});
  EXPECT_TRUE(has_grown());
  table.change_permissions("b", [](int perm) { return perm; });
  EXPECT_TRUE(has_grown());
  table.remove_topic("T");
  EXPECT_TRUE(has_grown());
  options.support_acting_master.set(true);
  EXPECT_TRUE(has_grown());
}

}  // namespace
}  // namespace tern::nameserver
