// Requests in, answers out: codes, remarks, fields and bodies as clients, brokers and tools see them.

#include <set>

#include <gmock/gmock.h>

#include "tern/base/crc32.hpp"

#include "nameserver/bodies.hpp"
#include "nameserver/compressed_registration.hpp"
#include "nameserver/nameserver_fixture.hpp"

namespace tern::nameserver {
namespace {

using protocol::RequestCode;
using test::BinaryRegistration;
using test::compress;
using test::Fields;
using test::registration;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kBody =
    R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"stateVersion":0,"timestamp":9},)"
    R"("topicConfigTable":{"T":{"perm":6,"readQueueNums":4,"topicName":"T","writeQueueNums":4},)"
    R"("U":{"perm":6,"readQueueNums":8,"topicName":"U","topicSysFlag":2,"writeQueueNums":8}}}})";

Fields broker_fields(std::string id = "0", std::string address = "1:1") {
  return {{"brokerName", "b"}, {"brokerAddr", std::move(address)}, {"clusterName", "c"}, {"brokerId", std::move(id)}};
}

Fields with(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

std::string crc_of(std::string_view body) {
  return std::to_string(crc32_31(std::as_bytes(std::span(body))));
}

class ProcessorsTest : public test::NameserverFixture {
 protected:
  auto register_b(const Fields& more = {}, std::string_view body = kBody, std::int32_t version = 513) {
    return ask(RequestCode::kRegisterBroker, with(broker_fields(), with({{"haServerAddr", "1:2"}}, more)), body,
               version);
  }
};

TEST_F(ProcessorsTest, AnswerEveryCodeOfANameserver) {
  const std::set<int> expected{100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219,
                               224, 304, 311, 312, 313, 318, 319, 322, 327, 901, 904};
  std::set<int> actual;
  for (const auto& row : processors.rows()) actual.insert(static_cast<int>(row.code));
  EXPECT_EQ(actual, expected);
}

TEST_F(ProcessorsTest, SayThatAnUnknownCodeIsNotSupported) {
  for (const auto code : {RequestCode::kHeartBeat, RequestCode::kGetBrokerConfig, static_cast<RequestCode>(-1)}) {
    const auto reply = ask(code);
    EXPECT_EQ(reply->code(), 3);
    EXPECT_EQ(reply->response().remark, fmt::format(" request type {} not supported", static_cast<int>(code)));
  }
}

// Every row that needs a field says which one is missing; garbage in a number is named too.
TEST_F(ProcessorsTest, NameTheFieldThatIsMissing) {
  const std::pair<RequestCode, std::vector<std::string>> needed[] = {
      {RequestCode::kPutKvConfig, {"namespace", "key", "value"}},
      {RequestCode::kGetKvConfig, {"namespace", "key"}},
      {RequestCode::kDeleteKvConfig, {"namespace", "key"}},
      {RequestCode::kGetKvListByNamespace, {"namespace"}},
      {RequestCode::kRegisterBroker, {"brokerName", "brokerAddr", "clusterName", "brokerId"}},
      {RequestCode::kUnregisterBroker, {"brokerName", "brokerAddr", "clusterName", "brokerId"}},
      {RequestCode::kBrokerHeartbeat, {"clusterName", "brokerAddr"}},
      {RequestCode::kQueryDataVersion, {"clusterName", "brokerAddr"}},
      {RequestCode::kGetRouteInfoByTopic, {"topic"}},
      {RequestCode::kGetBrokerMemberGroup, {"clusterName", "brokerName"}},
      {RequestCode::kGetTopicsByCluster, {"cluster"}},
      {RequestCode::kDeleteTopicInNameserver, {"topic"}},
      {RequestCode::kRegisterTopicInNameserver, {"topic"}},
      {RequestCode::kWipeWritePermOfBroker, {"brokerName"}},
      {RequestCode::kAddWritePermOfBroker, {"brokerName"}},
  };
  for (const auto& [code, names] : needed) {
    for (const auto& missing : names) {
      Fields fields;
      for (const auto& name : names) {
        if (name != missing) fields.emplace_back(name, "0");
      }
      const auto reply = ask(code, fields);
      EXPECT_EQ(reply->code(), 1) << static_cast<int>(code) << " without " << missing;
      EXPECT_THAT(reply->response().remark, HasSubstr(missing)) << static_cast<int>(code);
    }
  }
  EXPECT_THAT(ask(RequestCode::kUnregisterBroker, broker_fields("zero"))->response().remark, HasSubstr("brokerId"));
}

TEST_F(ProcessorsTest, RegisterABrokerAndShowItsRoute) {
  const auto reply =
      register_b({{"bodyCrc32", crc_of(kBody)}, {"compressed", "false"}, {"enableActingMaster", "false"}});
  EXPECT_EQ(reply->code(), 0);
  EXPECT_TRUE(reply->response().fields.present()) << "extFields is {} for a master";
  EXPECT_EQ(reply->fields(), "");
  EXPECT_EQ(reply->body(), "");

  const auto route = ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  EXPECT_EQ(route->code(), 0);
  EXPECT_EQ(route->body(),
            R"({"brokerDatas":[{"brokerAddrs":{"0":"1:1"},"brokerName":"b","cluster":"c","enableActingMaster":false}],)"
            R"("filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"topicSysFlag":0,)"
            R"("writeQueueNums":4}]})");
}

TEST_F(ProcessorsTest, RegisterACompressedBodyWhoseChecksumIsThatOfTheWire) {
  BinaryRegistration body(R"({"counter":1,"stateVersion":0,"timestamp":9})");
  body.number(2).text("T 4 4 6 SINGLE_TAG {}").text("U 8 8 6 SINGLE_TAG {}").text("[]").number(0);
  const auto wire = compress(body.bytes());
  EXPECT_EQ(register_b({{"bodyCrc32", crc_of(wire)}, {"compressed", "true"}}, wire)->code(), 0);
  EXPECT_EQ(table.route("U")->queues.at("b").read_queues, 8);
  EXPECT_EQ(register_b({{"bodyCrc32", crc_of(body.bytes())}, {"compressed", "true"}}, wire)->code(), 1);
}

TEST_F(ProcessorsTest, RegisterTheBareBodyOfAnOldBroker) {
  const std::string bare = R"({"topicConfigTable":{"T":{"topicName":"T","perm":6},"U":{"perm":4}}})";
  EXPECT_EQ(register_b({}, bare, 36)->code(), 0);
  EXPECT_EQ(table.route("U")->queues.at("b").perm, 4);
}

TEST_F(ProcessorsTest, RefuseARegistrationThatIsDamaged) {
  EXPECT_EQ(register_b({{"bodyCrc32", "12345"}})->response().remark, "crc32 not match");
  for (const std::string_view body : {"garbage", "{}", "[[[[", "\x01\x02"}) {
    const auto reply = register_b({}, body);
    EXPECT_EQ(reply->code(), 1) << body;
    EXPECT_THAT(reply->response().remark, StartsWith("registration: ")) << body;
  }
  const auto lying = register_b({{"compressed", "true"}}, kBody);
  EXPECT_EQ(lying->code(), 1);
  EXPECT_THAT(lying->response().remark, HasSubstr("zlib"));
  EXPECT_THAT(table.topics(), IsEmpty());
}

TEST_F(ProcessorsTest, RefuseASingleTopicOfABrokerThatIsNotKnown) {
  const auto reply =
      register_b({}, R"({"topicConfigSerializeWrapper":{"topicConfigTable":{"T":{"topicName":"T","perm":6}}}})");
  EXPECT_EQ(reply->code(), 1);
  EXPECT_EQ(reply->response().remark, "register broker failed");
}

TEST_F(ProcessorsTest, GiveARegisteringSlaveItsMaster) {
  register_b();
  const auto reply = ask(RequestCode::kRegisterBroker, broker_fields("1", "1:5"), kBody);
  EXPECT_EQ(reply->fields(), R"("haServerAddr":"1:2","masterAddr":"1:1")");
}

TEST_F(ProcessorsTest, GiveARegisteringBrokerTheOrderTopics) {
  ask(RequestCode::kPutKvConfig, {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", "T"}, {"value", "b:4"}});
  EXPECT_EQ(register_b()->body(), R"({"table":{"T":"b:4"}})");
  ask(RequestCode::kDeleteKvConfig, {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", "T"}});
  EXPECT_EQ(register_b()->body(), R"({"table":{}})");
  options.return_order_config_to_broker.set(false);
  EXPECT_EQ(register_b()->body(), "");
}

TEST_F(ProcessorsTest, TellTheOthersOfABrokerWithASmallerId) {
  options.notify_min_broker_id_changed.set(true);
  ask(RequestCode::kRegisterBroker, broker_fields("1", "1:5"), kBody);
  register_b();
  ASSERT_EQ(notices_sent.size(), 1U);
  EXPECT_EQ(notices_sent[0].address, "1:5");
}

TEST_F(ProcessorsTest, UnregisterABroker) {
  register_b();
  EXPECT_EQ(ask(RequestCode::kUnregisterBroker, broker_fields())->code(), 0);
  EXPECT_EQ(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}})->code(), 17);
  EXPECT_EQ(ask(RequestCode::kUnregisterBroker, broker_fields())->code(), 0);
}

TEST_F(ProcessorsTest, KeepABrokerAliveByHeartbeatsAndVersionQueries) {
  register_b({{"heartbeatTimeoutMillis", "1000"}});
  for (const auto code : {RequestCode::kBrokerHeartbeat, RequestCode::kQueryDataVersion}) {
    clock.advance_ms(1000);
    EXPECT_EQ(ask(code, broker_fields())->code(), 0);
    liveness.step();
    EXPECT_TRUE(table.route("T"));
  }
  clock.advance_ms(1001);
  liveness.step();
  EXPECT_FALSE(table.route("T"));
}

TEST_F(ProcessorsTest, CompareADataVersionWithTheOneRegistered) {
  const std::string same = R"({"counter":1,"stateVersion":0,"timestamp":9})";
  const auto unknown = ask(RequestCode::kQueryDataVersion, broker_fields(), same);
  EXPECT_EQ(unknown->fields(), R"("changed":"true")");
  EXPECT_EQ(unknown->body(), "");

  register_b();
  const auto unchanged = ask(RequestCode::kQueryDataVersion, broker_fields(), same);
  EXPECT_EQ(unchanged->fields(), R"("changed":"false")");
  EXPECT_EQ(unchanged->body(), same);
  const auto changed =
      ask(RequestCode::kQueryDataVersion, broker_fields(), R"({"counter":2,"stateVersion":0,"timestamp":9})");
  EXPECT_EQ(changed->fields(), R"("changed":"true")");
  EXPECT_EQ(changed->body(), same);
  EXPECT_EQ(ask(RequestCode::kQueryDataVersion, broker_fields())->fields(), R"("changed":"true")");
  EXPECT_EQ(ask(RequestCode::kQueryDataVersion, broker_fields(), "garbage")->code(), 1);
}

TEST_F(ProcessorsTest, SayWhichTopicHasNoRoute) {
  const auto reply = ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "X"}});
  EXPECT_EQ(reply->code(), 17);
  EXPECT_EQ(reply->response().remark,
            "No topic route info in name server for the topic: X\n"
            "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.");
  EXPECT_EQ(reply->body(), "");
}

TEST_F(ProcessorsTest, ChooseTheStyleOfARouteByVersionOrFlag) {
  register_b();
  const auto ids = [&](std::int32_t version, const Fields& more = {}) {
    const auto body = ask(RequestCode::kGetRouteInfoByTopic, with({{"topic", "T"}}, more), {}, version)->body();
    return body.substr(body.find("Addrs\":") + 7, 4);
  };
  EXPECT_EQ(ids(400), "{0:\"");
  EXPECT_EQ(ids(401), "{\"0\"");
  EXPECT_EQ(ids(317, {{"acceptStandardJsonOnly", "true"}}), "{\"0\"");
  EXPECT_EQ(ids(317, {{"acceptStandardJsonOnly", "false"}}), "{0:\"");
}

TEST_F(ProcessorsTest, RefuseRoutesDuringTheFirstSecondsIfToldTo) {
  register_b();
  options.wait_for_service.set(true);
  const auto reply = ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}});
  EXPECT_EQ(reply->code(), 1);
  EXPECT_EQ(reply->response().remark, "name server not ready");
  clock.advance_ms(44'999);
  EXPECT_EQ(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}})->code(), 1);
  clock.advance_ms(1);
  EXPECT_EQ(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}})->code(), 0);
}

TEST_F(ProcessorsTest, ShowTheOrderConfigurationInARouteOnlyIfToldTo) {
  register_b();
  ask(RequestCode::kPutKvConfig, {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", "T"}, {"value", "b:4"}});
  const auto route = [&](std::string topic) {
    return ask(RequestCode::kGetRouteInfoByTopic, {{"topic", std::move(topic)}})->body();
  };
  EXPECT_THAT(route("T"), Not(HasSubstr("orderTopicConf")));
  options.order_message_enable.set(true);
  EXPECT_THAT(route("T"), HasSubstr(R"("filterServerTable":{},"orderTopicConf":"b:4","queueDatas")"));
  EXPECT_THAT(route("U"), Not(HasSubstr("orderTopicConf")));
}

TEST_F(ProcessorsTest, KeepOnlyBrokersOfTheWantedZoneOrWithoutAMaster) {
  auto near = registration("near", 0, "1:1", {"T", "U"});
  near.zone = "East";
  auto far = registration("far", 0, "1:2", {"T", "U"});
  far.zone = "west";
  auto orphan = registration("orphan", 0, "1:3", {"T", "U"});
  add(near);
  add(far);
  add(orphan);
  add(registration("orphan", 1, "1:4", {"T", "U"}));
  liveness.unregister(orphan.name);

  const auto names = [&](const Fields& more) {
    const auto body = ask(RequestCode::kGetRouteInfoByTopic, with({{"topic", "T"}}, more))->body();
    std::string found;
    for (const std::string name : {"near", "far", "orphan"}) {
      const auto quoted = "\"brokerName\":\"" + name + "\"";
      const auto first = body.find(quoted);
      if (first != std::string::npos && body.find(quoted, first + 1) != std::string::npos) found += name + " ";
    }
    return found;
  };
  EXPECT_EQ(names({{"__ZONE_MODE", "true"}, {"__ZONE_NAME", "east"}}), "near orphan ");
  EXPECT_EQ(names({{"__ZONE_MODE", "false"}, {"__ZONE_NAME", "east"}}), "near far orphan ");
  EXPECT_EQ(names({{"__ZONE_MODE", "true"}, {"__ZONE_NAME", " "}}), "near far orphan ");

  liveness.unregister({"c", "orphan", "1:4", 1});
  const auto none =
      ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}, {"__ZONE_MODE", "true"}, {"__ZONE_NAME", "north"}});
  EXPECT_EQ(none->code(), 0);
  EXPECT_EQ(none->body(), R"({"brokerDatas":[],"filterServerTable":{},"queueDatas":[]})");
}

TEST_F(ProcessorsTest, TakeTheZoneFromARegistration) {
  register_b({{"__ZONE_NAME", "z"}});
  EXPECT_THAT(ask(RequestCode::kGetBrokerClusterInfo)->body(), HasSubstr(R"("zoneName":"z")"));
}

TEST_F(ProcessorsTest, ShowClustersAndMemberGroups) {
  EXPECT_EQ(ask(RequestCode::kGetBrokerClusterInfo)->body(), R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
  register_b();
  EXPECT_EQ(ask(RequestCode::kGetBrokerClusterInfo)->body(),
            R"({"brokerAddrTable":{"b":{"brokerAddrs":{0:"1:1"},"brokerName":"b","cluster":"c",)"
            R"("enableActingMaster":false}},"clusterAddrTable":{"c":["b"]}})");
  EXPECT_EQ(ask(RequestCode::kGetBrokerMemberGroup, {{"clusterName", "c"}, {"brokerName", "b"}})->body(),
            R"({"brokerMemberGroup":{"brokerAddrs":{0:"1:1"},"brokerName":"b","cluster":"c"}})");
  const auto unknown = ask(RequestCode::kGetBrokerMemberGroup, {{"clusterName", "c"}, {"brokerName", "x"}});
  EXPECT_EQ(unknown->code(), 0);
  EXPECT_EQ(unknown->body(), R"({"brokerMemberGroup":{"brokerAddrs":{},"brokerName":"x","cluster":"c"}})");
}

TEST_F(ProcessorsTest, ListTopics) {
  register_b();
  EXPECT_EQ(ask(RequestCode::kGetAllTopicListFromNameserver)->body(), R"({"topicList":["T","U"]})");
  EXPECT_EQ(ask(RequestCode::kGetTopicsByCluster, {{"cluster", "c"}})->body(), R"({"topicList":["T","U"]})");
  EXPECT_EQ(ask(RequestCode::kGetTopicsByCluster, {{"cluster", "x"}})->body(), R"({"topicList":[]})");
  EXPECT_EQ(ask(RequestCode::kGetSystemTopicListFromNameserver)->body(),
            R"({"brokerAddr":"1:1","topicList":["b","c"]})");
  EXPECT_EQ(ask(RequestCode::kGetUnitTopicList)->body(), R"({"topicList":[]})");
  EXPECT_EQ(ask(RequestCode::kGetHasUnitSubTopicList)->body(), R"({"topicList":["U"]})");
  EXPECT_EQ(ask(RequestCode::kGetHasUnitSubUnunitTopicList)->body(), R"({"topicList":["U"]})");
}

TEST_F(ProcessorsTest, ListNoTopicsWhereThatIsDisabled) {
  options.enable_all_topic_list.set(false);
  options.enable_topic_list.set(false);
  for (const auto code :
       {RequestCode::kGetAllTopicListFromNameserver, RequestCode::kGetTopicsByCluster, RequestCode::kGetUnitTopicList,
        RequestCode::kGetHasUnitSubTopicList, RequestCode::kGetHasUnitSubUnunitTopicList}) {
    const auto reply = ask(code, {{"cluster", "c"}});
    EXPECT_EQ(reply->code(), 1);
    EXPECT_EQ(reply->response().remark, "disable");
  }
  EXPECT_EQ(ask(RequestCode::kGetSystemTopicListFromNameserver)->code(), 0);
}

TEST_F(ProcessorsTest, ChangeTheWritePermissionOfABroker) {
  register_b();
  EXPECT_EQ(ask(RequestCode::kWipeWritePermOfBroker, {{"brokerName", "b"}})->fields(), R"("wipeTopicCount":"2")");
  EXPECT_THAT(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}})->body(), HasSubstr(R"("perm":4)"));
  EXPECT_EQ(ask(RequestCode::kAddWritePermOfBroker, {{"brokerName", "b"}})->fields(), R"("addTopicCount":"2")");
  EXPECT_THAT(ask(RequestCode::kGetRouteInfoByTopic, {{"topic", "T"}})->body(), HasSubstr(R"("perm":6)"));
  EXPECT_EQ(ask(RequestCode::kWipeWritePermOfBroker, {{"brokerName", "x"}})->fields(), R"("wipeTopicCount":"0")");
}

TEST_F(ProcessorsTest, DeleteAndRegisterSingleTopics) {
  register_b();
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInNameserver, {{"topic", "nobody's"}})->code(), 0);
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInNameserver, {{"topic", "T"}, {"clusterName", "x"}})->code(), 0);
  EXPECT_TRUE(table.route("T"));
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInNameserver, {{"topic", "T"}, {"clusterName", "c"}})->code(), 0);
  EXPECT_FALSE(table.route("T"));
  EXPECT_EQ(ask(RequestCode::kDeleteTopicInNameserver, {{"topic", "U"}})->code(), 0);
  EXPECT_FALSE(table.route("U"));

  const auto route = R"({"brokerDatas":[],"filterServerTable":{},"queueDatas":[{"brokerName":"x","perm":6},)"
                     R"({"brokerName":"b","perm":6,"readQueueNums":3,"topicSysFlag":0,"writeQueueNums":2}]})";
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNameserver, {{"topic", "V"}}, route)->code(), 0);
  EXPECT_THAT(table.route("V")->queues, ::testing::ElementsAre(::testing::Pair("b", QueueData{3, 2, 6, 0})));
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNameserver, {{"topic", "W"}})->code(), 0);
  EXPECT_EQ(ask(RequestCode::kRegisterTopicInNameserver, {{"topic", "W"}}, "garbage")->code(), 1);
}

TEST_F(ProcessorsTest, StoreAndFindKeysAndValues) {
  EXPECT_EQ(ask(RequestCode::kPutKvConfig, {{"namespace", "n"}, {"key", "k"}, {"value", "v"}})->code(), 0);
  EXPECT_EQ(ask(RequestCode::kGetKvConfig, {{"namespace", "n"}, {"key", "k"}})->fields(), R"("value":"v")");
  EXPECT_EQ(ask(RequestCode::kGetKvListByNamespace, {{"namespace", "n"}})->body(), R"({"table":{"k":"v"}})");
  const auto missing = ask(RequestCode::kGetKvConfig, {{"namespace", "n"}, {"key", "x"}});
  EXPECT_EQ(missing->code(), 22);
  EXPECT_EQ(missing->response().remark, "No config item, Namespace: n Key: x");
  const auto no_list = ask(RequestCode::kGetKvListByNamespace, {{"namespace", "m"}});
  EXPECT_EQ(no_list->code(), 22);
  EXPECT_EQ(no_list->response().remark, "No config item, Namespace: m");
  EXPECT_EQ(ask(RequestCode::kDeleteKvConfig, {{"namespace", "n"}, {"key", "k"}})->code(), 0);
  EXPECT_EQ(ask(RequestCode::kGetKvConfig, {{"namespace", "n"}, {"key", "k"}})->code(), 22);
}

TEST_F(ProcessorsTest, ShowAndChangeTheSettings) {
  EXPECT_THAT(ask(RequestCode::kGetNameserverConfig)->body(), HasSubstr("orderMessageEnable=false\n"));
  EXPECT_EQ(ask(RequestCode::kUpdateNameserverConfig, {}, "orderMessageEnable=true\n")->code(), 0);
  EXPECT_THAT(ask(RequestCode::kGetNameserverConfig)->body(), HasSubstr("orderMessageEnable=true\n"));
  EXPECT_EQ(ask(RequestCode::kUpdateNameserverConfig, {}, "kvConfigPath=/x\n")->code(), 16);
  EXPECT_EQ(ask(RequestCode::kUpdateNameserverConfig, {}, "listenPort=1\n")->code(), 1);
  EXPECT_EQ(ask(RequestCode::kUpdateNameserverConfig)->code(), 0);
}

}  // namespace
}  // namespace tern::nameserver
