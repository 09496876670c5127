#pragma once
// What GET_BROKER_RUNTIME_INFO (28) says: the numbers that mqadmin brokerStatus and dashboards show.

#include <map>
#include <string>

#include "tern/base/clock.hpp"
#include "tern/remoting/server.hpp"
#include "tern/store/store.hpp"

#include "broker/admin/rates.hpp"
#include "broker/identity.hpp"
#include "broker/pull/pull_message.hpp"
#include "broker/send/send_stage.hpp"
#include "broker/timer/timers.hpp"

namespace tern::broker {

/// Any thread.
class BrokerStatus {
 public:
  BrokerStatus(const Clock& clock, const BrokerOptions& options, const BrokerIdentity& identity, store::Store& store,
               const PullServices& pull, const Timers& timers, const remoting::Network& network);
  /// Key to text, as Apache's brokers name them, and ours behind them (flushPolicy, putLock, readOnlyReason, ...).
  [[nodiscard]] std::map<std::string, std::string> table() const;
  /// From the timed thread: notes the counters every ten seconds, so that table() can say rates.
  void sample();

 private:
  const Clock& clock_;
  const BrokerOptions& options_;
  const BrokerIdentity& identity_;
  store::Store& store_;
  const PullServices& pull_;
  const Timers& timers_;
  const remoting::Network& network_;
  const std::int64_t started_ms_;
  Rates puts_, gets_, found_, missed_, asked_, timers_entered_, timers_delivered_;
};

}  // namespace tern::broker
