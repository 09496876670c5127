#pragma once
// Requests of the broker to its clients that wait for an answer: over the client's own connection, with a bound.

#include <atomic>
#include <cstdint>

#include "tern/remoting/peer.hpp"

namespace tern::broker {

/// All calls from any thread. Must outlive the network's io threads.
class ClientCalls {
 public:
  static constexpr int kUnderWayMax = 50'000;  // broker-wide

  /// Peer::call, with its time-out and its rules for `done`; but where too many calls are under way, or the client does
  /// not take what it is sent already, nothing is sent and `done` runs inside call() with kOverBudget.
  void call(const remoting::PeerPtr& client, protocol::Outgoing request, std::int64_t timeout_ms,
            remoting::AnswerHandler done);
  [[nodiscard]] int under_way() const { return under_way_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int> under_way_{0};  // relaxed: a number alone
};

}  // namespace tern::broker
