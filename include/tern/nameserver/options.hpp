#pragma once
// Settings of the nameserver, under Apache's key names.

#include <cstdint>
#include <span>
#include <string>

#include "tern/base/options.hpp"

namespace tern::nameserver {

struct NameserverOptions {
  int listen_port = 0;                       // listenPort; 0: the system picks
  std::string bind_address;                  // bindAddress
  std::string kv_config_path;                // kvConfigPath
  std::int64_t liveness_scan_period_ms = 0;  // scanNotActiveBrokerInterval
  std::string update_black_list;             // configBlackList, ';' between
  Live<bool> order_message_enable;           // orderMessageEnable
  Live<bool> return_order_config_to_broker;  // returnOrderTopicConfigToBroker
  Live<bool> support_acting_master;          // supportActingMaster
  Live<bool> notify_min_broker_id_changed;   // notifyMinBrokerIdChanged
  Live<bool> enable_all_topic_list;          // enableAllTopicList
  Live<bool> enable_topic_list;              // enableTopicList
  Live<bool> delete_absent_topics;           // deleteTopicWithBrokerRegistration
  Live<bool> wait_for_service;               // needWaitForService
  Live<int> wait_for_service_seconds;        // waitSecondsForService
};
std::span<const OptionRow<NameserverOptions>> nameserver_option_rows();

/// A path as written in the file, with "$HOME/" at its front replaced by the user's home directory.
[[nodiscard]] std::string expand_home(const std::string& path);

}  // namespace tern::nameserver
