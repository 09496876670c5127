#include "nameserver/broker_liveness.hpp"

#include "tern/base/log.hpp"

namespace tern::nameserver {

std::size_t BrokerLiveness::step() {
  const auto removal = table_.expire(clock_.steady_ms());
  // Closed after the removal, so that the end of the connection finds nothing left to do.
  for (const auto& peer : removal.peers) peer->close();
  return settle(removal, "was silent for longer than its timeout");
}

void BrokerLiveness::connection_closed(const remoting::PeerPtr& peer) {
  settle(table_.remove_peer(peer->id()), "lost its connection");
}

void BrokerLiveness::unregister(const BrokerName& name) {
  settle(table_.unregister(name), "has unregistered");
}

std::size_t BrokerLiveness::settle(const Removal& removal, std::string_view why) {
  for (const auto& broker : removal.brokers) {
    log_info("broker {} (id {}) of {} at {} {}", broker.broker, broker.id, broker.cluster, broker.address, why);
  }
  for (const auto& change : removal.minimum_changes) notices_.announce(change);
  return removal.brokers.size();
}

}  // namespace tern::nameserver
