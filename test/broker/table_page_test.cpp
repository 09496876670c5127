#include "broker/table_page.hpp"

#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using test::Fields;
using test::RequestCode;

constexpr DataVersion kVersion{1, 2, 3};
constexpr std::string_view kText = R"({"counter":3,"stateVersion":1,"timestamp":2})";

std::string names(const TablePage& page) {
  Json table = {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}};
  keep_page(page, kVersion, table);
  std::string all;
  for (const auto& [name, value] : table.items()) all += name;
  return all;
}

TEST(TablePage, IsTheWholeTableUnlessOneIsAskedFor) {
  EXPECT_EQ(names({}), "abcd");
  EXPECT_EQ(names({"", "x", "y"}), "abcd");
}

TEST(TablePage, GoesOnBehindThePagesBefore) {
  EXPECT_EQ(names({kText, "0", "3"}), "abc");
  EXPECT_EQ(names({kText, "3", "3"}), "d");
  EXPECT_EQ(names({kText, "4", "3"}), "");
  EXPECT_EQ(names({kText, "2147483647", "2147483647"}), "");
  EXPECT_EQ(names({kText, "-1", "2"}), "ab");
  EXPECT_EQ(names({kText, "1", "-2"}), "");
  EXPECT_EQ(names({kText, "1", ""}), "bcd");
}

TEST(TablePage, BeginsAnewWhenTheTableHasChanged) {
  EXPECT_EQ(names({R"({"counter":4,"stateVersion":1,"timestamp":2})", "2", "2"}), "ab");
  EXPECT_EQ(names({"", "2", "2"}), "ab");
  EXPECT_EQ(names({"nonsense", "2", "2"}), "ab");
}

class TablePagesTest : public test::BrokerFixture {
 protected:
  /// All entries, read page by page; how many there are comes with each.
  std::string all(RequestCode code, const std::string& first, const std::string& count, const std::string& table) {
    std::string names, version;
    for (int at = 0;;) {
      const auto answer = ask(code, {{"dataVersion", version}, {first, std::to_string(at)}, {count, "3"}});
      const auto body = protocol::parse_json(answer->body());
      const auto& page = body->at(table);
      for (const auto& [name, value] : page.items()) names += name + " ";
      at += static_cast<int>(page.size());
      version = body->at("dataVersion").dump();
      const auto total = answer->field(code == RequestCode::kGetAllTopicConfig ? "totalTopicNum" : "totalGroupNum");
      if (page.empty() || std::to_string(at) == total) return names;
    }
  }
};

TEST_F(TablePagesTest, HoldEveryTopicAndEveryGroupOnce) {
  std::string expected;
  for (const auto& topic : topics.all()) expected += topic->name + " ";
  EXPECT_EQ(all(RequestCode::kGetAllTopicConfig, "topicSeq", "maxTopicNum", "topicConfigTable"), expected);
  expected.clear();
  for (const auto& group : groups.all()) expected += group->name + " ";
  EXPECT_EQ(all(RequestCode::kGetAllSubscriptionGroupConfig, "groupSeq", "maxGroupNum", "subscriptionGroupTable"),
            expected);
}

TEST_F(TablePagesTest, SayWhatTheirGroupsMayNotRead) {
  groups.set_forbidden("CID_ONSAPI_OWNER", "T", true);
  groups.set_forbidden("TOOLS_CONSUMER", "T", true);
  const auto answer = ask(RequestCode::kGetAllSubscriptionGroupConfig, {{"groupSeq", "0"}, {"maxGroupNum", "3"}});
  EXPECT_EQ(protocol::parse_json(answer->body())->at("forbiddenTable"), (Json{{"CID_ONSAPI_OWNER", {{"T", 4}}}}));
}

}  // namespace
}  // namespace tern::broker
