#pragma once
// The client end for load: very many requests from one thread, for a fraction of a microsecond each. Not for programs
// that want one answer: that is Client.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tern/base/clock.hpp"
#include "tern/base/result.hpp"
#include "tern/protocol/command.hpp"
#include "tern/remoting/peer.hpp"

namespace tern::remoting {

/// Connections that carry prepared frames. The caller appends whole frames to out(), step() sends them and hands over
/// what comes back; matching answers to requests, by opaque, is the caller's. It has no thread and no lock: everything
/// is called from the thread that owns it. In steady state nothing is allocated, and a system call is shared by all
/// frames of a connection that are ready together.
///
/// Nothing is retried and nothing is hidden: a connection that ends, for whatever reason, is reported once and stays
/// closed. A server that does not read makes unsent() grow: who has no bound of his own on requests under way must look
/// at it.
class BulkClient {
 public:
  class Receiver {
   public:
    virtual ~Receiver() = default;
    /// A whole frame: an answer, or a request of the server (header.is_response() tells). The views end with the call.
    /// `now_ns` is Clock::steady_ns right after the read that it came with. What is appended to out(connection) here is
    /// sent before other connections are read.
    virtual void received(std::size_t connection, const protocol::CommandHeader& header,
                          std::span<const std::byte> body, std::int64_t now_ns) = 0;
    /// The connection is gone, with all that was under way on it; kClosed, an errno, or what was wrong with the bytes.
    virtual void ended(std::size_t connection, const Error& why) = 0;
  };

  BulkClient(const Clock& clock, Receiver& receiver);
  ~BulkClient();
  BulkClient(const BulkClient&) = delete;
  BulkClient& operator=(const BulkClient&) = delete;

  /// Waits until the connection stands. Returns its number: 0, 1, 2 ... in order of the calls.
  /// Not inside a Receiver's call.
  Result<std::size_t> connect(const std::string& address, std::int64_t timeout_ms);
  /// Frames to be sent by the next step(). After the connection has ended they are dropped.
  [[nodiscard]] std::string& out(std::size_t connection);
  /// Bytes that the socket has not taken yet.
  [[nodiscard]] std::size_t unsent(std::size_t connection) const;
  [[nodiscard]] std::size_t open_connections() const;
  /// Sends what is there, waits up to `wait_ns` for something to read or room to write, and handles all that is ready,
  /// each connection once. Returns early once anything was handled.
  void step(std::int64_t wait_ns);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tern::remoting
