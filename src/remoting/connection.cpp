#include "remoting/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/post.hpp>
#include <climits>

#include "tern/base/check.hpp"

namespace tern::remoting {
namespace {

constexpr unsigned kBudgetPauses =
    static_cast<unsigned>(Pause::kReceivingBudget) | static_cast<unsigned>(Pause::kUnsentBudget);
constexpr unsigned kUnsentPauses = static_cast<unsigned>(Pause::kUnsent) | static_cast<unsigned>(Pause::kUnsentBudget);

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

message::Host to_host(const Tcp::endpoint& endpoint) {
  message::Host host;
  host.port = endpoint.port();
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), host.address.begin());
  } else {
    host.is_v6 = true;
    const auto bytes = address.to_v6().to_bytes();
    std::copy(bytes.begin(), bytes.end(), host.address.begin());
  }
  return host;
}

Connection::Connection(IoThread& io, Socket socket, const message::Host& remote, Origin origin)
    : io_(io),
      mailbox_(io.mailbox()),
      io_index_(io.index()),
      id_(io.network().connection_ids.fetch_add(1, std::memory_order_relaxed) + 1),
      remote_(remote),
      origin_(std::move(origin)) {
  io_role.assert_held();  // only made on its io thread
  socket_.emplace(std::move(socket));
}

void Connection::start(const std::shared_ptr<Connection>& self) {
  self_ = self;
  peer_ = self;
  active_ns_ = io_.turn_ns();
  io_.add(*this);
  if (origin_.accepted && !io_.reads_requests()) {
    pause(Pause::kStopping);
  } else {
    wait_readable();
  }
}

// --- From any thread

void Connection::send_letter(Letter letter, const protocol::Outgoing* command, std::int32_t flag) {
  // Encoded here and not on the io thread: its time is what all connections share.
  thread_local std::string head;
  head.clear();
  if (command != nullptr) {
    protocol::encode_header(*command, flag, letter.opaque, head);
    letter.body = command->body;
  }
  letter.to = shared_from_this();
  if (!mailbox_->put(std::move(letter), head) && letter.done) letter.done(error(Errc::kClosed));
}

void Connection::answer(std::int32_t opaque, protocol::Response response) {
  if (on_io_thread()) {
    io_role.assert_held();
    if (ended_) return;
    answered();
    push(response, protocol::kFlagResponse, opaque);
    return;
  }
  if (!is_open()) return;
  Letter letter;
  letter.kind = Letter::Kind::kAnswer;
  letter.opaque = opaque;
  send_letter(std::move(letter), &response, protocol::kFlagResponse);
}

void Connection::forgotten() {
  if (on_io_thread()) {
    io_role.assert_held();
    if (!ended_) answered();
    return;
  }
  if (!is_open()) return;
  Letter letter;
  letter.kind = Letter::Kind::kForgotten;
  send_letter(std::move(letter), nullptr, 0);
}

void Connection::notify(protocol::Outgoing request) {
  const std::int32_t opaque = next_opaque();
  if (on_io_thread()) {
    io_role.assert_held();
    if (!ended_) push(request, protocol::kFlagOneWay, opaque);
    return;
  }
  if (!is_open()) return;
  Letter letter;
  letter.kind = Letter::Kind::kNotify;
  letter.opaque = opaque;
  send_letter(std::move(letter), &request, protocol::kFlagOneWay);
}

void Connection::call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done) {
  const std::int32_t opaque = next_opaque();
  if (on_io_thread()) {
    io_role.assert_held();
    if (!ended_) {
      start_call(opaque, timeout_ms, std::move(done));
      push(request, 0, opaque);
      return;
    }
    // Not from inside call(): the caller may hold what `done` needs. By letter, as from another thread.
  }
  Letter letter;
  letter.kind = Letter::Kind::kCall;
  letter.opaque = opaque;
  letter.timeout_ms = timeout_ms;
  letter.done = std::move(done);
  send_letter(std::move(letter), &request, 0);
}

void Connection::close() {
  if (on_io_thread()) {
    io_role.assert_held();
    end_after_flush();
    return;
  }
  Letter letter;
  letter.kind = Letter::Kind::kClose;
  send_letter(std::move(letter), nullptr, 0);
}

void Connection::receive(Letter& letter, std::string_view head) {
  if (ended_) {
    if (letter.done) letter.done(error(Errc::kClosed));
    return;
  }
  switch (letter.kind) {
    case Letter::Kind::kWork:
      return;
    case Letter::Kind::kClose:
      return end_after_flush();
    case Letter::Kind::kForgotten:
      return answered();
    case Letter::Kind::kAnswer:
      answered();
      break;
    case Letter::Kind::kNotify:
      break;
    case Letter::Kind::kCall:
      start_call(letter.opaque, letter.timeout_ms, std::move(letter.done));
      break;
  }
  pushed(queue().push(head, letter.body));
}

// --- Calls of our own

void Connection::start_call(std::int32_t opaque, std::int64_t timeout_ms, AnswerHandler done) {
  const auto deadline = io_.at(io_.turn_ns() + std::max<std::int64_t>(timeout_ms, 0) * 1'000'000, [this, opaque] {
    io_role.assert_held();
    finish_call(opaque, error(Errc::kTimeout));
  });
  calls_.insert_or_assign(opaque, PendingCall{std::move(done), deadline});
}

void Connection::finish_call(std::int32_t opaque, Result<Answer> answer) {
  const auto found = calls_.find(opaque);
  if (found == calls_.end()) return;  // it came too late, or nobody asked
  const PendingCall call = std::move(found->second);
  calls_.erase(found);
  io_.cancel(call.deadline);
  call.done(std::move(answer));
}

void Connection::take_answer(const protocol::CommandHeader& header, std::span<const std::byte> body) {
  if (!header.has_opaque || !calls_.contains(header.opaque)) return;
  Answer answer;
  answer.code = header.code;
  answer.version = header.version;
  answer.remark = header.remark;
  answer.fields.reserve(header.fields.size());
  for (const auto& field : header.fields) answer.fields.push_back({std::string(field.key), std::string(field.value)});
  answer.body.assign(reinterpret_cast<const char*>(body.data()), body.size());
  finish_call(header.opaque, std::move(answer));
}

// --- Receiving

void Connection::wait_readable() {
  waits_readable_ = true;
  if (has_whole_frames_) {
    asio::post(io_.context(), InSlot(read_slot_, [this] {
                 io_role.assert_held();
                 on_readable({});
               }));
    return;
  }
  socket_->async_wait(Socket::wait_read, InSlot(read_slot_, [this](const error_code& error) {
                        io_role.assert_held();
                        on_readable(error);
                      }));
}

void Connection::on_readable(const error_code& error) {
  // Still set while it reads: what is paused and resumed meanwhile must not wait twice.
  if (!ended_ && !ending_ && pauses_ == 0) {
    if (error) {
      end();
    } else {
      read();
    }
  }
  waits_readable_ = false;
  if (ended_) return release_if_done();
  if (!ending_ && pauses_ == 0) wait_readable();
}

// One read. A small remainder moves in front of what follows it; a large one is read straight into, and only bytes
// behind its frame's end go to the turn's buffer: no byte of a large frame is copied.
void Connection::read() {
  if (has_whole_frames_) {
    has_whole_frames_ = false;
    return take_frames(hand_over_partial());
  }
  const std::span<std::byte> room = io_.buffer().room();
  const bool into_partial = partial_.size() > kSmallPartialBytes;
  iovec into[2];
  int pieces = 0;
  std::size_t moved = 0;
  std::size_t partial_room = 0;
  if (into_partial) {
    if (partial_.room().empty() && !grow_partial()) return;
    partial_room = partial_.room().size();
    into[pieces++] = {partial_.room().data(), partial_room};
    if (partial_.capacity() == frame_size_) into[pieces++] = {room.data(), room.size()};
  } else {
    moved = partial_.size();
    if (moved > 0) std::memcpy(room.data(), partial_.bytes().data(), moved);
    into[pieces++] = {room.data() + moved, room.size() - moved};
  }
  msghdr message{};
  message.msg_iov = into;
  message.msg_iovlen = static_cast<std::size_t>(pieces);
  const ssize_t got = ::recvmsg(socket_->native_handle(), &message, MSG_DONTWAIT);
  if (got < 0) {
    if (!would_block(errno) && errno != EINTR) end();
    return;
  }
  if (got == 0) return end_after_flush();  // requests may have come right before it
  active_ns_ = io_.turn_ns();
  auto size = static_cast<std::size_t>(got);
  if (!into_partial) {
    size += moved;
    io_.buffer().take(size);
    if (moved > 0) drop_partial();
    return take_frames(room.first(size));
  }
  const std::size_t in_partial = std::min(size, partial_room);
  partial_.took(in_partial);
  size -= in_partial;
  if (partial_.size() < frame_size_) return;
  TERN_CHECK(partial_.size() == frame_size_, "a frame of {} bytes has {}", frame_size_, partial_.size());
  io_.buffer().take(size);
  take_frames(hand_over_partial());
  if (size > 0 && !ended_ && !ending_) take_frames(room.first(size));
}

/// The bytes of partial_, whose memory now stays until the turn ends, as views into it do.
std::span<const std::byte> Connection::hand_over_partial() {
  const auto bytes = partial_.bytes();
  io_.keep(std::exchange(partial_, {}));
  frame_size_ = 0;
  return bytes;
}

// A peer that speaks TLS or PROXY is recognised here, once its first bytes are in: none of them begins a frame.
void Connection::take_frames(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t wanted = 0;
    const auto scanned = protocol::scan_frame(bytes, &wanted, io_.network().options.frame_size_max);
    if (!scanned) return refuse(scanned.error());
    if (!*scanned) return keep_remainder(bytes, wanted);
    const protocol::Frame& frame = **scanned;
    take_frame(frame);
    if (ended_ || ending_) return;
    bytes = bytes.subspan(frame.size);
    // One read may hold a thousand requests for a megabyte each. They wait here until the answers have gone.
    if (paused_for(Pause::kUnsent) && !bytes.empty()) {
      keep_remainder(bytes, bytes.size());
      has_whole_frames_ = true;
      return;
    }
  }
}

void Connection::take_frame(const protocol::Frame& frame) {
  protocol::CommandHeader& header = io_.header();
  if (const auto status = io_.decoder().decode(frame.type, frame.header, header); !status)
    return refuse(status.error());
  if (header.is_response()) return take_answer(header, frame.body);
  io_.keep_views(header, frame.header);
  io_.took_request();
  const std::int32_t opaque = header.has_opaque ? header.opaque : next_opaque();
  if (!header.is_one_way()) {
    ++unanswered_;
    io_.unanswered(1);
  }
  Reply reply(self_, opaque, header.is_one_way());
  if (origin_.handler == nullptr) {
    reply(protocol::refuse(protocol::ResponseCode::kRequestCodeNotSupported, " request type {} not supported",
                           header.code));
    return;
  }
  origin_.handler->handle({header, frame.body, peer_, origin_.listener, io_index_, io_.turn_ns()}, std::move(reply));
}

void Connection::keep_remainder(std::span<const std::byte> bytes, std::size_t frame_size) {
  frame_size_ = frame_size;
  // Room for what is here and a little more; it grows as bytes come.
  const std::size_t capacity =
      bytes.size() <= kSmallPartialBytes ? bytes.size() : std::min(frame_size, 2 * bytes.size());
  if (!reserve_partial(capacity) && !reserve_partial(bytes.size())) {
    IoCounters::add(io_.counters().dropped_for_budget, 1);
    NetworkState& network = io_.network();
    if (const auto times = network.budget_lines.admit(network.clock)) {
      log_warning(
          "{} ({}) is used up: {} is dropped, whose frame of {} bytes has begun to arrive; {} connections dropped for "
          "a limit since the last line",
          NetworkState::key(Budget::kReceiving), network.limit(Budget::kReceiving), remote_text(), frame_size, times);
    }
    return end();
  }
  std::memcpy(partial_.room().data(), bytes.data(), bytes.size());
  partial_.took(bytes.size());
}

// False: not now. The connection waits for room, or for the budget's patience to end.
bool Connection::grow_partial() {
  if (reserve_partial(std::min(frame_size_, 2 * partial_.capacity()))) return true;
  pause(Pause::kReceivingBudget);
  return false;
}

bool Connection::reserve_partial(std::size_t capacity) {
  const auto more = static_cast<std::int64_t>(capacity - partial_.capacity());
  // Small remainders are not refused: the limit on connections bounds them, and the end of the turn looks at the sum.
  if (capacity > kSmallPartialBytes && !io_.make_room(more, held(Budget::kReceiving))) return false;
  partial_.reserve(capacity);
  io_.hold(Budget::kReceiving, more);
  return true;
}

void Connection::drop_partial() {
  io_.hold(Budget::kReceiving, -held(Budget::kReceiving));
  partial_ = {};
  frame_size_ = 0;
}

std::int64_t Connection::held(Budget budget) const {
  if (budget == Budget::kReceiving) return static_cast<std::int64_t>(partial_.capacity());
  return out_ == nullptr ? 0 : static_cast<std::int64_t>(out_->size());
}

std::int64_t Connection::missing() const {
  return partial_.size() <= kSmallPartialBytes || has_whole_frames_
             ? 0
             : static_cast<std::int64_t>(frame_size_ - partial_.size());
}

void Connection::refuse(const Error& error) {
  IoCounters::add(io_.counters().bad_frames, 1);
  NetworkState& network = io_.network();
  if (const auto times = network.bad_frame_lines.admit(network.clock)) {
    log_warning("{} is closed for what it sent: {}; {} such connections since the last line", remote_text(),
                error.text(), times);
  }
  end_after_flush();
}

void Connection::pause(Pause reason) {
  const unsigned before = std::exchange(pauses_, pauses_ | static_cast<unsigned>(reason));
  if ((before & kBudgetPauses) == 0 && (pauses_ & kBudgetPauses) != 0) {
    paused_since_ns_ = io_.turn_ns();
    io_.budget_pauses(1);
  }
  note_choked();
}

void Connection::resume(Pause reason) {
  const unsigned before = std::exchange(pauses_, pauses_ & ~static_cast<unsigned>(reason));
  if ((before & kBudgetPauses) != 0 && (pauses_ & kBudgetPauses) == 0) io_.budget_pauses(-1);
  note_choked();
  if (before != 0 && pauses_ == 0 && !waits_readable_ && !ended_ && !ending_) wait_readable();
}

void Connection::note_choked() {
  is_choked_.store((pauses_ & kUnsentPauses) != 0, std::memory_order_relaxed);
}

// --- Sending

void Connection::answered() {
  --unanswered_;
  io_.unanswered(-1);
}

OutQueue& Connection::queue() {
  if (out_ == nullptr) out_ = io_.borrow_queue();
  return *out_;
}

void Connection::push(const protocol::Outgoing& command, std::int32_t flag, std::int32_t opaque) {
  pushed(queue().push(command, flag, opaque));
}

void Connection::pushed(std::size_t size) {
  io_.hold(Budget::kUnsent, static_cast<std::int64_t>(size));
  if (!dirty_) {
    dirty_ = true;
    io_.flush_later(*this);
  }
  // A turn whose answers are large does not collect them all.
  if (out_->size() >= kUnsentPauseBytes && !waits_writable_) write_out();
  heed_unsent();
}

void Connection::flush() {
  dirty_ = false;
  if (ended_) return release_if_done();
  if (out_ != nullptr && !waits_writable_) write_out();
  if (ending_) return end();
  heed_unsent();
}

// As much as the socket takes. What it does not take waits until it is writable.
void Connection::write_out() {
  while (out_ != nullptr && !ended_) {
    iovec pieces[IOV_MAX];
    std::size_t total = 0;
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = out_->gather(pieces, IOV_MAX, &total);
    const ssize_t sent = ::sendmsg(socket_->native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (!would_block(errno)) return end();
      wait_writable();
      break;
    }
    active_ns_ = io_.turn_ns();
    io_.hold(Budget::kUnsent, -sent);
    out_->consume(static_cast<std::size_t>(sent));
    if (out_->size() == 0) {
      io_.return_queue(std::move(out_));
    } else if (static_cast<std::size_t>(sent) < total) {
      wait_writable();
      break;
    }
  }
}

void Connection::heed_unsent() {
  const std::size_t unsent = out_ == nullptr ? 0 : out_->size();
  if (unsent >= kUnsentPauseBytes) {
    pause(Pause::kUnsent);
  } else if (unsent <= kUnsentPauseBytes / 2) {
    resume(Pause::kUnsent);
  }
}

void Connection::wait_writable() {
  waits_writable_ = true;
  socket_->async_wait(Socket::wait_write, InSlot(write_slot_, [this](const error_code& error) {
                        io_role.assert_held();
                        on_writable(error);
                      }));
}

void Connection::on_writable(const error_code& error) {
  waits_writable_ = false;
  if (ended_) return release_if_done();
  if (error) return end();
  if (!dirty_) {
    dirty_ = true;
    io_.flush_later(*this);
  }
}

// --- The end

// What was answered in this turn still leaves: the requests before a bad frame were good ones.
void Connection::end_after_flush() {
  if (ended_ || ending_) return;
  ending_ = true;
  if (!dirty_) {
    dirty_ = true;
    io_.flush_later(*this);
  }
}

void Connection::end() {
  if (ended_) return;
  ended_ = true;
  open_.store(false, std::memory_order_relaxed);
  resume(Pause::kReceivingBudget);
  resume(Pause::kUnsentBudget);
  error_code ignored;  // it is gone in any case
  socket_->close(ignored);
  drop_partial();
  has_whole_frames_ = false;
  io_.unanswered(-unanswered_);
  unanswered_ = 0;
  if (out_ != nullptr) {
    io_.hold(Budget::kUnsent, -held(Budget::kUnsent));
    io_.return_queue(std::move(out_));
  }
  if (origin_.accepted) io_.network().open_connections.fetch_sub(1, std::memory_order_relaxed);
  io_.ended(self_);
}

void Connection::tell_end() {
  while (!calls_.empty()) finish_call(calls_.begin()->first, error(Errc::kClosed));
  if (origin_.accepted && origin_.handler != nullptr) origin_.handler->peer_closed(peer_);
  if (const auto closed = std::exchange(origin_.closed, {})) closed();
  end_told_ = true;
  release_if_done();
}

void Connection::release_if_done() {
  if (!ended_ || !end_told_ || waits_readable_ || waits_writable_ || dirty_ || self_ == nullptr) return;
  io_.remove(*this);
  socket_.reset();
  peer_.reset();
  const auto last = std::move(self_);  // `this` may end with it
}

}  // namespace tern::remoting
