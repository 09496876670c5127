#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/base/options.hpp"

namespace tern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<PropertyLine> lines_of(std::string_view text) {
  auto parsed = parse_properties("test.properties", text);
  if (const auto* error = std::get_if<PropertiesError>(&parsed)) {
    ADD_FAILURE() << "line " << error->line << ": " << error->text;
    return {};
  }
  return std::get<PropertiesFile>(std::move(parsed)).lines;
}

PropertiesError error_of(std::string_view text) {
  auto parsed = parse_properties("test.properties", text);
  if (const auto* error = std::get_if<PropertiesError>(&parsed)) return *error;
  ADD_FAILURE() << "was accepted: " << text;
  return {};
}

TEST(Properties, KeepsTheFilesName) {
  EXPECT_EQ(std::get<PropertiesFile>(parse_properties("conf/broker.properties", "")).name, "conf/broker.properties");
}

TEST(Properties, SeparatesKeyAndValueAsJavaDoes) {
  EXPECT_THAT(lines_of("a=1\n"
                       "b:2\n"
                       "c 3\n"
                       "d\t4\n"
                       "e\f5\n"
                       "  f  =  6  \n"
                       "g : = 7\n"
                       "h  8 = 9\n"
                       "i==10\n"
                       "j\n"
                       "k=\n"),
              ElementsAre(PropertyLine{"a", "1", 1}, PropertyLine{"b", "2", 2}, PropertyLine{"c", "3", 3},
                          PropertyLine{"d", "4", 4}, PropertyLine{"e", "5", 5}, PropertyLine{"f", "6", 6},
                          PropertyLine{"g", "= 7", 7}, PropertyLine{"h", "8 = 9", 8}, PropertyLine{"i", "=10", 9},
                          PropertyLine{"j", "", 10}, PropertyLine{"k", "", 11}));
}

TEST(Properties, SkipsCommentsAndEmptyLines) {
  EXPECT_THAT(lines_of("# one\n\n  ! two\n \t\f \n#three \\\na=1 # no comment\n"),
              ElementsAre(PropertyLine{"a", "1 # no comment", 6}));
}

TEST(Properties, EndsALineAtAnyOfTheThreeEnds) {
  EXPECT_THAT(lines_of("a=1\r\nb=2\rc=3\n\r\nd=4"), ElementsAre(PropertyLine{"a", "1", 1}, PropertyLine{"b", "2", 2},
                                                                PropertyLine{"c", "3", 3}, PropertyLine{"d", "4", 5}));
}

TEST(Properties, NeedsNoFinalNewline) {
  EXPECT_THAT(lines_of("a=1"), ElementsAre(PropertyLine{"a", "1", 1}));
  EXPECT_THAT(lines_of("a"), ElementsAre(PropertyLine{"a", "", 1}));
  EXPECT_THAT(lines_of(""), IsEmpty());
  EXPECT_THAT(lines_of("# only a comment"), IsEmpty());
}

TEST(Properties, JoinsContinuedLinesWithoutTheirIndentation) {
  EXPECT_THAT(lines_of("levels=1s 5s \\\n    10s \\\r\n\t30s\nnext=1\n"),
              ElementsAre(PropertyLine{"levels", "1s 5s 10s 30s", 1}, PropertyLine{"next", "1", 4}));
  EXPECT_THAT(lines_of("lev\\\n  els=1\n"), ElementsAre(PropertyLine{"levels", "1", 1}));
  EXPECT_THAT(lines_of("a=1\\\n#2\n"), ElementsAre(PropertyLine{"a", "1#2", 1})) << "a continuation is no comment";
  EXPECT_THAT(lines_of("a=1\\\n\nb=2\n"), ElementsAre(PropertyLine{"a", "1", 1}, PropertyLine{"b", "2", 3}));
}

TEST(Properties, ContinuesOnlyAfterAnOddNumberOfBackslashes) {
  EXPECT_THAT(lines_of("a=1\\\\\nb=2\n"), ElementsAre(PropertyLine{"a", "1\\", 1}, PropertyLine{"b", "2", 2}));
  EXPECT_THAT(lines_of("a=1\\\\\\\nb=2\n"), ElementsAre(PropertyLine{"a", "1\\b=2", 1}));
}

TEST(Properties, DropsABackslashThatEndsTheFile) {
  EXPECT_THAT(lines_of("a=1\\"), ElementsAre(PropertyLine{"a", "1", 1}));
  EXPECT_THAT(lines_of("\\"), IsEmpty());
  EXPECT_THAT(lines_of("\\\n\\\n"), IsEmpty());
  EXPECT_THAT(lines_of("\\\n# a comment\na=1"), ElementsAre(PropertyLine{"a", "1", 3})) << "it continues nothing";
}

TEST(Properties, ResolvesEscapes) {
  EXPECT_THAT(lines_of(R"(a=x\ty\nz\r\f!\\ \q\=\")"), ElementsAre(PropertyLine{"a", "x\ty\nz\r\f!\\ q=\"", 1}));
  EXPECT_THAT(lines_of(R"(a\ b\=c\:d\#=1)"), ElementsAre(PropertyLine{"a b=c:d#", "1", 1}));
  EXPECT_THAT(lines_of(R"(\#a=1)"), ElementsAre(PropertyLine{"#a", "1", 1}));
}

TEST(Properties, TurnsUnicodeEscapesIntoUtf8) {
  EXPECT_THAT(lines_of(R"(a=\u0041\u00e9\u4F60\uD83D\uDE00)"),
              ElementsAre(PropertyLine{"a", "A\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80", 1}));
  EXPECT_THAT(lines_of(R"(a=\u00411)"), ElementsAre(PropertyLine{"a", "A1", 1})) << "exactly four digits";
  EXPECT_THAT(lines_of("a=\\u00\\\n   41"), ElementsAre(PropertyLine{"a", "A", 1})) << "lines are joined first";
}

TEST(Properties, RefusesAMalformedUnicodeEscape) {
  for (const char* value : {"\\u", "\\u1", "\\u12G4", "\\u123", "\\u 123", "\\uD83D\\u12"}) {
    const PropertiesError error = error_of(std::string("a=1\nb=") + value);
    EXPECT_EQ(error.line, 2) << value;
    EXPECT_EQ(error.text, "\\u needs four hexadecimal digits") << value;
  }
  EXPECT_EQ(error_of("\\uXYZW=1").line, 1) << "in a key too";
}

TEST(Properties, RefusesHalfASurrogatePair) {
  EXPECT_EQ(error_of("a=\\uD83D").text, "\\uD83D is half of a surrogate pair");
  EXPECT_EQ(error_of("a=\\uDE00\\uD83D").text, "\\uDE00 is half of a surrogate pair");
  EXPECT_EQ(error_of("a=\\uD83D\\u0041").text, "\\uD83D is half of a surrogate pair");
}

TEST(Properties, NamesTheLineOfAContinuationThatIsMalformed) {
  EXPECT_EQ(error_of("# comment\na=1 \\\n 2 \\\n \\u \\\n 4").line, 4);
  EXPECT_EQ(error_of("a=1 \\\n 2\nb=\\u").line, 3);
}

TEST(Properties, IgnoresAByteOrderMark) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"
                       "a=1\n"),
              ElementsAre(PropertyLine{"a", "1", 1}));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF# comment\na=1\n"), ElementsAre(PropertyLine{"a", "1", 2}));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"), IsEmpty());
}

TEST(Properties, TakesUtf8AsItIs) {
  EXPECT_THAT(lines_of("a=\xE4\xBD\xA0\xF0\x9F\x98\x80"),
              ElementsAre(PropertyLine{"a", "\xE4\xBD\xA0\xF0\x9F\x98\x80", 1}));
}

TEST(Properties, ReadsWhatIsNoUtf8AsLatin1) {
  EXPECT_THAT(lines_of("a=caf\xE9"), ElementsAre(PropertyLine{"a", "caf\xC3\xA9", 1}));
  EXPECT_THAT(lines_of("a=\xC0\x80"), ElementsAre(PropertyLine{"a", "\xC3\x80\xC2\x80", 1})) << "an overlong form";
  EXPECT_THAT(lines_of("a=\xED\xA0\x80"), ElementsAre(PropertyLine{"a", "\xC3\xAD\xC2\xA0\xC2\x80", 1}))
      << "a surrogate";
}

TEST(Properties, TrimsValuesOfEscapedBlanksToo) {
  EXPECT_THAT(lines_of("a = \\ \\t x y\\n \n"), ElementsAre(PropertyLine{"a", "x y", 1}));
}

TEST(Properties, KeepsRepeatedAndEmptyKeys) {
  EXPECT_THAT(lines_of("a=1\na=2\n=3\n"),
              ElementsAre(PropertyLine{"a", "1", 1}, PropertyLine{"a", "2", 2}, PropertyLine{"", "3", 3}));
}

TEST(Properties, WritesWhatAPersonWouldWrite) {
  const std::vector<PropertyLine> lines{{"brokerName", "broker-a"},
                                        {"namesrvAddr", "127.0.0.1:9876;127.0.0.2:9876"},
                                        {"messageDelayLevel", "1s 5s 10s"},
                                        {"empty", ""}};
  EXPECT_EQ(write_properties(lines),
            "brokerName=broker-a\nnamesrvAddr=127.0.0.1:9876;127.0.0.2:9876\nmessageDelayLevel=1s 5s 10s\nempty=\n");
}

TEST(Properties, WritesAsciiWithEscapes) {
  const std::vector<PropertyLine> lines{{"# a:b=c", "\xC3\xA9\xF0\x9F\x98\x80\\\n\x01"}};
  EXPECT_EQ(write_properties(lines), "\\#\\ a\\:b\\=c=\\u00E9\\uD83D\\uDE00\\\\\\n\\u0001\n");
}

TEST(Properties, ProtectsABlankThatJavaWouldSkip) {
  const std::vector<PropertyLine> lines{{"a", " x y"}};
  EXPECT_EQ(write_properties(lines), "a=\\ x y\n");
}

TEST(Properties, WritesTheReplacementCharacterForBytesThatAreNoText) {
  const std::vector<PropertyLine> lines{{"a", "\xFFx"}};
  EXPECT_EQ(write_properties(lines), "a=\\uFFFDx\n");
}

// Random keys and values over the letters that mean something to the syntax.
TEST(Properties, ReadsBackWhatItWrote) {
  const std::vector<std::string> letters{"a",
                                         "Z",
                                         "0",
                                         " ",
                                         "=",
                                         ":",
                                         "#",
                                         "!",
                                         "\\",
                                         "\n",
                                         "\r",
                                         "\t",
                                         "\f",
                                         "u",
                                         "n",
                                         "\"",
                                         "\x7F",
                                         "\xC3\xA9",
                                         "\xEF\xBB\xBF",
                                         "\xE4\xBD\xA0",
                                         "\xF0\x9F\x98\x80"};
  std::mt19937 random(20240229);  // any seed will do
  const auto text = [&] {
    std::string made;
    for (auto left = random() % 12; left > 0; --left) made += letters[random() % letters.size()];
    return made;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<PropertyLine> lines;
    for (int line = 1; line <= 3; ++line) lines.push_back({text(), "v" + text() + "v", line});  // no blanks to trim
    const std::string written = write_properties(lines);
    ASSERT_EQ(lines_of(written), lines) << written;
  }
}

std::string settings_changed(std::string_view text, const std::vector<PropertyLine>& changed) {
  const auto result = with_settings(text, changed);
  return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "refused";
}

TEST(WithSettings, ReplacesTheLineOfAKeyAndNothingElse) {
  EXPECT_EQ(settings_changed("# a = of old\n  a : 1\n\nb=2\n", {{"a", "x y", 0}}), "# a = of old\na=x y\n\nb=2\n");
  EXPECT_EQ(settings_changed("a=1\r\nb=2\r\n", {{"b", "3", 0}}), "a=1\r\nb=3\r\n");
  EXPECT_EQ(settings_changed("a=1\nb=2", {{"b", "3", 0}}), "a=1\nb=3");
}

TEST(WithSettings, ReplacesAllLinesOfAValueThatIsContinued) {
  EXPECT_EQ(settings_changed("a=1,\\\n  2,\\\n  3\nb=2\n", {{"a", "4", 0}}), "a=4\nb=2\n");
  EXPECT_EQ(settings_changed("a=1\\\\\nb=2\n", {{"a", "4", 0}}), "a=4\nb=2\n");
  EXPECT_EQ(settings_changed("a=1\\", {{"a", "4", 0}}), "a=4");
}

TEST(WithSettings, ReplacesTheLineThatCountsOfSeveral) {
  EXPECT_EQ(settings_changed("a=1\nb=2\na=3\nc=4\n", {{"a", "9", 0}}), "a=1\nb=2\na=9\nc=4\n");
}

TEST(WithSettings, AppendsKeysThatAreNotThere) {
  EXPECT_EQ(settings_changed("a=1\n", {{"b", " 2", 0}, {"a", "3", 0}, {"c", "\xC3\xA4", 0}}),
            "a=3\nb=\\ 2\nc=\\u00E4\n");
  EXPECT_EQ(settings_changed("a=1", {{"b", "2", 0}}), "a=1\nb=2\n");
  EXPECT_EQ(settings_changed("", {{"b", "2", 0}}), "b=2\n");
  EXPECT_EQ(settings_changed("a=1\n", {}), "a=1\n");
}

TEST(WithSettings, RefusesATextThatIsNoProperties) {
  EXPECT_EQ(settings_changed("a=1\nb=\\u1\n", {{"a", "2", 0}}), "refused");
}

}  // namespace
}  // namespace tern
