// A server that does nothing: a plain epoll loop which finds where requests end and answers each with prepared bytes.
// It stores nothing and decodes no header, so what `ternctl bench` reaches against it is what the generator can do, and
// what loopback allows.
//
//   tern-sink                     prints "tern-sink ready listen=127.0.0.1:PORT pid=PID"; ends with a signal
//   ternctl bench produce -a 127.0.0.1:PORT --server-pid PID
//
// Sends are answered with offsets that count up, so that the generator's accounts have something to keep; pulls with 32
// records of 1 KB; everything else with "ok" and an offset.

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/message/record.hpp"
#include "tern/protocol/command.hpp"
#include "tern/protocol/frame.hpp"

namespace {

using namespace tern;

constexpr std::string_view kOpaqueHole = "1999999999";
constexpr std::string_view kOffsetHole = "1000000000000000000";  // where offsets begin
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr int kPullRecords = 32;

void put_decimal(char* to, std::int64_t value, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i, value /= 10) to[i - 1] = static_cast<char>('0' + value % 10);
}

/// An answer with its holes for opaque and offset.
class Answer {
 public:
  explicit Answer(std::vector<protocol::NamedField> fields, const std::string& body = {})
      : frame_(protocol::encode_frame(protocol::HeaderType::kJson, 0, protocol::kFlagResponse, 1'999'999'999, fields,
                                      std::as_bytes(std::span(body)))),
        opaque_at_(frame_.find("\"opaque\":") + 9),
        offset_at_(frame_.find(kOffsetHole)) {}
  void append(std::string& to, std::string_view opaque, std::int64_t offset) const {
    const auto begin = to.size();
    to += frame_;
    // Blanks stand before a shorter number, which JSON allows.
    std::memset(to.data() + begin + opaque_at_, ' ', kOpaqueHole.size() - opaque.size());
    std::memcpy(to.data() + begin + opaque_at_ + kOpaqueHole.size() - opaque.size(), opaque.data(), opaque.size());
    if (offset_at_ != std::string::npos) put_decimal(to.data() + begin + offset_at_, offset, kOffsetHole.size());
  }

 private:
  std::string frame_;
  std::size_t opaque_at_;
  std::size_t offset_at_;
};

std::string records() {
  const std::string body(1024, 's');
  message::RecordParts parts;
  parts.topic = "sink";
  parts.body = std::as_bytes(std::span(body));
  std::string all;
  for (int i = 0; i < kPullRecords; ++i) all += message::encode_record(parts, i, i, 0);
  return all;
}

struct Request {
  std::int32_t code = 0;
  int flag = 0;
  std::string opaque;
};

/// Looks for three numbers, where encoders of this protocol write them.
Request look_at(const protocol::Frame& frame) {
  Request request;
  const std::string_view header(reinterpret_cast<const char*>(frame.header.data()), frame.header.size());
  if (frame.type == protocol::HeaderType::kRocketmq) {
    request.code = load_be<std::int16_t>(header.data());
    request.opaque = std::to_string(load_be<std::int32_t>(header.data() + 5));
    request.flag = load_be<std::int32_t>(header.data() + 9);
    return request;
  }
  const auto number_behind = [&](std::string_view name) {
    const auto at = header.rfind(name);
    if (at == std::string_view::npos) return std::string_view("0");
    const auto begin = at + name.size();
    return header.substr(begin, header.find_first_of(",}", begin) - begin);
  };
  const auto front = header.substr(0, 16);  // {"code":310, stands first in what ternctl sends
  const auto code = front.find("\"code\":") != std::string_view::npos ? front.substr(front.find(':') + 1) : front;
  std::from_chars(code.data(), code.data() + code.size(), request.code);
  const auto flag = number_behind("\"flag\":");
  std::from_chars(flag.data(), flag.data() + flag.size(), request.flag);
  request.opaque = number_behind("\"opaque\":");
  return request;
}

/// How many messages a batch body holds, by the sizes they begin with.
std::int64_t items_of(std::span<const std::byte> body) {
  std::int64_t items = 0;
  for (; body.size() >= sizeof(std::int32_t); ++items) {
    const auto size = static_cast<std::size_t>(load_be<std::uint32_t>(body.data()));
    if (size == 0 || size > body.size()) break;
    body = body.subspan(size);
  }
  return items;
}

class Sink {
 public:
  Sink()
      : sent_({{"msgId", "7F00000100002A9F0000000000000000"},
               {"queueId", "0"},
               {"queueOffset", std::string(kOffsetHole)},
               {"transactionId", "7F000001ABCD18B4AAC2000000000001"},
               {"MSG_REGION", "DefaultRegion"},
               {"TRACE_ON", "true"}}),
        pulled_({{"suggestWhichBrokerId", "0"},
                 {"nextBeginOffset", "0"},
                 {"minOffset", "0"},
                 {"maxOffset", "32"},
                 {"topicSysFlag", "0"},
                 {"groupSysFlag", "0"}},
                records()),
        other_({{"offset", std::string(kOffsetHole)}}) {}

  void serve() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    TERN_CHECK(::bind(listener, generic, size) == 0 && ::listen(listener, 1024) == 0 &&
                   ::getsockname(listener, generic, &size) == 0,
               "{}", std::strerror(errno));
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener);
    fmt::print("tern-sink ready listen=127.0.0.1:{} pid={}\n", ntohs(address.sin_port), ::getpid());
    std::fflush(stdout);
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener) {
          accept(listener);
        } else {
          read(fd);
        }
      }
    }
  }

 private:
  struct Connection {
    std::string kept;  // of a request that is cut off
    std::string out;
  };

  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    TERN_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "{}", std::strerror(errno));
  }

  void accept(int listener) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    watch(fd);
    connections_.try_emplace(fd);
  }

  void read(int fd) {
    auto& connection = connections_[fd];
    std::memcpy(buffer_.data(), connection.kept.data(), connection.kept.size());
    const std::size_t kept = connection.kept.size();
    const auto got = ::recv(fd, buffer_.data() + kept, kReadBytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(fd);
    auto bytes = std::as_bytes(std::span(buffer_.data(), kept + static_cast<std::size_t>(got)));
    connection.out.clear();
    for (;;) {
      const auto frame = protocol::scan_frame(bytes);
      if (!frame) return end(fd);
      if (!*frame) break;
      answer(**frame, connection.out);
      bytes = bytes.subspan((*frame)->size);
    }
    connection.kept.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    // Blocking: a generator that does not read its answers only stops its own sink.
    for (std::size_t sent = 0; sent < connection.out.size();) {
      const auto n = ::send(fd, connection.out.data() + sent, connection.out.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return end(fd);
      sent += static_cast<std::size_t>(n);
    }
  }

  void answer(const protocol::Frame& frame, std::string& to) {
    const auto request = look_at(frame);
    if ((request.flag & protocol::kFlagOneWay) != 0) return;
    switch (static_cast<protocol::RequestCode>(request.code)) {
      case protocol::RequestCode::kSendMessage:
      case protocol::RequestCode::kSendMessageV2:
        return sent_.append(to, request.opaque, next_offset_++);
      case protocol::RequestCode::kSendBatchMessage:
        sent_.append(to, request.opaque, next_offset_);
        next_offset_ += items_of(frame.body);
        return;
      case protocol::RequestCode::kPullMessage:
        return pulled_.append(to, request.opaque, 0);
      case protocol::RequestCode::kGetMinOffset:
        return other_.append(to, request.opaque, 0);
      default:
        return other_.append(to, request.opaque, next_offset_);
    }
  }

  void end(int fd) {
    ::close(fd);
    connections_.erase(fd);
  }

  const Answer sent_;
  const Answer pulled_;
  const Answer other_;
  std::int64_t next_offset_ = 1'000'000'000'000'000'000;
  int epoll_ = -1;
  std::unordered_map<int, Connection> connections_;
  std::vector<char> buffer_ = std::vector<char>(static_cast<std::size_t>(protocol::kFrameSizeMax) + kReadBytes);
};

}  // namespace

int main() {
  Sink().serve();
}
