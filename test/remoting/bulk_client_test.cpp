// The client end for load: frames go out as they are, whole frames come back, and an end is told once.
#include "tern/remoting/bulk_client.hpp"

#include <cerrno>
#include <map>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "remoting/loopback.hpp"

namespace tern::remoting {
namespace {

constexpr std::int64_t kConnectMs = 20'000;
constexpr std::int64_t kWaitNs = 1'000'000'000;

/// Keeps what comes, and runs `on_frame` for each frame.
class Recorder final : public BulkClient::Receiver {
 public:
  void received(std::size_t connection, const protocol::CommandHeader& header, std::span<const std::byte> body,
                std::int64_t now_ns) override {
    EXPECT_TRUE(header.is_response());
    EXPECT_GT(now_ns, 0);
    ++frames;
    bodies[{connection, header.opaque}] =
        std::string(reinterpret_cast<const char*>(body.data()), body.size()) + ":" + std::to_string(header.code);
    if (on_frame) on_frame(connection, header.opaque);
  }
  void ended(std::size_t connection, const Error& why) override { ends.emplace_back(connection, why); }

  std::function<void(std::size_t, std::int32_t)> on_frame;
  std::int64_t frames = 0;
  std::map<std::pair<std::size_t, std::int32_t>, std::string> bodies;
  std::vector<std::pair<std::size_t, Error>> ends;
};

class BulkClientTest : public testing::Test {
 protected:
  std::size_t connect(const std::string& address) {
    const auto connection = client_.connect(address, kConnectMs);
    EXPECT_TRUE(connection);
    return connection ? *connection : 0;
  }

  SystemClock clock_;
  Recorder recorder_;
  BulkClient client_{clock_, recorder_};
};

TEST_F(BulkClientTest, GetsEveryAnswerOfEveryConnection) {
  Server server(echo);
  server.start();
  constexpr std::int32_t kEach = 500;
  for (std::size_t c = 0; c < 3; ++c) {
    ASSERT_EQ(connect(server.address()), c);
    for (std::int32_t i = 0; i < kEach; ++i)
      client_.out(c) += request_frame(7, i, "body " + std::to_string(c) + " " + std::to_string(i));
  }
  while (recorder_.frames < 3 * kEach && recorder_.ends.empty()) client_.step(kWaitNs);
  ASSERT_EQ(recorder_.bodies.size(), 3U * kEach);
  for (const auto& [key, body] : recorder_.bodies)
    EXPECT_EQ(body, "body " + std::to_string(key.first) + " " + std::to_string(key.second) + ":7");
}

TEST_F(BulkClientTest, SendsWhatIsAppendedWhileReceiving) {
  Server server(echo);
  server.start();
  connect(server.address());
  recorder_.on_frame = [this](std::size_t connection, std::int32_t opaque) {
    if (opaque < 99) client_.out(connection) += request_frame(1, opaque + 1);
  };
  client_.out(0) += request_frame(1, 0);
  while (recorder_.frames < 100 && recorder_.ends.empty()) client_.step(kWaitNs);
  EXPECT_EQ(recorder_.bodies.size(), 100U);
}

// Sizes around every path that a frame can take: whole in one read, a small remainder, many reads.
TEST_F(BulkClientTest, PutsFramesTogetherThatComeInPieces) {
  Server server(echo);
  server.start();
  connect(server.address());
  std::vector<std::string> sent;
  for (const std::size_t size : {0U, 1U, 3000U, 4096U, 70'000U, 300'000U, 1'000'000U, 5U, 4'000'000U}) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    client_.out(0) += request_frame(3, static_cast<std::int32_t>(sent.size()), sent.back());
  }
  while (recorder_.bodies.size() < sent.size() && recorder_.ends.empty()) client_.step(kWaitNs);
  ASSERT_EQ(recorder_.bodies.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& body = recorder_.bodies[std::make_pair(std::size_t{0}, static_cast<std::int32_t>(i + 1))];
    EXPECT_TRUE(body == sent[i] + ":3") << "frame " << i << " of " << sent[i].size() << " bytes came back as "
                                        << body.size();
  }
  EXPECT_EQ(client_.unsent(0), 0U);
}

/// A server that sends exactly what it is told to, one piece after the other.
class Pieces {
 public:
  Pieces() {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(here);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&here), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size), 0);
    port_ = ntohs(here.sin_port);
  }
  ~Pieces() {
    ::close(listener_);
    ::close(connection_);
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void accept() { connection_ = ::accept(listener_, nullptr, nullptr); }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

 private:
  int listener_ = -1;
  int connection_ = -1;
  std::uint16_t port_ = 0;
};

// Two answers, cut at every byte: the piece before the cut is read before the other one is sent.
TEST_F(BulkClientTest, KeepsWhatIsCutOffWhereverTheCutIs) {
  Pieces server;
  connect(server.address());
  server.accept();
  const std::string both =
      request_frame(1, 0, "one", protocol::kFlagResponse) + request_frame(2, 1, "two", protocol::kFlagResponse);
  for (std::size_t cut = 1; cut < both.size(); ++cut) {
    recorder_.bodies.clear();
    recorder_.frames = 0;
    server.send(both.substr(0, cut));
    client_.step(kWaitNs);
    server.send(both.substr(cut));
    for (int steps = 0; recorder_.frames < 2 && recorder_.ends.empty() && steps < 10; ++steps) client_.step(kWaitNs);
    ASSERT_EQ(recorder_.frames, 2) << "cut at " << cut;
    EXPECT_EQ((recorder_.bodies[{0, 0}]), "one:1") << "cut at " << cut;
    EXPECT_EQ((recorder_.bodies[{0, 1}]), "two:2") << "cut at " << cut;
  }
}

TEST_F(BulkClientTest, TellsAnEndOnceAndDropsWhatIsSentAfterIt) {
  Server server([](const Request& request, Reply reply) {
    reply.forget();
    request.peer->close();
  });
  server.start();
  connect(server.address());
  EXPECT_EQ(client_.open_connections(), 1U);
  client_.out(0) += request_frame(1, 1);
  while (recorder_.ends.empty()) client_.step(kWaitNs);
  client_.out(0) += request_frame(1, 2);
  client_.step(0);
  ASSERT_EQ(recorder_.ends.size(), 1U);
  EXPECT_EQ(recorder_.ends[0].first, 0U);
  EXPECT_EQ(client_.unsent(0), 0U);
  EXPECT_EQ(client_.open_connections(), 0U);
}

TEST_F(BulkClientTest, SaysWhyItCannotConnect) {
  std::uint16_t port = 0;
  {
    Server server(echo);
    server.start();
    port = server.port();
  }
  const auto nobody = client_.connect("127.0.0.1:" + std::to_string(port), kConnectMs);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error(), errno_error(ECONNREFUSED));
  const auto no_address = client_.connect("nowhere", kConnectMs);
  ASSERT_FALSE(no_address);
  EXPECT_EQ(no_address.error().code, make_error_code(Errc::kBadAddress));
}

}  // namespace
}  // namespace tern::remoting
