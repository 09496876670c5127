#pragma once
// How brokers go: they say so, their connection ends, or nothing is heard of them any more.

#include <cstddef>
#include <string_view>

#include "tern/base/clock.hpp"
#include "tern/remoting/peer.hpp"

#include "nameserver/minimum_notices.hpp"
#include "nameserver/route_table.hpp"

namespace tern::nameserver {

/// Takes brokers out of the routes at once, logs each, closes the connections of silent ones, and has the others of
/// their name told. All calls from any thread.
class BrokerLiveness {
 public:
  BrokerLiveness(const Clock& clock, RouteTable& table, const MinimumNotices& notices)
      : clock_(clock), table_(table), notices_(notices) {}

  /// Removes what has been silent for too long. To be called every `scanNotActiveBrokerInterval`. Returns how many.
  std::size_t step();
  void connection_closed(const remoting::PeerPtr& peer);
  void unregister(const BrokerName& name);

 private:
  std::size_t settle(const Removal& removal, std::string_view why);

  const Clock& clock_;
  RouteTable& table_;
  const MinimumNotices& notices_;
};

}  // namespace tern::nameserver
