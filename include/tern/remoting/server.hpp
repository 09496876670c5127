#pragma once
// The network side of a process: io threads, listeners, connections, budgets, and the client end of the same protocol.
// Asio stays behind this header.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/options.hpp"
#include "tern/remoting/request.hpp"

namespace tern::remoting {

struct NetworkOptions {
  int io_threads = 0;  // 0: half the cores, at least one
  std::int64_t frame_size_max = 0;
  Live<std::int64_t> receiving_bytes_max;  // budget: frames that have begun to arrive, all connections
  Live<std::int64_t> unsent_bytes_max;     // budget: replies not yet sent, all connections
  int connections_max = 0;                 // or 7/8 of RLIMIT_NOFILE, if that is less
  int idle_seconds_max = 0;                // neither read nor written: closed. 0: never
  int socket_send_buffer = 0;              // 0: the kernel's autotuning
  int socket_receive_buffer = 0;
  int backlog = 0;
};
/// Rows of NetworkOptions, with Apache's key names where there is one.
std::span<const OptionRow<NetworkOptions>> network_option_rows();

/// What a server does with requests. One Handler serves all io threads: calls for different io threads run at the same
/// time, calls for one io thread never do. None may block. Must outlive Network::run().
class Handler {
 public:
  virtual ~Handler() = default;
  /// All complete frames that a connection has sent come one after the other, in their order. The request's views live
  /// until end_of_turn of this io thread returns. Other connections may have their turn in between.
  virtual void handle(const Request& request, Reply reply) = 0;
  /// After all requests that were ready: staged work goes out now; answers given here leave with this turn. Comes at
  /// the end of every turn, also of those without a request.
  virtual void end_of_turn(std::size_t io_thread) = 0;
  /// The connection is gone; comes once per peer that was accepted, never inside handle() or end_of_turn(), and for
  /// those that are open at stop() before run() returns.
  virtual void peer_closed(const PeerPtr& peer) = 0;
};

/// Counters since start, summed over io threads. Each is exact, but they are read one after the other.
struct NetworkCounters {
  std::int64_t connections = 0;  // open now, in either direction
  std::int64_t accepted = 0;
  std::int64_t refused_connections = 0;  // connections_max
  std::int64_t bad_frames = 0;           // connections closed for what they sent
  std::int64_t dropped_for_budget = 0;   // connections closed for receiving_bytes_max or unsent_bytes_max
  std::int64_t idle_closed = 0;
  std::int64_t receiving_bytes = 0;  // held now for frames that have not arrived whole, or not been handled
  std::int64_t unsent_bytes = 0;     // held now for answers the sockets have not taken
  std::int64_t turns = 0;
  std::int64_t requests = 0;
};

/// Owns the io threads' contexts, listeners and connections. The threads themselves are main's: it calls run(i) on
/// each.
///   Network network(options, clock);  network.listen(...);  a thread for each i: network.run(i);
///   ...  network.stop(patience_ms);  join the threads.
///
/// A connection belongs to one io thread for its life. What a peer does wrong (a frame that is none, too much at once,
/// no reading of its answers) costs that peer its connection, with a counter and at most one log line a second. A peer
/// with a megabyte of unsent answers is not read until it has taken half of them; what it has sent already waits. Near
/// a budget, connections stop being read; over it, the largest holders are dropped: src/remoting/budgets.cpp says
/// which.
///
/// `options` and `clock` must outlive it; the Live options are read as they change. Replies and peers may outlive it.
class Network {
 public:
  Network(const NetworkOptions& options, const Clock& clock);
  ~Network();

  [[nodiscard]] std::size_t io_threads() const;

  /// Binds and listens at once; serving begins when the io threads run. `address` is a literal IPv4 or IPv6 address, or
  /// empty for all IPv4 interfaces; port 0: the system picks. Returns the port; errno if refused (in use). Call before
  /// run().
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port, Listener listener, Handler& handler);

  /// Serves an io thread until stop(). Once for each.
  void run(std::size_t io_thread);

  /// Runs `work` on an io thread, in order of posting, inside a turn: what it answers or stages leaves with that turn.
  /// Any thread, also the io thread itself. Work that posts itself again runs once a turn. After stop() it is dropped.
  void post(std::size_t io_thread, std::function<void()> work);
  /// Runs `work` once on an io thread, when `delay_ms` have passed. Any thread. After stop() it is dropped.
  void after(std::size_t io_thread, std::int64_t delay_ms, std::function<void()> work);
  /// Runs `work` every `period_ms` on an io thread until stop(). Before run().
  void every(std::size_t io_thread, std::int64_t period_ms, std::function<void()> work);

  /// Connects to "host:port" (names are resolved off the io threads), on an io thread with the fewest connections.
  /// `done` runs there, exactly once. `on_request` gets requests that the other end sends (and end_of_turn of that io
  /// thread); without it they are refused. `closed` runs once when an established connection has ended. Any thread.
  using Connected = std::function<void(Result<PeerPtr>)>;
  void connect(const std::string& address, std::int64_t timeout_ms, Connected done, Handler* on_request = nullptr,
               std::function<void()> closed = {});

  /// Stop in two steps: stop_accepting closes the listeners and reads accepted connections no more, so no new request
  /// comes; connections of our own making still get answers. stop does that too, waits until what is unanswered is
  /// answered and sent, at most `patience_ms` of real time, then fails all calls, closes all connections and makes
  /// run() return. From any thread but the io threads.
  void stop_accepting();
  void stop(std::int64_t patience_ms);

  [[nodiscard]] NetworkCounters counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A connection to one address that is made when first needed, made again when it has failed, and shared by all
/// callers. Names are resolved again each time. All calls from any thread; `done` runs exactly once, on an io thread:
/// with the answer, or with an errno of connecting, kUnresolved, kTimeout, kClosed, kBadAddress, kOverBudget. Nothing
/// is sent twice: whether to try again is the caller's decision. Going away it closes the connection, and calls under
/// way fail with kClosed. Must not outlive the Network.
class Client {
 public:
  Client(Network& network, std::string address, Handler* on_request = nullptr);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done);
  /// One-way request. Dropped if there is no connection in time.
  void notify(protocol::Outgoing request, std::int64_t timeout_ms);
  [[nodiscard]] const std::string& address() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tern::remoting
