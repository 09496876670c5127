#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using protocol::RequestCode;

class ConsumeStatsTest : public test::BrokerFixture {
 protected:
  protocol::Json stats_of(const std::string& topic) {
    const auto answer = ask(RequestCode::kGetConsumeStats, {{"consumerGroup", "g"}, {"topic", topic}});
    EXPECT_EQ(answer->code(), 0) << answer->remark();
    const auto body = protocol::parse_json(answer->body());
    return body ? body->at("offsetTable") : protocol::Json();
  }
};

TEST_F(ConsumeStatsTest, TakeWhatIsCommittedForPulled) {
  make_topic("T", 1);
  offsets.commit("g", "T", 0, 5);
  offsets.pulled("g", "T", 0, 3);
  EXPECT_EQ(stats_of("T").front()["pullOffset"], 5);
  offsets.pulled("g", "T", 0, 8);
  EXPECT_EQ(stats_of("T").front()["pullOffset"], 8);
}

TEST_F(ConsumeStatsTest, AreThoseOfTheListIfThereIsOne) {
  make_topic("T", 1);
  make_topic("other", 1);
  const auto answer =
      ask(RequestCode::kGetConsumeStats, {{"consumerGroup", "g"}, {"topic", "other"}, {"topicList", "T"}});
  EXPECT_EQ(answer->body().find("other"), std::string::npos);
  EXPECT_NE(answer->body().find("\"topic\":\"T\""), std::string::npos) << answer->body();
}

TEST_F(ConsumeStatsTest, LeaveOutWhatAGroupThatIsOnlineDoesNotSubscribeTo) {
  make_topic("T", 1);
  make_topic("other", 1);
  EXPECT_EQ(stats_of("other").size(), 1U) << "nobody is online";
  ask(RequestCode::kHeartBeat, {},
      R"({"clientID":"c","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"T","subString":"*"}]}]})");
  EXPECT_EQ(stats_of("T").size(), 1U);
  EXPECT_EQ(stats_of("other").size(), 0U);
}

}  // namespace
}  // namespace tern::broker
