#pragma once
// NOTIFY_MIN_BROKER_ID_CHANGE (905): brokers of one name are told who has the smallest id now, so that one of them can
// stand in for a master that is gone.

#include <functional>
#include <string>

#include "tern/protocol/command.hpp"

#include "nameserver/route_table.hpp"

namespace tern::nameserver {

class MinimumNotices {
 public:
  /// Sends a one-way request to "host:port", or drops it. Any thread.
  using Send = std::function<void(const std::string& address, protocol::Outgoing request)>;
  MinimumNotices(const NameserverOptions& options, Send send) : options_(options), send_(std::move(send)) {}

  /// Any thread. Nothing, unless `notifyMinBrokerIdChanged`.
  void announce(const MinimumChange& change) const;

 private:
  const NameserverOptions& options_;
  const Send send_;
};

}  // namespace tern::nameserver
