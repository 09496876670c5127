#include "tern/nameserver/options.hpp"

#include <cstdlib>
#include <string_view>

namespace tern::nameserver {

std::span<const OptionRow<NameserverOptions>> nameserver_option_rows() {
  using O = NameserverOptions;
  static const OptionRow<O> kRows[] = {
      {"listenPort", &O::listen_port, "9876", range(0, 65'535),
       "Port on which clients and brokers are served; 0 lets the system pick one, which the ready line names."},
      {"bindAddress", &O::bind_address, "0.0.0.0", ip_address(),
       "Address on which the nameserver listens; empty means all."},
      {"kvConfigPath", &O::kv_config_path, "$HOME/namesrv/kvConfig.json", anything(),
       "File that keeps the key-value configuration, order topics among it. $HOME/ stands for the home directory."},
      {"scanNotActiveBrokerInterval", &O::liveness_scan_period_ms, "5000", range(10, 3'600'000),
       "Milliseconds between two looks for brokers that have fallen silent."},
      {"configBlackList", &O::update_black_list, "configBlackList;configStorePath;kvConfigPath", anything(),
       "Keys, ';' between them, that remote administration may not change."},
      {"orderMessageEnable", &O::order_message_enable, "false", anything(),
       "Whether routes carry a topic's order configuration."},
      {"returnOrderTopicConfigToBroker", &O::return_order_config_to_broker, "true", anything(),
       "Whether a broker gets the order configuration of all topics when it registers."},
      {"supportActingMaster", &O::support_acting_master, "false", anything(),
       "Whether routes show the slave with the smallest id as master while there is none and its brokers agreed to "
       "it."},
      {"notifyMinBrokerIdChanged", &O::notify_min_broker_id_changed, "false", anything(),
       "Whether brokers of one name are told when the smallest id among them changes."},
      {"enableAllTopicList", &O::enable_all_topic_list, "true", anything(), "Whether all topics may be listed."},
      {"enableTopicList", &O::enable_topic_list, "true", anything(),
       "Whether topics may be listed by cluster and by unit flag."},
      {"deleteTopicWithBrokerRegistration", &O::delete_absent_topics, "false", anything(),
       "Whether a registration removes the broker's topics that it does not name. Only for brokers that always send "
       "all "
       "their topics."},
      {"needWaitForService", &O::wait_for_service, "false", anything(),
       "Whether routes are refused for the first seconds after the start, until brokers had time to register."},
      {"waitSecondsForService", &O::wait_for_service_seconds, "45", range(0, 86'400), "How many seconds that is."},
  };
  return kRows;
}

std::string expand_home(const std::string& path) {
  constexpr std::string_view kHome = "$HOME/";
  if (!path.starts_with(kHome)) return path;
  const char* home = std::getenv("HOME");
  return (home != nullptr ? std::string(home) : std::string(".")) + path.substr(kHome.size() - 1);
}

}  // namespace tern::nameserver
