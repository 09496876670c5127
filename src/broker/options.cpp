#include <string>
#include <string_view>

#include <climits>

#include "broker/identity.hpp"
#include "broker/schedule/delay_levels.hpp"

namespace tern::broker {
namespace {

// What clients are told and message ids carry: an IPv6 address may stand in brackets.
OptionRule advertised_address() {
  return {"an IP address, or empty",
          [](std::string_view text) { return text.empty() || message::parse_host(text, 0).has_value(); }};
}

OptionRule delay_levels() {
  return {"numbers with the unit s, m, h or d, blanks between", [](std::string_view text) {
            std::string problem_that_the_rule_says_in_its_own_words;
            return DelayLevels::parse(text, problem_that_the_rule_says_in_its_own_words).has_value();
          }};
}

// The fast listener takes the port two below, and what would be the replicas' port is the one above.
OptionRule main_port() {
  return {"0, 3 to 65534",
          [](std::string_view text) { return range(0, 0).check(text) || range(3, 65'534).check(text); }};
}

OptionRule master_id() {
  return {"0, a master; replication is not supported yet",
          [](std::string_view text) { return range(0, 0).check(text); }};
}

}  // namespace

std::span<const OptionRow<BrokerOptions>> broker_option_rows() {
  using O = BrokerOptions;
  static const OptionRow<O> kRows[] = {
      {"brokerClusterName", &O::cluster_name, "DefaultCluster", anything(),
       "Name of the cluster that the broker belongs to."},
      {"brokerName", &O::broker_name, "", anything(), "Name of the broker in its cluster; empty means the host name."},
      {"brokerId", &O::broker_id, "0", master_id(), "The broker's role: 0 is a master."},
      {"brokerIP1", &O::advertised_address, "", advertised_address(),
       "The address that clients are told and that message ids carry; empty means the first address that is not "
       "loopback."},
      {"brokerIP2", &O::ha_address, "", advertised_address(),
       "The address that replicas would be told; empty means brokerIP1."},
      {"listenPort", &O::listen_port, "10911", main_port(),
       "Main port. The fast listener takes listenPort - 2. 0 lets the system pick both; the start-up table shows "
       "them."},
      {"bindAddress", &O::bind_address, "", ip_address(), "Address to listen on; empty means all."},
      {"namesrvAddr", &O::nameserver_addresses, "", host_ports(), "The nameservers to register with."},
      {"brokerPermission", &O::permission, "6", range(0, 7), "What clients may do here: 4 read, 2 write, 6 both."},
      {"autoCreateTopicEnable", &O::auto_create_topics, "true", anything(),
       "Whether a send to an unknown topic creates it, after TBW102."},
      {"autoCreateSubscriptionGroup", &O::auto_create_groups, "true", anything(),
       "Whether an unknown consumer group is created when it appears."},
      {"defaultTopicQueueNums", &O::default_topic_queues, "8", range(1, 1024),
       "Queues of TBW102, the most that auto-creation gives a topic."},
      {"clusterTopicEnable", &O::cluster_topic_enable, "true", anything(),
       "Whether the topic named like the cluster can be used."},
      {"brokerTopicEnable", &O::broker_topic_enable, "true", anything(),
       "Whether the topic named like the broker can be used."},
      {"traceTopicEnable", &O::trace_topic_enable, "false", anything(), "Whether the trace topic is created at start."},
      {"msgTraceTopicName", &O::trace_topic, "RMQ_SYS_TRACE_TOPIC", anything(), "Name of the trace topic."},
      {"regionId", &O::region_id, "DefaultRegion", anything(), "Region that messages and answers carry."},
      {"traceOn", &O::trace_on, "true", anything(), "Whether clients that can trace are told to."},
      {"maxMessageSize", &O::message_size_max, "4194304", range(10, 16'000'000),
       "Largest message body or batch, in bytes."},
      {"groupAppendEnable", &O::group_append, "true", anything(),
       "Whether the sends that an io thread reads in one turn are put into the log under one acquisition of "
       "putMessageLock; "
       "false: one for each send, as Apache's brokers do."},
      {"messageDelayLevel", &O::delay_levels, "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
       delay_levels(), "The delay of each level, from level 1 on."},
      {"longPollingEnable", &O::long_polling, "true", anything(),
       "Whether a pull that finds nothing waits as long as it asks to."},
      {"shortPollingTimeMills", &O::short_polling_ms, "1000", range(0, 60'000),
       "How long it waits otherwise, in milliseconds."},
      {"litePullMessageEnable", &O::lite_pull_enable, "true", anything(), "Whether lite pulls are answered."},
      {"notifyConsumerIdsChangedEnable", &O::notify_consumer_ids_changed, "true", anything(),
       "Whether members of a group are told at once when others join or leave."},
      {"registerNameServerPeriod", &O::register_period_ms, "30000", range(1000, 3'600'000),
       "Milliseconds between registrations with the nameservers; at least 10000 and at most 60000 are used."},
      {"registerBrokerTimeoutMills", &O::register_timeout_ms, "24000", range(100, 600'000),
       "How long a nameserver may take to answer, in milliseconds."},
      {"flushConsumerOffsetInterval", &O::offsets_save_period_ms, "5000", range(100, 3'600'000),
       "Milliseconds between saves of consumer offsets."},
      {"flushDelayOffsetInterval", &O::delay_save_period_ms, "10000", range(100, 3'600'000),
       "Milliseconds between saves of delay progress."},
      {"syncFlushTimeout", &O::sync_flush_timeout_ms, "5000", range(1, 600'000),
       "With SYNC_FLUSH, milliseconds after which a send is answered FLUSH_DISK_TIMEOUT: stored, but perhaps not on "
       "disk."},
      {"maxTransferCountOnMessageInMemory", &O::pull_count_max, "32", range(1, 65'536), "Most messages of one pull."},
      {"maxTransferBytesOnMessageInMemory", &O::pull_bytes_max, "262144", range(1, 16'000'000),
       "Bytes of one pull's answer after which no further message is added."},
      {"maxFilterMessageSize", &O::filter_scan_bytes_max, "16000", range(20, 1'000'000),
       "Bytes of queue entries, 20 for each message, that a pull looks at for one that its filter lets through."},
      {"parkedPullsMax", &O::parked_pulls_max, "200000", range(0, INT_MAX),
       "Most pulls that may wait for messages at a time."},
      {"parkedPullsBytesMax", &O::parked_pulls_bytes_max, "268435456", range(0, INT64_MAX),
       "Most bytes of pulls that wait for messages. At this limit or the one before, connections that hold their share "
       "are refused, and the largest holder is dropped for others."},
      {"pullThreadPoolQueueCapacity", &O::pull_queue_max, "100000", range(1, 10'000'000),
       "Most pulls that may wait for the disk at a time; beyond it they are answered SYSTEM_BUSY."},
      {"waitTimeMillsInPullQueue", &O::pull_wait_ms_max, "5000", range(1, 600'000),
       "Milliseconds after which a pull that still waits for the disk is answered SYSTEM_BUSY."},
      {"adminBrokerThreadPoolQueueCapacity", &O::admin_queue_max, "10000", range(1, 10'000'000),
       "Most requests of other kinds (send-back, queries, administration) that may wait for the disk at a time."},
      {"waitTimeMillsInAdminBrokerQueue", &O::admin_wait_ms_max, "5000", range(1, 600'000),
       "Milliseconds after which one of these that still waits is answered SYSTEM_BUSY."},
      {"defaultQueryMaxNum", &O::key_query_count_max, "32", range(1, 64), "Most messages of one query by unique key."},
      {"configBlackList", &O::update_black_list, "configBlackList;brokerConfigPath", anything(),
       "Keys, ';' between them, that remote administration may not change."},
  };
  return kRows;
}

}  // namespace tern::broker
