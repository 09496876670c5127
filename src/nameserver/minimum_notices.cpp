#include "nameserver/minimum_notices.hpp"

#include "tern/base/log.hpp"

namespace tern::nameserver {

void MinimumNotices::announce(const MinimumChange& change) const {
  if (!options_.notify_min_broker_id_changed || change.addresses.empty()) return;
  const auto& [id, minimum] = *change.addresses.begin();
  log_info("broker {}: the smallest id is {} at {} now", change.broker, id, minimum);
  // Who came as the smallest knows it. When somebody left, the new smallest is the one who must hear of it.
  const bool tell_minimum = change.offline_address.has_value() || change.addresses.size() == 1;
  for (const auto& [broker_id, address] : change.addresses) {
    if (broker_id == id && !tell_minimum) continue;
    auto request = protocol::request(protocol::RequestCode::kNotifyMinBrokerIdChange)
                       .field("minBrokerId", id)
                       .field("brokerName", change.broker)
                       .field("minBrokerAddr", minimum);
    if (change.offline_address) request.fields.add("offlineBrokerAddr", *change.offline_address);
    if (change.ha_address) request.fields.add("haBrokerAddr", *change.ha_address);
    send_(address, std::move(request));
  }
}

}  // namespace tern::nameserver
