#include "nameserver/config/apache_nameserver_keys.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace tern::nameserver {
namespace {

// Apache's listening address by default is every one.
bool is_one_address(std::string_view value) {
  return !value.empty() && value != "0.0.0.0";
}
bool is_filled_json(std::string_view value) {
  return !value.empty() && value != "{}";
}
bool is_enforcing(std::string_view value) {
  return value == "enforcing";
}
bool is_require(std::string_view value) {
  return value == "require";
}
bool exports_metrics(std::string_view value) {
  return !value.empty() && value != "DISABLE" && value != "0";
}

// These keys are never changed remotely here; any other one in the list is a demand.
bool closes_more_keys(std::string_view value) {
  constexpr std::string_view kClosedAnyway[] = {"configBlackList", "brokerConfigPath", "configStorePath",
                                                "kvConfigPath"};
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(';'), value.size());
    const std::string_view key = value.substr(0, end);
    if (!key.empty() && std::ranges::find(kClosedAnyway, key) == std::end(kClosedAnyway)) return true;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return false;
}

// key, default there, whether a value promises something, and what. The order is that of Apache's classes.
constexpr ForeignKey kApacheNameserverKeys[] = {
    // Nameserver
    {"rocketmqHome", ""},
    {"kvConfigPath", ""},
    {"configStorePath", ""},
    {"productEnvName", "center"},
    {"clusterTest", "false", value_is_true, "routes looked up at another nameserver"},
    {"orderMessageEnable", "false"},
    {"returnOrderTopicConfigToBroker", "true"},
    {"clientRequestThreadPoolNums", "8"},
    {"defaultThreadPoolNums", "16"},
    {"clientRequestThreadPoolQueueCapacity", "50000"},
    {"defaultThreadPoolQueueCapacity", "10000"},
    {"scanNotActiveBrokerInterval", "5000"},
    {"unRegisterBrokerQueueCapacity", "3000"},
    {"supportActingMaster", "false", value_is_true, "slaves shown as acting masters"},
    {"enableAllTopicList", "true", value_is_not_true, "refusing lists of all topics"},
    {"enableTopicList", "true", value_is_not_true, "refusing topic lists"},
    {"notifyMinBrokerIdChanged", "false"},
    {"enableControllerInNamesrv", "false", value_is_true, "the controller"},
    {"needWaitForService", "false"},
    {"waitSecondsForService", "45"},
    {"deleteTopicWithBrokerRegistration", "false"},
    {"configBlackList", "configBlackList;configStorePath;kvConfigPath", closes_more_keys,
     "keys closed to remote change"},
    // Network, accepting
    {"bindAddress", "0.0.0.0", is_one_address, "listening on one address only"},
    {"listenPort", "0"},
    {"serverWorkerThreads", "8"},
    {"serverCallbackExecutorThreads", "0"},
    {"serverSelectorThreads", "3"},
    {"serverOnewaySemaphoreValue", "256"},
    {"serverAsyncSemaphoreValue", "64"},
    {"serverChannelMaxIdleTimeSeconds", "120"},
    {"serverSocketSndBufSize", "0"},
    {"serverSocketRcvBufSize", "0"},
    {"writeBufferHighWaterMark", "0"},
    {"writeBufferLowWaterMark", "0"},
    {"serverSocketBacklog", "1024"},
    {"serverNettyWorkerGroupEnable", "true"},
    {"serverPooledByteBufAllocatorEnable", "true"},
    {"enableShutdownGracefully", "false"},
    {"shutdownWaitTimeSeconds", "30"},
    {"useEpollNativeSelector", "false"},
    // Network, connecting
    {"clientWorkerThreads", "4"},
    {"clientCallbackExecutorThreads", ""},
    {"clientOnewaySemaphoreValue", "65535"},
    {"clientAsyncSemaphoreValue", "65535"},
    {"connectTimeoutMillis", "3000"},
    {"channelNotActiveInterval", "60000"},
    {"isScanAvailableNameSrv", "true"},
    {"scanAvailableNameSrv", "true"},
    {"clientChannelMaxIdleTimeSeconds", "120"},
    {"clientSocketSndBufSize", "0"},
    {"clientSocketRcvBufSize", "0"},
    {"clientPooledByteBufAllocatorEnable", "false"},
    {"clientCloseSocketIfTimeout", "true"},
    {"useTLS", "false", value_is_true, "TLS"},
    {"socksProxyConfig", "{}", is_filled_json, "connections through a SOCKS proxy"},
    {"disableCallbackExecutor", "false"},
    {"disableNettyWorkerGroup", "false"},
    {"maxReconnectIntervalTimeSeconds", "60"},
    {"enableReconnectForGoAway", "true"},
    // Controller, which Apache runs inside the nameserver if asked
    {"controllerType", "DLedger"},
    {"controllerThreadPoolNums", "16"},
    {"controllerRequestThreadPoolQueueCapacity", "50000"},
    {"controllerDLegerGroup", ""},
    {"controllerDLegerPeers", ""},
    {"controllerDLegerSelfId", ""},
    {"mappedFileSize", "1073741824"},
    {"controllerStorePath", ""},
    {"electMasterMaxRetryCount", "3"},
    {"enableElectUncleanMaster", "false"},
    {"isProcessReadEvent", "false"},
    {"processReadEvent", "false"},
    {"notifyBrokerRoleChanged", "true"},
    {"scanInactiveMasterInterval", "5000"},
    {"metricsExporterType", "DISABLE", exports_metrics, "metrics export"},
    {"metricsGrpcExporterTarget", ""},
    {"metricsGrpcExporterHeader", ""},
    {"metricGrpcExporterTimeOutInMills", "3000"},
    {"metricGrpcExporterIntervalInMills", "60000"},
    {"metricLoggingExporterIntervalInMills", "10000"},
    {"metricsPromExporterPort", "5557"},
    {"metricsPromExporterHost", ""},
    {"metricsLabel", ""},
    {"metricsInDelta", "false"},
    {"jRaftElectionTimeoutMs", "1000"},
    {"jRaftScanWaitTimeoutMs", "1000"},
    {"jRaftSnapshotIntervalSecs", "3600"},
    {"jRaftGroupId", "jRaft-Controller"},
    {"jRaftServerId", "localhost:9880"},
    {"jRaftInitConf", "localhost:9880,localhost:9881,localhost:9882"},
    {"jRaftControllerRPCAddr", "localhost:9770,localhost:9771,localhost:9772"},
    // Network, as system properties of its JVM
    {"com.rocketmq.remoting.nettyPooledByteBufAllocatorEnable", "false"},
    {"com.rocketmq.remoting.socket.sndbuf.size", "0"},
    {"com.rocketmq.remoting.socket.rcvbuf.size", "0"},
    {"com.rocketmq.remoting.socket.backlog", "1024"},
    {"com.rocketmq.remoting.clientAsyncSemaphoreValue", "65535"},
    {"com.rocketmq.remoting.clientOnewaySemaphoreValue", "65535"},
    {"com.rocketmq.remoting.client.worker.size", "4"},
    {"com.rocketmq.remoting.client.connect.timeout", "3000"},
    {"com.rocketmq.remoting.client.channel.maxIdleTimeSeconds", "120"},
    {"com.rocketmq.remoting.client.closeSocketIfTimeout", "true"},
    {"com.rocketmq.remoting.write.buffer.high.water.mark", "0"},
    {"com.rocketmq.remoting.write.buffer.low.water.mark", "0"},
    // TLS, as system properties or in tls.properties
    {"tls.server.mode", "permissive", is_enforcing, "refusing connections without TLS"},
    {"tls.enable", "false", value_is_true, "TLS"},
    {"tls.config.file", "/etc/rocketmq/tls.properties"},
    {"tls.test.mode.enable", "true"},
    {"tls.server.need.client.auth", "none", is_require, "client certificates"},
    {"tls.server.keyPath", "", value_is_set, "TLS"},
    {"tls.server.keyPassword", ""},
    {"tls.server.certPath", "", value_is_set, "TLS"},
    {"tls.server.authClient", "false", value_is_true, "client certificates"},
    {"tls.server.trustCertPath", "", value_is_set, "client certificates"},
    {"tls.client.keyPath", ""},
    {"tls.client.keyPassword", ""},
    {"tls.client.certPath", ""},
    {"tls.client.authServer", "false"},
    {"tls.client.trustCertPath", ""},
};

}  // namespace

std::span<const ForeignKey> apache_nameserver_keys() {
  return kApacheNameserverKeys;
}

}  // namespace tern::nameserver
