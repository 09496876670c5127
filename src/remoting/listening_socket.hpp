#pragma once
// Accepting connections, on io thread 0, for all io threads in turn.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tern/base/result.hpp"
#include "tern/remoting/server.hpp"

#include "remoting/asio.hpp"
#include "remoting/io_thread.hpp"

namespace tern::remoting {

/// One listening socket. Opened by the thread that sets up, served by io thread 0 until close().
class ListeningSocket {
 public:
  ListeningSocket(NetworkState& network, Listener listener, Handler& handler);

  /// Binds and listens, and waits for the first connection. Returns the port; errno if refused.
  Result<std::uint16_t> open(const std::string& address, std::uint16_t port) TERN_REQUIRES(io_role);
  void close() TERN_REQUIRES(io_role);

 private:
  void wait() TERN_REQUIRES(io_role);
  void wait_after_shortage() TERN_REQUIRES(io_role);
  void accept_ready() TERN_REQUIRES(io_role);
  void hand_over(int descriptor, const Tcp::endpoint& remote) TERN_REQUIRES(io_role);

  NetworkState& network_;
  IoThread& io_;
  const Listener listener_;
  Handler& handler_;
  std::optional<Acceptor> acceptor_ TERN_GUARDED_BY(io_role);
  std::optional<Timer> shortage_timer_ TERN_GUARDED_BY(io_role);
  IoThread::Token on_finish_ TERN_GUARDED_BY(io_role) = 0;
  std::size_t next_io_thread_ TERN_GUARDED_BY(io_role) = 0;
};

}  // namespace tern::remoting
