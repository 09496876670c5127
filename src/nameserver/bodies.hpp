#pragma once
// The JSON texts of the nameserver's answers, member for member as Apache's clients and tools know them.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nameserver/route_table.hpp"

namespace tern::nameserver {

enum class RouteStyle : std::uint8_t {
  kOld,  // ids of brokerAddrs stand without quotes, as clients before 4.9.4 were used to
  kNew,  // standard JSON
};

[[nodiscard]] std::string route_body(const TopicRoute& route, RouteStyle style,
                                     const std::optional<std::string>& order_config = {});
[[nodiscard]] std::string cluster_info_body(const RouteTable::Clusters& clusters);
[[nodiscard]] std::string member_group_body(std::string_view cluster, std::string_view broker,
                                            const std::map<std::int64_t, std::string>& addresses);
[[nodiscard]] std::string topic_list_body(std::span<const std::string> topics,
                                          const std::optional<std::string>& broker_address = {});
[[nodiscard]] std::string data_version_body(const DataVersion& version);
[[nodiscard]] std::string key_value_table_body(const std::map<std::string, std::string, std::less<>>& table);

}  // namespace tern::nameserver
