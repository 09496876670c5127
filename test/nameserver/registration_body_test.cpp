#include "nameserver/registration_body.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libdeflate.h>

#include "nameserver/compressed_registration.hpp"
#include "nameserver/errors.hpp"

namespace tern::nameserver {
namespace {

using test::BinaryRegistration;
using test::compress;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Result<RegisteredTopics> decode(std::string_view body, BodyForm form, bool has_mappings = true) {
  return decode_registration(std::as_bytes(std::span(body)), form, has_mappings);
}

constexpr std::string_view kVersion = R"({"counter":3,"stateVersion":1,"timestamp":2})";
constexpr std::string_view kWrapper =
    R"({"dataVersion":{"counter":3,"stateVersion":1,"timestamp":2},"mappingDataVersion":{"counter":0},)"
    R"("topicConfigTable":{"T":{"attributes":{},"order":false,"perm":6,"readQueueNums":8,"topicFilterType":"SINGLE_TAG",)"
    R"("topicName":"T","topicSysFlag":1,"writeQueueNums":4}},"topicQueueMappingDetailMap":{},)"
    R"("topicQueueMappingInfoMap":{"T":{"bname":"b","currIdMap":{0:1},"dirty":false,"topic":"T"}}})";

std::string register_body(std::string_view wrapper) {
  return R"({"filterServerList":[],"topicConfigSerializeWrapper":)" + std::string(wrapper) + "}";
}

TEST(RegistrationBody, ReadsTheJsonOfPresentBrokers) {
  const auto topics = decode(register_body(kWrapper), BodyForm::kJson);
  ASSERT_TRUE(topics) << topics.error().text();
  EXPECT_EQ(topics->version, (DataVersion{1, 2, 3}));
  EXPECT_THAT(topics->queues, ElementsAre(Pair("T", QueueData{8, 4, 6, 1})));
  ASSERT_EQ(topics->mappings.size(), 1U);
  EXPECT_EQ(topics->mappings[0].topic, "T");
  EXPECT_EQ(topics->mappings[0].broker, "b");
  EXPECT_EQ(topics->mappings[0].info.at("currIdMap"), (protocol::Json{{"0", 1}}));
}

TEST(RegistrationBody, ReadsTheBareWrapperOfBrokersBefore3011) {
  const auto topics = decode(kWrapper, BodyForm::kBare);
  ASSERT_TRUE(topics);
  EXPECT_THAT(topics->queues, ElementsAre(Pair("T", QueueData{8, 4, 6, 1})));
}

TEST(RegistrationBody, ReadsTheCompressedForm) {
  BinaryRegistration body(kVersion);
  body.number(2).text(R"(T 8 4 6 SINGLE_TAG {"message.type":"FIFO"})").text("U 1 2 4 MULTI_TAG {}").text("[]");
  body.number(1).text(R"({"bname":"b","currIdMap":{0:1},"topic":"T"})");
  const auto topics = decode(compress(body.bytes()), BodyForm::kCompressed);
  ASSERT_TRUE(topics) << topics.error().text();
  EXPECT_EQ(topics->version, (DataVersion{1, 2, 3}));
  EXPECT_THAT(topics->queues, ElementsAre(Pair("T", QueueData{8, 4, 6, 0}), Pair("U", QueueData{1, 2, 4, 0})));
  ASSERT_EQ(topics->mappings.size(), 1U);
  EXPECT_EQ(topics->mappings[0].topic, "T");
}

TEST(RegistrationBody, ReadsTheCompressedFormOfBrokersBefore5) {
  BinaryRegistration body(kVersion);
  body.number(1).text("T 8 4 6 SINGLE_TAG {}").text("[]");
  EXPECT_TRUE(decode(compress(body.bytes()), BodyForm::kCompressed, false));
}

TEST(RegistrationBody, TakesAnAbsentBodyForAnEmptyTable) {
  for (const auto form : {BodyForm::kBare, BodyForm::kJson, BodyForm::kCompressed}) {
    const auto topics = decode("", form);
    ASSERT_TRUE(topics);
    EXPECT_EQ(topics->version, DataVersion{});
    EXPECT_THAT(topics->queues, IsEmpty());
  }
}

TEST(RegistrationBody, RefusesWhatIsNoRegistration) {
  EXPECT_EQ(decode("garbage", BodyForm::kJson).error().code, make_error_code(Errc::kBodyNotJson));
  EXPECT_EQ(decode("[]", BodyForm::kJson).error().code, make_error_code(Errc::kBodyIncomplete));
  EXPECT_EQ(decode("{}", BodyForm::kJson).error().code, make_error_code(Errc::kBodyIncomplete));
  EXPECT_EQ(decode("{}", BodyForm::kBare).error().code, make_error_code(Errc::kBodyIncomplete));
  EXPECT_EQ(decode(register_body(R"({"topicConfigTable":{"T":5}})"), BodyForm::kJson).error().code,
            make_error_code(Errc::kBodyIncomplete));
  EXPECT_EQ(decode(register_body("{}"), BodyForm::kCompressed).error().code, make_error_code(Errc::kBadCompression));
}

TEST(RegistrationBody, RefusesAJsonBodyThatIsCutAnywhere) {
  const auto whole = register_body(kWrapper);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(whole).substr(0, size), BodyForm::kJson)) << size;
  }
}

TEST(RegistrationBody, RefusesACompressedBodyThatIsCutAnywhere) {
  BinaryRegistration body(kVersion);
  body.number(1).text("T 8 4 6 SINGLE_TAG {}").text("[]").number(1).text(R"({"bname":"b","topic":"T"})");
  const auto& inside = body.bytes();
  const auto whole = compress(inside);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(whole).substr(0, size), BodyForm::kCompressed)) << size;
  }
  BinaryRegistration without_mappings(kVersion);
  without_mappings.number(1).text("T 8 4 6 SINGLE_TAG {}").text("[]");
  for (std::size_t size = 0; size < inside.size(); ++size) {
    if (size == without_mappings.bytes().size()) continue;  // whole, for an older broker
    const auto cut = compress(std::string_view(inside).substr(0, size));
    EXPECT_FALSE(decode(cut, BodyForm::kCompressed)) << size;
  }
}

TEST(RegistrationBody, RefusesLengthsThatLie) {
  for (const std::int32_t lie : {-1, 0x7FFFFFFF, 1000}) {
    BinaryRegistration length(kVersion);
    length.number(1).number(lie);
    EXPECT_EQ(decode(compress(length.bytes()), BodyForm::kCompressed).error().code,
              make_error_code(Errc::kBodyEndsEarly))
        << lie;
  }
  BinaryRegistration count(kVersion);
  count.number(0x7FFFFFFF).text("T 8 4 6 SINGLE_TAG {}");
  EXPECT_EQ(decode(compress(count.bytes()), BodyForm::kCompressed).error().code, make_error_code(Errc::kBodyEndsEarly));
}

TEST(RegistrationBody, NamesTheTopicLineThatIsWrong) {
  for (const std::string line :
       {"", "T", "T 8", "T 8 4", "T 8 4 x SINGLE_TAG {}", " 8 4 6", "T 8 4 99999999999 S {}"}) {
    BinaryRegistration body(kVersion);
    body.number(2).text("T 8 4 6 SINGLE_TAG {}").text(line).text("[]");
    const auto topics = decode(compress(body.bytes()), BodyForm::kCompressed);
    ASSERT_FALSE(topics) << line;
    EXPECT_EQ(topics.error(), error(Errc::kBadTopicLine, 1)) << line;
  }
}

TEST(RegistrationBody, InflatesUpToItsLimitAndNoFurther) {
  const std::string zeros(kInflatedBytesMax + 1, '\0');
  EXPECT_EQ(decode(compress(zeros), BodyForm::kCompressed).error(),
            error(Errc::kInflatedTooLarge, static_cast<std::int64_t>(kInflatedBytesMax)));
  BinaryRegistration body(kVersion);
  body.number(0).text(std::string(kInflatedBytesMax - 100, ' ')).number(0);
  EXPECT_TRUE(decode(compress(body.bytes()), BodyForm::kCompressed));
}

}  // namespace
}  // namespace tern::nameserver
