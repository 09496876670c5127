#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using protocol::RequestCode;

class ConnectionsTest : public test::BrokerFixture {};

TEST_F(ConnectionsTest, SayWhichBrokerKnowsTheTopicsOfAGroup) {
  offsets.commit("g", "T", 0, 5);
  EXPECT_EQ(ask(RequestCode::kQueryTopicsByConsumer, {{"group", "g"}})->body(),
            R"({"brokerAddr":"10.0.0.1:10911","topicList":["T"]})");
}

}  // namespace
}  // namespace tern::broker
