#include "broker/statistics/statistics.hpp"

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::DoubleEq;

class StatisticsTest : public ::testing::Test {
 protected:
  void sample_every_ten_seconds(int times, std::int64_t more_each_time) {
    for (int i = 0; i < times; ++i) {
      clock.advance_ms(10'000);
      value += more_each_time;
      statistics.sample();
    }
  }
  StatisticsView view() { return statistics.find("N", "k").value(); }

  test::ManualClock clock;
  std::int64_t value = 0;
  bool is_there = true;
  bool began_at_zero = false;
  Statistics statistics{clock, [this] {
                          std::vector<Statistics::Reading> readings;
                          if (is_there) readings.push_back({"N", "k", value, began_at_zero});
                          return readings;
                        }};
};

TEST_F(StatisticsTest, KnowsNothingBeforeItHasLooked) {
  EXPECT_FALSE(statistics.find("N", "k"));
  EXPECT_EQ(statistics.rate("N", "k"), 0);
}

TEST_F(StatisticsTest, TellsWhatTheStoreHeldFromWhatCame) {
  value = 1'000'000;
  sample_every_ten_seconds(1, 0);
  EXPECT_EQ(view().minute.sum, 0);
  sample_every_ten_seconds(1, 50);
  EXPECT_EQ(view().minute.sum, 50);
  EXPECT_THAT(view().minute.per_second, DoubleEq(5));
  EXPECT_EQ(view().day.sum, 50);
}

TEST_F(StatisticsTest, CountsFromZeroWhatBeganWithTheProcess) {
  began_at_zero = true;
  value = 30;
  sample_every_ten_seconds(1, 0);
  EXPECT_EQ(view().minute.sum, 30);
  EXPECT_THAT(statistics.rate("N", "k"), DoubleEq(3));
}

TEST_F(StatisticsTest, CountsFromZeroWhatAppearsLater) {
  is_there = false;
  sample_every_ten_seconds(3, 0);
  is_there = true;
  sample_every_ten_seconds(1, 20);
  EXPECT_EQ(view().minute.sum, 20);
}

TEST_F(StatisticsTest, LooksBackAMinuteAnHourAndADay) {
  began_at_zero = true;
  sample_every_ten_seconds(6 * 60 * 30, 10);  // thirty hours
  EXPECT_EQ(view().minute.sum, 60);
  EXPECT_THAT(view().minute.per_second, DoubleEq(1));
  EXPECT_GE(view().hour.sum, 3600);
  EXPECT_LE(view().hour.sum, 3600 + 600);
  EXPECT_THAT(view().hour.per_second, DoubleEq(1));
  EXPECT_GE(view().day.sum, 24 * 3600);
  EXPECT_LE(view().day.sum, 25 * 3600);
  EXPECT_THAT(view().day.per_second, DoubleEq(1));
}

TEST_F(StatisticsTest, ForgetsWhatIsGoneAndBeginsAnewWithWhatIsSmaller) {
  value = 1000;
  sample_every_ten_seconds(3, 100);
  value = 0;
  sample_every_ten_seconds(1, 7);
  EXPECT_EQ(view().day.sum, 7);
  is_there = false;
  sample_every_ten_seconds(1, 0);
  EXPECT_FALSE(statistics.find("N", "k"));
}

class ViewStatisticsTest : public test::BrokerFixture {
 protected:
  test::AnswerPtr view(const std::string& name, const std::string& key) {
    return ask(RequestCode::kViewBrokerStatsData, {{"statsName", name}, {"statsKey", key}});
  }
  void ten_seconds_later() {
    clock.advance_ms(10'000);
    statistics.sample();
  }
};

TEST_F(ViewStatisticsTest, ShowsWhatTopicsAndGroupsDo) {
  ten_seconds_later();
  make_topic("T");
  for (int i = 0; i < 5; ++i) send("T");
  EXPECT_EQ(pull("T", 2)->code(), 0);
  ten_seconds_later();
  const auto five = R"({"avgpt":0.0,"sum":5,"tps":0.5})";
  EXPECT_EQ(view("TOPIC_PUT_NUMS", "T")->body(),
            std::string(R"({"statsDay":)") + five + R"(,"statsHour":)" + five + R"(,"statsMinute":)" + five + "}");
  EXPECT_THAT(view("GROUP_GET_NUMS", "T@g")->body(), ::testing::HasSubstr(R"("sum":3)"));
  EXPECT_EQ(view("GROUP_GET_SIZE", "T@g")->code(), 0);
  EXPECT_THAT(view("BROKER_GET_NUMS", "c")->body(), ::testing::HasSubstr(R"("sum":3)"));
  EXPECT_EQ(view("BROKER_PUT_NUMS", "c")->code(), 0);
  EXPECT_THAT(ask(RequestCode::kGetConsumeStats, {{"consumerGroup", "g"}, {"topic", "T"}})->body(),
              ::testing::HasSubstr(R"("consumeTps":0.3)"));
  EXPECT_THAT(ask(RequestCode::kGetTopicStatsInfo, {{"topic", "T"}})->body(),
              ::testing::HasSubstr(R"("topicPutTps":0.5)"));
  offsets.remove_topic("T");
  ten_seconds_later();
  EXPECT_EQ(view("GROUP_GET_NUMS", "T@g")->code(), 1);
}

TEST_F(ViewStatisticsTest, SaysWhatIsNotCounted) {
  const auto answer = view("TOPIC_PUT_SIZE", "T");
  EXPECT_EQ(answer->code(), 1);
  EXPECT_EQ(answer->remark(), "The stats <TOPIC_PUT_SIZE> <T> not exist");
  EXPECT_EQ(ask(RequestCode::kViewBrokerStatsData, {{"statsName", "x"}})->code(), 1);
}

}  // namespace
}  // namespace tern::broker
