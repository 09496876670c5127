#include "tern/protocol/fields.hpp"

#include <gtest/gtest.h>

namespace tern::protocol {
namespace {

struct Sample {
  std::string_view topic;
  std::int32_t queue = -1;
  std::int64_t offset = -1;
  bool flag = true;
  std::optional<std::int32_t> times;
  std::string_view note = "none";
};
constexpr auto kSample = fields<Sample>(required("topic", &Sample::topic), required("queueId", &Sample::queue),
                                        optional("offset", &Sample::offset), optional("flag", &Sample::flag),
                                        optional("times", &Sample::times), optional("note", &Sample::note));

CommandHeader header_of(std::initializer_list<ExtField> ext_fields) {
  CommandHeader header;
  for (const ExtField& field : ext_fields) header.fields.push_back(field);
  return header;
}

TEST(Fields, FillTheStruct) {
  const auto sample = kSample.decode(header_of({{"topic", "T"},
                                                {"queueId", "3"},
                                                {"offset", "9223372036854775807"},
                                                {"flag", "false"},
                                                {"times", "16"},
                                                {"note", ""},
                                                {"unknown", "?"}}));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->topic, "T");
  EXPECT_EQ(sample->queue, 3);
  EXPECT_EQ(sample->offset, INT64_MAX);
  EXPECT_FALSE(sample->flag);
  EXPECT_EQ(sample->times, 16);
  EXPECT_EQ(sample->note, "");
}

TEST(Fields, KeepInitialValuesOfWhatIsAbsent) {
  const auto sample = kSample.decode(header_of({{"topic", ""}, {"queueId", "-2147483648"}}));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->topic, "");
  EXPECT_EQ(sample->queue, INT32_MIN);
  EXPECT_EQ(sample->offset, -1);
  EXPECT_TRUE(sample->flag);
  EXPECT_EQ(sample->times, std::nullopt);
  EXPECT_EQ(sample->note, "none");
}

TEST(Fields, NameTheFirstThatIsMissing) {
  const auto sample = kSample.decode(header_of({{"topicX", "T"}}));
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().code, Errc::kMissingField);
  EXPECT_EQ(sample.error().key, "topic");
  EXPECT_EQ(sample.error().text(), "the custom field <topic> is null");
}

TEST(Fields, TakeANullForAbsent) {
  const auto sample = kSample.decode(header_of({{"topic", {}}, {"queueId", "1"}}));
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().key, "topic");
}

TEST(Fields, RefuseWhatIsNoNumber) {
  for (const std::string_view bad :
       {"", " 1", "1 ", "abc", "1.0", "0x1", "+", "-", "+-1", "--1", "2147483648", "-2147483649"}) {
    const auto sample = kSample.decode(header_of({{"topic", "T"}, {"queueId", bad}}));
    ASSERT_FALSE(sample) << bad;
    EXPECT_EQ(sample.error().code, Errc::kBadField);
    EXPECT_EQ(sample.error().key, "queueId");
    EXPECT_EQ(sample.error().value, bad);
  }
  const auto sample = kSample.decode(header_of({{"topic", "T"}, {"queueId", "1"}, {"times", "x"}}));
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().text(), "the custom field <times> has an illegal value: x");
}

TEST(Fields, ReadAPlusAsJavaDoes) {
  EXPECT_EQ(kSample.decode(header_of({{"topic", "T"}, {"queueId", "+5"}}))->queue, 5);
}

TEST(Fields, AreTrueOnlyIfTheySayTrue) {
  const auto flag = [](std::string_view text) {
    return kSample.decode(header_of({{"topic", "T"}, {"queueId", "1"}, {"flag", text}}))->flag;
  };
  for (const std::string_view text : {"true", "TRUE", "True"}) EXPECT_TRUE(flag(text)) << text;
  for (const std::string_view text : {"false", "", "1", "yes", "true ", "tru", "TRU\x05"})
    EXPECT_FALSE(flag(text)) << text;
}

TEST(FieldProblem, BecomesASystemErrorThatNamesTheField) {
  const Response response = refuse(FieldProblem{Errc::kBadField, "queueId", "x"});
  EXPECT_EQ(response.code, 1);
  EXPECT_EQ(response.remark, "the custom field <queueId> has an illegal value: x");
  EXPECT_FALSE(response.fields.present());
}

TEST(FieldProblem, ShowsTheFrontOfALongValue) {
  const std::string value(1'000'000, 'v');
  EXPECT_LT(FieldProblem({Errc::kBadField, "queueId", value}).text().size(), 200U);
}

}  // namespace
}  // namespace tern::protocol
