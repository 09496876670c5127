#pragma once
// A real server on 127.0.0.1 with a port the system picks, and a peer that speaks bytes: what the tests of remoting
// need.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/protocol/command.hpp"
#include "tern/remoting/server.hpp"

namespace tern::remoting {

/// The defaults of the rows, on `io_threads` threads.
NetworkOptions default_options(int io_threads = 1);

/// A handler made of functions. Counts what it is told.
class FunctionHandler final : public Handler {
 public:
  using OnRequest = std::function<void(const Request&, Reply)>;
  explicit FunctionHandler(OnRequest on_request) : on_request_(std::move(on_request)) {}
  std::function<void(std::size_t)> on_end_of_turn;  // set before the server starts
  std::function<void(const PeerPtr&)> on_closed;

  void handle(const Request& request, Reply reply) override;
  void end_of_turn(std::size_t io_thread) override;
  void peer_closed(const PeerPtr& peer) override;

  [[nodiscard]] std::set<std::uint64_t> seen() const;         // peers that sent a request
  [[nodiscard]] std::multiset<std::uint64_t> closed() const;  // peers that went

 private:
  const OnRequest on_request_;
  mutable std::mutex mutex_;
  std::set<std::uint64_t> seen_;
  std::multiset<std::uint64_t> closed_;
};

/// Answers with the request's code, ext fields and body.
void echo(const Request& request, Reply reply);

/// A network with its threads. Stops and joins at the end.
class Server {
 public:
  explicit Server(FunctionHandler::OnRequest on_request, NetworkOptions options = default_options(),
                  const Clock* clock = nullptr);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens and runs. On `port`, if it is given.
  void start(std::uint16_t port = 0);
  void stop(std::int64_t patience_ms = 10'000);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  SystemClock system_clock;
  NetworkOptions options;
  FunctionHandler handler;
  Network network;

 private:
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

/// A decoded frame, owned.
struct Received {
  std::int32_t code = 0;
  std::int32_t flag = 0;
  std::int32_t opaque = 0;
  std::string remark;
  std::vector<protocol::NamedField> fields;
  std::string body;
};

/// A blocking socket. Reads give up after 30 s, so that a broken server fails a test and does not hang it.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port);
  ~RawPeer();
  RawPeer(RawPeer&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), bytes_(std::move(other.bytes_)) {}
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void send(std::string_view bytes);
  /// Sends what the socket takes now. nullopt: the other end has closed.
  std::optional<std::size_t> send_some(std::string_view bytes);
  /// The next frame; nullopt at the end of the stream.
  std::optional<Received> receive();
  /// One read of the socket, in whole frames. Whatever is cut off stays for later.
  std::vector<Received> receive_one_read();
  /// Whether the other end closed without sending anything more.
  bool is_closed();
  void shut_down_sending();
  void close();
  /// Sends a request and waits for its answer.
  Received call(std::int32_t code, std::string_view body = {});
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  bool read_more();
  std::optional<Received> take_frame();

  int descriptor_ = -1;
  std::int32_t opaque_ = 1'000'000;
  std::string bytes_;
};

std::span<const std::byte> bytes_of(std::string_view text);
/// A request frame with a JSON header.
std::string request_frame(std::int32_t code, std::int32_t opaque, std::string_view body = {}, std::int32_t flag = 0,
                          protocol::HeaderType type = protocol::HeaderType::kJson);

/// The answer of an asynchronous call, for tests that wait for it.
class AnswerFuture {
 public:
  [[nodiscard]] AnswerHandler handler() {
    return [promise = promise_](Result<Answer> answer) { promise->set_value(std::move(answer)); };
  }
  [[nodiscard]] Result<Answer> get() { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<Result<Answer>>> promise_ = std::make_shared<std::promise<Result<Answer>>>();
};

}  // namespace tern::remoting
