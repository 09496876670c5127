#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::HasSubstr;

class CheckClientConfigTest : public test::BrokerFixture {
 protected:
  test::AnswerPtr check(const std::string& subscription) {
    return ask(RequestCode::kCheckClientConfig, {},
               R"({"clientId":"c","group":"g","subscriptionData":{"topic":"T",)" + subscription + "}}");
  }
};

TEST_F(CheckClientConfigTest, TakesTagsInAnyCase) {
  EXPECT_EQ(check(R"("subString":"A || B")")->code(), 0);
  EXPECT_EQ(check(R"("subString":"a > ","expressionType":"TAG")")->code(), 0);
  EXPECT_EQ(ask(RequestCode::kCheckClientConfig, {}, "{}")->code(), 0);
}

TEST_F(CheckClientConfigTest, RefusesWhatTheSettingsDoNotAllow) {
  auto refused = check(R"("subString":"a > 1","expressionType":"SQL92")");
  EXPECT_EQ(refused->code(), 1);
  EXPECT_EQ(refused->remark(), "The broker does not support consumer to filter message by SQL92");
  refused = check(R"("subString":"a > 1","expressionType":"SQL99")");
  EXPECT_EQ(refused->remark(), "The broker does not support consumer to filter message by SQL99");
}

TEST_F(CheckClientConfigTest, SaysWhatIsWrongWithAnExpression) {
  filter_options.is_enabled = true;
  EXPECT_EQ(check(R"("subString":"a > 1","expressionType":"SQL92")")->code(), 0);
  auto refused = check(R"("subString":"a > 1 AND","expressionType":"SQL92")");
  EXPECT_EQ(refused->code(), 23);
  EXPECT_EQ(refused->remark(),
            "Invalid MessageSelector. position 10: expected a value, a property, NOT or (, found "
            "the end of the expression");
  refused = check(R"("subString":"","expressionType":"SQL92")");
  EXPECT_EQ(refused->code(), 23);
  refused = check(R"("subString":"a > 1","expressionType":"SQL99")");
  EXPECT_EQ(refused->code(), 23);
  EXPECT_THAT(refused->remark(), HasSubstr("expected the expression type TAG or SQL92, found SQL99"));
}

TEST_F(CheckClientConfigTest, RefusesABodyThatIsNoObject) {
  EXPECT_EQ(ask(RequestCode::kCheckClientConfig, {}, "[")->code(), 1);
  EXPECT_EQ(ask(RequestCode::kCheckClientConfig, {}, "7")->code(), 1);
}

}  // namespace
}  // namespace tern::broker
