// A real server, asked over real sockets. Where a test needs "the server has read this", it asks something on another
// connection of the same io thread: what was sent before is read no later than what was sent after.
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "remoting/loopback.hpp"
#include "support/manual_clock.hpp"

namespace tern::remoting {
namespace {

using protocol::HeaderType;

TEST(Network, AnswersAFrameCutAtEveryByteInBothCodecs) {
  Server server(echo);
  server.start();
  RawPeer pacer(server.port());
  for (const HeaderType type : {HeaderType::kJson, HeaderType::kRocketmq}) {
    RawPeer peer(server.port());
    const std::string frame = request_frame(34, 7, "a body", 0, type);
    for (std::size_t cut = 1; cut < frame.size(); ++cut) {
      peer.send(frame.substr(0, cut));
      pacer.call(1);
      peer.send(frame.substr(cut));
      const auto answer = peer.receive();
      ASSERT_TRUE(answer) << "cut at " << cut;
      EXPECT_EQ(answer->opaque, 7);
      EXPECT_EQ(answer->code, 34);
      EXPECT_EQ(answer->flag, protocol::kFlagResponse);
      EXPECT_EQ(answer->body, "a body");
      ASSERT_EQ(answer->fields.size(), 2U);
      EXPECT_EQ(answer->fields[1].value, "KEYS\1k\2TAGS\1\"t\"\2");
    }
  }
  EXPECT_EQ(server.network.counters().receiving_bytes, 0);
}

TEST(Network, AnswersManyFramesOfOneWriteWithOneWrite) {
  std::string order;  // of the io thread's calls
  std::vector<std::int64_t> received_ns;
  Server server([&](const Request& request, Reply reply) {
    order += 'r';
    received_ns.push_back(request.received_ns);
    echo(request, std::move(reply));
  });
  server.handler.on_end_of_turn = [&](std::size_t) {
    if (!order.empty() && order.back() == 'r') order += 'e';
  };
  server.start();
  RawPeer peer(server.port());
  std::string frames;
  for (int i = 0; i < 50; ++i) frames += request_frame(34, i, "body");
  peer.send(frames);
  const auto answers = peer.receive_one_read();
  ASSERT_EQ(answers.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)].opaque, i);
  server.stop();
  EXPECT_EQ(order, std::string(50, 'r') + 'e');
  EXPECT_THAT(received_ns, testing::Each(received_ns.front()));
}

TEST(Network, KeepsViewsUntilTheTurnEnds) {
  struct Seen {
    std::string_view properties;  // escaped in JSON: such a text has no place of its own in the frame
    std::string_view body;
  };
  std::vector<Seen> seen;
  std::vector<std::pair<std::string, std::string>> at_end_of_turn;
  Server server([&](const Request& request, Reply reply) {
    seen.push_back({*request.header.find("properties"), request.body_text()});
    reply(protocol::ok());
  });
  server.handler.on_end_of_turn = [&](std::size_t) {
    for (const auto& one : seen) at_end_of_turn.emplace_back(one.properties, one.body);
    seen.clear();
  };
  server.start();
  RawPeer peer(server.port());
  std::string frames;
  std::vector<std::pair<std::string, std::string>> expected;
  for (int i = 0; i < 200; ++i) {
    expected.emplace_back("KEYS\1" + std::to_string(i) + "\2", std::string(static_cast<std::size_t>(i), 'b'));
    const std::vector<protocol::NamedField> fields{{"properties", expected.back().first}};
    frames += protocol::encode_frame(HeaderType::kJson, 10, 0, i, fields, bytes_of(expected.back().second));
  }
  // One frame that is longer than a read, so that it is put together in memory of its own.
  expected.emplace_back("KEYS\1large\2", std::string(2'000'000, 'L'));
  const std::vector<protocol::NamedField> fields{{"properties", expected.back().first}};
  frames += protocol::encode_frame(HeaderType::kJson, 10, 0, 200, fields, bytes_of(expected.back().second));
  peer.send(frames);
  for (int i = 0; i <= 200; ++i) ASSERT_TRUE(peer.receive());
  server.stop();
  EXPECT_EQ(at_end_of_turn, expected);
}

TEST(Network, EchoesTheLargestFrame) {
  Server server(echo);
  server.start();
  const std::size_t overhead = request_frame(1, 5, {}).size();
  std::string body(16'777'216 - overhead, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31);
  RawPeer peer(server.port());
  std::thread sender([&] { peer.send(request_frame(1, 5, body) + request_frame(2, 6, "next")); });
  const auto large = peer.receive();
  const auto next = peer.receive();
  sender.join();
  ASSERT_TRUE(large && next);
  EXPECT_TRUE(large->body == body);
  EXPECT_EQ(next->body, "next");
  server.stop();
  EXPECT_EQ(server.network.counters().receiving_bytes, 0);
  EXPECT_EQ(server.network.counters().unsent_bytes, 0);
}

TEST(Network, SendsRepliesFromOtherThreadsInAnyOrder) {
  std::mutex mutex;
  std::vector<Reply> kept;
  std::promise<void> all_here;
  Server server(
      [&](const Request& request, Reply reply) {
        if (request.header.code != 11) return echo(request, std::move(reply));
        const std::lock_guard lock(mutex);
        kept.push_back(std::move(reply));
        if (kept.size() == 100) all_here.set_value();
      },
      default_options(2));
  server.start();
  std::vector<RawPeer> peers;
  for (int i = 0; i < 4; ++i) peers.emplace_back(server.port());
  for (auto& peer : peers) {
    std::string frames;
    for (int i = 0; i < 25; ++i) frames += request_frame(11, i);
    peer.send(frames);
  }
  all_here.get_future().wait();
  std::thread answering([&] {
    const std::lock_guard lock(mutex);
    while (!kept.empty()) {
      auto reply = std::move(kept.back());
      kept.pop_back();
      reply(protocol::ok().with_body(std::string(2000, 'x')));
    }
  });
  answering.join();
  for (auto& peer : peers) {
    for (int i = 24; i >= 0; --i) {
      const auto answer = peer.receive();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->opaque, i);
      EXPECT_EQ(answer->body.size(), 2000U);
    }
  }
}

TEST(Network, NeverAnswersOneWayRequests) {
  std::atomic<int> one_way{0};
  Server server([&](const Request& request, Reply reply) {
    if (request.header.is_one_way()) ++one_way;
    if (request.header.code == 2) return;  // destroyed unanswered
    echo(request, std::move(reply));
  });
  server.start();
  RawPeer peer(server.port());
  peer.send(request_frame(1, 1, {}, protocol::kFlagOneWay) + request_frame(2, 2, {}, protocol::kFlagOneWay) +
            request_frame(3, 3));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->opaque, 3);
  EXPECT_EQ(one_way.load(), 2);
}

TEST(Network, AnswersSystemErrorForADroppedReply) {
  Server server([](const Request&, Reply) {});
  server.start();
  RawPeer peer(server.port());
  EXPECT_EQ(peer.call(1).code, static_cast<int>(protocol::ResponseCode::kSystemError));
}

TEST(Network, AnswersARequestWithoutOpaqueWithANumberOfItsOwn) {
  Server server(echo);
  server.start();
  RawPeer peer(server.port());
  const std::string header = R"({"code":5,"flag":0,"language":"JAVA","version":0})";
  std::string frame;
  for (const std::size_t number : {4 + header.size(), header.size()}) {
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(number >> shift);
  }
  peer.send(frame + header);
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 5);
}

TEST(Network, IgnoresAnswersNobodyAskedFor) {
  Server server(echo);
  server.start();
  RawPeer peer(server.port());
  peer.send(request_frame(0, 77, {}, protocol::kFlagResponse));
  EXPECT_EQ(peer.call(9).code, 9);
  EXPECT_EQ(server.network.counters().requests, 1);
}

TEST(Network, CallsAPeerOverItsOwnConnection) {
  AnswerFuture future;
  Server server([&](const Request& request, Reply reply) {
    request.peer->call(protocol::request(protocol::RequestCode::kCheckTransactionState).field("a", 1), 20'000,
                       future.handler());
    request.peer->notify(protocol::request(protocol::RequestCode::kNotifyConsumerIdsChanged));
    reply(protocol::ok());
  });
  server.start();
  RawPeer peer(server.port());
  peer.send(request_frame(34, 0));  // the same number that the server's own first request has
  const auto call = peer.receive();
  const auto notice = peer.receive();
  const auto answer = peer.receive();
  ASSERT_TRUE(call && notice && answer);
  EXPECT_EQ(call->code, 39);
  EXPECT_EQ(call->flag, 0);
  EXPECT_EQ(notice->flag, protocol::kFlagOneWay);
  EXPECT_EQ(answer->flag, protocol::kFlagResponse);
  const std::vector<protocol::NamedField> fields{{"k", "old"}, {"k", "v"}};
  peer.send(protocol::encode_frame(HeaderType::kJson, 0, protocol::kFlagResponse, call->opaque, fields,
                                   bytes_of("state"), 413, "fine"));
  const auto got = future.get();
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->ok());
  EXPECT_EQ(got->version, 413);
  EXPECT_EQ(got->remark, "fine");
  EXPECT_EQ(got->find("k"), "v");
  EXPECT_EQ(got->find("absent"), std::nullopt);
  EXPECT_EQ(got->body, "state");
}

TEST(Network, FailsCallsWhenThePeerGoes) {
  AnswerFuture future;
  Server server([&](const Request& request, Reply) {
    request.peer->call(protocol::request(protocol::RequestCode::kGetConsumerRunningInfo), 60'000, future.handler());
  });
  server.start();
  {
    RawPeer peer(server.port());
    peer.send(request_frame(34, 0));
    ASSERT_TRUE(peer.receive());
  }
  const auto got = future.get();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, make_error_code(Errc::kClosed));
}

TEST(Network, TellsOncePerPeerThatItIsGone) {
  Server server(echo, default_options(2));
  server.start();
  {
    std::vector<RawPeer> peers;
    for (int i = 0; i < 20; ++i) peers.emplace_back(server.port());
    for (auto& peer : peers) peer.call(1);
    peers[0].close();
    peers[1].send("\xff\xff\xff\xff");
    peers[2].shut_down_sending();
    EXPECT_TRUE(peers[1].is_closed());
    EXPECT_TRUE(peers[2].is_closed());
    server.stop();  // ends the others
  }
  const auto seen = server.handler.seen();
  const auto closed = server.handler.closed();
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_EQ(closed, std::multiset<std::uint64_t>(seen.begin(), seen.end()));
  EXPECT_EQ(server.network.counters().connections, 0);
  EXPECT_EQ(server.network.counters().accepted, 20);
}

TEST(Network, ClosesAPeerAfterItsAnswer) {
  PeerPtr kept;
  Server server([&](const Request& request, Reply reply) {
    kept = request.peer;
    request.peer->close();
    echo(request, std::move(reply));
  });
  server.start();
  RawPeer peer(server.port());
  EXPECT_EQ(peer.call(3).code, 3);
  EXPECT_TRUE(peer.is_closed());
  server.stop();
  EXPECT_FALSE(kept->is_open());
  kept->notify(protocol::ok());  // swallowed
  AnswerFuture future;
  kept->call(protocol::ok(), 1000, future.handler());
  EXPECT_FALSE(future.get());
}

TEST(Network, AnswersWhatCameRightBeforeTheEnd) {
  Server server(echo);
  server.start();
  RawPeer peer(server.port());
  peer.send(request_frame(4, 1));
  peer.shut_down_sending();
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(peer.is_closed());
}

TEST(Network, ClosesIdleConnections) {
  test::ManualClock clock;
  Server server(echo, default_options(), &clock);
  server.start();
  RawPeer peer(server.port());
  peer.call(1);
  clock.advance_ms(121'000);
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(server.network.counters().idle_closed, 1);
}

TEST(Network, RefusesConnectionsAboveTheLimit) {
  auto options = default_options();
  options.connections_max = 2;
  Server server(echo, options);
  server.start();
  RawPeer first(server.port());
  RawPeer second(server.port());
  first.call(1);
  second.call(1);
  RawPeer third(server.port());
  EXPECT_TRUE(third.is_closed());
  EXPECT_EQ(first.call(2).code, 2);
  EXPECT_EQ(server.network.counters().refused_connections, 1);
  EXPECT_EQ(server.network.counters().connections, 2);
}

TEST(Network, SaysWhyItCannotListen) {
  Server server(echo);
  server.start();
  Server other(echo);
  const auto in_use = other.network.listen("127.0.0.1", server.port(), Listener::kMain, other.handler);
  ASSERT_FALSE(in_use);
  EXPECT_EQ(in_use.error().code.value(), EADDRINUSE);
  EXPECT_FALSE(other.network.listen("no address", 0, Listener::kMain, other.handler));
}

TEST(Network, ListensOnEveryInterfaceAndOnIpv6) {
  Server server(echo);
  const auto any = server.network.listen("", 0, Listener::kFast, server.handler);
  ASSERT_TRUE(any);
  const auto v6 = server.network.listen("::1", 0, Listener::kFast, server.handler);
  server.start();
  RawPeer peer(*any);
  EXPECT_EQ(peer.call(1).code, 1);
  if (!v6) GTEST_SKIP() << "no IPv6 here";
  std::promise<Result<PeerPtr>> connected;
  server.network.connect("[::1]:" + std::to_string(*v6), 10'000,
                         [&](Result<PeerPtr> result) { connected.set_value(std::move(result)); });
  const auto peer_v6 = connected.get_future().get();
  ASSERT_TRUE(peer_v6);
  EXPECT_EQ((*peer_v6)->remote_text(), "[::1]:" + std::to_string(*v6));
}

TEST(Network, TellsListenersApart) {
  std::atomic<int> fast{0};
  Server server([&](const Request& request, Reply reply) {
    if (request.listener == Listener::kFast) ++fast;
    echo(request, std::move(reply));
  });
  const auto port = server.network.listen("127.0.0.1", 0, Listener::kFast, server.handler);
  ASSERT_TRUE(port);
  server.start();
  RawPeer(server.port()).call(1);
  EXPECT_EQ(fast.load(), 0);
  RawPeer(*port).call(1);
  EXPECT_EQ(fast.load(), 1);
}

TEST(Network, SpreadsConnectionsOverItsThreads) {
  std::mutex mutex;
  std::map<std::size_t, int> by_thread;
  Server server(
      [&](const Request& request, Reply reply) {
        {
          const std::lock_guard lock(mutex);
          EXPECT_EQ(request.io_thread, request.peer->io_thread());
          ++by_thread[request.io_thread];
        }
        echo(request, std::move(reply));
      },
      default_options(3));
  server.start();
  std::vector<RawPeer> peers;
  for (int i = 0; i < 9; ++i) {
    peers.emplace_back(server.port());
    peers.back().call(1);
  }
  server.stop();
  EXPECT_EQ(by_thread, (std::map<std::size_t, int>{{0, 3}, {1, 3}, {2, 3}}));
}

TEST(Network, RunsPostedWorkInOrderAndRepeatedWork) {
  Server server(echo);
  std::promise<void> repeated;
  int times = 0;
  server.network.every(0, 1, [&] {
    if (++times == 3) repeated.set_value();
  });
  server.start();
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 1000; ++i) server.network.post(0, [&order, i] { order.push_back(i); });
  server.network.after(0, 1, [&] { done.set_value(); });
  done.get_future().wait();
  repeated.get_future().wait();
  server.stop();
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  server.network.post(0, [] { FAIL() << "after the end"; });
}

// Work that posts itself again is one step per turn, and keeps no answer from leaving.
TEST(Network, ServesOthersWhileWorkPostsItself) {
  Server server(echo);
  server.start();
  std::atomic<bool> go_on{true};
  std::function<void()> again = [&] {
    if (go_on) server.network.post(0, again);
  };
  server.network.post(0, again);
  RawPeer peer(server.port());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(peer.call(i).code, i);
  go_on = false;
  server.stop();
}

}  // namespace
}  // namespace tern::remoting
