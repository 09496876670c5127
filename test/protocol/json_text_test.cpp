#include "protocol/json_text.hpp"

#include <gtest/gtest.h>

namespace tern::protocol {
namespace {

std::string as_json(std::string_view text) {
  std::string to;
  append_json_string(to, text);
  boost::container::small_vector<char, 8> same;
  append_json_string(same, text);
  EXPECT_EQ(to, std::string_view(same.data(), same.size()));
  return to;
}

// The unescaped text, or "bad at N".
std::string unescaped(std::string_view raw) {
  std::string to(raw.size(), '?');
  std::size_t bad_at = 0;
  const std::size_t size = unescape_json(raw, to.data(), bad_at);
  if (size == npos) return "bad at " + std::to_string(bad_at);
  EXPECT_LE(size, raw.size());
  return to.substr(0, size);
}

TEST(JsonText, IsPlainWithoutAnythingToEscape) {
  EXPECT_TRUE(is_plain(""));
  EXPECT_TRUE(is_plain(" az~{}/'"));
  for (const std::string_view text : {"a\"", "\\", "\n", "\x1F", "\x7F", "\x80", "\xC3\xBC"})
    EXPECT_FALSE(is_plain(text)) << text;
}

TEST(JsonText, EscapesEveryControlCharacterAndTwoOthers) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string text(1, static_cast<char>(c));
    const std::string json = as_json(text);
    ASSERT_GE(json.size(), 3U);
    EXPECT_EQ(json.size() > 3, c < 0x20 || c == '"' || c == '\\') << c;
    EXPECT_EQ(unescaped(json.substr(1, json.size() - 2)), text) << c;
  }
  EXPECT_EQ(as_json("\x01\x1F"), R"("\u0001\u001f")");
}

TEST(JsonText, KeepsUtf8OfEveryLength) {
  for (const std::string_view text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                      "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(as_json(text), "\"" + std::string(text) + "\"");
  }
}

TEST(JsonText, ReplacesBytesThatAreNoUtf8) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const std::string_view bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xF0\x9F\x98"}) {
    std::string expected = "\"";
    for (std::size_t i = 0; i < bad.size(); ++i) expected += mark;
    EXPECT_EQ(as_json(bad), expected + "\"");
  }
  EXPECT_EQ(as_json("a\xC3"
                    "b"),
            "\"a" + mark + "b\"");
}

TEST(JsonText, ResolvesEveryEscape) {
  EXPECT_EQ(unescaped(R"(a\"\'\\\/\b\f\n\r\tz)"), "a\"'\\/\b\f\n\r\tz");
  EXPECT_EQ(unescaped(R"(\u0041\u00fc\u6D88\uffff)"), "A\xC3\xBC\xE6\xB6\x88\xEF\xBF\xBF");
  EXPECT_EQ(unescaped(R"(\u0000)"), std::string(1, '\0'));
  EXPECT_EQ(unescaped(R"(\ud83d\ude00!)"), "\xF0\x9F\x98\x80!");
}

TEST(JsonText, ReplacesHalvesOfSurrogatePairs) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(unescaped(R"(\ud83d)"), mark);
  EXPECT_EQ(unescaped(R"(\ude00)"), mark);
  EXPECT_EQ(unescaped(R"(\ud83dx)"), mark + "x");
  EXPECT_EQ(unescaped(R"(\ud83d\n12345)"), mark + "\n12345");
  EXPECT_EQ(unescaped(R"(\ud83d\ud83d\ude00)"), mark + "\xF0\x9F\x98\x80");
  EXPECT_EQ(unescaped(R"(\ud83d\u0041)"), mark + "A");
}

TEST(JsonText, NamesThePlaceOfAMalformedEscape) {
  EXPECT_EQ(unescaped("ab\\"), "bad at 2");
  EXPECT_EQ(unescaped(R"(\x41)"), "bad at 0");
  EXPECT_EQ(unescaped(R"(a\u004)"), "bad at 1");
  EXPECT_EQ(unescaped(R"(\u00g0)"), "bad at 0");
  EXPECT_EQ(unescaped(R"(\u)"), "bad at 0");
  EXPECT_EQ(unescaped(R"(\u0041\ud83d\uzzzz)"), "bad at 12");
}

}  // namespace
}  // namespace tern::protocol
