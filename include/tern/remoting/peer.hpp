#pragma once
// The other end of a connection, as processors see it: an identity, and a way to send it requests of our own.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "tern/base/result.hpp"
#include "tern/message/record.hpp"
#include "tern/protocol/command.hpp"

namespace tern::remoting {

enum class Errc {
  kClosed = 1,  // the connection, or the whole network, went away before the answer came
  kTimeout,     // no connection or no answer in time; the request may have been carried out
  kOverBudget,  // refused: too many calls wait for one connection; detail: how many may
  kBadAddress,  // "host:port" or "[::1]:port" expected
  kUnresolved,  // the host's name is not known, or nobody can be asked
};
std::error_code make_error_code(Errc code);
inline Error error(Errc code, std::int64_t detail = 0) {
  return {make_error_code(code), detail};
}

/// A whole answer, owned: it may be kept and moved to another thread.
struct Answer {
  std::int32_t code = 0;
  std::int32_t version = 0;
  std::string remark;
  std::vector<protocol::NamedField> fields;
  std::string body;
  [[nodiscard]] bool ok() const { return code == 0; }
  /// Value of an ext field; nullopt if absent. Of duplicates the last one counts.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
};
/// Runs exactly once. Must not block: it runs on an io thread.
using AnswerHandler = std::function<void(Result<Answer>)>;

/// One connection, in either direction. shared_ptr because tables of groups and parked requests hold it beyond its
/// life, even beyond the Network's: a closed peer swallows what is sent to it. All calls from any thread. What its own
/// io thread sends leaves with the end of that turn; what others send crosses over in batches, encoded by the sender.
class Peer {
 public:
  virtual ~Peer() = default;
  [[nodiscard]] virtual std::uint64_t id() const noexcept = 0;  // unique in this process
  [[nodiscard]] virtual const message::Host& remote() const noexcept = 0;
  [[nodiscard]] virtual std::string remote_text() const = 0;  // "1.2.3.4:5678"
  [[nodiscard]] virtual std::size_t io_thread() const noexcept = 0;
  /// A hint: it may close right after.
  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  /// False while it has a megabyte unsent, or its share of a budget that is nearly used up: large answers had better
  /// wait. A hint, right on its own io thread.
  [[nodiscard]] virtual bool takes_answers() const noexcept = 0;
  /// One-way request. Dropped if the peer is closed.
  virtual void notify(protocol::Outgoing request) = 0;
  /// Request with an answer. `done` runs exactly once, on the peer's io thread and not inside call(): with the answer,
  /// with kTimeout, or with kClosed when the connection ends. (After Network::stop() there is no io thread: then at
  /// once, inside call().) An answer that comes after the timeout is dropped.
  virtual void call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done) = 0;
  /// Ends the connection after the answers that this turn has given were handed to the socket. Its Handler hears
  /// peer_closed.
  virtual void close() = 0;
};
using PeerPtr = std::shared_ptr<Peer>;

}  // namespace tern::remoting
template <>
struct std::is_error_code_enum<tern::remoting::Errc> : std::true_type {};
