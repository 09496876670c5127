#include "remoting/out_queue.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tern::remoting {
namespace {

std::string text_of(const OutQueue& queue, std::size_t pieces_max = 1000) {
  std::vector<iovec> pieces(pieces_max);
  std::size_t total = 0;
  const std::size_t count = queue.gather(pieces.data(), pieces.size(), &total);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  EXPECT_EQ(text.size(), total);
  return text;
}

std::size_t pieces_of(const OutQueue& queue) {
  iovec pieces[100];
  std::size_t total = 0;
  return queue.gather(pieces, 100, &total);
}

TEST(OutQueue, JoinsSmallAnswersToOnePiece) {
  OutQueue queue;
  for (int i = 0; i < 10; ++i) queue.push("head ", protocol::Body(std::string("body ")));
  EXPECT_EQ(pieces_of(queue), 1U);
  EXPECT_EQ(queue.size(), 100U);
}

TEST(OutQueue, LeavesLargeBodiesWhereTheyAre) {
  const auto body = std::make_shared<std::string>(OutQueue::kCopyMaxBytes, 'x');
  OutQueue queue;
  protocol::Body pieces;
  pieces.append(body, std::as_bytes(std::span(*body)));
  queue.push("head", pieces);
  iovec out[4];
  std::size_t total = 0;
  ASSERT_EQ(queue.gather(out, 4, &total), 2U);
  EXPECT_EQ(out[1].iov_base, body->data());
  pieces = {};
  EXPECT_EQ(body.use_count(), 2);
  queue.consume(queue.size());
  EXPECT_EQ(body.use_count(), 1);  // released with its last byte
}

// Random pushes and partial sends against one string.
TEST(OutQueue, SendsWhatWasPushedInOrder) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  OutQueue queue;
  std::string expected;
  char next = 'a';
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0) {
      next = next == 'z' ? 'a' : static_cast<char>(next + 1);
      const std::string head(random() % 300 + 1, next);
      protocol::Body body;
      std::string body_text;
      for (auto pieces = random() % 3; pieces > 0; --pieces) {
        std::string piece(random() % 3000, static_cast<char>(next - 32));
        body_text += piece;
        body.append(std::move(piece));
      }
      EXPECT_EQ(queue.push(head, body), head.size() + body_text.size());
      expected += head + body_text;
    } else if (!expected.empty()) {
      // Mostly a little less than comes, so that it stays long for a while.
      const std::size_t sent = std::min<std::size_t>(random() % 3400, expected.size());
      ASSERT_EQ(text_of(queue, 3), expected.substr(0, text_of(queue, 3).size()));
      queue.consume(sent);
      expected.erase(0, sent);
    }
    ASSERT_EQ(queue.size(), expected.size());
    if (step % 500 == 0) {
      ASSERT_EQ(text_of(queue, 100'000), expected);
    }
  }
}

}  // namespace
}  // namespace tern::remoting
