// UPDATE_AND_CREATE_TOPIC (17).

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"
#include "broker/registration/nameserver_registration.hpp"

namespace tern::broker {
namespace {

using ::testing::HasSubstr;

class UpdateTopicTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    std::get<NameserverRegistration*>(services.parts) = &registration_;
  }
  test::AnswerPtr update(const test::Fields& changes) {
    return ask(test::RequestCode::kUpdateAndCreateTopic, test::with({{"topic", "T"},
                                                                     {"readQueueNums", "4"},
                                                                     {"writeQueueNums", "4"},
                                                                     {"perm", "6"},
                                                                     {"topicFilterType", "SINGLE_TAG"}},
                                                                    changes));
  }

 private:
  remoting::NetworkOptions network_options_;
  remoting::Network network_{network_options_, clock};
  NameserverRegistration registration_{network_, options, identity, topics, clock};
};

TEST_F(UpdateTopicTest, RefusesAFilterTypeThatIsNone) {
  for (const auto& change : {test::Fields{{"topicFilterType", "multi_tag"}}, test::Fields{{"topicFilterType", ""}},
                             test::Fields{{"-topicFilterType", ""}}}) {
    const auto refused = update(change);
    EXPECT_EQ(refused->code(), 1);
    EXPECT_THAT(refused->remark(), HasSubstr("topicFilterType"));
    EXPECT_EQ(topics.find("T"), nullptr);
  }
  EXPECT_EQ(update({{"topicFilterType", "MULTI_TAG"}})->code(), 0);
  EXPECT_TRUE(topics.find("T")->is_multi_tag);
}

}  // namespace
}  // namespace tern::broker
