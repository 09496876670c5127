#pragma once
// The four fields by which every request of a broker says which one it is.

#include <string>
#include <string_view>

#include "tern/protocol/fields.hpp"

#include "nameserver/route_table.hpp"

namespace tern::nameserver {

struct BrokerFields {
  std::string_view cluster, broker, address;
  std::int64_t id = kMasterId;
  [[nodiscard]] BrokerName name() const {
    return {std::string(cluster), std::string(broker), std::string(address), id};
  }
};
inline constexpr auto kBrokerFields = protocol::fields<BrokerFields>(
    protocol::required("brokerName", &BrokerFields::broker), protocol::required("brokerAddr", &BrokerFields::address),
    protocol::required("clusterName", &BrokerFields::cluster), protocol::required("brokerId", &BrokerFields::id));

}  // namespace tern::nameserver
