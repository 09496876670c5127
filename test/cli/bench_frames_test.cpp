// A patched copy must be the frame that encoding anew would have made, in both codecs.
#include "cli/bench_frames.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tern/message/batch.hpp"
#include "tern/message/properties.hpp"

namespace tern::cli {
namespace {

using protocol::HeaderType;

class FramesTest : public testing::TestWithParam<HeaderType> {
 protected:
  /// Decodes the one frame that `bytes` must be.
  const protocol::CommandHeader& decode(const std::string& bytes) {
    const auto frame = protocol::scan_frame(std::as_bytes(std::span(bytes)));
    EXPECT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->size, bytes.size());
    EXPECT_EQ((*frame)->type, GetParam());
    EXPECT_TRUE(decoder_.decode((*frame)->type, (*frame)->header, header_));
    body_ = (*frame)->body;
    return header_;
  }
  std::span<const std::byte> body_;

 private:
  protocol::HeaderDecoder decoder_;
  protocol::CommandHeader header_;
};

TEST_P(FramesTest, PatchesWhatVariesAndNothingElse) {
  FrameTemplate::Command command;
  command.codec = GetParam();
  command.flag = 2;
  command.fields = {{"before", "\"opaque\":1"},
                    {"born", std::string(kBornTimeHole)},
                    {"at", std::string(kOffsetHole)},
                    {"key", "<" + std::string(kNumberHole) + ">"}};
  command.body = "[" + std::string(kNumberHole) + "] \"opaque\":2";
  const FrameTemplate frame(command);
  BornTime born;
  born.set(1'234'567'890'123);
  std::string bytes;
  frame.append(bytes, {2'147'483'647, born.text(), 0x123'4567'89AB'CDEF, 9'223'372'036'854'775'807});

  const std::string body = "[123456789ABCDF0] \"opaque\":2";  // the second number is one more than the first
  const std::vector<protocol::NamedField> fields = {{"before", "\"opaque\":1"},
                                                    {"born", "1234567890123"},
                                                    {"at", "9223372036854775807"},
                                                    {"key", "<123456789ABCDEF>"}};
  EXPECT_EQ(bytes, protocol::encode_frame(GetParam(), static_cast<std::int32_t>(command.code), 2, 2'147'483'647, fields,
                                          std::as_bytes(std::span(body))));
}

TEST_P(FramesTest, AppendsBehindWhatIsThere) {
  const auto frame = pull_template({.topic = "T", .codec = GetParam()}, 3);
  std::string one;
  frame.append(one, {kOpaqueFirst + 1, {}, 0, 7});
  std::string two;
  frame.append(two, {kOpaqueFirst, {}, 0, 6});
  frame.append(two, {kOpaqueFirst + 1, {}, 0, 7});
  EXPECT_EQ(two.substr(frame.size()), one);
  const auto& header = decode(one);
  EXPECT_EQ(header.opaque, kOpaqueFirst + 1);
  EXPECT_EQ(header.find("queueId"), "3");
  EXPECT_EQ(header.find("queueOffset"), "0000000000000000007");
}

TEST_P(FramesTest, MakesASendAsClientsDo) {
  const auto run = run_id(0xABC);
  BornTime born;
  born.set(1'700'000'000'000);
  MessageShape shape;
  shape.topic = "Topic";
  shape.body_size = 100;
  shape.tag = "red";
  shape.codec = GetParam();
  std::string bytes;
  send_template(shape, run, 5).append(bytes, {kOpaqueFirst, born.text(), 42, 0});
  const auto& header = decode(bytes);
  EXPECT_EQ(header.code, 310);
  EXPECT_EQ(header.find("b"), "Topic");
  EXPECT_EQ(header.find("e"), "5");
  EXPECT_EQ(header.find("g"), "1700000000000");
  EXPECT_EQ(header.find("m"), "false");
  const auto properties = header.find("i");
  ASSERT_TRUE(properties);
  EXPECT_EQ(message::find_property(*properties, "TAGS"), "red");
  const auto key = message::find_property(*properties, "UNIQ_KEY");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->size(), 32U);
  EXPECT_EQ(number_of(*key, run), 42U);
  EXPECT_EQ(body_.size(), 100U);
}

TEST_P(FramesTest, NumbersEveryMessageOfABatch) {
  const auto run = run_id(7);
  MessageShape shape;
  shape.topic = "Topic";
  shape.body_size = 10;
  shape.batch = 20;
  shape.codec = GetParam();
  const auto frame = send_template(shape, run, 0);
  EXPECT_EQ(frame.numbers(), 20U);
  std::string bytes;
  BornTime born;
  born.set(1);
  frame.append(bytes, {kOpaqueFirst, born.text(), 1000, 0});
  const auto& header = decode(bytes);
  EXPECT_EQ(header.code, 320);
  EXPECT_EQ(header.find("m"), "true");
  message::BatchReader reader(body_);
  std::uint64_t number = 1000;
  while (const auto item = reader.next()) {
    ASSERT_TRUE(*item);
    EXPECT_EQ((*item)->body.size(), 10U);
    const auto key = message::find_property((*item)->properties, "UNIQ_KEY");
    ASSERT_TRUE(key);
    EXPECT_EQ(number_of(*key, run), number++);
  }
  EXPECT_EQ(number, 1020U);
}

INSTANTIATE_TEST_SUITE_P(Codecs, FramesTest, testing::Values(HeaderType::kJson, HeaderType::kRocketmq));

TEST(NumberOf, KnowsItsOwnRunAlone) {
  const auto run = run_id(1);
  EXPECT_EQ(run.size() + kNumberDigits, 32U);
  EXPECT_EQ(number_of(run + "00000000000001F", run), 31U);
  EXPECT_EQ(number_of(run_id(2) + "00000000000001F", run), std::nullopt);
  EXPECT_EQ(number_of(run + "00000000000001f", run), std::nullopt);
  EXPECT_EQ(number_of(run + "1F", run), std::nullopt);
  EXPECT_EQ(number_of("", run), std::nullopt);
}

TEST(BornTime, IsAlwaysThirteenDigits) {
  BornTime born;
  born.set(5);
  EXPECT_EQ(born.text(), "0000000000005");
  born.set(9'999'999'999'999);
  EXPECT_EQ(born.text(), "9999999999999");
}

}  // namespace
}  // namespace tern::cli
