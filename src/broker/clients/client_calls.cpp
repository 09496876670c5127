#include "broker/clients/client_calls.hpp"

#include <utility>

namespace tern::broker {

void ClientCalls::call(const remoting::PeerPtr& client, protocol::Outgoing request, std::int64_t timeout_ms,
                       remoting::AnswerHandler done) {
  if (!client->takes_answers()) return done(remoting::error(remoting::Errc::kOverBudget));
  if (under_way_.fetch_add(1, std::memory_order_relaxed) >= kUnderWayMax) {
    under_way_.fetch_sub(1, std::memory_order_relaxed);
    return done(remoting::error(remoting::Errc::kOverBudget, kUnderWayMax));
  }
  client->call(std::move(request), timeout_ms, [this, done = std::move(done)](Result<remoting::Answer> answer) {
    under_way_.fetch_sub(1, std::memory_order_relaxed);
    done(std::move(answer));
  });
}

}  // namespace tern::broker
