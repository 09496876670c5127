#include "tern/base/runtime_config.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/remoting/server.hpp"

#include "nameserver/config/apache_nameserver_keys.hpp"
#include "nameserver/registrations.hpp"
#include "support/bytes.hpp"
#include "support/temporary_directory.hpp"

namespace tern::nameserver {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RuntimeConfigTest : public ::testing::Test {
 protected:
  test::DefaultOptions defaults;
  NameserverOptions& options = defaults.options;
  RuntimeConfig config{defaults.settings, options.update_black_list};
};

TEST_F(RuntimeConfigTest, GivesAllSettingsAsPropertiesThatCanBeReadBack) {
  const auto text = config.text();
  EXPECT_THAT(text, HasSubstr("listenPort=9876\n"));
  EXPECT_THAT(text, HasSubstr("supportActingMaster=false\n"));
  const auto parsed = parse_properties("text", text);
  ASSERT_TRUE(std::holds_alternative<PropertiesFile>(parsed));
  EXPECT_THAT(defaults.settings.apply(std::get<PropertiesFile>(parsed), false).problems, IsEmpty());
}

TEST_F(RuntimeConfigTest, ChangesWhatMayChangeAtRunTime) {
  EXPECT_FALSE(config.update("supportActingMaster=true\nwaitSecondsForService=5\n"));
  EXPECT_TRUE(options.support_acting_master);
  EXPECT_EQ(options.wait_for_service_seconds, 5);
  EXPECT_FALSE(config.update(""));
}

TEST_F(RuntimeConfigTest, RefusesBlackListedKeysBeforeAnythingElse) {
  const auto refused = config.update("supportActingMaster=true\nkvConfigPath=/tmp/x\n");
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->is_black_listed);
  EXPECT_EQ(refused->why, "Can not update config in black list.");
  EXPECT_FALSE(options.support_acting_master);
}

TEST_F(RuntimeConfigTest, ChangesAllOfARequestOrNothing) {
  for (const std::string second : {"listenPort=1", "waitSecondsForService=-1", "nobodyKnowsThis=1"}) {
    const auto refused = config.update("supportActingMaster=true\n" + second);
    ASSERT_TRUE(refused) << second;
    EXPECT_FALSE(refused->is_black_listed);
    EXPECT_THAT(refused->why, HasSubstr(second.substr(0, second.find('='))));
    EXPECT_FALSE(options.support_acting_master) << second;
  }
}

TEST_F(RuntimeConfigTest, RefusesATextThatIsNoProperties) {
  const auto refused = config.update("key=\\u12");
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->why, HasSubstr("line 1"));
}

TEST(NameserverOptions, ReplaceOnlyAHomeAtTheFrontOfAPath) {
  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : ".";
  EXPECT_EQ(expand_home("$HOME/namesrv/kvConfig.json"), home + "/namesrv/kvConfig.json");
  EXPECT_EQ(expand_home("/a/$HOME/b"), "/a/$HOME/b");
  EXPECT_EQ(expand_home("$HOMER/b"), "$HOMER/b");
  EXPECT_EQ(expand_home(""), "");
}

// What is in conf/ must start, and mean what it says about defaults.
TEST(NameserverOptions, AcceptTheFileInConf) {
  NameserverOptions options;
  remoting::NetworkOptions network;
  OptionSet settings;
  settings.add("Nameserver", nameserver_option_rows(), options);
  settings.add("Network", remoting::network_option_rows(), network);
  settings.add_foreign(apache_nameserver_keys());
  const auto disk = file::make_real_disk();
  auto text = test::read_text(*disk, std::string(TERN_SOURCE_DIR) + "/conf/nameserver.properties");
  auto parsed = parse_properties("conf/nameserver.properties", text);
  ASSERT_TRUE(std::holds_alternative<PropertiesFile>(parsed));
  const auto outcome = settings.apply(std::get<PropertiesFile>(parsed), false);
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(outcome.notices, IsEmpty());
  for (const auto& line : std::get<PropertiesFile>(parsed).lines) {
    const auto* option = settings.find(line.key);
    ASSERT_NE(option, nullptr) << line.key;
    EXPECT_EQ(line.value, option->default_text) << line.key;
  }
  // "#key=value" shows a default; comments have a blank after the "#".
  for (std::size_t at = text.find("\n#"); at != std::string::npos; at = text.find("\n#", at + 1)) {
    const auto line = text.substr(at + 2, text.find('\n', at + 2) - at - 2);
    if (line.empty() || line[0] == ' ') continue;
    const auto* option = settings.find(line.substr(0, line.find('=')));
    if (line.starts_with("log")) continue;  // rows of the program
    ASSERT_NE(option, nullptr) << line;
    EXPECT_EQ(line.substr(line.find('=') + 1), option->default_text) << line;
  }
}

}  // namespace
}  // namespace tern::nameserver
