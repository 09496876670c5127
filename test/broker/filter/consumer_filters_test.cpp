#include "broker/filter/consumer_filters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/bytes.hpp"
#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;
using ::testing::HasSubstr;

constexpr std::string_view kPath = "config/consumerFilter.json";
constexpr std::int64_t kDayMs = 86'400'000;

Subscription by_sql(std::string_view topic, std::string_view expression, std::int64_t version) {
  Subscription subscription;
  subscription.topic = topic;
  subscription.expression = expression;
  subscription.expression_type = "SQL92";
  subscription.version = version;
  return subscription;
}

class ConsumerFiltersTest : public ::testing::Test {
 protected:
  ConsumerFiltersTest() {
    EXPECT_TRUE(disk.make_directories("config"));
    options.is_enabled = true;
    open();
  }
  std::optional<std::string> open() {
    filters = std::make_unique<ConsumerFilters>(options, disk, std::string(kPath), clock);
    return filters->load();
  }
  void write(std::string_view content) {
    file::MetadataFile file(disk, std::string(kPath));
    EXPECT_TRUE(file.save(content));
  }
  std::string text() {
    file::MetadataFile file(disk, std::string(kPath));
    const auto loaded = file.load([](std::string_view) { return std::nullopt; });
    return loaded && *loaded ? (*loaded)->content : "";
  }
  Json written() {
    const auto content = text();
    return content.empty() ? Json() : protocol::parse_json(content).value();
  }
  Json entry(const std::string& topic = "T", const std::string& group = "g") {
    EXPECT_TRUE(filters->save());
    const auto topics = written()["filterDataByTopic"];
    return topics.contains(topic) ? topics[topic]["groupFilterData"].value(group, Json()) : Json();
  }
  /// Which of the two values of a passes.
  int passes(const PropertyFilterPtr& filter) {
    const bool one = filter->matches(
                   "a\x01"
                   "1\x02"),
               two = filter->matches(
                   "a\x01"
                   "2\x02");
    EXPECT_NE(one, two);
    return one ? 1 : 2;
  }

  test::ManualClock clock;
  test::SimulatedDisk disk{test::SimulatedDiskOptions{.clock = &clock}};
  FilterOptions options;
  std::unique_ptr<ConsumerFilters> filters;
};

TEST_F(ConsumerFiltersTest, KnowsWhatHeartbeatsSay) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5), by_sql("U", "a = 2", 5)});
  EXPECT_EQ(passes(filters->find("g", "T")), 1);
  EXPECT_EQ(passes(filters->find("g", "U")), 2);
  EXPECT_EQ(filters->find("g", "V"), nullptr);
  EXPECT_EQ(filters->find("h", "T"), nullptr);
}

TEST_F(ConsumerFiltersTest, LeavesTagsAndNothingAside) {
  auto by_tags = by_sql("T", "A", 5);
  by_tags.expression_type = "TAG";
  filters->subscribed("g", {by_tags, by_sql("U", "", 5)});
  EXPECT_TRUE(filters->save());
  EXPECT_EQ(written(), Json()) << "and there is no file";
}

TEST_F(ConsumerFiltersTest, TakesTheHigherVersion) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  filters->subscribed("g", {by_sql("T", "a = 2", 4)});
  EXPECT_EQ(passes(filters->find("g", "T")), 1);
  filters->subscribed("g", {by_sql("T", "a = 2", 5)});
  EXPECT_EQ(passes(filters->find("g", "T")), 1);
  filters->subscribed("g", {by_sql("T", "a = 2", 6)});
  EXPECT_EQ(passes(filters->find("g", "T")), 2);
}

TEST_F(ConsumerFiltersTest, KeepsTheBirthOfAnExpressionThatStays) {
  const std::int64_t born = clock.wall_ms();
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  clock.advance_ms(1000);
  filters->subscribed("g", {by_sql("T", "a = 1", 6)});
  EXPECT_EQ(entry()["bornTime"], born);
  EXPECT_EQ(entry()["clientVersion"], 6);
  filters->subscribed("g", {by_sql("T", "a = 2", 7)});
  EXPECT_EQ(entry()["bornTime"], born + 1000);
}

TEST_F(ConsumerFiltersTest, ForgetsAFilterWhoseNextExpressionIsWrong) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  filters->subscribed("g", {by_sql("T", "a = ", 6)});
  EXPECT_EQ(filters->of_group("g", "T", 0, "SQL92").code, ResponseCode::kFilterDataNotExist);
}

TEST_F(ConsumerFiltersTest, AnswersGroupsInApachesOrder) {
  options.is_enabled = false;
  auto choice = filters->of_group("g", "T", 6, "SQL92");
  EXPECT_EQ(choice.code, ResponseCode::kFilterDataNotExist);
  EXPECT_EQ(choice.remark, "The broker's consumer filter data is not exist!Your expression may be wrong!");
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  choice = filters->of_group("g", "T", 6, "SQL92");
  EXPECT_EQ(choice.code, ResponseCode::kFilterDataNotLatest);
  EXPECT_EQ(choice.remark, "the consumer's consumer filter data not latest");
  choice = filters->of_group("g", "T", 5, "SQL92");
  EXPECT_EQ(choice.code, ResponseCode::kSystemError);
  EXPECT_EQ(choice.remark, "The broker does not support consumer to filter message by SQL92");
  options.is_enabled = true;
  choice = filters->of_group("g", "T", 5, "SQL92");
  EXPECT_EQ(choice.code, ResponseCode::kSuccess);
  EXPECT_EQ(passes(choice.filter), 1);
}

TEST_F(ConsumerFiltersTest, AnswersPullsThatBringTheirOwn) {
  EXPECT_EQ(passes(filters->of_pull("g", "T", "a = 1", "SQL92").filter), 1);
  EXPECT_EQ(filters->of_pull("g", "T", "a = 1", "SQL92").filter, filters->of_pull("h", "U", "a = 1", "SQL92").filter)
      << "compiled once";
  EXPECT_EQ(filters->of_pull("g", "T", "", "SQL92").code, ResponseCode::kSubscriptionParseFailed);
  options.is_enabled = false;
  EXPECT_EQ(filters->of_pull("g", "T", "", "SQL92").code, ResponseCode::kSubscriptionParseFailed);
  EXPECT_EQ(filters->of_pull("g", "T", "a = 1", "SQL92").code, ResponseCode::kSystemError);
}

// As Apache's brokers do. What is beyond our own limits might be right there, so that it must not pass unnoticed.
TEST_F(ConsumerFiltersTest, LetsEverythingPassOnlyForWhatApachesTakesForWrong) {
  for (const auto* type : {"SQL92", "SQL99"}) {
    const auto choice = filters->of_pull("g", "T", "a = ", type);
    EXPECT_EQ(choice.code, ResponseCode::kSuccess);
    EXPECT_EQ(choice.filter, nullptr);
  }
  const auto choice = filters->of_pull("g", "T", std::string(200, '(') + "a = 1" + std::string(200, ')'), "SQL92");
  EXPECT_EQ(choice.code, ResponseCode::kSubscriptionParseFailed);
  EXPECT_THAT(choice.remark, HasSubstr("position 129: expected at most 128 levels of nesting"));
}

TEST_F(ConsumerFiltersTest, KeepsNoMorePulledExpressionsThanItsBound) {
  const auto first = filters->of_pull("g", "T", "a = 1", "SQL92").filter;
  for (int i = 0; i < 1000; ++i) {
    filters->of_pull("g", "T", "a = 'x" + std::string(30'000, 'x') + std::to_string(i) + "'", "SQL92");
  }
  EXPECT_EQ(first.use_count(), 1) << "nobody else has it any more";
}

// Line for line what Apache's ConsumerFilterManager (5.5.0) writes.
TEST_F(ConsumerFiltersTest, WritesApachesFile) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  EXPECT_TRUE(filters->save());
  EXPECT_EQ(text(), fmt::format(R"({{
	"filterDataByTopic":{{
		"T":{{
			"groupFilterData":{{
				"g":{{
					"bloomFilterData":{{
						"bitNum":112,
						"bitPos":[90,68,28]
					}},
					"bornTime":{},
					"clientVersion":5,
					"consumerGroup":"g",
					"dead":false,
					"deadTime":0,
					"expression":"a = 1",
					"expressionType":"SQL92",
					"topic":"T"
				}}
			}},
			"topic":"T"
		}}
	}}
}})",
                                clock.wall_ms()));
}

TEST_F(ConsumerFiltersTest, SavesOnlyChanges) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  EXPECT_TRUE(filters->save());
  write("{}");
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  EXPECT_TRUE(filters->save());
  EXPECT_EQ(written(), Json::object());
  filters->group_gone("g");
  EXPECT_EQ(entry()["dead"], true);
}

TEST_F(ConsumerFiltersTest, TriesAgainAfterASaveThatFailed) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  disk.fail_at(disk.changes() + 1, EIO);
  EXPECT_FALSE(filters->save());
  EXPECT_EQ(entry()["expression"], "a = 1");
}

TEST_F(ConsumerFiltersTest, TakesEveryGroupOfAFileForGoneUntilItIsHeardOf) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  EXPECT_TRUE(filters->save());
  clock.advance_ms(3'600'000);
  EXPECT_EQ(open(), std::nullopt);
  EXPECT_EQ(passes(filters->find("g", "T")), 1);
  filters->subscribed("h", {by_sql("T", "a = 1", 1)});  // something to save
  EXPECT_EQ(entry()["dead"], true);
  EXPECT_EQ(entry()["deadTime"], clock.wall_ms() - 30'000);
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  EXPECT_EQ(entry()["dead"], false);
  EXPECT_EQ(entry()["deadTime"], 0);
}

TEST_F(ConsumerFiltersTest, ForgetsWhoHasBeenGoneForLong) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5), by_sql("U", "a = 1", 5)});
  filters->subscribed("h", {by_sql("T", "a = 1", 5)});
  filters->group_gone("h");
  filters->subscribed("g", {by_sql("U", "a = 1", 5)});  // and no longer to T
  clock.advance_ms(kDayMs - 1);
  EXPECT_TRUE(filters->save());
  EXPECT_NE(filters->find("h", "T"), nullptr);
  clock.advance_ms(1);
  EXPECT_TRUE(filters->save());
  EXPECT_EQ(filters->find("h", "T"), nullptr);
  EXPECT_EQ(filters->find("g", "T"), nullptr);
  EXPECT_NE(filters->find("g", "U"), nullptr);
  EXPECT_FALSE(written()["filterDataByTopic"].contains("T"));
}

TEST_F(ConsumerFiltersTest, KeepsWhatItDoesNotReadInAFile) {
  write(
      R"({"other":1,"filterDataByTopic":{"T":{"groupFilterData":{"g":{"bloomFilterData":{"bitNum":112,"bitPos":[90,68,28]},
            "bornTime":1,"clientVersion":5,"deadTime":0,"expression":"a = 1","expressionType":"SQL92","more":2}},"topic":"T"}}})");
  EXPECT_EQ(open(), std::nullopt);
  filters->subscribed("g", {by_sql("T", "a = 1", 6)});
  EXPECT_EQ(entry()["more"], 2);
  EXPECT_EQ(written()["other"], 1);
}

// As Apache's brokers do: bit maps of another size say nothing about these filters.
TEST_F(ConsumerFiltersTest, LeavesAFileForOtherBitMapsAside) {
  filters->subscribed("g", {by_sql("T", "a = 1", 5)});
  EXPECT_TRUE(filters->save());
  options.expected_consumers = 64;
  EXPECT_EQ(open(), std::nullopt);
  EXPECT_EQ(filters->find("g", "T"), nullptr);
}

TEST_F(ConsumerFiltersTest, LetsEverythingPassForAnExpressionOfTheFileThatIsWrong) {
  write(R"({"filterDataByTopic":{"T":{"groupFilterData":{"g":{"bloomFilterData":{"bitNum":112,"bitPos":[90,68,28]},
            "bornTime":1,"clientVersion":5,"deadTime":0,"expression":"a =","expressionType":"SQL92"}},"topic":"T"}}})");
  EXPECT_EQ(open(), std::nullopt);
  const auto choice = filters->of_group("g", "T", 5, "SQL92");
  EXPECT_EQ(choice.code, ResponseCode::kSuccess);
  EXPECT_EQ(choice.filter, nullptr);
}

TEST_F(ConsumerFiltersTest, RefusesAFileThatIsNone) {
  write("nonsense");
  EXPECT_THAT(open().value_or(""), HasSubstr(std::string(kPath)));
  write(R"({"filterDataByTopic":[]})");
  EXPECT_NE(open(), std::nullopt);
  write(R"({"filterDataByTopic":{"T":1,"U":{"groupFilterData":7},"V":{"groupFilterData":{"g":"x"}}}})");
  EXPECT_EQ(open(), std::nullopt) << "what is not understood is left aside";
}

TEST_F(ConsumerFiltersTest, BoundsTheMemoryOfItsFilters) {
  const auto expression = [](int i) { return "a = '" + std::to_string(i) + std::string(32'000, 'x') + "'"; };
  const auto group = [](int i) { return "g" + std::to_string(i); };
  int taken = 0;
  while (taken < 100'000) {
    filters->subscribed(group(taken), {by_sql("T", expression(taken), 1)});
    if (!filters->find(group(taken), "T")) break;
    ++taken;
  }
  EXPECT_GT(taken, 1000);
  EXPECT_LT(taken, 10'000);
  // Who has gone makes room.
  filters->group_gone(group(0));
  filters->subscribed("late", {by_sql("T", expression(-1), 1)});
  EXPECT_NE(filters->find("late", "T"), nullptr);
  EXPECT_EQ(filters->find(group(0), "T"), nullptr);
}

}  // namespace
}  // namespace tern::broker
