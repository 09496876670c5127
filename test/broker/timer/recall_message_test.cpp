#include "broker/timer/recall_message.hpp"

#include <gmock/gmock.h>

#include "broker/timer/recall_handle.hpp"
#include "broker/timer/timer_case.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kStart = 1'700'000'000'000;

class RecallMessageTest : public test::TimerCase {
 protected:
  test::AnswerPtr recall_by(const std::string& handle, const std::string& topic = "T") {
    auto answer =
        begin(RequestCode::kRecallMessage, {{"producerGroup", "p"}, {"topic", topic}, {"recallHandle", handle}});
    run();
    flush();
    return answer;
  }
  std::string handle_at(std::int64_t deliver_ms, const std::string& broker = "b", const std::string& key = "k") {
    return RecallHandle{"T", broker, deliver_ms, key}.encode();
  }
};

TEST_F(RecallMessageTest, TakesAMessageBack) {
  const auto sent = send_in("m", 10'000, {{"UNIQ_KEY", "u"}});
  const auto other = send_in("other", 10'000, {{"UNIQ_KEY", "v"}});
  ASSERT_EQ(sent->field("recallHandle"), (RecallHandle{"T", "b", kStart + 9'901, "u"}.encode()));
  settle();
  clock.advance_ms(3'000);
  const auto answer = recall_by(sent->field("recallHandle"));
  EXPECT_EQ(answer->code(), 0) << answer->remark();
  EXPECT_EQ(answer->field("msgId"), "u");
  settle();
  clock.advance_ms(10'000);
  settle();
  EXPECT_THAT(delivered(), ElementsAre("other"));
}

TEST_F(RecallMessageTest, TakesBackWhatIsRolled) {
  const auto sent = send_in("m", 350'000, {{"UNIQ_KEY", "u"}});
  settle();
  clock.advance_ms(120'000);
  settle();
  EXPECT_EQ(recall_by(sent->field("recallHandle"))->code(), 0);
  for (int i = 0; i < 4'000; ++i) {
    clock.advance_ms(100);
    step();
  }
  settle();
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(timers->counts().waiting, 0);
}

TEST_F(RecallMessageTest, GivesNoHandleForWhatIsNotTimed) {
  EXPECT_EQ(send("T")->field("recallHandle"), "");
  EXPECT_EQ(send_in("due", -5)->field("recallHandle"), "");
  EXPECT_THAT(delivered(), ElementsAre("hello", "due"));
  EXPECT_EQ(send_at("retry", kStart + 5'000, {}, "%RETRY%g")->field("recallHandle"), "");
}

TEST_F(RecallMessageTest, IsRefusedUnlessAllowed) {
  timer_options.recall_enabled = false;
  const auto answer = recall_by(handle_at(kStart + 5'000));
  EXPECT_EQ(answer->code(), 16);
  EXPECT_EQ(answer->remark(), "recall failed, operation is forbidden");
}

TEST_F(RecallMessageTest, IsRefusedForAnUnknownTopic) {
  const auto answer = recall_by(handle_at(kStart + 5'000), "nowhere");
  EXPECT_EQ(answer->code(), 17);
  EXPECT_EQ(answer->remark(), "recall failed, the topic[nowhere] not exist");
}

TEST_F(RecallMessageTest, IsRefusedWithoutPermissionToWrite) {
  options.permission = 4;
  EXPECT_EQ(recall_by(handle_at(kStart + 5'000))->code(), 14);
}

TEST_F(RecallMessageTest, RefusesAForgedHandle) {
  make_topic("U");
  for (const auto& [handle, topic, remark] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"nonsense!", "T", "recall handle is invalid"},
           {handle_at(kStart + 5'000, "b", ""), "T", "recall handle is invalid"},
           {handle_at(kStart + 5'000), "U", "recall failed, topic not match"},
           {handle_at(kStart + 5'000, "another"), "T", "recall failed, broker service not available"},
           {handle_at(kStart), "T", "recall failed, timestamp invalid"},
           {handle_at(-5), "T", "recall failed, timestamp invalid"},
           {handle_at(INT64_MIN), "T", "recall failed, timestamp invalid"},
           {handle_at(INT64_MAX), "T", "recall failed, timestamp invalid"}}) {
    const auto answer = recall_by(handle, topic);
    EXPECT_EQ(answer->code(), 604) << handle;
    EXPECT_EQ(answer->remark(), remark);
  }
  EXPECT_THAT(stored("rmq_sys_wheel_timer"), IsEmpty());
}

TEST_F(RecallMessageTest, IsRefusedBeyondTheLongestDelay) {
  timer_options.max_delay_seconds = 60;
  EXPECT_EQ(recall_by(handle_at(kStart + 60'000))->code(), 604);
  EXPECT_EQ(recall_by(handle_at(kStart + 59'999))->code(), 0);
}

}  // namespace
}  // namespace tern::broker
