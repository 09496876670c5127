#pragma once
// One TCP connection of either direction: frames in, frames out.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tern/message/record.hpp"
#include "tern/protocol/frame.hpp"
#include "tern/remoting/request.hpp"
#include "tern/remoting/server.hpp"

#include "remoting/asio.hpp"
#include "remoting/io_thread.hpp"
#include "remoting/mailbox.hpp"
#include "remoting/out_queue.hpp"
#include "remoting/turn_memory.hpp"

namespace tern::remoting {

/// Where a connection came from and who hears of it.
struct Origin {
  Handler* handler = nullptr;  // requests of the other end; null: they are refused
  Listener listener = Listener::kMain;
  bool accepted = false;         // then handler hears peer_closed
  std::function<void()> closed;  // runs once, after the end
};

/// Why a connection is not read. It is read again when the last reason goes.
enum class Pause : std::uint8_t {
  kUnsent = 1,           // it does not take its answers
  kReceivingBudget = 2,  // the broker-wide budgets
  kUnsentBudget = 4,
  kStopping = 8,
};

/// Lives on one io thread. Peer and Reply::Sink may be used from any thread and for any time: off the io thread they
/// write a letter to its mailbox, which outlives it. Owns itself (`self_`) from start() until it has ended and Asio has
/// returned the operations under way; the socket is destroyed then, before the io_context, whoever still holds the
/// object.
class Connection final : public Peer, public Reply::Sink, public std::enable_shared_from_this<Connection> {
 public:
  /// Unsent bytes above which a connection is not read: a peer that does not take its answers gets no new ones.
  static constexpr std::size_t kUnsentPauseBytes = 1024 * 1024;
  /// Up to here a remainder is simply copied in front of the next read; above, reads go straight behind it.
  static constexpr std::size_t kSmallPartialBytes = 4096;

  Connection(IoThread& io, Socket socket, const message::Host& remote, Origin origin);

  // Peer.
  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const message::Host& remote() const noexcept override { return remote_; }
  [[nodiscard]] std::string remote_text() const override { return remote_.text(); }
  [[nodiscard]] std::size_t io_thread() const noexcept override { return io_index_; }
  [[nodiscard]] bool is_open() const noexcept override { return open_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool takes_answers() const noexcept override { return !is_choked_.load(std::memory_order_relaxed); }
  void notify(protocol::Outgoing request) override;
  void call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done) override;
  void close() override;

  // Reply::Sink.
  void answer(std::int32_t opaque, protocol::Response response) override;
  void forgotten() override;

  // Below: the io thread.
  void start(const std::shared_ptr<Connection>& self) TERN_REQUIRES(io_role);
  void receive(Letter& letter, std::string_view head) TERN_REQUIRES(io_role);
  void flush() TERN_REQUIRES(io_role);
  /// Closes the socket at once; what is unsent is lost, calls fail, and those concerned hear of it in a later turn.
  void end() TERN_REQUIRES(io_role);
  /// Tells handler and owner that it has ended, and fails its calls. Once, by the io thread.
  void tell_end() TERN_REQUIRES(io_role);
  void pause(Pause reason) TERN_REQUIRES(io_role);
  void resume(Pause reason) TERN_REQUIRES(io_role);
  [[nodiscard]] bool paused_for(Pause reason) const TERN_REQUIRES(io_role) {
    return (pauses_ & static_cast<unsigned>(reason)) != 0;
  }
  [[nodiscard]] std::int64_t paused_since_ns() const TERN_REQUIRES(io_role) { return paused_since_ns_; }
  [[nodiscard]] std::int64_t active_ns() const TERN_REQUIRES(io_role) { return active_ns_; }
  [[nodiscard]] bool has_ended() const TERN_REQUIRES(io_role) { return ended_; }
  [[nodiscard]] bool accepted() const { return origin_.accepted; }
  [[nodiscard]] std::int64_t held(Budget budget) const TERN_REQUIRES(io_role);
  /// Bytes still to come of the frame that is arriving.
  [[nodiscard]] std::int64_t missing() const TERN_REQUIRES(io_role);

  std::size_t index_in_io_thread = 0;  // its place in the io thread's list, kept by the io thread

 private:
  struct PendingCall {
    AnswerHandler done;
    Deadlines::Token deadline;
  };

  [[nodiscard]] bool on_io_thread() const noexcept { return IoThread::current() == &io_; }
  std::int32_t next_opaque() noexcept { return opaques_.fetch_add(1, std::memory_order_relaxed) & 0x7FFF'FFFF; }
  void send_letter(Letter letter, const protocol::Outgoing* command, std::int32_t flag);

  void wait_readable() TERN_REQUIRES(io_role);
  void wait_writable() TERN_REQUIRES(io_role);
  void on_readable(const error_code& error) TERN_REQUIRES(io_role);
  void on_writable(const error_code& error) TERN_REQUIRES(io_role);
  void read() TERN_REQUIRES(io_role);
  void take_frames(std::span<const std::byte> bytes) TERN_REQUIRES(io_role);
  void take_frame(const protocol::Frame& frame) TERN_REQUIRES(io_role);
  void take_answer(const protocol::CommandHeader& header, std::span<const std::byte> body) TERN_REQUIRES(io_role);
  void keep_remainder(std::span<const std::byte> bytes, std::size_t frame_size) TERN_REQUIRES(io_role);
  [[nodiscard]] bool grow_partial() TERN_REQUIRES(io_role);
  [[nodiscard]] bool reserve_partial(std::size_t capacity) TERN_REQUIRES(io_role);
  [[nodiscard]] std::span<const std::byte> hand_over_partial() TERN_REQUIRES(io_role);
  void drop_partial() TERN_REQUIRES(io_role);
  void refuse(const Error& error) TERN_REQUIRES(io_role);
  void push(const protocol::Outgoing& command, std::int32_t flag, std::int32_t opaque) TERN_REQUIRES(io_role);
  OutQueue& queue() TERN_REQUIRES(io_role);
  void pushed(std::size_t size) TERN_REQUIRES(io_role);
  void write_out() TERN_REQUIRES(io_role);
  void heed_unsent() TERN_REQUIRES(io_role);
  void note_choked() TERN_REQUIRES(io_role);
  void start_call(std::int32_t opaque, std::int64_t timeout_ms, AnswerHandler done) TERN_REQUIRES(io_role);
  void finish_call(std::int32_t opaque, Result<Answer> answer) TERN_REQUIRES(io_role);
  void answered() TERN_REQUIRES(io_role);
  void end_after_flush() TERN_REQUIRES(io_role);
  void release_if_done() TERN_REQUIRES(io_role);

  // Constant after construction. io_ is dereferenced only on the io thread; mailbox_ is what others use.
  IoThread& io_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::size_t io_index_;
  const std::uint64_t id_;
  const message::Host remote_;
  Origin origin_;

  std::atomic<bool> open_{true};          // relaxed: a hint, what is sent to a closed peer is swallowed anyway
  std::atomic<bool> is_choked_{false};    // paused for what is unsent; relaxed: a hint
  std::atomic<std::int32_t> opaques_{0};  // relaxed: only uniqueness counts

  // Owned by the io thread.
  std::shared_ptr<Connection> self_ TERN_GUARDED_BY(io_role);  // null: not started, or done
  PeerPtr peer_ TERN_GUARDED_BY(io_role);                      // the same, as requests refer to it
  std::optional<Socket> socket_ TERN_GUARDED_BY(io_role);
  OperationSlot read_slot_;
  OperationSlot write_slot_;
  PartialFrame partial_ TERN_GUARDED_BY(io_role);
  std::size_t frame_size_ TERN_GUARDED_BY(io_role) = 0;     // of partial_, as far as known
  bool has_whole_frames_ TERN_GUARDED_BY(io_role) = false;  // partial_ is no part, but frames that wait to be handled
  std::unique_ptr<OutQueue> out_ TERN_GUARDED_BY(io_role);  // null: nothing is unsent
  std::unordered_map<std::int32_t, PendingCall> calls_ TERN_GUARDED_BY(io_role);
  std::int64_t active_ns_ TERN_GUARDED_BY(io_role) = 0;  // last read or write
  std::int64_t paused_since_ns_ TERN_GUARDED_BY(io_role) = 0;
  std::int64_t unanswered_ TERN_GUARDED_BY(io_role) = 0;
  unsigned pauses_ TERN_GUARDED_BY(io_role) = 0;
  bool waits_readable_ TERN_GUARDED_BY(io_role) = false;
  bool waits_writable_ TERN_GUARDED_BY(io_role) = false;
  bool dirty_ TERN_GUARDED_BY(io_role) = false;   // the io thread will flush it in this turn
  bool ending_ TERN_GUARDED_BY(io_role) = false;  // ends after the next flush
  bool ended_ TERN_GUARDED_BY(io_role) = false;
  bool end_told_ TERN_GUARDED_BY(io_role) = false;
};

/// The address of a socket; an IPv4 address inside IPv6 as IPv4.
[[nodiscard]] message::Host to_host(const Tcp::endpoint& endpoint);

}  // namespace tern::remoting
