#include "remoting/connect_attempt.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/asio/connect.hpp>

#include "remoting/connection.hpp"

namespace tern::remoting {

Result<HostPort> parse_host_port(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return error(Errc::kBadAddress);
  HostPort parsed;
  const char* const end = address.data() + address.size();
  const auto number = std::from_chars(address.data() + colon + 1, end, parsed.port);
  if (number.ec != std::errc() || number.ptr != end || parsed.port == 0) return error(Errc::kBadAddress);
  parsed.host = address.substr(0, colon);
  if (parsed.host.front() == '[') {
    if (parsed.host.size() < 3 || parsed.host.back() != ']') return error(Errc::kBadAddress);
    parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  }
  return parsed;
}

ConnectAttempt::ConnectAttempt(IoThread& io, Network::Connected done, Handler* on_request, std::function<void()> closed)
    : io_(io),
      socket_(io.context()),
      resolver_(io.context()),
      done_(std::move(done)),
      on_request_(on_request),
      closed_(std::move(closed)) {}

void ConnectAttempt::start(const std::string& address, std::int64_t timeout_ms) {
  const auto self = shared_from_this();
  const auto parsed = parse_host_port(address);
  if (io_.is_finished() || !parsed) {
    const auto done = std::exchange(done_, {});
    done(parsed ? error(Errc::kClosed) : parsed.error());
    return;
  }
  on_finish_ = io_.on_finish([self] {
    io_role.assert_held();
    self->fail(error(Errc::kClosed));
  });
  deadline_ = io_.at(io_.turn_ns() + std::max<std::int64_t>(timeout_ms, 0) * 1'000'000, [self] {
    io_role.assert_held();
    self->fail(error(Errc::kTimeout));
  });
  error_code is_a_name;
  const auto literal = asio::ip::make_address(parsed->host, is_a_name);
  if (!is_a_name) {
    connect(Resolver::results_type::create(Tcp::endpoint(literal, parsed->port), parsed->host, {}));
    return;
  }
  resolver_.async_resolve(parsed->host, std::to_string(parsed->port), Resolver::numeric_service,
                          [self](const error_code& failed, const Resolver::results_type& endpoints) {
                            io_role.assert_held();
                            if (!self->done_) return;
                            if (failed) return self->fail(error(Errc::kUnresolved));
                            self->connect(endpoints);
                          });
}

void ConnectAttempt::connect(const Resolver::results_type& endpoints) {
  asio::async_connect(socket_, endpoints,
                      [self = shared_from_this()](const error_code& failed, const Tcp::endpoint& remote) {
                        io_role.assert_held();
                        self->connected(failed, remote);
                      });
}

void ConnectAttempt::connected(const error_code& failed, const Tcp::endpoint& remote) {
  if (!done_) return;
  if (failed) return fail(errno_error(failed.value()));
  error_code ignored;  // it works without, only later
  socket_.set_option(Tcp::no_delay(true), ignored);
  Origin origin;
  origin.handler = on_request_;
  origin.closed = std::move(closed_);
  if (on_request_ != nullptr) io_.add_handler(*on_request_);
  const auto connection = std::make_shared<Connection>(io_, std::move(socket_), to_host(remote), std::move(origin));
  connection->start(connection);
  finish(PeerPtr(connection));
}

void ConnectAttempt::fail(const Error& reason) {
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
  finish(reason);
}

void ConnectAttempt::finish(Result<PeerPtr> result) {
  const auto done = std::exchange(done_, {});
  if (!done) return;
  io_.cancel(deadline_);
  io_.forget_finish(on_finish_);
  done(std::move(result));
}

}  // namespace tern::remoting
