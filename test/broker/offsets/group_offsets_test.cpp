// One group's offsets beside those of others: cloned, and compared.

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::Fields;
using test::RequestCode;
using test::with;

class GroupOffsetsTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("T", 2);
    make_topic("U", 1);
  }
  int clone(const Fields& changes = {}) {
    return ask(RequestCode::kCloneGroupOffset, with({{"srcGroup", "from"}, {"destGroup", "to"}}, changes))->code();
  }
};

TEST_F(GroupOffsetsTest, AreClonedInOneTopic) {
  offsets.commit("from", "T", 0, 3);
  offsets.commit("from", "U", 0, 4);
  offsets.commit("to", "T", 1, 9);
  EXPECT_EQ(clone({{"topic", "T"}}), 0);
  EXPECT_EQ(offsets.all("to", "T"), (std::map<std::int32_t, std::int64_t>{{0, 3}})) << "and nothing of its own";
  EXPECT_TRUE(offsets.all("to", "U").empty());
}

TEST_F(GroupOffsetsTest, AreClonedInAllTopicsThatThereAre) {
  offsets.commit("from", "T", 0, 3);
  offsets.commit("from", "U", 0, 4);
  offsets.commit("from", "gone", 0, 5);
  EXPECT_EQ(clone(), 0);
  EXPECT_EQ(offsets.find("to", "T", 0), 3);
  EXPECT_EQ(offsets.find("to", "U", 0), 4);
  EXPECT_EQ(offsets.find("to", "gone", 0), std::nullopt);
  EXPECT_EQ(clone({{"srcGroup", "nobody"}, {"topic", "T"}}), 0);
  EXPECT_EQ(offsets.find("to", "T", 0), 3) << "of nobody nothing is cloned";
  EXPECT_EQ(clone({{"-destGroup", ""}}), 1);
}

TEST_F(GroupOffsetsTest, AreNotClonedWhereAGroupThatIsOnlineDoesNotSubscribe) {
  offsets.commit("from", "T", 0, 3);
  offsets.commit("from", "U", 0, 4);
  ask(RequestCode::kHeartBeat, {},
      R"({"clientID":"c","consumerDataSet":[{"groupName":"from","subscriptionDataSet":[{"topic":"T","subString":"*"}]}]})");
  clone();
  EXPECT_EQ(offsets.find("to", "T", 0), 3);
  EXPECT_EQ(offsets.find("to", "U", 0), std::nullopt);
  clone({{"offline", "true"}});
  EXPECT_EQ(offsets.find("to", "U", 0), 4);
}

TEST_F(GroupOffsetsTest, AreComparedByTheSmallest) {
  const auto query = [&](const Fields& changes = {}) {
    return ask(RequestCode::kQueryCorrectionOffset, with({{"topic", "T"}, {"compareGroup", "c"}}, changes))->body();
  };
  EXPECT_EQ(query(), R"({"correctionOffsets":{}})");
  offsets.commit("a", "T", 0, 5);
  offsets.commit("b", "T", 0, 3);
  offsets.commit("b", "T", 1, 7);
  offsets.commit("b", "U", 0, 1);
  EXPECT_EQ(query(), R"({"correctionOffsets":{0:3,1:7}})");
  EXPECT_EQ(query({{"filterGroups", "x,b"}}), R"({"correctionOffsets":{0:5}})");
  EXPECT_EQ(offsets.find("b", "T", 0), 3) << "left out, not removed";
  offsets.commit("c", "T", 0, 2);
  offsets.commit("c", "T", 1, -1);
  EXPECT_EQ(query({{"filterGroups", "c"}}), R"({"correctionOffsets":{0:9223372036854775807,1:9223372036854775807}})");
}

}  // namespace
}  // namespace tern::broker
