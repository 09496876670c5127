#include "broker/clients/client_registry.hpp"

#include <gmock/gmock.h>

#include "tern/base/java_hash.hpp"

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ClientRegistryTest : public ::testing::Test {
 protected:
  static Subscription subscription(const std::string& topic, std::int64_t version = 1,
                                   const std::string& expression = "*") {
    auto made = *parse_subscription(topic, expression, "TAG");
    made.version = version;
    return made;
  }
  ClientInfo client(const std::string& id, const test::FakePeerPtr& peer) {
    return {id, peer, 0, 513, clock.steady_ms()};
  }
  bool join(const test::FakePeerPtr& peer, const std::vector<Subscription>& subscriptions,
            const std::string& group = "g", bool keeps_subscriptions = false) {
    ConsumerHeartbeat heartbeat;
    heartbeat.group = group;
    heartbeat.subscriptions = subscriptions;
    heartbeat.keeps_subscriptions = keeps_subscriptions;
    return registry.consumer_heartbeat(client("c" + std::to_string(peer->id()), peer), heartbeat);
  }

  test::ManualClock clock;
  ClientRegistry registry{clock};
  test::FakePeerPtr first = std::make_shared<test::FakePeer>(1);
  test::FakePeerPtr second = std::make_shared<test::FakePeer>(2);
};

TEST_F(ClientRegistryTest, SaysWhetherMembersOrTopicsChanged) {
  EXPECT_TRUE(join(first, {subscription("T")})) << "a new member";
  EXPECT_FALSE(join(first, {subscription("T")}));
  EXPECT_TRUE(join(second, {subscription("T")})) << "another member";
  EXPECT_TRUE(join(first, {subscription("T"), subscription("U")})) << "another topic";
  EXPECT_TRUE(join(first, {subscription("U")})) << "a topic less";
  EXPECT_FALSE(join(first, {subscription("U", 9, "A")})) << "another expression is no other topic";
}

TEST_F(ClientRegistryTest, FindsAProducerByItsIdWhateverItsGroups) {
  EXPECT_EQ(registry.find_producer("p"), nullptr);
  registry.producer_heartbeat(client("p", first), "a");
  registry.producer_heartbeat(client("p", first), "a");
  registry.producer_heartbeat(client("p", first), "b");
  EXPECT_EQ(registry.find_producer("p"), first);
  registry.producer_heartbeat(client("p", second), "a");
  EXPECT_EQ(registry.find_producer("p"), second) << "it has connected again";
  registry.unregister_producer("a", *second);
  EXPECT_EQ(registry.find_producer("p"), first);
  registry.unregister_producer("a", *first);
  EXPECT_EQ(registry.find_producer("p"), first) << "still of the other group";
  registry.unregister_producer("b", *first);
  registry.unregister_producer("b", *first);
  EXPECT_EQ(registry.find_producer("p"), nullptr);
}

TEST_F(ClientRegistryTest, ForgetsAProducerThatIsGoneOrHasAnotherId) {
  registry.producer_heartbeat(client("p", first), "a");
  registry.producer_heartbeat(client("p", first), "b");
  registry.producer_heartbeat(client("q", first), "b");
  EXPECT_EQ(registry.find_producer("p"), first);
  EXPECT_EQ(registry.find_producer("q"), first);
  registry.producer_heartbeat(client("q", first), "a");
  EXPECT_EQ(registry.find_producer("p"), nullptr);
  first->close();
  EXPECT_EQ(registry.find_producer("q"), nullptr) << "its connection is closed";
  registry.peer_closed(*first);
  EXPECT_EQ(registry.find_producer("q"), nullptr);
  registry.producer_heartbeat(client("q", second), "a");
  clock.advance_ms(120'001);
  registry.expire();
  EXPECT_EQ(registry.find_producer("q"), nullptr);
}

TEST_F(ClientRegistryTest, FindsAMemberByItsId) {
  join(first, {subscription("T")});
  EXPECT_EQ(registry.find_consumer("g", "c1")->peer, first);
  EXPECT_FALSE(registry.find_consumer("g", "c2"));
  EXPECT_FALSE(registry.find_consumer("h", "c1"));
}

TEST_F(ClientRegistryTest, ReplacesASubscriptionOnlyByALaterOne) {
  join(first, {subscription("T", 5, "A")});
  join(first, {subscription("T", 5, "B")});
  EXPECT_EQ(registry.find_subscription("g", "T")->expression, "A");
  join(first, {subscription("T", 6, "B")});
  EXPECT_EQ(registry.find_subscription("g", "T")->expression, "B");
  join(first, {subscription("T", 4, "C")});
  EXPECT_EQ(registry.find_subscription("g", "T")->expression, "B");
}

TEST_F(ClientRegistryTest, KeepsTheSubscriptionsOfAHeartbeatWithoutThem) {
  join(first, {subscription("T")});
  EXPECT_FALSE(join(first, {}, "g", /*keeps_subscriptions=*/true));
  EXPECT_NE(registry.find_subscription("g", "T"), nullptr);
  EXPECT_TRUE(join(first, {}, "g"));
  EXPECT_EQ(registry.find_subscription("g", "T"), nullptr);
}

TEST_F(ClientRegistryTest, ForgetsAGroupWithItsLastMember) {
  join(first, {subscription("T")});
  join(second, {subscription("T")});
  EXPECT_TRUE(registry.unregister_consumer("g", "c1", *first));
  EXPECT_FALSE(registry.unregister_consumer("g", "c1", *first));
  EXPECT_NE(registry.find_subscription("g", "T"), nullptr);
  EXPECT_TRUE(registry.unregister_consumer("g", "c2", *second));
  EXPECT_EQ(registry.find_subscription("g", "T"), nullptr);
  EXPECT_EQ(registry.consumer_group("g"), std::nullopt);
  EXPECT_THAT(registry.consumer_groups(), IsEmpty());
}

TEST_F(ClientRegistryTest, NamesTheGroupsThatAClosedConnectionLeaves) {
  join(first, {}, "g");
  join(first, {}, "h");
  join(second, {}, "i");
  registry.producer_heartbeat(client("c1", first), "p");
  EXPECT_THAT(registry.peer_closed(*first), UnorderedElementsAre("g", "h"));
  EXPECT_THAT(registry.producers("p"), IsEmpty());
  EXPECT_THAT(registry.consumer_groups(), ElementsAre("i"));
  EXPECT_THAT(registry.peer_closed(*first), IsEmpty());
}

TEST_F(ClientRegistryTest, ClosesWhoHasBeenSilentForTwoMinutes) {
  join(first, {}, "g");
  registry.producer_heartbeat(client("c1", first), "p");
  clock.advance_ms(60'000);
  join(second, {}, "g");
  clock.advance_ms(60'000);
  EXPECT_THAT(registry.expire(), IsEmpty());
  clock.advance_ms(1);
  EXPECT_THAT(registry.expire(), ElementsAre("g"));
  EXPECT_FALSE(first->is_open());
  EXPECT_TRUE(second->is_open());
  EXPECT_EQ(registry.members("g").size(), 1U);
  EXPECT_THAT(registry.producers("p"), IsEmpty());
}

TEST_F(ClientRegistryTest, RemembersOneFingerprintForEachGroup) {
  bool was_stored = true;
  EXPECT_FALSE(registry.exchange_fingerprint("g", 7, was_stored));
  EXPECT_FALSE(was_stored);
  EXPECT_FALSE(registry.exchange_fingerprint("g", 7, was_stored));
  EXPECT_TRUE(was_stored);
  EXPECT_TRUE(registry.exchange_fingerprint("g", 8, was_stored));
  EXPECT_TRUE(registry.exchange_fingerprint("g", 7, was_stored));
  EXPECT_FALSE(registry.exchange_fingerprint("h", 9, was_stored));
}

TEST(ParseSubscription, TakesEverythingForAStarOrNothing) {
  for (const char* expression : {"", "*", " "}) {
    const auto all = parse_subscription("T", expression, "TAG");
    ASSERT_TRUE(all) << expression;
    EXPECT_TRUE(all->codes.empty());
    EXPECT_TRUE(all->matches(java_hash("anything")));
  }
}

TEST(ParseSubscription, TrimsAndHashesTheTagsBetweenTheBars) {
  const auto tags = parse_subscription("T", " TagA || TagB||", "");
  ASSERT_TRUE(tags);
  EXPECT_THAT(tags->tags, ElementsAre("TagA", "TagB"));
  EXPECT_TRUE(tags->matches(java_hash("TagA")));
  EXPECT_TRUE(tags->matches(java_hash("TagB")));
  EXPECT_FALSE(tags->matches(java_hash("TagC")));
  EXPECT_FALSE(tags->matches(0)) << "a message without a tag";
}

TEST(ParseSubscription, KeepsTagsThatAreNotAscii) {
  const auto parsed = parse_subscription("T", "\u6A19\u7C64 || t\u00EFg", "TAG");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_THAT(parsed->tags, ElementsAre("\u6A19\u7C64", "t\u00EFg"));
  EXPECT_THAT(parsed->codes, UnorderedElementsAre(java_hash("\u6A19\u7C64"), java_hash("t\u00EFg")));
}

TEST(ParseSubscription, RefusesBarsAlone) {
  EXPECT_EQ(parse_subscription("T", "||", "TAG"), std::nullopt);
}

TEST(ParseSubscription, KeepsAnotherLanguageAsText) {
  const auto sql = parse_subscription("T", "a > 1 || b", "SQL92");
  ASSERT_TRUE(sql);
  EXPECT_EQ(sql->expression, "a > 1 || b");
  EXPECT_TRUE(sql->codes.empty());
}

}  // namespace
}  // namespace tern::broker
