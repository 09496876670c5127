#pragma once
// What GET_BROKER_RUNTIME_INFO (28) says: the numbers that mqadmin brokerStatus and dashboards show.

#include "tern/base/clock.hpp"
#include "tern/remoting/server.hpp"
#include "tern/store/store.hpp"

#include "broker/identity.hpp"
#include "broker/pull/pull_hold.hpp"
#include "broker/send/send_stage.hpp"

#include <map>
#include <string>

namespace tern::broker {

/// Any thread.
class BrokerStatus {
 public:
  BrokerStatus(const Clock& clock, const BrokerOptions& options, const BrokerIdentity& identity, store::Store& store, const PullHold& hold,
               const remoting::Network& network);
  /// Key to text, as Apache's brokers name them, and ours behind them (flushPolicy, putLock, readOnlyReason, ...).
  [[nodiscard]] std::map<std::string, std::string> table() const;

 private:
  const Clock& clock_;
  const BrokerOptions& options_;
  const BrokerIdentity& identity_;
  store::Store& store_;
  const PullHold& hold_;
  const remoting::Network& network_;
  const std::int64_t started_ms_;
};

}  // namespace tern::broker
