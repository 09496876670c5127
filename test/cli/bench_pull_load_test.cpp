// The pulls of a load, against a server whose queues are lists of offsets.
#include "cli/bench_pull_load.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "remoting/loopback.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kQueueEnd = 100;
constexpr std::int64_t kBatch = 32;
constexpr std::int64_t kWaitNs = 1'000'000'000;

std::int64_t number_of_field(const remoting::Request& request, std::string_view key) {
  return number_field(request.header, key).value_or(-1);
}

/// Queues of kQueueEnd messages each; the body of an answer is one byte per message. Queue 9 is refused.
void serve(const remoting::Request& request, remoting::Reply reply) {
  const auto offset = number_of_field(request, "queueOffset");
  protocol::Response response;
  if (number_of_field(request, "queueId") == 9)
    return reply(protocol::refuse(protocol::ResponseCode::kTopicNotExist, "none"));
  const auto count = std::min(kBatch, kQueueEnd - offset);
  if (count <= 0) response.code = static_cast<std::int32_t>(protocol::ResponseCode::kPullNotFound);
  response.fields.add("nextBeginOffset", offset + std::max<std::int64_t>(count, 0));
  response.body = std::string(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)), 'm');
  reply(std::move(response));
}

class PullLoadTest : public testing::Test {
 protected:
  PullLoadTest() { server_.start(); }
  void start(PullLoad& load, std::vector<PullCursor> cursors, int connections = 1) {
    ASSERT_TRUE(connect_all(load.client(), server_.address(), connections));
    for (auto& cursor : cursors) {
      cursor.shape = load.add_shape(pull_template({.topic = "T"}, cursor.queue_id));
      load.add(cursor);
    }
    load.start();
  }
  PullLoad::OnFound count() {
    return [this](const PullCursor& cursor, std::span<const std::byte> body, std::int64_t) {
      messages_[cursor.queue_id] += static_cast<std::int64_t>(body.size());
    };
  }

  SystemClock clock_;
  remoting::Server server_{serve};
  std::map<int, std::int64_t> messages_;
};

TEST_F(PullLoadTest, ReadsEachQueueToItsEnd) {
  PullLoad load(clock_, AtEnd::kStop, count());
  start(load, {{.queue_id = 0}, {.queue_id = 1, .begin = 90, .connection = 1}, {.queue_id = 2, .begin = 10, .end = 42}},
        2);
  while (!load.is_finished()) load.step(kWaitNs);
  EXPECT_EQ(load.problem(), "");
  EXPECT_EQ(messages_, (std::map<int, std::int64_t>{{0, 100}, {1, 10}, {2, 32}}));
}

TEST_F(PullLoadTest, BeginsAgainWhereItBegan) {
  PullLoad load(clock_, AtEnd::kAgain, count());
  start(load, {{.queue_id = 0, .begin = 50}});
  while (messages_[0] < 150) load.step(kWaitNs);
  load.stop();
  while (!load.is_finished()) load.step(kWaitNs);
  EXPECT_EQ(load.problem(), "");
}

TEST_F(PullLoadTest, StopsAtARefusalAndSaysWhich) {
  PullLoad load(clock_, AtEnd::kStop, count());
  start(load, {{.queue_id = 9}});
  while (!load.is_finished()) load.step(kWaitNs);
  EXPECT_EQ(load.problem(), "queue 9: code 17, none");
}

TEST_F(PullLoadTest, EndsWithItsConnection) {
  PullLoad load(clock_, AtEnd::kAgain, count());
  start(load, {{.queue_id = 0}});
  server_.stop();
  while (!load.is_finished()) load.step(kWaitNs);
  EXPECT_NE(load.problem(), "");
}

}  // namespace
}  // namespace tern::cli
