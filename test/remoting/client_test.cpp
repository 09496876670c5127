// The client end: connects when needed, again when it must, and says why it could not.
#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "remoting/loopback.hpp"

namespace tern::remoting {
namespace {

protocol::Outgoing request_of(std::int32_t code) {
  protocol::Outgoing request;
  request.code = code;
  return request;
}

Result<Answer> call(Client& client, std::int32_t code, std::int64_t timeout_ms = 20'000) {
  AnswerFuture future;
  client.call(request_of(code), timeout_ms, future.handler());
  return future.get();
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() { here_.start(); }
  Server here_{echo};  // the network that the client lives in
};

TEST_F(ClientTest, SharesOneConnection) {
  Server server(echo);
  server.start();
  Client client(here_.network, server.address());
  std::vector<AnswerFuture> futures(50);
  for (int i = 0; i < 50; ++i) client.call(request_of(i), 20'000, futures[static_cast<std::size_t>(i)].handler());
  for (int i = 0; i < 50; ++i) {
    const auto answer = futures[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->code, i);
  }
  EXPECT_EQ(server.network.counters().accepted, 1);
}

TEST_F(ClientTest, ConnectsAgainAfterARestart) {
  auto server = std::make_unique<Server>(echo);
  server->start();
  const std::uint16_t port = server->port();
  Client client(here_.network, "localhost:" + std::to_string(port));
  ASSERT_TRUE(call(client, 5));
  server.reset();
  Server again(echo);
  again.start(port);
  // The old connection's end may still be unnoticed: then one call fails with it.
  auto answer = call(client, 6);
  while (!answer) {
    EXPECT_EQ(answer.error().code, make_error_code(Errc::kClosed));
    answer = call(client, 6);
  }
  EXPECT_EQ(answer->code, 6);
}

TEST_F(ClientTest, SaysThatNobodyListens) {
  std::uint16_t port = 0;
  {
    Server server(echo);
    server.start();
    port = server.port();
  }
  Client client(here_.network, "127.0.0.1:" + std::to_string(port));
  const auto answer = call(client, 1);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), errno_error(ECONNREFUSED));
}

TEST_F(ClientTest, RefusesWhatIsNoAddress) {
  for (const char* address : {"", "host", ":1", "host:", "host:0", "host:65536", "host:1x", "[]:1", "[::1:1"}) {
    Client client(here_.network, address);
    const auto answer = call(client, 1);
    ASSERT_FALSE(answer) << address;
    EXPECT_EQ(answer.error().code, make_error_code(Errc::kBadAddress)) << address;
  }
}

TEST_F(ClientTest, GivesUpAfterTheTimeoutAndIgnoresTheLateAnswer) {
  std::vector<Reply> kept;
  Server server([&](const Request& request, Reply reply) {
    if (request.header.code == 1) {
      kept.push_back(std::move(reply));
      return;
    }
    if (!kept.empty()) kept.back()(protocol::ok());
    kept.clear();
    echo(request, std::move(reply));
  });
  server.start();
  Client client(here_.network, server.address());
  ASSERT_TRUE(call(client, 2));
  const auto late = call(client, 1, 20);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, make_error_code(Errc::kTimeout));
  const auto next = call(client, 3);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->code, 3);
}

TEST_F(ClientTest, SendsOneWayRequests) {
  std::promise<int> got;
  Server server([&](const Request& request, Reply reply) {
    if (request.header.is_one_way()) got.set_value(request.header.code);
    echo(request, std::move(reply));
  });
  server.start();
  Client client(here_.network, server.address());
  client.notify(request_of(12), 20'000);
  EXPECT_EQ(got.get_future().get(), 12);
}

TEST_F(ClientTest, FailsWhatWaitsWhenItGoes) {
  Server server([](const Request&, Reply reply) { reply.forget(); });
  server.start();
  AnswerFuture future;
  {
    Client client(here_.network, server.address());
    client.call(request_of(1), 60'000, future.handler());
  }
  const auto answer = future.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, make_error_code(Errc::kClosed));
}

TEST_F(ClientTest, AnswersRequestsOfTheOtherEnd) {
  AnswerFuture without_handler;
  AnswerFuture with_handler;
  Server server([&](const Request& request, Reply reply) {
    request.peer->call(request_of(40), 20'000,
                       request.header.code == 1 ? without_handler.handler() : with_handler.handler());
    reply(protocol::ok());
  });
  server.start();
  Client plain(here_.network, server.address());
  ASSERT_TRUE(call(plain, 1));
  const auto refused = without_handler.get();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, static_cast<int>(protocol::ResponseCode::kRequestCodeNotSupported));
  Client client(here_.network, server.address(), &here_.handler);
  ASSERT_TRUE(call(client, 2));
  const auto answer = with_handler.get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 40);
}

TEST_F(ClientTest, TellsWhenAConnectionHasEnded) {
  auto server = std::make_unique<Server>(echo);
  server->start();
  std::promise<Result<PeerPtr>> connected;
  std::promise<void> closed;
  here_.network.connect(
      server->address(), 20'000, [&](Result<PeerPtr> result) { connected.set_value(std::move(result)); }, nullptr,
      [&] { closed.set_value(); });
  const auto peer = connected.get_future().get();
  ASSERT_TRUE(peer);
  EXPECT_EQ((*peer)->remote_text(), server->address());
  server.reset();
  closed.get_future().wait();
  EXPECT_FALSE((*peer)->is_open());
  EXPECT_TRUE(here_.handler.closed().empty());  // that is for accepted peers
}

TEST(Client, FailsAtOnceInAStoppedNetwork) {
  Server here(echo);
  here.start();
  Client client(here.network, here.address());
  ASSERT_TRUE(call(client, 1));
  here.stop();
  const auto answer = call(client, 2);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, make_error_code(Errc::kClosed));
}

TEST(Client, FailsInANetworkThatNeverRan) {
  AnswerFuture future;
  {
    Server here(echo);
    Client client(here.network, "127.0.0.1:1");
    client.call(request_of(1), 60'000, future.handler());
  }
  EXPECT_FALSE(future.get());
}

TEST(Client, BoundsTheCallsThatWait) {
  int over_budget = 0;
  int closed = 0;
  {
    Server here(echo);  // does not run: nothing ever connects
    Client client(here.network, "127.0.0.1:1");
    for (int i = 0; i < 10'010; ++i) {
      client.call(request_of(i), 60'000, [&](Result<Answer> answer) {
        ++(answer.error().code == make_error_code(Errc::kOverBudget) ? over_budget : closed);
      });
    }
    EXPECT_EQ(over_budget, 10);
    EXPECT_EQ(closed, 0);
  }
  EXPECT_EQ(closed, 10'000);
}

}  // namespace
}  // namespace tern::remoting
