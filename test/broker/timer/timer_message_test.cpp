#include "broker/timer/timer_message.hpp"

#include <gmock/gmock.h>

#include "broker/timer/timer_case.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kStart = 1'700'000'000'000;

/// Sends with a time, through the whole of a send.
class TimedSendTest : public test::TimerCase {
 protected:
  std::string out_of(const test::Fields& properties) {
    const auto before = stored("rmq_sys_wheel_timer").size();
    const auto answer = send("T", "m", properties);
    EXPECT_EQ(answer->code(), 0) << answer->remark();
    const auto all = stored("rmq_sys_wheel_timer");
    return all.size() == before + 1 ? all.back().properties.at("TIMER_OUT_MS") : "not timed";
  }
};

TEST_F(TimedSendTest, WaitsInTheTimersTopic) {
  const auto answer =
      send("T", "m", {{"TIMER_DELIVER_MS", std::to_string(kStart + 12'345)}, {"TAGS", "A"}}, {{"queueId", "2"}});
  ASSERT_EQ(answer->code(), 0);
  EXPECT_EQ(answer->field("queueId"), "2");
  EXPECT_THAT(delivered(), IsEmpty());
  ASSERT_THAT(stored("rmq_sys_wheel_timer"), SizeIs(1));
  const auto message = stored("rmq_sys_wheel_timer").front();
  EXPECT_EQ(message.properties.at("TIMER_OUT_MS"), std::to_string(kStart + 12'300));
  EXPECT_EQ(message.properties.at("TIMER_DELIVER_MS"), std::to_string(kStart + 12'345));
  EXPECT_EQ(message.properties.at("REAL_TOPIC"), "T");
  EXPECT_EQ(message.properties.at("REAL_QID"), "2");
  EXPECT_EQ(message.properties.at("TAGS"), "A");
}

TEST_F(TimedSendTest, TakesTheFirstOfThreeProperties) {
  const auto at = [](std::int64_t ms) { return std::to_string(kStart + ms); };
  EXPECT_EQ(out_of({{"TIMER_DELAY_SEC", "7"}, {"TIMER_DELAY_MS", "5000"}, {"TIMER_DELIVER_MS", at(9'000)}}), at(6'900));
  EXPECT_EQ(out_of({{"TIMER_DELAY_MS", "5000"}, {"TIMER_DELIVER_MS", at(9'000)}}), at(4'900));
  EXPECT_EQ(out_of({{"TIMER_DELIVER_MS", at(9'050)}}), at(9'000));
  EXPECT_EQ(out_of({{"TIMER_DELAY_MS", "+5000"}}), at(4'900));
}

TEST_F(TimedSendTest, IsAnOrdinaryMessageIfItsTimeIsOver) {
  for (const auto& [name, value] : test::Fields{{"TIMER_DELAY_SEC", "0"},
                                                {"TIMER_DELAY_MS", "-1"},
                                                {"TIMER_DELIVER_MS", "5"},
                                                {"TIMER_DELIVER_MS", std::to_string(INT64_MIN)},
                                                {"TIMER_DELIVER_MS", std::to_string(kStart)}}) {
    EXPECT_EQ(out_of({{name, value}}), "not timed") << name << value;
  }
  EXPECT_THAT(delivered(), SizeIs(5));
}

TEST_F(TimedSendTest, HasWaitedIfItSaysSo) {
  EXPECT_EQ(out_of({{"TIMER_DELAY_SEC", "7"}, {"TIMER_OUT_MS", "5"}}), "not timed");
}

TEST_F(TimedSendTest, IsRefusedForATimeThatIsNone) {
  for (const std::string text : {"soon", "1.5", "9223372036854775808", "5 ", "0x5", "+", "-"}) {
    const auto answer = send("T", "m", {{"TIMER_DELAY_MS", text}});
    EXPECT_EQ(answer->code(), 13) << text;
    EXPECT_THAT(answer->remark(), HasSubstr("timer message illegal, the delay time should not be bigger"));
    EXPECT_THAT(answer->remark(), HasSubstr("is no time"));
  }
  EXPECT_EQ(send("T", "m", {{"TIMER_DELAY_SEC", std::to_string(INT64_MAX)}})->code(), 13);
  EXPECT_EQ(send("T", "m", {{"TIMER_DELAY_MS", std::to_string(INT64_MAX)}})->code(), 13);
}

TEST_F(TimedSendTest, IsNotLimitedUnlessItIsConfigured) {
  EXPECT_NE(out_of({{"TIMER_DELAY_SEC", std::to_string(10 * 366 * 86'400)}}), "not timed");
  EXPECT_EQ(send("T", "m", {{"TIMER_DELIVER_MS", std::to_string(INT64_MAX)}})->code(), 13) << "a hundred years";
  timer_options.max_delay_seconds = 259'200;
  EXPECT_NE(out_of({{"TIMER_DELAY_SEC", "259200"}}), "not timed");
  const auto answer = send("T", "m", {{"TIMER_DELAY_MS", "259200001"}});
  EXPECT_EQ(answer->code(), 13);
  EXPECT_THAT(answer->remark(), HasSubstr("bigger than the max delay 259200000ms"));
}

TEST_F(TimedSendTest, IsRefusedIfItCancelsWhatIsOver) {
  EXPECT_EQ(send("T", "m", {{"TIMER_DELAY_MS", "-1"}, {"TIMER_DEL_UNIQKEY", "T+k"}})->code(), 13);
}

TEST_F(TimedSendTest, IsRefusedIfTimersAreOff) {
  timer_options.is_enabled = false;
  const auto answer = send("T", "m", {{"TIMER_DELAY_MS", "5000"}});
  EXPECT_EQ(answer->code(), 1);
  EXPECT_EQ(answer->remark(), "accurate timer message is not enabled, timerWheelEnable is false");
}

TEST_F(TimedSendTest, IsNoTransaction) {
  EXPECT_EQ(send("T", "m", {{"TIMER_DELAY_MS", "5000"}, {"TRAN_MSG", "true"}, {"PGROUP", "p"}})->code(), 13);
}

TEST_F(TimedSendTest, LeavesRoomForWhatTheBrokerAdds) {
  const auto with_size = [](std::size_t size) {
    return test::Fields{{"TIMER_DELAY_MS", "350000"}, {"UNIQ_KEY", "u"}, {"A", std::string(size, 'x')}};
  };
  std::size_t size = 32'767;
  while (send("T", "m", with_size(size))->code() != 0) size -= 1;
  settle();
  for (int i = 0; i < 3'600; ++i) {
    clock.advance_ms(100);
    step();
  }
  settle();
  ASSERT_THAT(stored("T"), SizeIs(1));
  EXPECT_EQ(stored("T").front().properties.at("A").size(), size);
  EXPECT_EQ(stored("T").front().properties.count("TIMER_ROLL_TIMES"), 1U);
}

}  // namespace
}  // namespace tern::broker
