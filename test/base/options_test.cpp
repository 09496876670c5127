#include "tern/base/options.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct LogSettings {
  std::string policy;
  int segment_size = 0;
  std::int64_t reserved = 0;
  double ratio = 0;
  double factor = 0;
  bool checks_crc = false;
  std::string path;
  Live<bool> warms = false;
  Live<int> pages = 0;
  Live<std::int64_t> interval_ms = 0;
};

std::span<const OptionRow<LogSettings>> log_rows() {
  static const OptionRow<LogSettings> rows[] = {
      {"flushDiskType", &LogSettings::policy, "ASYNC_FLUSH", one_of({"ASYNC_FLUSH", "SYNC_FLUSH"}),
       "When a send is acknowledged."},
      {"mappedFileSizeCommitLog", &LogSettings::segment_size, "1073741824", range(4096, 2147483647), "Bytes."},
      {"reserved", &LogSettings::reserved, "-1", anything(), "Any whole number."},
      {"cleanRatio", &LogSettings::ratio, "0.8", range(0, 1), "A share."},
      {"factor", &LogSettings::factor, "1", anything(), "Any number."},
      {"checkCRCOnRecover", &LogSettings::checks_crc, "true", anything(), "Yes or no."},
      {"storePathCommitLog", &LogSettings::path, "", anything(), "A directory | or none."},
      {"warmMapedFileEnable", &LogSettings::warms, "false", anything(), "Yes or no."},
      {"flushCommitLogLeastPages", &LogSettings::pages, "4", range(0, 1024), "Pages."},
      {"flushIntervalCommitLog", &LogSettings::interval_ms, "500", range(1, 60'000), "Milliseconds."},
  };
  return rows;
}

struct OtherSettings {
  int port = 0;
};
std::span<const OptionRow<OtherSettings>> other_rows() {
  static const OptionRow<OtherSettings> rows[] = {
      {"listenPort", &OtherSettings::port, "10911", range(0, 65535), "The port."},
  };
  return rows;
}

constexpr ForeignKey kForeign[] = {
    {"authenticationEnabled", "false", value_is_true, "authentication"},
    {"messageStorePlugIn", "", value_is_set, "store plug-ins"},
    {"highSpeedMode", "false"},
    {"listenPort", "0", value_is_set, "a port"},
    {"enableDetailStat", "true"},
};

class Options : public testing::Test {
 protected:
  Options() : set_("broker") {
    set_.add("Commit log", log_rows(), log_);
    set_.add("Network", other_rows(), other_);
    set_.add_foreign(kForeign);
  }

  OptionSet::Outcome apply(std::string_view text, bool allow_unknown_keys = false) {
    auto parsed = parse_properties("conf/broker.properties", text);
    return set_.apply(std::get<PropertiesFile>(parsed), allow_unknown_keys);
  }
  std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> texts;
    for (auto& problem : apply(text).problems) texts.push_back(std::move(problem.text));
    return texts;
  }
  std::string refusal_of(std::string_view key, std::string_view value) {
    auto changed = set_.change(key, value);
    const auto* refusal = std::get_if<OptionSet::Refusal>(&changed);
    return refusal == nullptr ? "" : refusal->text;
  }

  LogSettings log_;
  OtherSettings other_;
  OptionSet set_;
};

TEST_F(Options, StartAtTheirDefaults) {
  EXPECT_EQ(log_.policy, "ASYNC_FLUSH");
  EXPECT_EQ(log_.segment_size, 1073741824);
  EXPECT_EQ(log_.reserved, -1);
  EXPECT_EQ(log_.ratio, 0.8);
  EXPECT_TRUE(log_.checks_crc);
  EXPECT_EQ(log_.path, "");
  EXPECT_FALSE(log_.warms);
  EXPECT_EQ(log_.pages, 4);
  EXPECT_EQ(log_.interval_ms, 500);
  EXPECT_EQ(other_.port, 10911);
  EXPECT_FALSE(set_.was_set("listenPort"));
}

TEST_F(Options, TakeTheValuesOfAFile) {
  const auto outcome = apply(
      "flushDiskType=SYNC_FLUSH\nmappedFileSizeCommitLog=4096\nreserved=+9223372036854775807\ncleanRatio=0.25\n"
      "checkCRCOnRecover=FALSE\nstorePathCommitLog=/data/a b\nwarmMapedFileEnable=True\nflushCommitLogLeastPages=0\n"
      "flushIntervalCommitLog=60000\nlistenPort=0\n");
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(outcome.notices, IsEmpty());
  EXPECT_EQ(log_.policy, "SYNC_FLUSH");
  EXPECT_EQ(log_.segment_size, 4096);
  EXPECT_EQ(log_.reserved, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(log_.ratio, 0.25);
  EXPECT_FALSE(log_.checks_crc);
  EXPECT_EQ(log_.path, "/data/a b");
  EXPECT_TRUE(log_.warms);
  EXPECT_EQ(log_.pages, 0);
  EXPECT_EQ(log_.interval_ms, 60'000);
  EXPECT_EQ(other_.port, 0);
  EXPECT_TRUE(set_.was_set("listenPort"));
}

TEST_F(Options, SayWhatIsWrongWithAValueAndWhatIsAllowed) {
  EXPECT_THAT(problems_of("\n\nmappedFileSizeCommitLog=12k\n"),
              ElementsAre("conf/broker.properties:3: mappedFileSizeCommitLog: \"12k\" is not allowed; allowed: 4096 to "
                          "2147483647"));
  EXPECT_THAT(problems_of("flushDiskType=sync_flush"),
              ElementsAre(HasSubstr("\"sync_flush\" is not allowed; allowed: ASYNC_FLUSH, SYNC_FLUSH")));
  EXPECT_THAT(problems_of("checkCRCOnRecover=yes"),
              ElementsAre(HasSubstr("\"yes\" is not allowed; allowed: true, false")));
  EXPECT_THAT(problems_of("checkCRCOnRecover="), ElementsAre(HasSubstr("\"\" is not allowed")));
}

TEST_F(Options, RefuseNumbersThatAreNone) {
  for (const char* value :
       {"", "+", "-", "+-5", "--5", "5 6", "0x1000", "5000.0", "1e4", "2147483648", "-2147483649"}) {
    EXPECT_EQ(problems_of(std::string("mappedFileSizeCommitLog=") + value).size(), 1U) << value;
  }
  for (const char* value : {"9223372036854775808", "-9223372036854775809", "ten"}) {
    EXPECT_EQ(problems_of(std::string("reserved=") + value).size(), 1U) << value;
  }
  for (const char* value : {"nan", "inf", "-inf", "1,5", "0.5f", "1.01", "-0.01"}) {
    EXPECT_EQ(problems_of(std::string("cleanRatio=") + value).size(), 1U) << value;
  }
  for (const char* value : {"nan", "inf", "-inf"}) {
    EXPECT_EQ(problems_of(std::string("factor=") + value).size(), 1U) << value;
  }
  EXPECT_THAT(problems_of("reserved=-9223372036854775808\ncleanRatio=1"), IsEmpty());
}

TEST_F(Options, KeepTheOldValueWhenTheNewOneIsRefused) {
  EXPECT_EQ(problems_of("flushIntervalCommitLog=0\nflushDiskType=NEVER\n").size(), 2U);
  EXPECT_EQ(log_.interval_ms, 500);
  EXPECT_EQ(log_.policy, "ASYNC_FLUSH");
}

TEST_F(Options, ReportEveryProblemOfAFile) {
  EXPECT_THAT(
      problems_of("flushDiskTyp=SYNC_FLUSH\n"
                  "listenPort=65536\n"
                  "flushCommitLogLeastPages=7\n"
                  "authenticationEnabled=true\n"
                  "=5\n"),
      ElementsAre("conf/broker.properties:1: flushDiskTyp: unknown key; did you mean flushDiskType? "
                  "(--allow-unknown-keys accepts it)",
                  "conf/broker.properties:2: listenPort: \"65536\" is not allowed; allowed: 0 to 65535",
                  "conf/broker.properties:4: authenticationEnabled=true promises authentication, which this broker "
                  "does not have yet",
                  "conf/broker.properties:5: a value without a key"));
  EXPECT_EQ(log_.pages, 7) << "what has no problem is set all the same";
}

TEST_F(Options, AcceptUnknownKeysWhenAsked) {
  const auto outcome = apply("flushDiskTyp=SYNC_FLUSH\nzzz=1\n", true);
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(outcome.notices,
              ElementsAre("conf/broker.properties:1: flushDiskTyp: unknown key, ignored; did you mean flushDiskType?",
                          "conf/broker.properties:2: zzz: unknown key, ignored"));
  EXPECT_EQ(log_.policy, "ASYNC_FLUSH");
}

TEST_F(Options, TakeTheLastOfRepeatedLinesAndSaySo) {
  const auto outcome = apply("listenPort=nonsense\nflushIntervalCommitLog=7\nlistenPort=1\nlistenPort=2\n");
  EXPECT_THAT(outcome.problems, IsEmpty()) << "a value that does not count need not be right";
  EXPECT_THAT(outcome.notices, ElementsAre("conf/broker.properties:1: listenPort is set again on line 4, which wins",
                                           "conf/broker.properties:3: listenPort is set again on line 4, which wins"));
  EXPECT_EQ(other_.port, 2);
}

TEST_F(Options, ListForeignKeysInOneNotice) {
  const auto outcome =
      apply("highSpeedMode=true\nauthenticationEnabled=false\nenableDetailStat=x\nmessageStorePlugIn=\n");
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(
      outcome.notices,
      ElementsAre("conf/broker.properties: keys of Apache RocketMQ that have no effect on this broker: highSpeedMode, "
                  "authenticationEnabled, enableDetailStat, messageStorePlugIn"));
  EXPECT_TRUE(set_.was_set("highSpeedMode"));
}

TEST_F(Options, StopAtAForeignKeyWhoseValuePromisesWhatIsLacking) {
  EXPECT_THAT(problems_of("authenticationEnabled=TRUE\nmessageStorePlugIn=a.b.Tiered,c.D\n"),
              ElementsAre(HasSubstr("1: authenticationEnabled=TRUE promises authentication"),
                          HasSubstr("2: messageStorePlugIn=a.b.Tiered,c.D promises store plug-ins")));
}

TEST_F(Options, DoNotRepeatAValueThatMayHoldAPassword) {
  EXPECT_THAT(
      problems_of("messageStorePlugIn={\"password\":\"secret\"}"),
      ElementsAre("conf/broker.properties:1: messageStorePlugIn promises store plug-ins, which this broker does not "
                  "have yet"));
}

TEST_F(Options, PreferARowToTheForeignKeyOfThatName) {
  EXPECT_THAT(problems_of("listenPort=1"), IsEmpty());
  OptionSet foreign_first("broker");
  foreign_first.add_foreign(kForeign);
  foreign_first.add_foreign(kForeign);
  foreign_first.add("Network", other_rows(), other_);
  EXPECT_EQ(foreign_first.foreign().size(), std::size(kForeign) - 1);
  EXPECT_EQ(set_.foreign().size(), std::size(kForeign) - 1);
}

TEST_F(Options, ShowValuesOnOneLineAndNotAPageOfThem) {
  const auto problems = problems_of("listenPort=a\\nb" + std::string(500, 'x'));
  EXPECT_THAT(problems, ElementsAre(HasSubstr("\"a?bxxx")));
  EXPECT_LT(problems.at(0).size(), 200U);
}

TEST(OptionRules, KnowIpAddresses) {
  const auto rule = ip_address();
  for (const auto* good : {"", "0.0.0.0", "127.0.0.1", "::", "fe80::1"}) EXPECT_TRUE(rule.check(good)) << good;
  for (const auto* bad : {"localhost", "nonsense", "1.2.3", "1.2.3.256", "[::1]", "1.2.3.4:80"}) {
    EXPECT_FALSE(rule.check(bad)) << bad;
  }
  EXPECT_FALSE(rule.check(std::string_view("::1\0x", 5)));
}

TEST(OptionRules, KnowListsOfHostsAndPorts) {
  const auto rule = host_ports();
  for (const auto* good :
       {"", "a:1", "127.0.0.1:9876", "ns-1.example.com:9876; ns_2:65535 ;", "[::1]:9876", "::1:80"}) {
    EXPECT_TRUE(rule.check(good)) << good;
  }
  for (const auto* bad : {"foo", "a:", ":1", "a:0", "a:65536", "a:1x", "a:-1", "a:1,b:2", "http://a:1", "[::1:80",
                          "[a]:80", "a b:1", "a:1;b"}) {
    EXPECT_FALSE(rule.check(bad)) << bad;
  }
}

TEST_F(Options, FindTheNearestKey) {
  EXPECT_EQ(set_.nearest_key("flushDiskTyp"), "flushDiskType") << "a letter lost";
  EXPECT_EQ(set_.nearest_key("flushDisskType"), "flushDiskType") << "a letter too many";
  EXPECT_EQ(set_.nearest_key("flushDiksType"), "flushDiskType") << "two letters swapped";
  EXPECT_EQ(set_.nearest_key("lsitenPotr"), "listenPort") << "a swap is one slip, not two";
  EXPECT_EQ(set_.nearest_key("FLUSHDISKTYPE"), "flushDiskType") << "letter case aside";
  EXPECT_EQ(set_.nearest_key("listenport"), "listenPort");
  EXPECT_EQ(set_.nearest_key("warmMappedFileEnabled"), "warmMapedFileEnable");
  EXPECT_EQ(set_.nearest_key("authenticatonEnabled"), "authenticationEnabled") << "among the foreign keys too";
}

TEST_F(Options, SuggestNothingWhenNoKeyIsNear) {
  EXPECT_EQ(set_.nearest_key("somethingElseAltogether"), "");
  EXPECT_EQ(set_.nearest_key(""), "");
  EXPECT_EQ(set_.nearest_key("x"), "");
  EXPECT_EQ(set_.nearest_key(std::string(100'000, 'x')), "");
}

TEST_F(Options, ChangeAtRunTimeWhatIsLive) {
  EXPECT_EQ(refusal_of("flushIntervalCommitLog", " 20 "), "");
  EXPECT_EQ(log_.interval_ms, 20);
  EXPECT_EQ(set_.find("flushIntervalCommitLog")->get(), "20");
  EXPECT_FALSE(set_.was_set("flushIntervalCommitLog")) << "no file did";
}

TEST_F(Options, RefuseOtherChangesWithTheReason) {
  EXPECT_EQ(refusal_of("listenPort", "1"), "listenPort: is read at start; change the file and restart");
  EXPECT_EQ(refusal_of("flushIntervalCommitLog", "0"),
            "flushIntervalCommitLog: \"0\" is not allowed; allowed: 1 to 60000");
  EXPECT_EQ(refusal_of("flushIntervalComitLog", "9"),
            "flushIntervalComitLog: unknown key; did you mean "
            "flushIntervalCommitLog?");
  EXPECT_EQ(refusal_of("zzz", "9"), "zzz: unknown key");
  EXPECT_EQ(refusal_of("authenticationEnabled", "true"), "authenticationEnabled: has no effect on this broker");
  EXPECT_EQ(other_.port, 10911);
  EXPECT_EQ(log_.interval_ms, 500);
}

TEST_F(Options, ShowValuesInAFormTheyCanBeReadFrom) {
  apply("cleanRatio=0.1\nstorePathCommitLog=/a=b\nwarmMapedFileEnable=true\nreserved=-5\n");
  for (const BoundOption& option : set_.options()) {
    const std::string shown = option.get();
    EXPECT_TRUE(option.set(shown)) << option.key << ": " << shown;
    EXPECT_EQ(option.get(), shown) << option.key;
  }
  EXPECT_EQ(set_.find("cleanRatio")->get(), "0.1");
  EXPECT_EQ(set_.find("warmMapedFileEnable")->get(), "true");
  EXPECT_EQ(set_.find("zzz"), nullptr);
}

TEST_F(Options, DeriveFromTheMemberWhenAChangeTakesEffectAndWhatIsAllowed) {
  EXPECT_EQ(set_.find("flushDiskType")->time, OptionTime::kAtStart);
  EXPECT_EQ(set_.find("flushIntervalCommitLog")->time, OptionTime::kAtRuntime);
  EXPECT_EQ(set_.find("warmMapedFileEnable")->allowed, "true, false");
  EXPECT_EQ(set_.find("reserved")->allowed, "-9223372036854775808 to 9223372036854775807");
  EXPECT_EQ(set_.find("storePathCommitLog")->allowed, "any text");
}

TEST_F(Options, WriteOneTableForEachSection) {
  OptionSet set;
  set.add("Commit log", log_rows().subspan(6, 1), log_);
  set.add("Network", other_rows(), other_);
  set.add("Commit log", log_rows().last(1), log_);
  EXPECT_EQ(set.to_markdown(),
            "## Commit log\n"
            "\n"
            "| Key | Default | Allowed | When | Meaning |\n"
            "| --- | --- | --- | --- | --- |\n"
            "| `storePathCommitLog` | (empty) | any text | at start | A directory \\| or none. |\n"
            "| `flushIntervalCommitLog` | `500` | 1 to 60000 | at run time | Milliseconds. |\n"
            "\n"
            "## Network\n"
            "\n"
            "| Key | Default | Allowed | When | Meaning |\n"
            "| --- | --- | --- | --- | --- |\n"
            "| `listenPort` | `10911` | 0 to 65535 | at start | The port. |\n");
}

TEST(OptionsDeathTest, EndTheProcessOverADefaultThatItsRuleRefuses) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const OptionRow<OtherSettings> rows[] = {{"listenPort", &OtherSettings::port, "-1", range(0, 65535), "The port."}};
  OtherSettings settings;
  OptionSet set;
  EXPECT_DEATH(set.add("Network", rows, settings),
               "listenPort: the default \"-1\" is not allowed; allowed: 0 to 65535");
}

TEST(OptionsDeathTest, EndTheProcessOverTwoRowsOfOneKey) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  OtherSettings settings;
  OptionSet set;
  set.add("Network", other_rows(), settings);
  EXPECT_DEATH(set.add("Again", other_rows(), settings), "two rows of the key listenPort");
}

TEST(Live, IsReadAndWrittenLikeItsValue) {
  Live<int> live = 3;
  EXPECT_EQ(live + 1, 4);
  live = 5;
  const Live<int> copy = live;
  live.set(6);
  EXPECT_EQ(copy, 5);
  EXPECT_EQ(live.get(), 6);
}

// The thread sanitizer's build decides: a reader on another thread needs no lock.
TEST(Live, MayBeReadWhileItChanges) {
  struct Settings {
    Live<std::int64_t> interval_ms;
  };
  const OptionRow<Settings> rows[] = {{"interval", &Settings::interval_ms, "1", range(1, 1000), "Milliseconds."}};
  Settings settings;
  OptionSet set;
  set.add("Flush", rows, settings);
  std::atomic<bool> done{false};
  std::int64_t largest = 0;
  std::thread reader([&] {
    while (!done) largest = std::max(largest, settings.interval_ms.get());
  });
  for (int value = 1; value <= 1000; ++value) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(set.change("interval", std::to_string(value))));
  }
  done = true;
  reader.join();
  EXPECT_LE(largest, 1000);
}

}  // namespace
}  // namespace tern
