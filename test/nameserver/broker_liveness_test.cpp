#include "nameserver/broker_liveness.hpp"

#include <gmock/gmock.h>

#include "nameserver/nameserver_fixture.hpp"

namespace tern::nameserver {
namespace {

using test::FakePeer;
using test::registration;
using test::SentNotice;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

class BrokerLivenessTest : public test::NameserverFixture {
 protected:
  [[nodiscard]] static auto to(const std::string& address, const std::string& fields) {
    return AllOf(Field(&SentNotice::address, address), Field(&SentNotice::code, 905),
                 Field(&SentNotice::fields, fields));
  }
};

TEST_F(BrokerLivenessTest, ClosesTheConnectionOfABrokerThatFallsSilent) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  clock.advance_ms(120'000);
  EXPECT_EQ(liveness.step(), 0U);
  EXPECT_TRUE(peer->is_open());
  clock.advance_ms(1);
  EXPECT_EQ(liveness.step(), 1U);
  EXPECT_FALSE(peer->is_open());
  EXPECT_FALSE(table.route("T"));
  liveness.connection_closed(peer);
}

TEST_F(BrokerLivenessTest, DoesNotExpireBrokersWhenSomebodySetsTheTime) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  clock.set_wall_ms(clock.wall_ms() + 1'000'000'000);
  EXPECT_EQ(liveness.step(), 0U);
}

TEST_F(BrokerLivenessTest, RemovesABrokerAtOnceWhenItsConnectionEnds) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  liveness.connection_closed(FakePeer::make());
  EXPECT_TRUE(table.route("T"));
  liveness.connection_closed(peer);
  EXPECT_FALSE(table.route("T"));
}

TEST_F(BrokerLivenessTest, TellsNobodyOfANewMinimumUnlessAskedTo) {
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"T", "U"}));
  liveness.unregister({"c", "b", "1:1", 0});
  EXPECT_THAT(notices_sent, IsEmpty());
}

TEST_F(BrokerLivenessTest, TellsAllWhoAreLeftThatTheSmallestIdHasGone) {
  options.notify_min_broker_id_changed.set(true);
  add(registration("b", 0, "1:1", {"T", "U"}));
  add(registration("b", 1, "1:2", {"T", "U"}));
  add(registration("b", 2, "1:3", {"T", "U"}));
  liveness.unregister({"c", "b", "1:1", 0});
  const std::string fields = R"("minBrokerId":"1","brokerName":"b","minBrokerAddr":"1:2","offlineBrokerAddr":"1:1")";
  EXPECT_THAT(notices_sent, ElementsAre(to("1:2", fields), to("1:3", fields)));
}

TEST_F(BrokerLivenessTest, TellsTheOthersThatASmallerIdHasCome) {
  options.notify_min_broker_id_changed.set(true);
  add(registration("b", 1, "1:2", {"T", "U"}));
  const auto came = add(registration("b", 0, "1:1", {"T", "U"}));
  ASSERT_TRUE(came.minimum_change);
  notices.announce(*came.minimum_change);
  EXPECT_THAT(notices_sent, ElementsAre(to("1:2", R"("minBrokerId":"0","brokerName":"b","minBrokerAddr":"1:1",)"
                                                  R"("haBrokerAddr":"1:1/ha")")));
}

}  // namespace
}  // namespace tern::nameserver
