// Stopping: what was asked is answered, then everything ends.
#include <future>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "remoting/loopback.hpp"

namespace tern::remoting {
namespace {

class StopTest : public testing::Test {
 protected:
  StopTest() {
    server_.start();
    peer_.emplace(server_.port());
    peer_->send(request_frame(1, 10));
    here_.get_future().wait();
  }
  std::promise<void> here_;
  Reply kept_;
  Server server_{[this](const Request&, Reply reply) {
    kept_ = std::move(reply);
    here_.set_value();
  }};
  std::optional<RawPeer> peer_;
};

TEST_F(StopTest, WaitsForADeferredReply) {
  std::thread stopping([&] { server_.stop(60'000); });
  kept_(protocol::ok().with_body(std::string(8'000'000, 'z')));
  const auto answer = peer_->receive();
  stopping.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), 8'000'000U);
  EXPECT_TRUE(peer_->is_closed());
}

TEST_F(StopTest, DoesNotWaitForAForgottenReply) {
  kept_.forget();
  server_.stop(600'000);
  EXPECT_TRUE(peer_->is_closed());
}

TEST_F(StopTest, EndsWithoutTheReplyWhenPatienceEnds) {
  server_.stop(1);
  EXPECT_TRUE(peer_->is_closed());
  kept_(protocol::ok());  // swallowed, though its network is stopped
}

TEST_F(StopTest, ReadsNoNewRequests) {
  server_.network.stop_accepting();
  std::promise<void> stopped;
  server_.network.post(0, [&] { stopped.set_value(); });
  stopped.get_future().wait();
  peer_->send(request_frame(2, 20));
  kept_(protocol::ok());
  const auto answer = peer_->receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->opaque, 10);
  server_.stop(60'000);
  EXPECT_TRUE(peer_->is_closed());
  EXPECT_EQ(server_.network.counters().requests, 1);
}

TEST(Stop, MayComeBeforeRun) {
  Server server(echo);
  server.network.stop(1000);
  server.start();  // returns at once
  server.stop();
}

// A reply that outlives the network it came from.
TEST(Stop, LeavesRepliesHarmless) {
  Reply kept;
  PeerPtr peer;
  {
    std::promise<void> here;
    Server server([&](const Request& request, Reply reply) {
      kept = std::move(reply);
      peer = request.peer;
      here.set_value();
    });
    server.start();
    RawPeer raw(server.port());
    raw.send(request_frame(1, 1));
    here.get_future().wait();
    server.stop(1);
  }
  kept(protocol::ok());
  peer->notify(protocol::ok());
  peer->close();
  EXPECT_FALSE(peer->is_open());
}

}  // namespace
}  // namespace tern::remoting
