#include "remoting/listening_socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "remoting/connection.hpp"

namespace tern::remoting {
namespace {

constexpr int kAcceptsPerTurn = 64;  // then others have their turn; what waits makes the socket ready again
constexpr auto kShortagePause = std::chrono::milliseconds(100);

/// A descriptor on its way to its io thread. Closed if it does not get there.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int value() const { return value_; }
  void release() { value_ = -1; }

 private:
  int value_;
};

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

ListeningSocket::ListeningSocket(NetworkState& network, Listener listener, Handler& handler)
    : network_(network), io_(*network.io_threads.front()), listener_(listener), handler_(handler) {}

Result<std::uint16_t> ListeningSocket::open(const std::string& address, std::uint16_t port) {
  error_code failed;
  asio::ip::address bound = asio::ip::address_v4::any();
  if (!address.empty()) bound = asio::ip::make_address(address, failed);
  if (failed) return errno_error(EINVAL, port);
  const Tcp::endpoint endpoint(bound, port);
  acceptor_.emplace(io_.context());
  // What is set here, accepted sockets inherit: no system call per connection.
  acceptor_->open(endpoint.protocol(), failed);
  if (!failed) acceptor_->set_option(Acceptor::reuse_address(true), failed);
  if (!failed) acceptor_->set_option(Tcp::no_delay(true), failed);
  if (!failed && network_.options.socket_send_buffer > 0) {
    acceptor_->set_option(asio::socket_base::send_buffer_size(network_.options.socket_send_buffer), failed);
  }
  if (!failed && network_.options.socket_receive_buffer > 0) {
    acceptor_->set_option(asio::socket_base::receive_buffer_size(network_.options.socket_receive_buffer), failed);
  }
  if (!failed) acceptor_->non_blocking(true, failed);
  if (!failed) acceptor_->bind(endpoint, failed);
  if (!failed) acceptor_->listen(network_.options.backlog, failed);
  if (failed) {
    acceptor_.reset();
    return errno_error(failed.value(), port);
  }
  const std::uint16_t taken = acceptor_->local_endpoint(failed).port();
  shortage_timer_.emplace(io_.context());
  on_finish_ = io_.on_finish([this] {
    io_role.assert_held();
    close();
  });
  wait();
  return taken;
}

void ListeningSocket::close() {
  if (!acceptor_) return;
  io_.forget_finish(on_finish_);
  acceptor_.reset();
  shortage_timer_.reset();
}

void ListeningSocket::wait() {
  acceptor_->async_wait(Acceptor::wait_read, [this](const error_code& error) {
    io_role.assert_held();
    if (!error && acceptor_) accept_ready();
  });
}

// Out of descriptors or memory: the socket stays ready, so waiting for it would spin.
void ListeningSocket::wait_after_shortage() {
  shortage_timer_->expires_after(kShortagePause);
  shortage_timer_->async_wait([this](const error_code& error) {
    io_role.assert_held();
    if (!error && acceptor_) accept_ready();
  });
}

void ListeningSocket::accept_ready() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    Tcp::endpoint remote;
    auto size = static_cast<socklen_t>(remote.capacity());
    const int descriptor = ::accept4(acceptor_->native_handle(), remote.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      const int reason = errno;
      if (is_shortage(reason)) {
        if (const auto times = network_.accept_lines.admit(network_.clock)) {
          log_error("no connection can be accepted: {}; {} times since the last line", std::strerror(reason), times);
        }
        return wait_after_shortage();
      }
      if (reason == EAGAIN || reason == EWOULDBLOCK) break;
      continue;  // that one was gone before it was accepted
    }
    remote.resize(size);
    hand_over(descriptor, remote);
  }
  wait();
}

void ListeningSocket::hand_over(int descriptor, const Tcp::endpoint& remote) {
  auto owner = std::make_shared<Descriptor>(descriptor);
  if (network_.open_connections.fetch_add(1, std::memory_order_relaxed) >= network_.connections_max) {
    network_.open_connections.fetch_sub(1, std::memory_order_relaxed);
    IoCounters::add(io_.counters().refused_connections, 1);
    if (const auto times = network_.refused_lines.admit(network_.clock)) {
      log_warning("networkConnectionsMax ({}) is reached: {} is refused; {} connections refused since the last line",
                  network_.connections_max, to_host(remote).text(), times);
    }
    return;
  }
  IoCounters::add(io_.counters().accepted, 1);
  IoThread& target = *network_.io_threads[next_io_thread_];
  next_io_thread_ = (next_io_thread_ + 1) % network_.io_threads.size();
  auto adopt = [&target, owner, remote, handler = &handler_, listener = listener_] {
    io_role.assert_held();
    NetworkState& network = target.network();
    Socket socket(target.context());
    error_code failed;
    socket.assign(remote.protocol(), owner->value(), failed);
    if (!failed) owner->release();  // the socket's now
    if (failed || target.is_finished()) {
      network.open_connections.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    Origin origin;
    origin.handler = handler;
    origin.listener = listener;
    origin.accepted = true;
    const auto connection = std::make_shared<Connection>(target, std::move(socket), to_host(remote), std::move(origin));
    connection->start(connection);
  };
  if (&target == &io_) {
    adopt();
  } else if (!target.post(std::move(adopt))) {
    network_.open_connections.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace tern::remoting
