// UPDATE_BROKER_CONFIG (25) and GET_BROKER_CONFIG (26).

#include <gmock/gmock.h>

#include "broker/broker_fixture.hpp"
#include "broker/config/apache_broker_keys.hpp"
#include "broker/registration/nameserver_registration.hpp"
#include "store/put/put_table.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BrokerConfigTest : public test::BrokerFixture {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    settings.add_foreign(apache_broker_keys());
    std::get<NameserverRegistration*>(services.parts) = &registration_;
  }
  test::AnswerPtr update(std::string_view properties) { return ask(RequestCode::kUpdateBrokerConfig, {}, properties); }

 private:
  remoting::NetworkOptions network_options_;
  remoting::Network network_{network_options_, clock};
  NameserverRegistration registration_{network_, options, identity, topics, clock};
};

TEST_F(BrokerConfigTest, ChangesWhatMayChangeAtRunTimeAndKeepsIt) {
  EXPECT_EQ(update("maxMessageSize = 65536\nfileReservedTime=24\n")->code(), 0);
  EXPECT_EQ(options.message_size_max, 65'536);
  EXPECT_EQ(store_options.file_reserved_hours, 24);
  EXPECT_THAT(kept_settings,
              ElementsAre(PropertyLine{"maxMessageSize", "65536", 0}, PropertyLine{"fileReservedTime", "24", 0}));
  make_topic("T");
  EXPECT_EQ(send("T", std::string(65'537, 'x'))->code(), 13) << "the next request sees it";
  EXPECT_EQ(send("T", std::string(65'536, 'x'))->code(), 0);
}

TEST_F(BrokerConfigTest, ChangesThePutLockWhileItRuns) {
  make_topic("T");
  ASSERT_EQ(update("putMessageLock=reserve")->code(), 0);  // so that the first row is a change, too
  for (const auto& row : store::kPutStrategies) {
    EXPECT_EQ(update(fmt::format("putMessageLock={}", row.name))->code(), 0) << row.name;
    EXPECT_EQ(store->log().put_strategy(), row.name);
    EXPECT_EQ(send("T", std::string(row.name))->code(), 0) << row.name;
  }
  const auto rows = store::kPutStrategies.size();
  EXPECT_EQ(stored("T").size(), rows);
  EXPECT_EQ(store->log().counters().put.changes, static_cast<std::int64_t>(1 + rows));
}

TEST_F(BrokerConfigTest, ListsThePutLocksWhereOneIsUnknown) {
  const auto refused = update("putMessageLock=mutexx");
  EXPECT_EQ(refused->code(), 1);
  EXPECT_THAT(refused->remark(), HasSubstr("allowed: mutex, spin, kBackoff, parking, abs, reserve"));
  EXPECT_EQ(store->log().put_strategy(), "mutex");
}

TEST_F(BrokerConfigTest, RefusesStartTimeUnknownAndIllegalOnesByNameAndChangesNothing) {
  for (const auto& [line, why] : {
           std::pair{"flushDiskType=SYNC_FLUSH", "flushDiskType: is read at start"},
           {"brokerName=other", "brokerName: is read at start"},
           {"maxMesageSize=1", "maxMesageSize: unknown key; did you mean maxMessageSize?"},
           {"brokerPermission=8", "brokerPermission: \"8\" is not allowed; allowed: 0 to 7"},
           {"aclEnable=true", "aclEnable: has no effect on this broker"},
       }) {
    const auto refused = update("longPollingEnable=false\n" + std::string(line));
    EXPECT_EQ(refused->code(), 1) << line;
    EXPECT_THAT(refused->remark(), HasSubstr(why)) << line;
    EXPECT_TRUE(options.long_polling) << line;
  }
  EXPECT_THAT(kept_settings, IsEmpty());
}

TEST_F(BrokerConfigTest, RefusesKeysThatAreClosedToRemoteChange) {
  for (const auto* key : {"configBlackList", "brokerConfigPath"}) {
    const auto refused = update("longPollingEnable=false\n" + std::string(key) + "=x");
    EXPECT_EQ(refused->code(), 16);
    EXPECT_EQ(refused->remark(), "Can not update config in black list.");
  }
  EXPECT_TRUE(options.long_polling);
}

TEST_F(BrokerConfigTest, SaysThatAChangeWhichCannotBeKeptHoldsUntilTheEnd) {
  cannot_keep = "broker.conf cannot be written: Read-only file system";
  const auto refused = update("longPollingEnable=false");
  EXPECT_EQ(refused->code(), 1);
  EXPECT_THAT(refused->remark(), AllOf(HasSubstr("changed, but only until the process ends"), HasSubstr("Read-only")));
  EXPECT_FALSE(options.long_polling);
}

TEST_F(BrokerConfigTest, TellsNameserversOfAnotherPermission) {
  const auto before = topics.version();
  EXPECT_EQ(update("longPollingEnable=false")->code(), 0);
  EXPECT_EQ(topics.version(), before) << "no topic has anything to do with it";
  EXPECT_EQ(update("brokerPermission=4")->code(), 0);
  EXPECT_NE(topics.version(), before);
}

TEST_F(BrokerConfigTest, OpensAndClosesTheTemplateOfTopics) {
  EXPECT_EQ(update("autoCreateTopicEnable=false")->code(), 0);
  EXPECT_EQ(send("New")->code(), 17);
  EXPECT_EQ(update("autoCreateTopicEnable=true")->code(), 0);
  EXPECT_EQ(send("New")->code(), 0);
}

TEST_F(BrokerConfigTest, GivesAllSettingsAsPropertiesThatCanBeReadBack) {
  EXPECT_EQ(update("fileReservedTime=24")->code(), 0);
  const auto answer = ask(RequestCode::kGetBrokerConfig, {});
  EXPECT_EQ(answer->code(), 0);
  EXPECT_THAT(answer->body(), AllOf(HasSubstr("fileReservedTime=24\n"), HasSubstr("listenPort=10911\n")));
  EXPECT_THAT(answer->field("version"), HasSubstr("counter"));
  const auto parsed = parse_properties("answer", answer->body());
  ASSERT_TRUE(std::holds_alternative<PropertiesFile>(parsed));
}

}  // namespace
}  // namespace tern::broker
