#pragma once
// One io thread: its event loop, the turns, and what its connections share.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/protocol/command.hpp"

#include "remoting/asio.hpp"
#include "remoting/deadlines.hpp"
#include "remoting/mailbox.hpp"
#include "remoting/network_state.hpp"
#include "remoting/out_queue.hpp"
#include "remoting/turn_memory.hpp"

namespace tern::remoting {

class Connection;

/// "The caller is the io thread that owns this object." One role for all io threads: an object never changes its owner,
/// and whoever enters from the event loop or a mailbox is on the right one.
inline const ThreadRole io_role;

/// The loop of one io thread:
///   wait for the first ready handler; run what else is ready, up to a bound of handlers, requests and buffer room;
///   end_of_turn of every handler; one gather write for each connection that has something to send.
/// Everything that user code does (handle, peer_closed, answers, posted work) runs inside a turn and before its flush,
/// so what it answers leaves with that turn. run() belongs to one thread; members under REQUIRES(io_role) to that
/// thread, or to the one that sets up and destroys.
class IoThread {
 public:
  IoThread(NetworkState& network, std::size_t index);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// Returns after finish().
  void run();

  // Any thread.
  [[nodiscard]] static IoThread* current() noexcept;
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  [[nodiscard]] NetworkState& network() noexcept { return network_; }
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }
  [[nodiscard]] IoCounters& counters() noexcept { return counters_; }
  [[nodiscard]] const IoCounters& counters() const noexcept { return counters_; }
  /// False once it is finished: then `work` never runs.
  bool post(std::function<void()> work);
  [[nodiscard]] asio::io_context& context() noexcept { return *context_; }
  [[nodiscard]] bool is_running() const noexcept { return running_.load(std::memory_order_acquire); }
  /// Nothing is unanswered and nothing unsent. Set by the io thread while it is draining; pairs with stop()'s read.
  [[nodiscard]] bool is_drained() const noexcept { return drained_.load(std::memory_order_acquire); }

  // Before run().
  void add_handler(Handler& handler) TERN_REQUIRES(io_role);
  void every(std::int64_t period_ms, std::function<void()> work) TERN_REQUIRES(io_role);

  // For connections.
  /// Clock::steady_ns of the first event of this turn.
  [[nodiscard]] std::int64_t turn_ns() TERN_REQUIRES(io_role);
  [[nodiscard]] TurnBuffer& buffer() TERN_REQUIRES(io_role) { return buffer_; }
  [[nodiscard]] protocol::HeaderDecoder& decoder() TERN_REQUIRES(io_role) { return decoder_; }
  [[nodiscard]] protocol::CommandHeader& header() TERN_REQUIRES(io_role) { return header_; }
  /// Makes the views of a decoded header last until the turn ends.
  void keep_views(protocol::CommandHeader& header, std::span<const std::byte> frame) TERN_REQUIRES(io_role);
  /// Keeps the memory of a frame until the turn ends. It still counts as `Budget::kReceiving` until then.
  void keep(PartialFrame&& frame) TERN_REQUIRES(io_role);
  void took_request() TERN_REQUIRES(io_role) { ++turn_requests_; }
  void flush_later(Connection& connection) TERN_REQUIRES(io_role) { dirty_.push_back(&connection); }
  [[nodiscard]] std::unique_ptr<OutQueue> borrow_queue() TERN_REQUIRES(io_role);
  void return_queue(std::unique_ptr<OutQueue> queue) TERN_REQUIRES(io_role);
  Deadlines::Token at(std::int64_t due_ns, std::function<void()> expire) TERN_REQUIRES(io_role);
  void cancel(Deadlines::Token token) TERN_REQUIRES(io_role) { deadlines_.cancel(token); }
  void unanswered(std::int64_t change) TERN_REQUIRES(io_role) { unanswered_ += change; }
  void hold(Budget budget, std::int64_t change) TERN_REQUIRES(io_role);
  /// Whether `bytes` more may be received; makes room by dropping larger holders of this thread. False: the budget is
  /// exhausted, and no holder here is larger than `own`.
  [[nodiscard]] bool make_room(std::int64_t bytes, std::int64_t own) TERN_REQUIRES(io_role);
  void budget_pauses(std::int64_t change) TERN_REQUIRES(io_role) { paused_ += change; }
  [[nodiscard]] bool reads_requests() const TERN_REQUIRES(io_role) { return !stopped_reading_; }
  [[nodiscard]] bool is_finished() const TERN_REQUIRES(io_role) { return finished_; }

  // The set of connections.
  void add(Connection& connection) TERN_REQUIRES(io_role);
  void remove(Connection& connection) TERN_REQUIRES(io_role);
  /// The connection has ended: tells those concerned, in a turn of its own.
  void ended(std::shared_ptr<Connection> connection) TERN_REQUIRES(io_role);

  // Things to call off when the thread finishes before they are done: a listener's wait, an attempt to connect.
  using Token = std::uint64_t;
  Token on_finish(std::function<void()> call_off) TERN_REQUIRES(io_role);
  void forget_finish(Token token) TERN_REQUIRES(io_role) { call_offs_.erase(token); }

  // The steps of stop(), on this thread.
  void stop_reading() TERN_REQUIRES(io_role);
  void drain() TERN_REQUIRES(io_role);
  void finish() TERN_REQUIRES(io_role);

 private:
  struct Periodic;

  void turn() TERN_REQUIRES(io_role);
  [[nodiscard]] bool has_room() const TERN_REQUIRES(io_role);
  void end_turn() TERN_REQUIRES(io_role);
  void flush_all() TERN_REQUIRES(io_role);
  void on_mail() TERN_REQUIRES(io_role);
  void deliver_mail() TERN_REQUIRES(io_role);
  void deliver_ended() TERN_REQUIRES(io_role);
  void tick() TERN_REQUIRES(io_role);
  void arm_tick() TERN_REQUIRES(io_role);
  void arm_deadline() TERN_REQUIRES(io_role);
  void arm(Periodic& periodic) TERN_REQUIRES(io_role);
  void close_down() TERN_REQUIRES(io_role);

  // budgets.cpp
  void balance(Budget budget) TERN_REQUIRES(io_role);
  void pause_receivers(std::int64_t held, std::int64_t limit) TERN_REQUIRES(io_role);
  void pause_unsent(std::int64_t held, std::int64_t limit) TERN_REQUIRES(io_role);
  std::int64_t drop_largest(Budget budget, std::int64_t bytes, std::int64_t larger_than) TERN_REQUIRES(io_role);
  void drop_paused(Budget budget) TERN_REQUIRES(io_role);

  NetworkState& network_;
  const std::size_t index_;
  IoCounters counters_;
  std::shared_ptr<Mailbox> mailbox_;  // before context_: a wake-up under way lives in it
  std::unique_ptr<asio::io_context> context_;
  std::optional<asio::executor_work_guard<Executor>> work_;  // keeps the loop waiting when nothing is under way
  // The io thread stores (release), stop() reads (acquire), to know whether there is anybody to wait for.
  std::atomic<bool> running_{false};
  std::atomic<bool> drained_{false};

  // All below: owned by the io thread.
  std::vector<Handler*> handlers_ TERN_GUARDED_BY(io_role);
  std::vector<std::unique_ptr<Periodic>> periodics_ TERN_GUARDED_BY(io_role);
  std::vector<Connection*> connections_ TERN_GUARDED_BY(io_role);  // each keeps itself alive until remove()
  std::unordered_map<Token, std::function<void()>> call_offs_ TERN_GUARDED_BY(io_role);
  Token last_token_ TERN_GUARDED_BY(io_role) = 0;
  Deadlines deadlines_ TERN_GUARDED_BY(io_role);
  std::optional<Timer> deadline_timer_ TERN_GUARDED_BY(io_role);
  std::int64_t deadline_armed_ns_ TERN_GUARDED_BY(io_role) = 0;  // 0: not armed
  std::optional<Timer> tick_timer_ TERN_GUARDED_BY(io_role);
  Mail mail_ TERN_GUARDED_BY(io_role);

  std::int64_t turn_ns_ TERN_GUARDED_BY(io_role) = 0;  // 0: not asked for yet
  std::int64_t turn_requests_ TERN_GUARDED_BY(io_role) = 0;
  bool mail_read_ TERN_GUARDED_BY(io_role) =
      false;  // in this turn: once is enough, work that posts itself must not hold it
  bool mail_waiting_ TERN_GUARDED_BY(io_role) = false;  // for the next turn, which begins with it
  TurnBuffer buffer_ TERN_GUARDED_BY(io_role);
  TurnTexts texts_ TERN_GUARDED_BY(io_role);
  protocol::HeaderDecoder decoder_ TERN_GUARDED_BY(io_role);
  protocol::CommandHeader header_ TERN_GUARDED_BY(io_role);
  std::vector<PartialFrame> frames_ TERN_GUARDED_BY(io_role);
  std::size_t frames_bytes_ TERN_GUARDED_BY(io_role) = 0;
  std::vector<Connection*> dirty_ TERN_GUARDED_BY(io_role);
  std::vector<std::shared_ptr<Connection>> ended_ TERN_GUARDED_BY(io_role);
  std::vector<std::unique_ptr<OutQueue>> queues_ TERN_GUARDED_BY(io_role);

  std::int64_t unanswered_ TERN_GUARDED_BY(io_role) = 0;
  std::int64_t paused_ TERN_GUARDED_BY(io_role) = 0;               // connections not read because of a budget
  std::int64_t balanced_at_[2] TERN_GUARDED_BY(io_role) = {0, 0};  // bytes held when balance() last looked at all
  bool stopped_reading_ TERN_GUARDED_BY(io_role) = false;
  bool draining_ TERN_GUARDED_BY(io_role) = false;
  bool finished_ TERN_GUARDED_BY(io_role) = false;
  bool closed_down_ TERN_GUARDED_BY(io_role) = false;
};

}  // namespace tern::remoting
