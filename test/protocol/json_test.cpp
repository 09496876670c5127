#include "tern/protocol/json.hpp"

#include <gtest/gtest.h>

#include "tern/protocol/command.hpp"
#include "tern/protocol/errors.hpp"

namespace tern::protocol {
namespace {

// The text as the parser understands it, or the error.
std::string parsed(std::string_view text) {
  const auto value = parse_json(text);
  return value ? value->dump() : value.error().text();
}

TEST(ParseJson, ReadsPlainJson) {
  EXPECT_EQ(parsed(R"( {"b":[1,-2.5,true,false,null,"x"],"a":{}} )"), R"({"a":{},"b":[1,-2.5,true,false,null,"x"]})");
  for (const std::string_view text : {"1", "\"x\"", "null", "[]", "{}", "[[],{}]"}) EXPECT_EQ(parsed(text), text);
}

TEST(ParseJson, ReadsNumberKeysWithAndWithoutQuotes) {
  EXPECT_EQ(parsed(R"({0:"a","1":"b",-2:"c"})"), R"({"-2":"c","0":"a","1":"b"})");
  EXPECT_EQ(parsed("{\"offsetTable\":{\n\t\"T@G\":{0:5,3:9\n\t}}}"), R"({"offsetTable":{"T@G":{"0":5,"3":9}}})");
}

TEST(ParseJson, ReadsObjectKeysAsTheirCompactText) {
  const auto value =
      parse_json(R"({"offsetTable":{{ "brokerName" : 'b', "queueId":1,"topic":"T"} : 5,{"queueId":2}:6}})");
  ASSERT_TRUE(value);
  const Json& table = (*value)["offsetTable"];
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[R"({"brokerName":"b","queueId":1,"topic":"T"})"], 5);
  EXPECT_EQ(table[R"({"queueId":2})"], 6);
}

TEST(ParseJson, ReadsObjectKeysWhoseTextNeedsEscapes) {
  const auto value = parse_json(R"({{"t":"a\"\\\u0001{"}:1})");
  ASSERT_TRUE(value);
  const auto key = parse_json(value->begin().key());
  ASSERT_TRUE(key);
  EXPECT_EQ(string_member(*key, "t"), "a\"\\\x01{");
}

TEST(ParseJson, RefusesObjectKeysWithinObjectKeys) {
  EXPECT_EQ(parsed("{{{}:1}:2}"), error(Errc::kBadJson, 2).text());
}

TEST(ParseJson, ReadsSingleQuotedStrings) {
  EXPECT_EQ(parsed(R"({'a':'say "x"','b':"it's",'c':'it\'s'})"), R"({"a":"say \"x\"","b":"it's","c":"it's"})");
}

TEST(ParseJson, ReadsControlCharactersInStrings) {
  EXPECT_EQ(parsed("[\"a\nb\tc\"]"), R"(["a\nb\tc"])");
}

TEST(ParseJson, MendsInvalidUtf8AndHalfSurrogates) {
  EXPECT_EQ(parsed("[\"a\xFF\"]"), "[\"a\xEF\xBF\xBD\"]");
  EXPECT_EQ(parsed(R"(["\ud83d!","\ud83d\ude00"])"), "[\"\xEF\xBF\xBD!\",\"\xF0\x9F\x98\x80\"]");
}

TEST(ParseJson, TakesTheLastOfDuplicates) {
  EXPECT_EQ(parsed(R"({"a":1,"a":2,0:1,"0":2})"), R"({"0":2,"a":2})");
}

TEST(ParseJson, KeepsWholeNumbersOf64Bits) {
  EXPECT_EQ(parsed("[9223372036854775807,-9223372036854775808]"), "[9223372036854775807,-9223372036854775808]");
}

TEST(ParseJson, NamesTheFirstWrongByte) {
  const std::pair<std::string_view, int> cases[] = {{"", 0},
                                                    {" ", 1},
                                                    {"x", 0},
                                                    {"[", 1},
                                                    {"{", 1},
                                                    {"[1", 2},
                                                    {"[1,]", 3},
                                                    {"[,1]", 1},
                                                    {"[1 2]", 3},
                                                    {"[1}", 2},
                                                    {"{]", 1},
                                                    {R"({"a")", 4},
                                                    {R"({"a":)", 5},
                                                    {R"({"a" 1})", 5},
                                                    {R"({"a":1,})", 7},
                                                    {R"({a:1})", 1},
                                                    {R"({null:1})", 1},
                                                    {R"({[1]:1})", 1},
                                                    {R"({"a":1}x)", 7},
                                                    {"1 2", 2},
                                                    {"tru", 0},
                                                    {"nul", 0},
                                                    {"NaN", 0},
                                                    {"+1", 0},
                                                    {"-", 1},
                                                    {"01", 1},
                                                    {"1.", 2},
                                                    {".5", 0},
                                                    {"1e", 2},
                                                    {"\"a", 0},
                                                    {"'a\"", 0},
                                                    {R"("a\)", 0},
                                                    {R"("a\")", 0},
                                                    {R"("a\q")", 2},
                                                    {R"("\u12")", 1},
                                                    {"[1]]", 3},
                                                    {"// c\n1", 0},
                                                    {R"({{"a":1}})", 8},
                                                    {R"({{:1})", 2}};
  for (const auto& [text, position] : cases) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error(), error(Errc::kBadJson, position)) << text << ": " << value.error().detail;
  }
}

TEST(ParseJson, RefusesNumbersBeyondADouble) {
  EXPECT_EQ(parse_json("[1e999]").error(), error(Errc::kBadJson, 7));
}

TEST(ParseJson, BoundsTheNesting) {
  const auto nested = [](std::size_t depth, std::string_view open, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(parse_json(nested(kJsonDepthMax, "[", "]")));
  EXPECT_EQ(parse_json(nested(kJsonDepthMax + 1, "[", "]")).error(), error(Errc::kHeaderTooDeep, kJsonDepthMax));
  EXPECT_TRUE(parse_json(nested(kJsonDepthMax, "{\"a\":", "}")));
  EXPECT_EQ(parse_json(nested(1'000'000, "[", "]")).error().code, Errc::kHeaderTooDeep);
  EXPECT_EQ(parse_json("{{\"a\":" + nested(kJsonDepthMax - 1, "[", "]") + "}:1}").error().code, Errc::kHeaderTooDeep);
  EXPECT_FALSE(parse_json(std::string(1'000'000, '{')));
}

Json message_queue_table() {
  return {{"offsetTable", {{R"({"brokerName":"b","queueId":1,"topic":"T"})", 5}}}};
}

TEST(WriteJson, UnquotesObjectKeysOfListedMaps) {
  EXPECT_EQ(write_json(message_queue_table(), KeyStyle::kUnquoted, {"offsetTable"}),
            R"({"offsetTable":{{"brokerName":"b","queueId":1,"topic":"T"}:5}})");
}

TEST(WriteJson, UnquotesNumberKeysOfListedMaps) {
  const Json value = {{"brokerAddrs", {{"0", "ip:port"}}}};
  EXPECT_EQ(write_json(value, KeyStyle::kUnquoted, {"offsetTable", "brokerAddrs"}), R"({"brokerAddrs":{0:"ip:port"}})");
}

TEST(WriteJson, QuotesEverythingElse) {
  const Json value = {{"brokerAddrs", {{"0", "ip:port"}}}};
  EXPECT_EQ(write_json(value), R"({"brokerAddrs":{"0":"ip:port"}})");
  EXPECT_EQ(write_json(value, KeyStyle::kQuoted, {"brokerAddrs"}), R"({"brokerAddrs":{"0":"ip:port"}})");
  EXPECT_EQ(write_json(value, KeyStyle::kUnquoted, {"other"}), R"({"brokerAddrs":{"0":"ip:port"}})");
}

TEST(WriteJson, FollowsNamesOneLevelBelowAListedMap) {
  const Json value = {{"offsetTable", {{"T@G", {{"0", 5}, {"3", {{"4", 1}}}}}}}, {"x", {{"0", 1}}}};
  EXPECT_EQ(write_json(value, KeyStyle::kUnquoted, {"offsetTable"}),
            R"({"offsetTable":{"T@G":{0:5,3:{"4":1}}},"x":{"0":1}})");
}

TEST(WriteJson, FindsListedMapsInsideAnotherMapsValues) {
  const Json value = {{"table", {{"T@G", {{"0", {{"oc", {{"7", 1}}}, {"o", {1, 2}}}}}}}}};
  EXPECT_EQ(write_json(value, KeyStyle::kUnquoted, {"table", "oc"}), R"({"table":{"T@G":{0:{"o":[1,2],"oc":{7:1}}}}})");
}

TEST(WriteJson, TakesKeysThatAreDataForNoListedName) {
  const Json value = {{"m", {{"m", {{"m", {{"0", 1}}}}}}}};
  EXPECT_EQ(write_json(value, KeyStyle::kUnquoted, {"m"}), R"({"m":{"m":{"m":{"0":1}}}})");
}

// A client chooses such a name; it must not become part of the grammar.
TEST(WriteJson, QuotesNamesThatOnlyLookLikeObjects) {
  const Json value = {{"m", {{"{x}", 1}, {"{\"a\":1}}", 2}, {"-", 3}, {"1x", 4}, {"", 5}}}};
  const std::string text = write_json(value, KeyStyle::kUnquoted, {"m"});
  EXPECT_EQ(text, R"({"m":{"":5,"-":3,"1x":4,"{\"a\":1}}":2,"{x}":1}})");
}

TEST(WriteJson, WritesNumbersAsFastjsonDoes) {
  EXPECT_EQ(write_json({{"a", 0.0}, {"b", 1.5}, {"c", INT64_MIN}, {"d", UINT64_MAX}, {"e", -3.0}, {"f", 1234567.0}}),
            R"({"a":0.0,"b":1.5,"c":-9223372036854775808,"d":18446744073709551615,"e":-3.0,"f":1234567.0})");
  EXPECT_EQ(write_json({{"tps", 0.0}}, KeyStyle::kUnquoted), R"({"tps":0.0})");
}

TEST(WriteJson, LeavesNullMembersOut) {
  EXPECT_EQ(write_json({{"a", nullptr}, {"b", 1}, {"c", nullptr}}), R"({"b":1})");
  EXPECT_EQ(write_json({{"a", nullptr}}), "{}");
  EXPECT_EQ(write_json(Json::array({nullptr, 1})), "[null,1]");
  EXPECT_EQ(write_json(Json::object()), "{}");
}

TEST(WriteJson, NeverFailsOnText) {
  EXPECT_EQ(write_json({{"k\xFF", "\x01\"\xC3\xBC"}}), "{\"k\xEF\xBF\xBD\":\"\\u0001\\\"\xC3\xBC\"}");
}

TEST(WriteJson, IsReadBack) {
  const Json table = message_queue_table();
  for (const KeyStyle style : {KeyStyle::kQuoted, KeyStyle::kUnquoted}) {
    EXPECT_EQ(*parse_json(write_json(table, style, {"offsetTable"})), table);
  }
  EXPECT_EQ(*parse_json(write_pretty_json(table, {"offsetTable"})), table);
}

TEST(WritePrettyJson, LaysConfigurationOutAsApacheDoes) {
  const Json value = {{"dataVersion", {{"counter", 3}, {"stateVersion", 0}, {"timestamp", 123}}},
                      {"groupTopicMap", {{"G1", {"T1", "T2"}}}},
                      {"offsetTable", {{"T1@G1", {{"0", 5}, {"3", 9}}}}}};
  EXPECT_EQ(write_pretty_json(value, {"offsetTable"}),
            "{\n"
            "\t\"dataVersion\":{\n"
            "\t\t\"counter\":3,\n"
            "\t\t\"stateVersion\":0,\n"
            "\t\t\"timestamp\":123\n"
            "\t},\n"
            "\t\"groupTopicMap\":{\n"
            "\t\t\"G1\":[\n"
            "\t\t\t\"T1\",\n"
            "\t\t\t\"T2\"\n"
            "\t\t]\n"
            "\t},\n"
            "\t\"offsetTable\":{\n"
            "\t\t\"T1@G1\":{\n"
            "\t\t\t0:5,\n"
            "\t\t\t3:9\n"
            "\t\t}\n"
            "\t}\n"
            "}");
}

TEST(WritePrettyJson, KeepsNumbersAndEmptyThingsOnOneLine) {
  EXPECT_EQ(
      write_pretty_json({{"a", {39, 89, 106}}, {"b", Json::array()}, {"c", Json::object()}, {"d", {{"e", nullptr}}}}),
      "{\n\t\"a\":[39,89,106],\n\t\"b\":[],\n\t\"c\":{},\n\t\"d\":{}\n}");
  EXPECT_EQ(write_pretty_json(Json::object()), "{}");
}

class JsonMembers : public testing::Test {
 protected:
  const Json object_ = *parse_json(
      R"({"i":5,"neg":-5,"big":18446744073709551615,"d":34.0,"h":34.7,"huge":1e300,"s":"12","bad":"12x","over":"9223372036854775808",
          "t":true,"ts":"TRUE","fs":"false","n":null,"o":{"a":1},"a":[1]})");
};

TEST_F(JsonMembers, AreIntsInEveryFormThatFastjsonReads) {
  EXPECT_EQ(int_member(object_, "i"), 5);
  EXPECT_EQ(int_member(object_, "neg"), -5);
  EXPECT_EQ(int_member(object_, "d"), 34);
  EXPECT_EQ(int_member(object_, "h"), 34);
  EXPECT_EQ(int_member(object_, "s"), 12);
}

TEST_F(JsonMembers, FallBackIfTheyAreNoInts) {
  for (const std::string_view name : {"big", "huge", "bad", "over", "t", "n", "o", "a", "absent"}) {
    EXPECT_EQ(int_member(object_, name, -9), -9) << name;
  }
}

TEST_F(JsonMembers, AreBooleansInEveryFormThatFastjsonReads) {
  EXPECT_TRUE(bool_member(object_, "t"));
  EXPECT_TRUE(bool_member(object_, "ts"));
  EXPECT_TRUE(bool_member(object_, "i"));
  EXPECT_FALSE(bool_member(object_, "fs", true));
  for (const std::string_view name : {"s", "n", "o", "a", "absent"})
    EXPECT_TRUE(bool_member(object_, name, true)) << name;
}

TEST_F(JsonMembers, AreStringsOrWhatTheyWouldBeAsStrings) {
  EXPECT_EQ(string_member(object_, "s"), "12");
  EXPECT_EQ(string_member(object_, "i"), "5");
  EXPECT_EQ(string_member(object_, "t"), "true");
  for (const std::string_view name : {"n", "o", "a", "absent"})
    EXPECT_EQ(string_member(object_, name, "?"), "?") << name;
}

TEST_F(JsonMembers, AreObjectsAndArraysOnlyIfTheyAre) {
  ASSERT_NE(object_member(object_, "o"), nullptr);
  EXPECT_EQ(int_member(*object_member(object_, "o"), "a"), 1);
  ASSERT_NE(array_member(object_, "a"), nullptr);
  for (const std::string_view name : {"a", "i", "n", "absent"})
    EXPECT_EQ(object_member(object_, name), nullptr) << name;
  for (const std::string_view name : {"o", "i", "n", "absent"}) EXPECT_EQ(array_member(object_, name), nullptr) << name;
}

TEST_F(JsonMembers, AreAbsentFromWhatIsNoObject) {
  for (const std::string_view text : {"[1]", "1", "null", "\"x\""}) {
    const Json value = *parse_json(text);
    EXPECT_EQ(int_member(value, "i", -9), -9);
    EXPECT_EQ(string_member(value, "i", "?"), "?");
    EXPECT_EQ(object_member(value, "i"), nullptr);
  }
}

}  // namespace
}  // namespace tern::protocol
