#pragma once
// Who this broker is, and the switches that more than one capability looks at.

#include <cstdint>
#include <string>
#include <string_view>

#include "tern/base/options.hpp"
#include "tern/message/record.hpp"

namespace tern::broker {

struct BrokerOptions {
  std::string cluster_name;          // brokerClusterName
  std::string broker_name;           // brokerName; empty: the host name
  std::int64_t broker_id = 0;        // brokerId
  std::string advertised_address;    // brokerIP1; empty: first non-loopback address
  std::string ha_address;            // brokerIP2
  int listen_port = 0;               // listenPort; 0: the system picks
  std::string bind_address;          // bindAddress
  std::string nameserver_addresses;  // namesrvAddr, ';' between
  Live<int> permission;              // brokerPermission: 4 read, 2 write
  Live<bool> auto_create_topics;     // autoCreateTopicEnable
  Live<bool> auto_create_groups;     // autoCreateSubscriptionGroup
  int default_topic_queues = 0;      // defaultTopicQueueNums
  bool cluster_topic_enable = true;
  bool broker_topic_enable = true;
  bool trace_topic_enable = false;
  std::string trace_topic;         // msgTraceTopicName
  std::string region_id;           // regionId
  Live<bool> trace_on;             // traceOn
  Live<int> message_size_max;      // maxMessageSize
  Live<bool> group_append = true;  // groupAppendEnable: one acquisition of the put lock per turn, not per send
  std::string delay_levels;        // messageDelayLevel
  Live<bool> long_polling;         // longPollingEnable
  Live<std::int64_t> short_polling_ms;
  Live<bool> lite_pull_enable;                // litePullMessageEnable
  Live<bool> notify_consumer_ids_changed;     // notifyConsumerIdsChangedEnable
  Live<std::int64_t> register_period_ms;      // registerNameServerPeriod
  std::int64_t register_timeout_ms = 0;       // registerBrokerTimeoutMills
  Live<std::int64_t> offsets_save_period_ms;  // flushConsumerOffsetInterval
  Live<std::int64_t> delay_save_period_ms;    // flushDelayOffsetInterval
  Live<std::int64_t> sync_flush_timeout_ms;   // syncFlushTimeout
  Live<int> pull_count_max;                   // messages of one pull
  Live<std::int64_t> pull_bytes_max;
  Live<std::int64_t> filter_scan_bytes_max = 16'000;  // maxFilterMessageSize: of queue entries, of one pull
  Live<std::int64_t> parked_pulls_max;                // budget: parked requests, broker-wide
  Live<std::int64_t> parked_pulls_bytes_max;
  int admin_queue_max = 0;  // adminBrokerThreadPoolQueueCapacity: requests that wait for the blocking thread
  Live<std::int64_t> admin_wait_ms_max;  // waitTimeMillsInAdminBrokerQueue
  int pull_queue_max = 0;                // pullThreadPoolQueueCapacity: pulls that wait for the disk
  Live<std::int64_t> pull_wait_ms_max;   // waitTimeMillsInPullQueue
  Live<int> key_query_count_max;         // defaultQueryMaxNum
  std::string update_black_list;         // configBlackList, ';' between
};
std::span<const OptionRow<BrokerOptions>> broker_option_rows();

/// The end of refusals for a group that is not there, behind Apache's text: the setting that would have made it.
inline constexpr std::string_view kGroupNotCreated =
    "Unknown groups are created with autoCreateSubscriptionGroup=true, if their name is legal";

/// Known once the listeners are bound. Constant afterwards.
struct BrokerIdentity {
  std::string cluster;
  std::string name;
  std::int64_t id = 0;
  message::Host store_host;  // advertised address and main port: what message ids carry
  std::string address;       // the same as text
  std::string ha_address;
};

}  // namespace tern::broker
