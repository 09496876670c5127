// The tables of Apache's keys: well formed, and marked where an operator would want start-up to stop.

#include <set>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tern/base/options.hpp"

#include "broker/config/apache_broker_keys.hpp"
#include "nameserver/config/apache_nameserver_keys.hpp"

namespace tern {
namespace {

const ForeignKey* find(std::span<const ForeignKey> keys, std::string_view name) {
  for (const ForeignKey& key : keys) {
    if (key.key == name) return &key;
  }
  return nullptr;
}

bool promises(std::span<const ForeignKey> keys, std::string_view name, std::string_view value) {
  const ForeignKey* key = find(keys, name);
  if (key == nullptr) ADD_FAILURE() << name << " is not in the table";
  return key != nullptr && key->promises != nullptr && key->promises(value);
}

class ForeignKeys : public testing::TestWithParam<std::span<const ForeignKey> (*)()> {};

INSTANTIATE_TEST_SUITE_P(Tables, ForeignKeys,
                         testing::Values(&broker::apache_broker_keys, &nameserver::apache_nameserver_keys));

TEST_P(ForeignKeys, NameEachKeyOnce) {
  std::set<std::string_view> seen;
  for (const ForeignKey& key : GetParam()()) {
    EXPECT_FALSE(key.key.empty());
    EXPECT_TRUE(seen.insert(key.key).second) << key.key;
  }
}

TEST_P(ForeignKeys, SayWhatIsLackingWhereTheyPromise) {
  for (const ForeignKey& key : GetParam()()) EXPECT_EQ(key.promises == nullptr, key.lacking.empty()) << key.key;
}

// Apache's servers write every key into the file when one is changed remotely: such a file must still start ours.
TEST_P(ForeignKeys, PromiseNothingByTheirDefaults) {
  for (const ForeignKey& key : GetParam()()) {
    if (key.promises == nullptr) continue;
    EXPECT_FALSE(key.promises(key.default_text)) << key.key << "=" << key.default_text;
  }
}

TEST_P(ForeignKeys, AreAcceptedByAFileThatSetsThemAllToTheirDefaults) {
  OptionSet set;
  set.add_foreign(GetParam()());
  PropertiesFile file{"all.properties", {}};
  int line = 0;
  for (const ForeignKey& key : GetParam()()) {
    file.lines.push_back({std::string(key.key), std::string(key.default_text), ++line});
  }
  const auto outcome = set.apply(file, false);
  EXPECT_TRUE(outcome.problems.empty()) << outcome.problems.front().text;
  EXPECT_EQ(outcome.notices.size(), 1U);
}

TEST_P(ForeignKeys, StopWhereTlsWasAskedFor) {
  const auto keys = GetParam()();
  EXPECT_TRUE(promises(keys, "tls.server.mode", "enforcing"));
  EXPECT_FALSE(promises(keys, "tls.server.mode", "permissive"));
  EXPECT_FALSE(promises(keys, "tls.server.mode", "disabled"));
  EXPECT_TRUE(promises(keys, "useTLS", "true"));
  EXPECT_TRUE(promises(keys, "tls.enable", "true"));
}

TEST_P(ForeignKeys, StopWhereAPolicyOfTheNetworkWouldBeLost) {
  const auto keys = GetParam()();
  EXPECT_TRUE(promises(keys, "bindAddress", "127.0.0.1"));
  EXPECT_TRUE(promises(keys, "socksProxyConfig", "{\"0.0.0.0/0\":{\"addr\":\"proxy:1080\"}}"));
  EXPECT_TRUE(promises(keys, "metricsExporterType", "PROM"));
  EXPECT_TRUE(promises(keys, "metricsExporterType", "2"));
  EXPECT_FALSE(promises(keys, "metricsExporterType", "0"));
  EXPECT_TRUE(promises(keys, "configBlackList", "configBlackList;fileReservedTime"));
  EXPECT_FALSE(promises(keys, "configBlackList", "configBlackList;"));
}

struct Setting {
  const char* key;
  const char* value;
};

TEST(ApacheBrokerKeys, StopWhereDataSecurityOrAvailabilityWouldBeLost) {
  for (const auto& [key, value] : {
           Setting{"authenticationEnabled", "true"},
           {"authorizationEnabled", "TRUE"},
           {"aclEnable", "true"},
           {"brokerPermission", "4"},
           {"autoCreateTopicEnable", "false"},
           {"autoCreateTopicEnable", "no"},
           {"brokerRole", "SLAVE"},
           {"brokerId", "1"},
           {"inSyncReplicas", "2"},
           {"minInSyncReplicas", "2"},
           {"allAckInSyncStateSet", "true"},
           {"enableControllerMode", "true"},
           {"enableDLegerCommitLog", "true"},
           {"enableSlaveActingMaster", "true"},
           {"inBrokerContainer", "true"},
           {"storeType", "defaultRocksDB"},
           {"rocksdbCQDoubleWriteEnable", "true"},
           {"configManagerVersion", "v2"},
           {"timerRocksDBEnable", "true"},
           {"transRocksDBEnable", "true"},
           {"indexRocksDBEnable", "true"},
           {"popConsumerKVServiceEnable", "true"},
           {"messageStorePlugIn", "org.apache.rocketmq.tieredstore.TieredMessageStore"},
           {"enableLmq", "true"},
           {"storePathCommitLog", "/disk1,/disk2"},
           {"readOnlyCommitLogStorePaths", "/disk3"},
           {"flushDiskType", "SYNC_FLUSH"},
           {"replicasPerDiskPartition", "2"},
           {"fetchNamesrvAddrByAddressServer", "true"},
           {"enableCalcFilterBitMap", "true"},
       }) {
    EXPECT_TRUE(promises(broker::apache_broker_keys(), key, value)) << key << "=" << value;
  }
}

TEST(ApacheBrokerKeys, AcceptWhatPromisesNothing) {
  for (const auto& [key, value] : {
           Setting{"brokerRole", "ASYNC_MASTER"},
           {"brokerRole", "SYNC_MASTER"},  // without inSyncReplicas it waits for nobody at Apache's either
           {"brokerId", "0"},
           {"inSyncReplicas", "1"},
           {"inSyncReplicas", "many"},
           {"storeType", "default"},
           {"storePathCommitLog", "/disk1"},
           {"useReentrantLockWhenPutMessage", "false"},
           {"transientStorePoolEnable", "true"},
           {"authenticationWhitelist", "105"},
           {"scanAvailableNameSrv", "false"},
       }) {
    EXPECT_FALSE(promises(broker::apache_broker_keys(), key, value)) << key << "=" << value;
  }
}

TEST(ApacheNameserverKeys, StopWhereSecurityOrAvailabilityWouldBeLost) {
  const auto keys = nameserver::apache_nameserver_keys();
  EXPECT_TRUE(promises(keys, "enableControllerInNamesrv", "true"));
  EXPECT_TRUE(promises(keys, "clusterTest", "true"));
  EXPECT_TRUE(promises(keys, "enableAllTopicList", "false"));
}

TEST(ApacheNameserverKeys, KnowTheControllersKeys) {
  const auto keys = nameserver::apache_nameserver_keys();
  for (const char* key : {"controllerDLegerPeers", "controllerStorePath", "jRaftServerId", "processReadEvent"}) {
    EXPECT_NE(find(keys, key), nullptr) << key;
  }
}

}  // namespace
}  // namespace tern
