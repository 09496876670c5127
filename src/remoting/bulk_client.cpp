// What one step costs, per connection that has something: a share of epoll_pwait2, one recvmsg, one send. Per frame:
// two header words, the header's decoder, one virtual call. Each socket is registered once, for reading,
// level-triggered: Asio would arm every wait anew, which is a system call for each read (docs/decisions/0001), and what
// a load generator spends is missing to the server beside it.

#include "tern/remoting/bulk_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tern/base/check.hpp"
#include "tern/protocol/frame.hpp"

#include "remoting/connect_attempt.hpp"
#include "remoting/turn_memory.hpp"

namespace tern::remoting {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;    // of one connection at a time
constexpr std::size_t kSmallPartialBytes = 4096;  // a remainder up to here is copied in front of the next read
constexpr int kEventsMax = 256;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kMillisecondNs = 1'000'000;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

/// Waits for a connect under way; 0, or its errno.
int wait_connected(int fd, std::int64_t timeout_ms) {
  pollfd wanted{fd, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, static_cast<int>(timeout_ms));
  } while (ready == -1 && errno == EINTR);
  if (ready == -1) return errno;
  if (ready == 0) return ETIMEDOUT;
  int problem = 0;
  socklen_t size = sizeof(problem);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno;
}

Result<Descriptor> connect_to(const addrinfo& address, std::int64_t timeout_ms) {
  Descriptor socket(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  if (!socket.is_open()) return errno_error(errno);
  int problem = ::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (problem == EINPROGRESS) problem = wait_connected(socket.get(), timeout_ms);
  if (problem == ETIMEDOUT) return error(Errc::kTimeout);
  if (problem != 0) return errno_error(problem);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // refused: slower, not wrong
  return socket;
}

}  // namespace

class BulkClient::Impl {
 public:
  Impl(const Clock& clock, Receiver& receiver)
      : clock_(clock), receiver_(receiver), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    TERN_CHECK(epoll_.is_open(), "epoll_create1: {}", std::strerror(errno));
  }

  Result<std::size_t> connect(const std::string& address, std::int64_t timeout_ms) {
    const auto parsed = parse_host_port(address);
    if (!parsed) return parsed.error();
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int unresolved = ::getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &wanted, &found);
    if (unresolved != 0) return error(Errc::kUnresolved);
    Result<Descriptor> socket = error(Errc::kUnresolved);
    for (const auto* one = found; one != nullptr && !socket; one = one->ai_next) socket = connect_to(*one, timeout_ms);
    ::freeaddrinfo(found);
    if (!socket) return socket.error();
    const std::size_t index = connections_.size();
    connections_.emplace_back().socket = std::move(*socket);
    ++open_;
    if (!watch(EPOLL_CTL_ADD, index, EPOLLIN)) return errno_error(errno);
    return index;
  }

  [[nodiscard]] std::string& out(std::size_t index) {
    auto& connection = connections_[index];
    if (!connection.is_dirty) {
      connection.is_dirty = true;
      dirty_.push_back(index);
    }
    return connection.out;
  }

  [[nodiscard]] std::size_t unsent(std::size_t index) const {
    return connections_[index].out.size() - connections_[index].sent;
  }
  [[nodiscard]] std::size_t open() const { return open_; }

  void step(std::int64_t wait_ns) {
    flush_dirty();
    const std::int64_t wait = std::max<std::int64_t>(wait_ns, 0);
    const int ready = wait_ready(wait);
    TERN_CHECK(ready >= 0 || errno == EINTR, "epoll_pwait2: {}", std::strerror(errno));
    for (int i = 0; i < ready; ++i) {
      const auto& event = events_[static_cast<std::size_t>(i)];
      const auto index = static_cast<std::size_t>(event.data.u64);
      auto& connection = connections_[index];
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connection.socket.is_open()) read(index);
      if ((event.events & EPOLLOUT) != 0 || !connection.out.empty()) flush(index);
    }
    flush_dirty();
  }

 private:
  struct Connection {
    Descriptor socket;
    std::string out;
    std::size_t sent = 0;  // of out
    bool is_dirty = false;
    bool waits_writable = false;
    PartialFrame partial;
    std::size_t frame_size = 0;  // of the frame in partial, once known
  };

  int wait_ready(std::int64_t wait_ns) {
    if (waits_to_the_ns_) {
      const timespec timeout{wait_ns / kSecondNs, wait_ns % kSecondNs};
      const int ready = ::epoll_pwait2(epoll_.get(), events_.data(), kEventsMax, &timeout, nullptr);
      if (ready >= 0 || errno != ENOSYS) return ready;
      waits_to_the_ns_ = false;  // a kernel before 5.11, or a tool between it and us: then to the millisecond
    }
    const auto wait_ms = std::min<std::int64_t>((wait_ns + kMillisecondNs - 1) / kMillisecondNs, 60'000);
    return ::epoll_wait(epoll_.get(), events_.data(), kEventsMax, static_cast<int>(wait_ms));
  }

  bool watch(int operation, std::size_t index, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = index;
    return ::epoll_ctl(epoll_.get(), operation, connections_[index].socket.get(), &event) == 0;
  }

  void flush_dirty() {
    for (std::size_t i = 0; i < dirty_.size(); ++i) {
      connections_[dirty_[i]].is_dirty = false;
      flush(dirty_[i]);
    }
    dirty_.clear();
  }

  void flush(std::size_t index) {
    auto& connection = connections_[index];
    auto& out = connection.out;
    auto& sent = connection.sent;
    if (!connection.socket.is_open()) return out.clear();
    while (sent < out.size()) {
      const auto n = ::send(connection.socket.get(), out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) return end(index, errno_error(errno));
      if (n < 0) break;
      sent += static_cast<std::size_t>(n);
    }
    const bool waits = sent < out.size();
    if (!waits) {
      out.clear();
      sent = 0;
    } else if (sent > out.size() / 2) {
      out.erase(0, sent);
      sent = 0;
    }
    if (waits == connection.waits_writable) return;
    connection.waits_writable = waits;
    if (!watch(EPOLL_CTL_MOD, index, waits ? EPOLLIN | EPOLLOUT : EPOLLIN)) end(index, errno_error(errno));
  }

  void read(std::size_t index) {
    auto& connection = connections_[index];
    auto& partial = connection.partial;
    // A small remainder moves in front of what is read now; a large frame is read straight to where it began.
    const bool into_partial = partial.size() > kSmallPartialBytes;
    const std::size_t moved = into_partial ? 0 : partial.size();
    const std::span<std::byte> buffer(buffer_.get(), kReadBytes);
    std::size_t partial_room = 0;
    std::array<iovec, 2> into;
    std::size_t pieces = 0;
    if (into_partial) {
      partial_room = partial.room().size();
      into[pieces++] = {partial.room().data(), partial_room};
    } else if (moved > 0) {
      std::memcpy(buffer.data(), partial.bytes().data(), moved);
    }
    into[pieces++] = {buffer.data() + moved, buffer.size() - moved};
    msghdr message{};
    message.msg_iov = into.data();
    message.msg_iovlen = pieces;
    const auto got = ::recvmsg(connection.socket.get(), &message, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return end(index, got == 0 ? error(Errc::kClosed) : errno_error(errno));
    const std::int64_t now_ns = clock_.steady_ns();
    auto size = static_cast<std::size_t>(got);
    if (into_partial) {
      const std::size_t in_partial = std::min(size, partial_room);
      partial.took(in_partial);
      size -= in_partial;
      if (partial.size() < connection.frame_size) return;
      const PartialFrame whole = std::exchange(partial, {});
      take_frames(index, whole.bytes(), now_ns);
    } else {
      size += moved;
      if (moved > 0) partial = {};
    }
    if (connection.socket.is_open()) take_frames(index, buffer.first(size), now_ns);
  }

  void take_frames(std::size_t index, std::span<const std::byte> bytes, std::int64_t now_ns) {
    while (!bytes.empty()) {
      std::size_t wanted = 0;
      const auto scanned = protocol::scan_frame(bytes, &wanted);
      if (!scanned) return end(index, scanned.error());
      if (!*scanned) return keep(connections_[index], bytes, wanted);
      const protocol::Frame& frame = **scanned;
      if (const auto decoded = decoder_.decode(frame.type, frame.header, header_); !decoded)
        return end(index, decoded.error());
      receiver_.received(index, header_, frame.body, now_ns);
      bytes = bytes.subspan(frame.size);
    }
  }

  static void keep(Connection& connection, std::span<const std::byte> bytes, std::size_t frame_size) {
    connection.frame_size = frame_size;
    connection.partial.reserve(bytes.size() > kSmallPartialBytes ? frame_size : bytes.size());
    std::memcpy(connection.partial.room().data(), bytes.data(), bytes.size());
    connection.partial.took(bytes.size());
  }

  void end(std::size_t index, const Error& why) {
    auto& connection = connections_[index];
    if (!connection.socket.is_open()) return;
    connection.socket.reset();  // which also takes it out of the epoll set
    connection.out.clear();
    connection.sent = 0;
    connection.partial = {};
    --open_;
    receiver_.ended(index, why);
  }

  const Clock& clock_;
  Receiver& receiver_;
  const Descriptor epoll_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> dirty_;  // connections whose out() was asked for since the last flush
  std::size_t open_ = 0;
  const std::unique_ptr<std::byte[]> buffer_ = std::make_unique_for_overwrite<std::byte[]>(kReadBytes);
  std::array<epoll_event, kEventsMax> events_;
  bool waits_to_the_ns_ = true;
  protocol::HeaderDecoder decoder_;
  protocol::CommandHeader header_;
};

BulkClient::BulkClient(const Clock& clock, Receiver& receiver) : impl_(std::make_unique<Impl>(clock, receiver)) {}
BulkClient::~BulkClient() = default;

Result<std::size_t> BulkClient::connect(const std::string& address, std::int64_t timeout_ms) {
  return impl_->connect(address, timeout_ms);
}
std::string& BulkClient::out(std::size_t connection) {
  return impl_->out(connection);
}
std::size_t BulkClient::unsent(std::size_t connection) const {
  return impl_->unsent(connection);
}
std::size_t BulkClient::open_connections() const {
  return impl_->open();
}
void BulkClient::step(std::int64_t wait_ns) {
  impl_->step(wait_ns);
}

}  // namespace tern::remoting
