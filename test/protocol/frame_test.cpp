#include "tern/protocol/frame.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tern/base/byte_order.hpp"
#include "tern/protocol/errors.hpp"

namespace tern::protocol {
namespace {

std::span<const std::byte> view(const std::string& bytes) {
  return std::as_bytes(std::span<const char>(bytes));
}

std::string prefix(std::int32_t length, std::uint32_t type, std::uint32_t header_size) {
  std::string bytes;
  append_be(bytes, length);
  append_be(bytes, type << 24U | header_size);
  return bytes;
}
std::string frame_of(std::uint32_t type, const std::string& header, const std::string& body) {
  return prefix(static_cast<std::int32_t>(4 + header.size() + body.size()), type,
                static_cast<std::uint32_t>(header.size())) +
         header + body;
}

TEST(ScanFrame, FindsHeaderAndBody) {
  const std::string bytes = frame_of(1, "header", "body") + "next";
  const auto frame = scan_frame(view(bytes));
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->type, HeaderType::kRocketmq);
  EXPECT_EQ((*frame)->header.data(), view(bytes).data() + 8);
  EXPECT_EQ((*frame)->header.size(), 6U);
  EXPECT_EQ((*frame)->body.data(), view(bytes).data() + 14);
  EXPECT_EQ((*frame)->body.size(), 4U);
  EXPECT_EQ((*frame)->size, 18U);
}

TEST(ScanFrame, FindsFramesWithoutABody) {
  const auto frame = scan_frame(view(frame_of(0, "{}", "")));
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->type, HeaderType::kJson);
  EXPECT_TRUE((*frame)->body.empty());
}

TEST(ScanFrame, SaysHowMuchItWantsUntilTheFrameIsWhole) {
  const std::string bytes = frame_of(0, "{}", "body");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::size_t wanted = 0;
    const auto frame = scan_frame(view(bytes).first(size), &wanted);
    ASSERT_TRUE(frame) << size;
    EXPECT_FALSE(frame->has_value()) << size;
    EXPECT_EQ(wanted, size < 4 ? 4U : bytes.size()) << size;
  }
}

TEST(ScanFrame, RefusesLengthsThatHoldNoHeaderWord) {
  for (const std::int32_t length : {0, 1, 3, -1, INT32_MIN}) {
    const std::string bytes = prefix(length, 0, 1).substr(0, 4);
    EXPECT_EQ(scan_frame(view(bytes)).error(), error(Errc::kBadFrame, length));
  }
}

TEST(ScanFrame, RefusesTooLargeFramesAtTheirLength) {
  const auto at = [](std::int32_t length) { return scan_frame(view(prefix(length, 0, 1).substr(0, 4))); };
  EXPECT_TRUE(at(16'777'212));
  EXPECT_EQ(at(16'777'213).error(), error(Errc::kFrameTooLarge, 16'777'213));
  EXPECT_EQ(at(INT32_MAX).error().code, Errc::kFrameTooLarge);
}

TEST(ScanFrame, HonoursASmallerLimit) {
  const std::string bytes = frame_of(0, "{}", "body");
  EXPECT_TRUE(scan_frame(view(bytes), nullptr, static_cast<std::int64_t>(bytes.size())));
  EXPECT_EQ(scan_frame(view(bytes), nullptr, static_cast<std::int64_t>(bytes.size()) - 1).error().code,
            Errc::kFrameTooLarge);
}

TEST(ScanFrame, RefusesUnknownTypesAtTheirWord) {
  for (const std::uint32_t type : {2U, 0x7FU, 0xFFU}) {
    EXPECT_EQ(scan_frame(view(prefix(100, type, 10))).error(), error(Errc::kUnknownHeaderType, type));
  }
}

TEST(ScanFrame, RefusesHeaderLengthsThatDoNotFit) {
  EXPECT_EQ(scan_frame(view(prefix(100, 0, 0))).error().code, Errc::kBadFrame);
  EXPECT_EQ(scan_frame(view(prefix(100, 0, 97))).error().code, Errc::kBadFrame);
  EXPECT_EQ(scan_frame(view(prefix(100, 0, 0xFFFFFF))).error().code, Errc::kBadFrame);
  EXPECT_EQ(scan_frame(view(prefix(4, 0, 1))).error().code, Errc::kBadFrame);
  EXPECT_TRUE(scan_frame(view(prefix(100, 0, 96))));
}

}  // namespace
}  // namespace tern::protocol
