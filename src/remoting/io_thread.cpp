#include "remoting/io_thread.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "tern/base/check.hpp"

#include "remoting/connection.hpp"

namespace tern::remoting {
namespace {

// Bounds of a turn, besides the buffer's room: what came first should not wait for what comes endlessly.
constexpr int kTurnHandlersMax = 256;
constexpr std::int64_t kTurnRequestsMax = 1024;
constexpr std::size_t kTurnFramesBytesMax = 1024 * 1024;  // large frames, which keep their memory until the turn ends

constexpr auto kTick = std::chrono::seconds(1);
constexpr std::size_t kQueuesKept = 256;
constexpr std::size_t kQueueKeptBytes = 256 * 1024;

thread_local IoThread* current_io_thread = nullptr;

}  // namespace

struct IoThread::Periodic {
  Timer timer;
  std::chrono::milliseconds period;
  std::function<void()> work;
};

IoThread::IoThread(NetworkState& network, std::size_t index)
    : network_(network),
      index_(index),
      context_(std::make_unique<asio::io_context>(1)),
      work_(asio::make_work_guard(*context_)) {
  io_role.assert_held();  // nobody else knows the object yet
  mailbox_ = std::make_shared<Mailbox>(*context_, [this] {
    io_role.assert_held();
    on_mail();
  });
  deadline_timer_.emplace(*context_);
  tick_timer_.emplace(*context_);
}

IoThread::~IoThread() {
  io_role.assert_held();  // its thread has been joined, or was never started
  if (!closed_down_) close_down();
  // What refers to the context goes before it; what its abandoned operations refer to, after it.
  work_.reset();
  periodics_.clear();
  context_.reset();
}

IoThread* IoThread::current() noexcept {
  return current_io_thread;
}

bool IoThread::post(std::function<void()> work) {
  Letter letter;
  letter.work = std::move(work);
  return mailbox_->put(std::move(letter));
}

void IoThread::add_handler(Handler& handler) {
  if (std::find(handlers_.begin(), handlers_.end(), &handler) == handlers_.end()) handlers_.push_back(&handler);
}

void IoThread::every(std::int64_t period_ms, std::function<void()> work) {
  periodics_.push_back(
      std::make_unique<Periodic>(Periodic{Timer(*context_), std::chrono::milliseconds(period_ms), std::move(work)}));
  arm(*periodics_.back());
}

void IoThread::arm(Periodic& periodic) {
  periodic.timer.expires_after(periodic.period);
  periodic.timer.async_wait([this, &periodic](const error_code& error) {
    io_role.assert_held();
    if (error || finished_) return;
    periodic.work();
    arm(periodic);
  });
}

void IoThread::run() {
  io_role.assert_held();
  current_io_thread = this;
  running_.store(true, std::memory_order_release);
  arm_tick();
  while (!finished_) turn();
  close_down();
  for (Handler* handler : handlers_) handler->end_of_turn(index_);  // peer_closed may have staged something
  running_.store(false, std::memory_order_release);
  network_.drained.notify();
  current_io_thread = nullptr;
}

void IoThread::turn() {
  if (mail_waiting_) {
    mail_waiting_ = false;
    on_mail();
  } else {
    context_->run_one();
  }
  // The end of the loop asks the kernel once more without waiting: what became ready meanwhile joins this turn's batch.
  // (Leaving that out for a lone connection was measured: 1 % of its CPU, not worth a rule.)
  int handlers = 1;
  while (handlers < kTurnHandlersMax && has_room() && context_->poll_one() != 0) ++handlers;
  end_turn();
}

bool IoThread::has_room() const {
  return turn_requests_ < kTurnRequestsMax && buffer_.has_room() && frames_bytes_ < kTurnFramesBytesMax;
}

void IoThread::end_turn() {
  for (Handler* handler : handlers_) handler->end_of_turn(index_);
  // Before the answers leave: who has one finds it counted.
  IoCounters::add(counters_.turns, 1);
  if (turn_requests_ > 0) IoCounters::add(counters_.requests, turn_requests_);
  flush_all();
  buffer_.reset();
  texts_.reset();
  hold(Budget::kReceiving, -static_cast<std::int64_t>(frames_bytes_));
  frames_bytes_ = 0;
  frames_.clear();
  if (paused_ > 0 || counters_.receiving_bytes.load(std::memory_order_relaxed) > 0) balance(Budget::kReceiving);
  if (paused_ > 0 || counters_.unsent_bytes.load(std::memory_order_relaxed) > 0) balance(Budget::kUnsent);
  turn_requests_ = 0;
  turn_ns_ = 0;
  mail_read_ = false;
  if (draining_ && !drained_.load(std::memory_order_relaxed) && unanswered_ == 0 &&
      counters_.unsent_bytes.load(std::memory_order_relaxed) == 0) {
    drained_.store(true, std::memory_order_release);
    network_.drained.notify();
  }
}

void IoThread::flush_all() {
  // By index: a connection that fails while it is flushed is only marked, but early flushes may have queued others.
  for (std::size_t i = 0; i < dirty_.size(); ++i) dirty_[i]->flush();
  dirty_.clear();
}

std::int64_t IoThread::turn_ns() {
  if (turn_ns_ == 0) turn_ns_ = network_.clock.steady_ns();
  return turn_ns_;
}

void IoThread::keep_views(protocol::CommandHeader& header, std::span<const std::byte> frame) {
  const char* const begin = reinterpret_cast<const char*>(frame.data());
  const char* const end = begin + frame.size();
  const auto keep = [&](std::string_view& view) TERN_REQUIRES(io_role) {
    if (!view.empty() && !(view.data() >= begin && view.data() < end)) view = texts_.keep(view);
  };
  keep(header.remark);
  for (auto& field : header.fields) {
    keep(field.key);
    keep(field.value);
  }
}

void IoThread::keep(PartialFrame&& frame) {
  frames_bytes_ += frame.capacity();
  frames_.push_back(std::move(frame));
}

std::unique_ptr<OutQueue> IoThread::borrow_queue() {
  if (queues_.empty()) return std::make_unique<OutQueue>();
  auto queue = std::move(queues_.back());
  queues_.pop_back();
  return queue;
}

void IoThread::return_queue(std::unique_ptr<OutQueue> queue) {
  queue->clear();
  if (queues_.size() < kQueuesKept && queue->capacity() <= kQueueKeptBytes) queues_.push_back(std::move(queue));
}

Deadlines::Token IoThread::at(std::int64_t due_ns, std::function<void()> expire) {
  const auto token = deadlines_.add(due_ns, std::move(expire));
  arm_deadline();
  return token;
}

// The timer only moves when an earlier deadline comes: setting it is a system call, and most deadlines are called off.
void IoThread::arm_deadline() {
  if (deadlines_.empty() || finished_) return;
  const std::int64_t next_ns = deadlines_.next_ns();
  if (deadline_armed_ns_ != 0 && deadline_armed_ns_ <= next_ns) return;
  deadline_armed_ns_ = next_ns;
  const std::int64_t wait_ns = std::max<std::int64_t>(next_ns - network_.clock.steady_ns(), 0);
  deadline_timer_->expires_after(std::chrono::nanoseconds(wait_ns));
  deadline_timer_->async_wait([this](const error_code& error) {
    io_role.assert_held();
    if (error || finished_) return;
    deadline_armed_ns_ = 0;
    deadlines_.expire(network_.clock.steady_ns());
    arm_deadline();
  });
}

void IoThread::hold(Budget budget, std::int64_t change) {
  IoCounters::add(budget == Budget::kReceiving ? counters_.receiving_bytes : counters_.unsent_bytes, change);
}

void IoThread::add(Connection& connection) {
  connection.index_in_io_thread = connections_.size();
  connections_.push_back(&connection);
  IoCounters::add(counters_.connections, 1);
}

void IoThread::remove(Connection& connection) {
  const std::size_t index = connection.index_in_io_thread;
  TERN_CHECK(index < connections_.size() && connections_[index] == &connection, "connection {} is not here",
             connection.id());
  connections_[index] = connections_.back();
  connections_[index]->index_in_io_thread = index;
  connections_.pop_back();
}

void IoThread::ended(std::shared_ptr<Connection> connection) {
  IoCounters::add(counters_.connections, -1);
  ended_.push_back(std::move(connection));
  if (ended_.size() > 1) return;
  asio::post(*context_, [this] {
    io_role.assert_held();
    deliver_ended();
  });
}

void IoThread::deliver_ended() {
  while (!ended_.empty()) {
    const auto ended = std::exchange(ended_, {});
    for (const auto& connection : ended) connection->tell_end();
  }
}

IoThread::Token IoThread::on_finish(std::function<void()> call_off) {
  call_offs_.emplace(++last_token_, std::move(call_off));
  return last_token_;
}

void IoThread::on_mail() {
  if (mail_read_) {
    mail_waiting_ = true;
    return;
  }
  mail_read_ = true;
  mailbox_->take(mail_);
  deliver_mail();
}

void IoThread::deliver_mail() {
  std::string_view heads = mail_.heads;
  for (Letter& letter : mail_.letters) {
    if (letter.kind == Letter::Kind::kWork) {
      letter.work();
    } else {
      letter.to->receive(letter, heads.substr(0, letter.head_size));
      heads.remove_prefix(letter.head_size);
    }
  }
  mail_.clear();
}

void IoThread::arm_tick() {
  tick_timer_->expires_after(kTick);
  tick_timer_->async_wait([this](const error_code& error) {
    io_role.assert_held();
    if (error || finished_) return;
    tick();
    arm_tick();
  });
}

void IoThread::tick() {
  const std::int64_t now_ns = turn_ns();
  deadlines_.expire(now_ns);
  const std::int64_t idle_ns_max = std::int64_t{network_.options.idle_seconds_max} * 1'000'000'000;
  if (idle_ns_max > 0) {
    for (Connection* connection : connections_) {
      if (connection->has_ended() || now_ns - connection->active_ns() <= idle_ns_max) continue;
      IoCounters::add(counters_.idle_closed, 1);
      connection->end();
    }
  }
  for (const Budget budget : {Budget::kReceiving, Budget::kUnsent}) {
    if (paused_ > 0) drop_paused(budget);
    balanced_at_[static_cast<std::size_t>(budget)] = -network_.limit(budget);  // the end of this turn looks again
  }
}

void IoThread::stop_reading() {
  stopped_reading_ = true;
  for (Connection* connection : connections_) {
    if (connection->accepted()) connection->pause(Pause::kStopping);
  }
}

void IoThread::drain() {
  draining_ = true;
}

void IoThread::finish() {
  finished_ = true;
}

// Everything under way ends here: whoever waits for an answer is told, and Asio gives back each operation.
void IoThread::close_down() {
  finished_ = true;
  closed_down_ = true;
  deadline_timer_.reset();
  tick_timer_.reset();
  for (auto& periodic : periodics_) periodic->timer.cancel();
  while (!call_offs_.empty()) {
    const auto call_off = std::move(call_offs_.begin()->second);
    call_offs_.erase(call_offs_.begin());
    call_off();
  }
  // Work that was posted before may still connect or answer; what it starts is ended with the rest.
  mailbox_->close(mail_);
  deliver_mail();
  do {
    for (std::size_t i = 0; i < connections_.size(); ++i) connections_[i]->end();
    flush_all();
    deliver_ended();
    while (context_->poll_one() != 0) {
    }
  } while (!connections_.empty() || !ended_.empty());
  flush_all();
}

}  // namespace tern::remoting
