// An administrator has producers asked again.

#include <gmock/gmock.h>

#include "broker/transaction/transaction_case.hpp"

namespace tern::broker {
namespace {

using test::kCommit;
using test::kRollback;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ResumeCheckTest : public test::TransactionCase {
 protected:
  test::AnswerPtr resume(std::int64_t position) {
    return ask(test::RequestCode::kResumeCheckHalfMessage,
               {{"msgId", message::offset_message_id(identity.store_host, position)}});
  }
  std::vector<test::StoredMessage> given_up() { return stored(message::kTransactionDiscardTopic); }
  /// Asked about as often as it may be, then given up.
  test::StoredMessage give_up(std::string_view body) {
    transaction_options.checks_max = 1;
    send_half(body, {{"UNIQ_KEY", "U1"}, {"TAGS", "A"}});
    clock.advance_ms(test::kTimeoutMs);
    for (int i = 0; i < 3; ++i) round();
    questions();
    EXPECT_THAT(given_up(), SizeIs(1));
    transaction_options.checks_max = 15;
    return given_up().back();
  }
};

TEST_F(ResumeCheckTest, AsksAgainAboutWhatWasGivenUp) {
  const auto discarded = give_up("m");
  round();
  EXPECT_TRUE(questions().empty());
  const auto answer = resume(discarded.position);
  EXPECT_EQ(answer->code(), 0) << answer->remark();
  const auto half = halves().back();
  EXPECT_EQ(half.body, "m");
  EXPECT_EQ(half.properties.at("TRANSACTION_CHECK_TIMES"), "0");
  EXPECT_EQ(half.properties.at("REAL_TOPIC"), "T");
  EXPECT_EQ(half.born_timestamp, discarded.born_timestamp);
  round();
  const auto asked = questions();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].message.body, "m");
  EXPECT_EQ(end(asked[0].half, kCommit)->code(), 0);
  EXPECT_EQ(bodies(stored("T")), std::vector<std::string>{"m"});
}

TEST_F(ResumeCheckTest, MakesNoSecondTransactionOfOneThatIsOpen) {
  const auto half = send_half("m", {{"UNIQ_KEY", "U1"}});
  EXPECT_EQ(resume(half.position)->code(), 0);
  ASSERT_THAT(halves(), SizeIs(2));
  const Half copy{halves().back().queue_offset, halves().back().position};
  EXPECT_EQ(end(half, kCommit)->code(), 0);
  EXPECT_EQ(end(copy, kCommit)->code(), 0);
  EXPECT_THAT(stored("T"), SizeIs(1));
  clock.advance_ms(test::kTimeoutMs);
  round();
  EXPECT_TRUE(questions().empty()) << "both have ended";
}

TEST_F(ResumeCheckTest, LeavesOneAloneThatHasBeenCommitted) {
  const auto half = send_half("m", {{"UNIQ_KEY", "U1"}});
  end(half, kCommit);
  const auto answer = resume(half.position);
  EXPECT_EQ(answer->code(), 1);
  EXPECT_THAT(answer->remark(), HasSubstr("has been committed"));
  EXPECT_THAT(halves(), SizeIs(1));
}

TEST_F(ResumeCheckTest, AsksAgainAboutOneThatWasRolledBack) {
  const auto half = send_half("m", {{"UNIQ_KEY", "U1"}});
  end(half, kRollback);
  marks();
  settle();
  round();
  EXPECT_EQ(resume(half.position)->code(), 0);
  clock.advance_ms(test::kTimeoutMs);
  round();
  EXPECT_THAT(questions(), SizeIs(1));
}

TEST_F(ResumeCheckTest, RefusesWhatIsNoHalfMessage) {
  send("T", "ordinary");
  const auto refused = resume(stored("T")[0].position);
  EXPECT_EQ(refused->code(), 1);
  EXPECT_THAT(refused->remark(), HasSubstr("there is no half message"));
  EXPECT_EQ(resume(123'456)->code(), 1);
  EXPECT_THAT(ask(test::RequestCode::kResumeCheckHalfMessage, {{"msgId", "x"}})->remark(), HasSubstr("msgId [x]"));
  EXPECT_EQ(ask(test::RequestCode::kResumeCheckHalfMessage, {})->code(), 1);
  EXPECT_TRUE(halves().empty());
}

}  // namespace
}  // namespace tern::broker
