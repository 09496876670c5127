#pragma once
// The other end of a connection, as processors see it: an identity, and a way to send it requests of our own.

#include "tern/base/result.hpp"
#include "tern/message/record.hpp"
#include "tern/protocol/command.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tern::remoting {

enum class Errc {
  kConnectFailed = 1,
  kClosed,         // the connection went away before the answer came
  kTimeout,        // no answer in time
  kOverBudget,     // refused: the limit named in the log is reached
  kBadAddress,     // "host:port" expected
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) { return {make_error_code(code), detail}; }

/// A whole answer, owned.
struct Answer {
  std::int32_t code = 0;
  std::int32_t version = 0;
  std::string remark;
  std::vector<protocol::NamedField> fields;
  std::string body;
  [[nodiscard]] bool ok() const { return code == 0; }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
};
using AnswerHandler = std::function<void(Result<Answer>)>;

/// One connection, in either direction. shared_ptr because tables of groups and parked requests hold it beyond its life: a
/// closed peer swallows what is sent to it. All calls from any thread.
class Peer {
 public:
  virtual ~Peer() = default;
  [[nodiscard]] virtual std::uint64_t id() const noexcept = 0;  // unique in this process
  [[nodiscard]] virtual const message::Host& remote() const noexcept = 0;
  [[nodiscard]] virtual std::string remote_text() const = 0;  // "1.2.3.4:5678"
  [[nodiscard]] virtual std::size_t io_thread() const noexcept = 0;
  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  /// One-way request. Dropped if the peer is closed.
  virtual void notify(protocol::Outgoing request) = 0;
  /// Request with an answer. `done` runs exactly once, on the peer's io thread.
  virtual void call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done) = 0;
  virtual void close() = 0;
};
using PeerPtr = std::shared_ptr<Peer>;

}  // namespace tern::remoting
