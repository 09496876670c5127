#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tern/remoting/request.hpp"

namespace tern::remoting {
namespace {

struct RecordingSink final : Reply::Sink {
  std::vector<std::pair<std::int32_t, std::int32_t>> answers;  // opaque, code
  int given_up = 0;
  void answer(std::int32_t opaque, protocol::Response response) override {
    answers.emplace_back(opaque, response.code);
  }
  void forgotten() override { ++given_up; }
};

class ReplyTest : public testing::Test {
 protected:
  const std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
  using Answers = std::vector<std::pair<std::int32_t, std::int32_t>>;
};

TEST_F(ReplyTest, AnswersOnce) {
  Reply reply(sink_, 7, false);
  EXPECT_TRUE(reply.pending());
  reply(protocol::refuse(protocol::ResponseCode::kNoPermission, "no"));
  EXPECT_FALSE(reply.pending());
  reply(protocol::ok());
  EXPECT_EQ(sink_->answers, (Answers{{7, 16}}));
}

TEST_F(ReplyTest, AnswersSystemErrorWhenDestroyed) {
  {
    const Reply reply(sink_, 7, false);
  }
  EXPECT_EQ(sink_->answers, (Answers{{7, 1}}));
}

TEST_F(ReplyTest, MovesTheRight) {
  Reply first(sink_, 1, false);
  Reply second(std::move(first));
  EXPECT_FALSE(first.pending());  // NOLINT(bugprone-use-after-move): that is the question
  Reply third(sink_, 3, false);
  third = std::move(second);  // what it owed is answered
  EXPECT_EQ(sink_->answers, (Answers{{3, 1}}));
  third(protocol::ok());
  EXPECT_EQ(sink_->answers, (Answers{{3, 1}, {1, 0}}));
}

TEST_F(ReplyTest, SwallowsAnswersToOneWayRequests) {
  Reply answered(sink_, 1, true);
  answered(protocol::ok());
  {
    const Reply destroyed(sink_, 2, true);
  }
  Reply given_up(sink_, 3, true);
  given_up.forget();
  EXPECT_TRUE(sink_->answers.empty());
  EXPECT_EQ(sink_->given_up, 0);
}

TEST_F(ReplyTest, TellsThatItIsForgotten) {
  Reply reply(sink_, 1, false);
  reply.forget();
  reply.forget();
  EXPECT_FALSE(reply.pending());
  EXPECT_TRUE(sink_->answers.empty());
  EXPECT_EQ(sink_->given_up, 1);
}

TEST_F(ReplyTest, OwesNothingWhenEmpty) {
  Reply reply;
  EXPECT_FALSE(reply.pending());
  reply(protocol::ok());
  reply.forget();
}

}  // namespace
}  // namespace tern::remoting
