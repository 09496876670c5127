// Limits on what many connections together can make the server hold.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "remoting/loopback.hpp"
#include "support/manual_clock.hpp"

namespace tern::remoting {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

// Connections that each send half of a frame, until the server has dropped one, then until they are done or dropped.
// The memory stays within the budget all the time, and a connection beside them is served all the time.
TEST(Budgets, HoldHalfFramesToTheirLimit) {
  test::ManualClock clock;
  auto options = default_options(2);
  options.idle_seconds_max = 0;
  options.receiving_bytes_max = 4 * kMiB;
  Server server(echo, options, &clock);
  server.start();
  RawPeer bystanders[] = {RawPeer(server.port()), RawPeer(server.port())};
  const std::string half = request_frame(1, 1, std::string(kMiB, 'x')).substr(0, kMiB / 2);
  struct Attacker {
    RawPeer peer;
    std::size_t sent = 0;
    bool open = true;
  };
  std::vector<Attacker> attackers;
  for (int i = 0; i < 60; ++i) attackers.push_back({RawPeer(server.port())});
  while (server.network.counters().dropped_for_budget < 20) {
    for (auto& attacker : attackers) {
      if (!attacker.open) continue;
      const auto piece = std::string_view(half).substr(attacker.sent, 20'000);
      const auto sent = attacker.peer.send_some(piece);
      attacker.open = sent.has_value();
      attacker.sent += sent.value_or(0);
    }
    for (auto& bystander : bystanders) {
      ASSERT_EQ(bystander.call(2, std::string(3000, 'b')).body.size(), 3000U);
    }
    // Two io threads that look at the same moment may pass the mark by one frame's growth.
    EXPECT_LE(server.network.counters().receiving_bytes, 5 * kMiB);
    clock.advance_ms(1000);  // those that are not read have a few seconds
  }
  for (auto& attacker : attackers) attacker.peer.close();
  // Those that are read end at once, the others when the patience with them does.
  while (server.network.counters().receiving_bytes > 0) {
    ASSERT_EQ(bystanders[0].call(2).code, 2);
    clock.advance_ms(1000);
  }
  EXPECT_EQ(bystanders[0].call(3, std::string(kMiB, 'y')).body.size(), static_cast<std::size_t>(kMiB));
}

// Frames that fit one after the other but not all at once: those that wait are read when others are complete.
TEST(Budgets, LetLargeFramesTakeTurns) {
  auto options = default_options(1);
  options.receiving_bytes_max = 8 * kMiB;
  Server server(echo, options);
  server.start();
  std::vector<std::thread> senders;
  std::atomic<int> answered{0};
  for (int i = 0; i < 6; ++i) {
    senders.emplace_back([&] {
      RawPeer peer(server.port());
      for (int n = 0; n < 10; ++n) {
        std::thread reader([&] {
          const auto answer = peer.receive();
          if (answer && answer->body.size() == static_cast<std::size_t>(kMiB)) ++answered;
        });
        peer.send(request_frame(1, n, std::string(kMiB, 'x')));
        reader.join();
      }
    });
  }
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(answered.load(), 60);
  EXPECT_EQ(server.network.counters().dropped_for_budget, 0);
}

// A peer that takes no answers is not read until it does; its answers are all there then.
TEST(Budgets, DoNotReadAPeerThatTakesNoAnswers) {
  Server server(echo);
  server.start();
  constexpr int kRequests = 800;
  RawPeer lazy(server.port());
  std::thread sender([&] {
    const std::string body(64 * 1024, 'x');
    for (int i = 0; i < kRequests; ++i) lazy.send(request_frame(1, i, body));
  });
  RawPeer other(server.port());
  while (server.network.counters().unsent_bytes < kMiB) ASSERT_EQ(other.call(2).code, 2);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(other.call(2).code, 2);
    EXPECT_LE(server.network.counters().unsent_bytes, kMiB + 128 * 1024);  // one answer may pass the mark
  }
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = lazy.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->opaque, i);
  }
  sender.join();
  EXPECT_EQ(server.network.counters().dropped_for_budget, 0);
}

// Requests of one read whose answers are large: they are handled as the answers leave, and none is lost.
TEST(Budgets, AnswerInPortionsWhatOneReadAsksFor) {
  const auto body = std::make_shared<std::string>(4 * kMiB, 'p');
  Server server([&](const Request& request, Reply reply) {
    if (request.header.code == 2) return echo(request, std::move(reply));
    protocol::Body pieces;
    pieces.append(body, bytes_of(*body));
    reply(protocol::ok().with_body(std::move(pieces)));
  });
  server.start();
  RawPeer peer(server.port());
  RawPeer other(server.port());
  std::string frames;
  for (int n = 0; n < 30; ++n) frames += request_frame(1, n);
  peer.send(frames + frames.substr(0, 50));  // a cut frame behind them
  for (int n = 0; n < 30; ++n) {
    ASSERT_EQ(other.call(2).code, 2);
    EXPECT_LE(server.network.counters().unsent_bytes, 5 * kMiB + kMiB / 2);
    const auto answer = peer.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->opaque, n);
    EXPECT_EQ(answer->body.size(), body->size());
  }
  peer.send(frames.substr(50, request_frame(1, 0).size() - 50));
  EXPECT_TRUE(peer.receive());
}

// Answers that nobody takes, of many connections: above the limit the largest go, others are served.
TEST(Budgets, DropTheLargestHoldersOfUnsentAnswers) {
  auto options = default_options(1);
  options.unsent_bytes_max = 16 * kMiB;
  Server server(
      [](const Request& request, Reply reply) {
        if (request.header.code == 2) return echo(request, std::move(reply));
        // Far more than asked, as a pull answers, and in pieces that are not copied.
        static const auto body = std::make_shared<std::string>(kMiB, 'p');
        protocol::Body pieces;
        for (int i = 0; i < 4; ++i) pieces.append(body, bytes_of(*body));
        reply(protocol::ok().with_body(std::move(pieces)));
      },
      options);
  server.start();
  std::vector<RawPeer> peers;
  RawPeer other(server.port());
  for (int i = 0; i < 12; ++i) {
    peers.emplace_back(server.port());
    std::string frames;
    for (int n = 0; n < 4; ++n) frames += request_frame(1, n);
    peers.back().send(frames);
    // The first answer leaves with the turn, the second one after that turn has been looked at.
    ASSERT_EQ(other.call(2).code, 2);
    ASSERT_EQ(other.call(2).code, 2);
    EXPECT_LE(server.network.counters().unsent_bytes, 16 * kMiB);
  }
  EXPECT_GT(server.network.counters().dropped_for_budget, 0);
}

}  // namespace
}  // namespace tern::remoting
