#pragma once
// From "host:port" to an open connection, or to a reason why not.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tern/base/result.hpp"
#include "tern/remoting/server.hpp"

#include "remoting/asio.hpp"
#include "remoting/io_thread.hpp"

namespace tern::remoting {

/// host and port of "host:port", "[::1]:port".
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(const std::string& address);

/// One attempt, on one io thread. Calls `done` exactly once, there. Names are resolved by Asio's resolver, on its own
/// thread.
class ConnectAttempt : public std::enable_shared_from_this<ConnectAttempt> {
 public:
  ConnectAttempt(IoThread& io, Network::Connected done, Handler* on_request, std::function<void()> closed);
  void start(const std::string& address, std::int64_t timeout_ms) TERN_REQUIRES(io_role);

 private:
  void connect(const Resolver::results_type& endpoints) TERN_REQUIRES(io_role);
  void connected(const error_code& error, const Tcp::endpoint& remote) TERN_REQUIRES(io_role);
  void fail(const Error& error) TERN_REQUIRES(io_role);
  void finish(Result<PeerPtr> result) TERN_REQUIRES(io_role);

  IoThread& io_;
  Socket socket_ TERN_GUARDED_BY(io_role);
  Resolver resolver_ TERN_GUARDED_BY(io_role);
  Network::Connected done_ TERN_GUARDED_BY(io_role);  // empty: it has been called
  Handler* on_request_ TERN_GUARDED_BY(io_role);
  std::function<void()> closed_ TERN_GUARDED_BY(io_role);
  Deadlines::Token deadline_ TERN_GUARDED_BY(io_role) = 0;
  IoThread::Token on_finish_ TERN_GUARDED_BY(io_role) = 0;
};

}  // namespace tern::remoting
