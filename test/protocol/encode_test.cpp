#include <vector>

#include <gtest/gtest.h>

#include "tern/base/byte_order.hpp"
#include "tern/protocol/command.hpp"
#include "tern/protocol/errors.hpp"

namespace tern::protocol {
namespace {

std::span<const std::byte> view(const std::string& bytes) {
  return std::as_bytes(std::span<const char>(bytes));
}
std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The JSON header alone; that the frame around it is right is checked on the way.
std::string header_of(const Outgoing& command, std::int32_t flag = kFlagResponse, std::int32_t opaque = 0) {
  std::string bytes;
  encode_header(command, flag, opaque, bytes);
  bytes += command.body.to_string();
  const auto frame = scan_frame(view(bytes));
  EXPECT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->size, bytes.size());
  EXPECT_EQ(text((*frame)->body), command.body.to_string());
  return text((*frame)->header);
}

TEST(EncodeHeader, WritesMembersInAlphabeticalOrder) {
  EXPECT_EQ(header_of(ok()),
            R"({"code":0,"flag":1,"language":"CPP","opaque":0,"serializeTypeCurrentRPC":"JSON","version":479})");
  EXPECT_EQ(header_of(refuse(ResponseCode::kTopicNotExist, "no {}", "T").field("a", 1).field("b", "x"), 3, -7),
            R"({"code":17,"extFields":{"a":"1","b":"x"},"flag":3,"language":"CPP","opaque":-7,"remark":"no T",)"
            R"("serializeTypeCurrentRPC":"JSON","version":479})");
}

TEST(EncodeHeader, WritesEveryFieldAsAString) {
  const std::string header = header_of(
      ok().field("i", -1).field("l", INT64_MIN).field("t", true).field("f", false).field("s", "").field("u", 7U));
  EXPECT_NE(header.find(R"("extFields":{"i":"-1","l":"-9223372036854775808","t":"true","f":"false","s":"","u":"7"})"),
            std::string::npos)
      << header;
}

TEST(EncodeHeader, WritesEmptyFieldsOnlyIfPresent) {
  Outgoing command;
  EXPECT_EQ(header_of(command).find("extFields"), std::string::npos);
  command.fields.set_present();
  EXPECT_NE(header_of(command).find(R"("extFields":{},)"), std::string::npos);
}

TEST(EncodeHeader, EscapesWhatJsonDemands) {
  Outgoing command;
  command.remark = std::string("q\" b\\ /\b\f\n\r\t\x01\x1F\0.", 16);
  command.fields.add("k\"",
                     "A\x01"
                     "1\x02");
  const std::string header = header_of(command);
  EXPECT_NE(header.find(R"("remark":"q\" b\\ /\b\f\n\r\t\u0001\u001f\u0000.")"), std::string::npos) << header;
  EXPECT_NE(header.find(R"("extFields":{"k\"":"A\u00011\u0002"})"), std::string::npos) << header;
}

TEST(EncodeHeader, EscapesKeysOfPlainValues) {
  EXPECT_NE(header_of(ok().field("k\"", "v")).find(R"("extFields":{"k\"":"v"})"), std::string::npos);
}

TEST(EncodeHeader, KeepsUtf8AndMendsWhatIsNone) {
  EXPECT_NE(header_of(refuse(ResponseCode::kSystemError, "gr\xC3\xBC\xC3\x9F \xE6\xB6\x88 \xF0\x9F\x98\x80"))
                .find("\"gr\xC3\xBC\xC3\x9F \xE6\xB6\x88 \xF0\x9F\x98\x80\""),
            std::string::npos);
  EXPECT_NE(header_of(ok().field("a", "x\xC3")).find("\"x\xEF\xBF\xBD\""), std::string::npos);
}

TEST(EncodeHeader, AppendsBehindOtherFrames) {
  std::string bytes;
  encode_header(ok(), 1, 1, bytes);
  const std::size_t first = bytes.size();
  encode_header(ok(), 1, 2, bytes);
  const auto frame = scan_frame(view(bytes).subspan(first));
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->size, bytes.size() - first);
}

TEST(EncodeHeader, CountsTheBodyIntoTheLength) {
  std::string bytes;
  encode_header(ok().with_body("12345"), 1, 1, bytes);
  EXPECT_EQ(load_be<std::int32_t>(bytes.data()), static_cast<std::int32_t>(bytes.size()) - 4 + 5);
}

TEST(EncodeHeader, CutsLongRemarks) {
  Outgoing command;
  command.remark = std::string(kRemarkSizeMax + 1, 'r');
  EXPECT_NE(header_of(command).find("\"" + std::string(kRemarkSizeMax, 'r') + "\""), std::string::npos);
}

// A client can make an answer repeat what it sent, and escapes make that six times as long.
TEST(EncodeHeader, ReplacesFieldsThatNoHeaderCanHold) {
  const std::string header = header_of(ok().field("echo", std::string(3'000'000, '\x01')).with_body("body"), 1, 9);
  EXPECT_EQ(header,
            R"({"code":1,"flag":1,"language":"CPP","opaque":9,"remark":"the header of the answer is too large",)"
            R"("serializeTypeCurrentRPC":"JSON","version":479})");
}

TEST(OutgoingFields, GrowBeyondTheirInlineSpace) {
  OutgoingFields fields;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    fields.add("key" + std::to_string(i), i);
    expected += (i == 0 ? "\"key" : ",\"key") + std::to_string(i) + "\":\"" + std::to_string(i) + "\"";
  }
  EXPECT_EQ(fields.json(), expected);
}

// What is encoded is decoded again, by either codec.
class EncodeFrame : public testing::TestWithParam<HeaderType> {};

TEST_P(EncodeFrame, ComesBackFromTheDecoder) {
  const std::vector<NamedField> fields{{"topic", "T"},
                                       {"properties",
                                        "A\x01"
                                        "1\x02"},
                                       {"utf8", "\xC3\xBC"}};
  const std::string body = "the body";
  const std::string bytes = encode_frame(GetParam(), 310, 2, 77, fields, view(body), 399, "a \"remark\"");
  const auto frame = scan_frame(view(bytes));
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->type, GetParam());
  EXPECT_EQ((*frame)->size, bytes.size());
  EXPECT_EQ(text((*frame)->body), body);

  HeaderDecoder decoder;
  CommandHeader header;
  ASSERT_TRUE(decoder.decode((*frame)->type, (*frame)->header, header));
  EXPECT_EQ(header.code, 310);
  EXPECT_EQ(header.language, 1);
  EXPECT_EQ(header.version, 399);
  EXPECT_EQ(header.opaque, 77);
  EXPECT_TRUE(header.is_one_way());
  EXPECT_FALSE(header.is_response());
  EXPECT_EQ(header.remark, "a \"remark\"");
  ASSERT_EQ(header.fields.size(), 3U);
  for (const NamedField& field : fields) EXPECT_EQ(header.find(field.key), field.value);
}

TEST_P(EncodeFrame, MayHaveNeitherFieldsNorBody) {
  const std::string bytes = encode_frame(GetParam(), 34, 0, 1, {}, {});
  const auto frame = scan_frame(view(bytes));
  ASSERT_TRUE(frame && *frame);
  EXPECT_TRUE((*frame)->body.empty());
  HeaderDecoder decoder;
  CommandHeader header;
  ASSERT_TRUE(decoder.decode((*frame)->type, (*frame)->header, header));
  EXPECT_EQ(header.code, 34);
  EXPECT_EQ(header.version, kProtocolVersion);
  EXPECT_TRUE(header.fields.empty());
}

INSTANTIATE_TEST_SUITE_P(Codecs, EncodeFrame, testing::Values(HeaderType::kJson, HeaderType::kRocketmq));

TEST(EncodeFrame, OfTheBinaryCodecHas21BytesOfHeaderAtLeast) {
  EXPECT_EQ(encode_frame(HeaderType::kRocketmq, 1, 0, 0, {}, {}).size(), 8U + 21U);
}

}  // namespace
}  // namespace tern::protocol
