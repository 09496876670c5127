#include "remoting/loopback.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tern/base/options.hpp"
#include "tern/protocol/frame.hpp"

namespace tern::remoting {

NetworkOptions default_options(int io_threads) {
  NetworkOptions options;
  OptionSet set;
  set.add<NetworkOptions>("network", network_option_rows(), options);
  options.io_threads = io_threads;
  return options;
}

void FunctionHandler::handle(const Request& request, Reply reply) {
  {
    const std::lock_guard lock(mutex_);
    seen_.insert(request.peer->id());
  }
  on_request_(request, std::move(reply));
}

void FunctionHandler::end_of_turn(std::size_t io_thread) {
  if (on_end_of_turn) on_end_of_turn(io_thread);
}

void FunctionHandler::peer_closed(const PeerPtr& peer) {
  {
    const std::lock_guard lock(mutex_);
    closed_.insert(peer->id());
  }
  if (on_closed) on_closed(peer);
}

std::set<std::uint64_t> FunctionHandler::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

std::multiset<std::uint64_t> FunctionHandler::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void echo(const Request& request, Reply reply) {
  protocol::Response response;
  response.code = request.header.code;
  for (const auto& field : request.header.fields) response.fields.add(field.key, field.value);
  response.body = protocol::Body(std::string(request.body_text()));
  reply(std::move(response));
}

Server::Server(FunctionHandler::OnRequest on_request, NetworkOptions network_options, const Clock* clock)
    : options(std::move(network_options)),
      handler(std::move(on_request)),
      network(options, clock != nullptr ? *clock : static_cast<const Clock&>(system_clock)) {}

Server::~Server() {
  stop();
}

void Server::start(std::uint16_t port) {
  const auto taken = network.listen("127.0.0.1", port, Listener::kMain, handler);
  ASSERT_TRUE(taken) << taken.error().text();
  port_ = *taken;
  for (std::size_t i = 0; i < network.io_threads(); ++i) threads_.emplace_back([this, i] { network.run(i); });
}

void Server::stop(std::int64_t patience_ms) {
  if (threads_.empty()) return;
  network.stop(patience_ms);
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

RawPeer::RawPeer(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval patience{30, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ADD_FAILURE() << "cannot connect: " << std::strerror(errno);
  }
}

RawPeer::~RawPeer() {
  close();
}

void RawPeer::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void RawPeer::shut_down_sending() {
  ::shutdown(descriptor_, SHUT_WR);
}

void RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server may close at any time; what matters is what it answers
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<std::size_t> RawPeer::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
  return std::nullopt;
}

bool RawPeer::read_more() {
  std::string part(1 << 20, '\0');
  const ssize_t got = ::recv(descriptor_, part.data(), part.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "nothing came";
  if (got <= 0) return false;
  bytes_.append(part, 0, static_cast<std::size_t>(got));
  return true;
}

std::optional<Received> RawPeer::take_frame() {
  const auto scanned = protocol::scan_frame(bytes_of(bytes_));
  if (!scanned || !*scanned) return std::nullopt;
  const protocol::Frame& frame = **scanned;
  EXPECT_EQ(frame.type, protocol::HeaderType::kJson);  // whatever was asked in, JSON is what every client reads
  protocol::HeaderDecoder decoder;
  protocol::CommandHeader header;
  EXPECT_TRUE(decoder.decode(frame.type, frame.header, header));
  Received received{header.code, header.flag, header.opaque, std::string(header.remark), {}, {}};
  for (const auto& field : header.fields) received.fields.push_back({std::string(field.key), std::string(field.value)});
  received.body.assign(reinterpret_cast<const char*>(frame.body.data()), frame.body.size());
  bytes_.erase(0, frame.size);
  return received;
}

std::optional<Received> RawPeer::receive() {
  for (;;) {
    if (auto received = take_frame()) return received;
    if (!read_more()) return std::nullopt;
  }
}

std::vector<Received> RawPeer::receive_one_read() {
  std::vector<Received> all;
  if (!read_more()) return all;
  while (auto received = take_frame()) all.push_back(std::move(*received));
  return all;
}

bool RawPeer::is_closed() {
  return bytes_.empty() && !read_more();
}

Received RawPeer::call(std::int32_t code, std::string_view body) {
  const std::int32_t opaque = ++opaque_;
  send(request_frame(code, opaque, body));
  auto answer = receive();
  if (!answer) {
    ADD_FAILURE() << "closed instead of an answer";
    return {};
  }
  EXPECT_EQ(answer->opaque, opaque);
  return std::move(*answer);
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string request_frame(std::int32_t code, std::int32_t opaque, std::string_view body, std::int32_t flag,
                          protocol::HeaderType type) {
  const std::vector<protocol::NamedField> fields{{"topic", "T"}, {"properties", "KEYS\1k\2TAGS\1\"t\"\2"}};
  return protocol::encode_frame(type, code, flag, opaque, fields, bytes_of(body));
}

}  // namespace tern::remoting
