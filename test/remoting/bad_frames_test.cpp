// What a peer sends may be anything. It costs that peer its connection, and nobody else notices.
#include <string>

#include <gtest/gtest.h>

#include "remoting/loopback.hpp"

namespace tern::remoting {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

std::string frame_with(std::uint32_t type, std::string_view header) {
  const auto size = static_cast<std::uint32_t>(header.size());
  return big_endian(4 + size) + big_endian(type << 24 | size) + std::string(header);
}

struct BadInput {
  const char* what;
  std::string bytes;
};

const BadInput kBadInputs[] = {
    {"negative_length", big_endian(0xFFFF'FFFF)},
    {"zero_length", big_endian(0)},
    {"too_large", big_endian(16'777'213)},
    {"header_longer_than_frame", big_endian(8) + big_endian(100) + "{}xx"},
    {"empty_header", big_endian(4) + big_endian(0)},
    {"unknown_header_type", frame_with(7, R"({"code":1})")},
    {"not_json", frame_with(0, "GET / HTTP/1.1")},
    {"json_cut_off", frame_with(0, R"({"code":1,"opaque":)")},
    {"json_array", frame_with(0, "[1]")},
    {"nested_10000_deep", frame_with(0, R"({"x":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}")},
    {"int_overflow", frame_with(0, R"({"code":99999999999})")},
    {"binary_cut_off", frame_with(1, std::string(20, '\0'))},
    {"binary_length_that_lies", frame_with(1, std::string(13, '\0') + big_endian(0x7FFF'FFFF) + big_endian(0))},
    {"tls_client_hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
};

class BadFrames : public testing::TestWithParam<BadInput> {};

TEST_P(BadFrames, CloseOnlyTheirConnection) {
  Server server(echo);
  server.start();
  RawPeer bystander(server.port());
  EXPECT_EQ(bystander.call(1).code, 1);
  RawPeer peer(server.port());
  peer.send(request_frame(5, 50) + GetParam().bytes + request_frame(6, 60));
  const auto before = peer.receive();  // what came before the damage was good
  ASSERT_TRUE(before);
  EXPECT_EQ(before->opaque, 50);
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(bystander.call(2).code, 2);
  const auto counters = server.network.counters();
  EXPECT_EQ(counters.bad_frames, 1);
  EXPECT_EQ(counters.requests, 3);
  EXPECT_EQ(counters.receiving_bytes, 0);
}

INSTANTIATE_TEST_SUITE_P(All, BadFrames, testing::ValuesIn(kBadInputs),
                         [](const auto& tested) { return tested.param.what; });

TEST(BadFrames, AreCountedOnce) {
  Server server(echo);
  server.start();
  for (int i = 0; i < 20; ++i) {
    RawPeer peer(server.port());
    peer.send(kBadInputs[0].bytes + kBadInputs[0].bytes);
    EXPECT_TRUE(peer.is_closed());
  }
  EXPECT_EQ(server.network.counters().bad_frames, 20);
}

}  // namespace
}  // namespace tern::remoting
