#pragma once
// The network side of a process: io threads, listeners, connections, budgets, and the client end of the same protocol.
// Asio stays behind this header.

#include "tern/base/clock.hpp"
#include "tern/base/options.hpp"
#include "tern/remoting/request.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tern::remoting {

struct NetworkOptions {
  int io_threads = 1;
  std::int64_t frame_size_max = 0;
  Live<std::int64_t> receiving_bytes_max;   // budget: frames that have begun to arrive, all connections
  Live<std::int64_t> unsent_bytes_max;      // budget: replies not yet sent, all connections
  int connections_max = 0;
  int idle_seconds_max = 0;                 // neither read nor written: closed
  int socket_send_buffer = 0;               // 0: the kernel's autotuning
  int socket_receive_buffer = 0;
  int backlog = 0;
};
/// Rows of NetworkOptions, with Apache's key names where there is one.
std::span<const OptionRow<NetworkOptions>> network_option_rows();

/// What a server does with requests. Called on io threads; one Handler serves all of them.
class Handler {
 public:
  virtual ~Handler() = default;
  /// The request's views live until end_of_turn of this io thread returns.
  virtual void handle(const Request& request, Reply reply) = 0;
  /// After all requests that were ready: staged work goes out now; answers given here leave with this turn.
  virtual void end_of_turn(std::size_t io_thread) = 0;
  /// The connection is gone; comes once per peer that was accepted.
  virtual void peer_closed(const PeerPtr& peer) = 0;
};

/// Counters since start, summed over io threads.
struct NetworkCounters {
  std::int64_t connections = 0;  // open now
  std::int64_t accepted = 0;
  std::int64_t refused_connections = 0;   // connections_max
  std::int64_t bad_frames = 0;            // connections closed for what they sent
  std::int64_t dropped_for_budget = 0;
  std::int64_t idle_closed = 0;
  std::int64_t receiving_bytes = 0;
  std::int64_t unsent_bytes = 0;
  std::int64_t turns = 0;
  std::int64_t requests = 0;
};

/// Owns the io threads' contexts. The threads themselves are main's: it calls run(i) on each.
///   Network network(options, clock); network.listen(...); threads: network.run(i); ... network.stop();
class Network {
 public:
  Network(const NetworkOptions& options, const Clock& clock);
  ~Network();

  [[nodiscard]] std::size_t io_threads() const;

  /// Binds and listens at once; serving begins when the io threads run. port 0: the system picks. errno if refused (in use).
  /// `handler` must outlive run(). Call before run().
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port, Listener listener, Handler& handler);

  /// Serves io thread i until stop(). Returns when it has drained.
  void run(std::size_t io_thread);

  /// Runs `work` on an io thread, in order of posting, at the start of a turn. Any thread. After stop() it is dropped.
  void post(std::size_t io_thread, std::function<void()> work);
  /// Runs `work` once on an io thread, when `delay_ms` have passed. Any thread. After stop() it is dropped.
  void after(std::size_t io_thread, std::int64_t delay_ms, std::function<void()> work);
  /// Runs `work` every `period_ms` on an io thread until stop(). Before run().
  void every(std::size_t io_thread, std::int64_t period_ms, std::function<void()> work);

  /// Connects to "host:port" (names are resolved off the io threads), on the least loaded io thread. `done` runs there.
  /// `on_request` gets requests that the other end sends; `closed` runs once when an established connection has ended.
  using Connected = std::function<void(Result<PeerPtr>)>;
  void connect(const std::string& address, std::int64_t timeout_ms, Connected done, Handler* on_request = nullptr,
               std::function<void()> closed = {});

  /// Stop in two steps: stop_accepting closes the listeners and reads no new requests; stop waits until what is unanswered
  /// is answered and sent, at most `patience_ms`, then closes connections and makes run() return. From any other thread.
  void stop_accepting();
  void stop(std::int64_t patience_ms);

  [[nodiscard]] NetworkCounters counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A connection to one address that is made when first needed, made again when it fails, and shared by all callers.
/// All calls from any thread; `done` runs on an io thread.
class Client {
 public:
  Client(Network& network, std::string address, Handler* on_request = nullptr);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done);
  void notify(protocol::Outgoing request, std::int64_t timeout_ms);
  [[nodiscard]] const std::string& address() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tern::remoting
