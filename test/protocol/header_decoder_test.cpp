#include <cstdlib>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include "tern/base/byte_order.hpp"
#include "tern/protocol/command.hpp"
#include "tern/protocol/errors.hpp"

// Counts what this test program allocates, for the promise that a warm decoder allocates nothing.
namespace {
std::size_t allocations = 0;
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* const bytes = std::malloc(size > 0 ? size : 1)) return bytes;
  std::abort();
}
// Not inlined: where operator new is not either, GCC takes free() for the wrong partner of it.
[[gnu::noinline]] void operator delete(void* bytes) noexcept {
  std::free(bytes);
}
[[gnu::noinline]] void operator delete(void* bytes, std::size_t) noexcept {
  std::free(bytes);
}

namespace tern::protocol {
namespace {

std::span<const std::byte> view(std::string_view bytes) {
  return std::as_bytes(std::span<const char>(bytes));
}

// As the Java client writes it: SEND_MESSAGE_V2 with control characters of the properties escaped.
constexpr std::string_view kSendHeader =
    R"({"code":310,"extFields":{"a":"ProducerGroup","b":"TopicTest","c":"TBW102","d":"4","e":"2","f":"0",)"
    R"("g":"1700000000001","h":"0","i":"KEYS\u0001k1 k2\u0002UNIQ_KEY\u00017F000001ABCD18B4AAC2000000000001\u0002WAIT\u0001true\u0002TAGS\u0001TagA",)"
    R"("j":"0","k":"false","m":"false","n":"broker-a"},"flag":0,"language":"JAVA","opaque":42,)"
    R"("serializeTypeCurrentRPC":"JSON","version":399})";

class HeaderDecoderTest : public testing::Test {
 protected:
  // The header views its input, so the fixture keeps it.
  [[nodiscard]] Status decode(std::string_view json) {
    input_ = json;
    return decoder_.decode(HeaderType::kJson, view(input_), header_);
  }
  [[nodiscard]] Status decode_binary(std::string_view bytes) {
    input_ = bytes;
    return decoder_.decode(HeaderType::kRocketmq, view(input_), header_);
  }
  // Decodes `{"extFields":{"k":<value>}}` and returns the field.
  std::optional<std::string> ext_value(const std::string& value) {
    const std::string json = R"({"code":1,"extFields":{"k":)" + value + R"(},"opaque":7})";
    EXPECT_TRUE(decode(json)) << json;
    EXPECT_EQ(header_.opaque, 7) << json;
    const auto found = header_.find("k");
    return found ? std::optional<std::string>(*found) : std::nullopt;
  }
  void expect_refused(std::string_view json, Errc code = Errc::kBadHeader) {
    const Status status = decode(json);
    ASSERT_FALSE(status) << json;
    EXPECT_EQ(status.error().code, code) << json;
  }

  HeaderDecoder decoder_;
  CommandHeader header_;
  std::string input_;
};
using HeaderDecoderJson = HeaderDecoderTest;
using HeaderDecoderBinary = HeaderDecoderTest;

TEST_F(HeaderDecoderJson, ReadsASendOfTheJavaClient) {
  ASSERT_TRUE(decode(kSendHeader));
  EXPECT_EQ(header_.code, 310);
  EXPECT_EQ(header_.flag, 0);
  EXPECT_EQ(header_.language, 0);
  EXPECT_EQ(header_.version, 399);
  EXPECT_TRUE(header_.has_opaque);
  EXPECT_EQ(header_.opaque, 42);
  EXPECT_EQ(header_.remark, "");
  EXPECT_EQ(header_.fields.size(), 13U);
  EXPECT_EQ(header_.find("b"), "TopicTest");
  EXPECT_EQ(header_.find("i"),
            "KEYS\x01"
            "k1 k2\x02"
            "UNIQ_KEY\x01"
            "7F000001ABCD18B4AAC2000000000001\x02"
            "WAIT\x01"
            "true\x02"
            "TAGS\x01"
            "TagA");
  EXPECT_EQ(header_.find("l"), std::nullopt);
}

// The C++ client: indented by jsoncpp's writer, numbers bare, a newline at the end.
TEST_F(HeaderDecoderJson, ReadsAPullOfTheCppClient) {
  ASSERT_TRUE(
      decode("{\"code\":11,\"extFields\":{\"AccessKey\":\"\",\"queueId\":3,\"queueOffset\":\"12\",\"sysFlag\":2},\n"
             "\"flag\":0,\"language\":\"CPP\",\"opaque\":1,\"version\":333}\n"));
  EXPECT_EQ(header_.language, 1);
  EXPECT_EQ(header_.find("AccessKey"), "");
  EXPECT_EQ(header_.find("queueId"), "3");
  EXPECT_EQ(header_.find("sysFlag"), "2");
}

TEST_F(HeaderDecoderJson, HasDefaultsForEverything) {
  ASSERT_TRUE(decode(kSendHeader));
  for (const std::string_view json : {"{}", "{ }",
                                      R"({"code":null,"extFields":null,"flag":null,"language":null,"opaque":null,)"
                                      R"("remark":null,"version":null})"}) {
    ASSERT_TRUE(decode(json)) << json;
    EXPECT_EQ(header_.code, 0);
    EXPECT_EQ(header_.flag, 0);
    EXPECT_EQ(header_.language, 7);
    EXPECT_EQ(header_.version, 0);
    EXPECT_FALSE(header_.has_opaque);
    EXPECT_EQ(header_.remark, "");
    EXPECT_TRUE(header_.fields.empty());
  }
}

// Strings are read in blocks: their ends, and what has to be unescaped, may stand anywhere in one.
TEST_F(HeaderDecoderJson, ReadsStringsOfEveryLength) {
  for (std::size_t size = 0; size <= 40; ++size) {
    for (std::size_t escape = 0; escape <= size; ++escape) {
      const auto head = std::string(escape, 'a');
      const auto tail = std::string(size - escape, 'b');
      for (const char quote : {'"', '\''}) {
        for (const std::string_view between : {"", "\\n", "\\\\"}) {
          const auto value = head + std::string(between) + tail;
          const auto expected = head + (between.empty() ? "" : between == "\\n" ? "\n" : "\\") + tail;
          const auto text = quote + value + quote;
          ASSERT_TRUE(decode("{\"extFields\":{\"k\":" + text + "},\"remark\":" + text + "}")) << text;
          ASSERT_EQ(header_.find("k"), expected) << text;
          ASSERT_EQ(header_.remark, expected) << text;
          expect_refused("{\"remark\":" + text.substr(0, text.size() - 1));
        }
      }
    }
  }
}

TEST_F(HeaderDecoderJson, ReadsMembersInAnyOrder) {
  ASSERT_TRUE(decode(R"({"version":1,"remark":"r","opaque":2,"flag":3,"extFields":{"z":"1"},"code":4})"));
  EXPECT_EQ(header_.version, 1);
  EXPECT_EQ(header_.remark, "r");
  EXPECT_EQ(header_.opaque, 2);
  EXPECT_TRUE(header_.is_response());
  EXPECT_TRUE(header_.is_one_way());
  EXPECT_EQ(header_.code, 4);
}

TEST_F(HeaderDecoderJson, SkipsUnknownMembersOfAnyKind) {
  ASSERT_TRUE(decode(
      R"({"a":1,"b":"x\"}","c":{"d":[1,{"e":[]}],"code":9},"f":[[],{}],"g":true,"h":null,"i":-1.5e+3,"codes":8,"code":5})"));
  EXPECT_EQ(header_.code, 5);
}

TEST_F(HeaderDecoderJson, TakesTheLastOfDuplicates) {
  ASSERT_TRUE(decode(R"({"code":1,"code":2,"extFields":{"a":"1","b":"1"},"extFields":{"a":"2","a":"3"}})"));
  EXPECT_EQ(header_.code, 2);
  EXPECT_EQ(header_.find("a"), "3");
  EXPECT_EQ(header_.find("b"), std::nullopt);
}

TEST_F(HeaderDecoderJson, SkipsBlanksAndCommentsBetweenAllTokens) {
  ASSERT_TRUE(decode(
      "/* { */ {\t/**/\"code\" // \"x\n : /*1*/ 2 , //\n\"extFields\"\f:\r{ \"a\" : \"1\" /***/ , 'b':[ 1 , 2 ] }\b, "
      "\"opaque\":3 } // the end"));
  EXPECT_EQ(header_.code, 2);
  EXPECT_EQ(header_.find("a"), "1");
  EXPECT_EQ(header_.find("b"), "[ 1 , 2 ]");
  EXPECT_EQ(header_.opaque, 3);
}

TEST_F(HeaderDecoderJson, ReadsSingleQuotedStrings) {
  ASSERT_TRUE(decode(R"({'code':1,'extFields':{'a':'say "x"','b':"it's",'c':'it\'s'},'language':'GO'})"));
  EXPECT_EQ(header_.find("a"), "say \"x\"");
  EXPECT_EQ(header_.find("b"), "it's");
  EXPECT_EQ(header_.find("c"), "it's");
  EXPECT_EQ(header_.language, 9);
}

TEST_F(HeaderDecoderJson, ReadsIntsAsStringsAndWithFractionsOfZeros) {
  for (const std::string_view json : {R"({"code":34})", R"({"code":"34"})", R"({"code":34.0})", R"({"code":'34'})",
                                      R"({"code":34.000})", R"({"code":"34.0"})", R"({"code":0034})"}) {
    ASSERT_TRUE(decode(json)) << json;
    EXPECT_EQ(header_.code, 34) << json;
  }
  ASSERT_TRUE(decode(R"({"code":-2147483648,"opaque":2147483647,"flag":-0})"));
  EXPECT_EQ(header_.code, INT32_MIN);
  EXPECT_EQ(header_.opaque, INT32_MAX);
  EXPECT_EQ(header_.flag, 0);
}

TEST_F(HeaderDecoderJson, RefusesIntsThatAreNone) {
  for (const std::string_view value : {"2147483648",
                                       "-2147483649",
                                       "99999999999999999999999999",
                                       "\"2147483648\"",
                                       "34.5",
                                       "1e3",
                                       "\"\"",
                                       "\"abc\"",
                                       "\" 1\"",
                                       "\"1 \"",
                                       "\"+1\"",
                                       "+1",
                                       "-",
                                       "1.",
                                       ".5",
                                       "true",
                                       "{}",
                                       "[1]",
                                       "\"1.\"",
                                       "nul",
                                       "NaN",
                                       ""}) {
    for (const std::string_view name : {"code", "opaque", "flag", "version"}) {
      expect_refused(fmt::format(R"({{"{}":{}}})", name, value));
    }
  }
}

TEST_F(HeaderDecoderJson, ReadsLanguagesByNameAndOrdinal) {
  constexpr std::string_view kNames[] = {"JAVA",  "CPP",  "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
                                         "OTHER", "HTTP", "GO",     "PHP",    "OMS",    "RUST",   "NODE_JS"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    ASSERT_TRUE(decode(fmt::format(R"({{"language":"{}"}})", kNames[i])));
    EXPECT_EQ(header_.language, static_cast<std::int32_t>(i));
    ASSERT_TRUE(decode(fmt::format(R"({{"language":{}}})", i)));
    EXPECT_EQ(header_.language, static_cast<std::int32_t>(i));
  }
}

TEST_F(HeaderDecoderJson, TakesUnknownLanguageNamesForOther) {
  for (const std::string_view name : {"KLINGON", "", "java", "3", "JAVA "}) {
    ASSERT_TRUE(decode(fmt::format(R"({{"language":"{}"}})", name)));
    EXPECT_EQ(header_.language, 7) << name;
  }
}

TEST_F(HeaderDecoderJson, RefusesLanguageNumbersOutOfRange) {
  for (const std::string_view value : {"14", "-1", "99999999999", "1.5", "true", "{}"}) {
    expect_refused(fmt::format(R"({{"language":{}}})", value));
  }
}

TEST_F(HeaderDecoderJson, StringifiesExtValues) {
  EXPECT_EQ(ext_value("5"), "5");
  EXPECT_EQ(ext_value("-12.50e-3"), "-12.50e-3");
  EXPECT_EQ(ext_value("9223372036854775808999"), "9223372036854775808999");
  EXPECT_EQ(ext_value("true"), "true");
  EXPECT_EQ(ext_value("false"), "false");
  EXPECT_EQ(ext_value("\"\""), "");
  EXPECT_EQ(ext_value(R"({"a":[1, 2],"b":"}"})"), R"({"a":[1, 2],"b":"}"})");
  EXPECT_EQ(ext_value("[]"), "[]");
  EXPECT_EQ(ext_value("[{},[[]],'x\\']']"), "[{},[[]],'x\\']']");
}

TEST_F(HeaderDecoderJson, TakesANullExtValueForAbsent) {
  EXPECT_EQ(ext_value("null"), std::nullopt);
  ASSERT_TRUE(decode(R"({"extFields":{"a":"1","a":null,"b":null,"b":""}})"));
  EXPECT_EQ(header_.find("a"), std::nullopt);
  EXPECT_EQ(header_.find("b"), "");
}

TEST_F(HeaderDecoderJson, UnescapesKeysValuesAndMemberNames) {
  ASSERT_TRUE(
      decode(R"({"\u0063ode":3,"extFields":{"k\u00fc":"\u0001\ud83d\ude00\\"},"remark":"a\/b","\u0072emark2":1})"));
  EXPECT_EQ(header_.code, 3);
  EXPECT_EQ(header_.find("k\xC3\xBC"), "\x01\xF0\x9F\x98\x80\\");
  EXPECT_EQ(header_.remark, "a/b");
}

// Views into the scratch space would dangle if it grew while a header is decoded.
TEST_F(HeaderDecoderJson, KeepsViewsOfManyEscapedStringsStable) {
  std::string json = R"({"extFields":{)";
  for (int i = 0; i < 2'000; ++i) json += fmt::format(R"({}"\u006b{}":"v\n{}")", i == 0 ? "" : ",", i, i);
  json += "}}";
  ASSERT_TRUE(decode(json));
  for (int i = 0; i < 2'000; ++i) EXPECT_EQ(header_.find(fmt::format("k{}", i)), fmt::format("v\n{}", i));
}

TEST_F(HeaderDecoderJson, HandsInvalidUtf8OnByteForByte) {
  ASSERT_TRUE(decode("{\"extFields\":{\"a\xFF\":\"\xC3(\x80\"},\"remark\":\"\xED\xA0\x80\"}"));
  EXPECT_EQ(header_.find("a\xFF"), "\xC3(\x80");
  EXPECT_EQ(header_.remark, "\xED\xA0\x80");
}

TEST_F(HeaderDecoderJson, RefusesUnquotedMemberNames) {
  expect_refused(R"({code:1})");
  expect_refused(R"({"code":1,opaque:2})");
  expect_refused(R"({"extFields":{a:"1"}})");
  expect_refused(R"({"extFields":{0:"1"}})");
  expect_refused(R"({"x":{a:1}})");
}

TEST_F(HeaderDecoderJson, RefusesTextBehindTheObject) {
  expect_refused(R"({"code":1}x)");
  expect_refused(R"({"code":1}{})");
  expect_refused(R"({"code":1},)");
  expect_refused(std::string_view("{\"code\":1}\0", 11));
}

TEST_F(HeaderDecoderJson, RefusesEverythingButAnObject) {
  for (const std::string_view json :
       {"null", "[]", "[{\"code\":1}]", "\"{}\"", "1", "true", "", " ", "}", ":", "\xEF\xBB\xBF{}"}) {
    expect_refused(json);
  }
}

TEST_F(HeaderDecoderJson, RefusesBrokenGrammar) {
  for (const std::string_view json : {R"({"code")",
                                      R"({"code":)",
                                      R"({"code":1)",
                                      R"({"code":1,)",
                                      R"({"code" 1})",
                                      R"({"code":1 "flag":2})",
                                      R"({"code":1,})",
                                      R"({,"code":1})",
                                      R"({"code":1,,"flag":2})",
                                      R"({"code":1])",
                                      R"({"code)",
                                      R"({"code":"1)",
                                      R"({"extFields":{)",
                                      R"({"extFields":{"a":"1"})",
                                      R"({"extFields":[]})",
                                      R"({"extFields":"x"})",
                                      R"({"extFields":1})",
                                      R"({"a":[1,]})",
                                      R"({"a":[1 2]})",
                                      R"({"a":{"b"}})",
                                      R"({"a":{"b":1,}})",
                                      R"({"a":[}})",
                                      R"({"a":{]})",
                                      R"({"a":[1}})",
                                      R"({"a":[1})",
                                      R"({"a":tru})",
                                      R"({"a":truex})",
                                      R"({"a":undefined})",
                                      R"({"a":"\u12"})",
                                      R"({"extFields":{"a":"\u12"}})",
                                      R"({"extFields":{"a":"\q"}})",
                                      R"({"extFields":{"a":"x\)",
                                      R"({"extFields":{"a":"x\"}})",
                                      R"({"a":"x\)",
                                      R"({"a":01.})",
                                      "{/*}",
                                      "{/}",
                                      "{/ }",
                                      "{\"code\":1}/",
                                      "{\"code\":1}/*",
                                      "{\"code\":1}/*/"}) {
    expect_refused(json);
  }
}

TEST_F(HeaderDecoderJson, RefusesEveryCutOffHeader) {
  for (std::size_t size = 0; size < kSendHeader.size(); ++size) expect_refused(kSendHeader.substr(0, size));
}

TEST_F(HeaderDecoderJson, NamesThePositionOfWhatDoesNotFit) {
  EXPECT_EQ(decode(R"({"code":x})").error(), error(Errc::kBadHeader, 8));
  EXPECT_EQ(decode(R"({"code":99999999999})").error(), error(Errc::kBadHeader, 8));
  EXPECT_EQ(decode(R"({"remark":"ab\q"})").error(), error(Errc::kBadHeader, 13));
}

TEST_F(HeaderDecoderJson, BoundsTheNesting) {
  const auto nested = [](int depth, std::string_view before, std::string_view behind) {
    return fmt::format("{}{}{}{}", before, std::string(static_cast<std::size_t>(depth), '['),
                       std::string(static_cast<std::size_t>(depth), ']'), behind);
  };
  EXPECT_TRUE(decode(nested(kJsonDepthMax - 1, R"({"a":)", "}")));
  expect_refused(nested(kJsonDepthMax, R"({"a":)", "}"), Errc::kHeaderTooDeep);
  EXPECT_TRUE(decode(nested(kJsonDepthMax - 2, R"({"extFields":{"a":)", "}}")));
  expect_refused(nested(kJsonDepthMax - 1, R"({"extFields":{"a":)", "}}"), Errc::kHeaderTooDeep);
  EXPECT_TRUE(decode(nested(kJsonDepthMax - 1, R"({"extFields":{},"a":)", "}")));
  expect_refused(nested(1'000'000, R"({"a":)", "}"), Errc::kHeaderTooDeep);
  EXPECT_TRUE(decode(R"({"a":[)" + std::string(1'000'000, ' ') + "]}"));
}

TEST_F(HeaderDecoderJson, AllocatesNothingOnceWarm) {
  ASSERT_TRUE(decode(kSendHeader));
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(decoder_.decode(HeaderType::kJson, view(kSendHeader), header_));
  EXPECT_EQ(allocations, before);
}

TEST_F(HeaderDecoderJson, WorksOnAfterBeingMovedAndAfterAFailure) {
  expect_refused(R"({"remark":"\n","code":x})");
  decoder_ = HeaderDecoder();
  ASSERT_TRUE(decode(R"({"remark":"\n","code":1})"));
  EXPECT_EQ(header_.remark, "\n");
}

// The binary codec's header, field by field.
struct BinaryHeader {
  std::int16_t code = 310;
  std::int8_t language = 0;
  std::int16_t version = 399;
  std::int32_t opaque = 42;
  std::int32_t flag = 2;
  std::int32_t remark_length = 0;
  std::string remark;
  std::int32_t ext_length = 0;
  std::string ext;

  [[nodiscard]] std::string bytes() const {
    std::string to;
    append_be(to, code);
    append_be(to, language);
    append_be(to, version);
    append_be(to, opaque);
    append_be(to, flag);
    append_be(to, remark_length);
    to += remark;
    append_be(to, ext_length);
    return to + ext;
  }
};

std::string ext_entry(std::string_view key, std::string_view value) {
  std::string to;
  append_be(to, static_cast<std::int16_t>(key.size()));
  to += key;
  append_be(to, static_cast<std::int32_t>(value.size()));
  return to + std::string(value);
}

BinaryHeader with_fields(const std::string& ext) {
  BinaryHeader header;
  header.ext = ext;
  header.ext_length = static_cast<std::int32_t>(ext.size());
  return header;
}

TEST_F(HeaderDecoderBinary, ReadsAllOfIt) {
  BinaryHeader sent = with_fields(ext_entry("topic", "T") + ext_entry("queueId", "3"));
  sent.remark = "why";
  sent.remark_length = 3;
  ASSERT_TRUE(decode_binary(sent.bytes()));
  EXPECT_EQ(header_.code, 310);
  EXPECT_EQ(header_.language, 0);
  EXPECT_EQ(header_.version, 399);
  EXPECT_TRUE(header_.has_opaque);
  EXPECT_EQ(header_.opaque, 42);
  EXPECT_TRUE(header_.is_one_way());
  EXPECT_EQ(header_.remark, "why");
  ASSERT_EQ(header_.fields.size(), 2U);
  EXPECT_EQ(header_.find("topic"), "T");
  EXPECT_EQ(header_.find("queueId"), "3");
}

TEST_F(HeaderDecoderBinary, NeedsNoFields) {
  const std::string bytes = BinaryHeader().bytes();
  EXPECT_EQ(bytes.size(), 21U);
  ASSERT_TRUE(decode_binary(bytes));
  EXPECT_TRUE(header_.fields.empty());
}

TEST_F(HeaderDecoderBinary, ReadsTheCodeWithItsSign) {
  BinaryHeader sent;
  sent.code = static_cast<std::int16_t>(200'050);
  ASSERT_TRUE(decode_binary(sent.bytes()));
  EXPECT_EQ(header_.code, 3442);
}

TEST_F(HeaderDecoderBinary, TakesEmptyStringsForAbsent) {
  ASSERT_TRUE(decode_binary(with_fields(ext_entry("a", "1") + ext_entry("a", "") + ext_entry("", "x")).bytes()));
  EXPECT_EQ(header_.find("a"), std::nullopt);
}

TEST_F(HeaderDecoderBinary, TakesUnknownLanguagesForOther) {
  for (const int language : {14, 127, -1, -128}) {
    BinaryHeader sent;
    sent.language = static_cast<std::int8_t>(language);
    ASSERT_TRUE(decode_binary(sent.bytes()));
    EXPECT_EQ(header_.language, 7) << language;
  }
}

TEST_F(HeaderDecoderBinary, RefusesEveryCutOffHeader) {
  BinaryHeader sent = with_fields(ext_entry("topic", "T"));
  sent.remark = "r";
  sent.remark_length = 1;
  const std::string bytes = sent.bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Status status = decode_binary(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(status) << size;
    EXPECT_EQ(status.error().code, Errc::kBadHeader);
  }
}

TEST_F(HeaderDecoderBinary, RefusesLengthsThatAreNegativeOrTooLong) {
  for (const std::int32_t length : {-1, INT32_MIN, 5, INT32_MAX}) {
    BinaryHeader sent;
    sent.remark_length = length;
    EXPECT_FALSE(decode_binary(sent.bytes())) << length;
    sent = BinaryHeader();
    sent.ext_length = length;
    EXPECT_FALSE(decode_binary(sent.bytes())) << length;
  }
  for (const int length : {-1, -32'768, 6, 32'767}) {
    std::string ext = ext_entry("abc", "");
    store_be(ext.data(), static_cast<std::int16_t>(length));
    EXPECT_FALSE(decode_binary(with_fields(ext).bytes())) << length;
  }
  for (const std::int32_t length : {-1, INT32_MIN, 2, INT32_MAX}) {
    std::string ext = ext_entry("abc", "v");
    store_be(ext.data() + 5, length);
    EXPECT_FALSE(decode_binary(with_fields(ext).bytes())) << length;
  }
}

TEST_F(HeaderDecoderBinary, RefusesBytesBehindTheFields) {
  BinaryHeader sent = with_fields(ext_entry("a", "1"));
  EXPECT_FALSE(decode_binary(sent.bytes() + "x"));
  sent.ext_length -= 1;
  EXPECT_FALSE(decode_binary(sent.bytes()));
}

TEST_F(HeaderDecoderBinary, AllocatesNothing) {
  const std::string bytes = with_fields(ext_entry("topic", "T")).bytes();
  const std::size_t before = allocations;
  ASSERT_TRUE(decoder_.decode(HeaderType::kRocketmq, view(bytes), header_));
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace tern::protocol
