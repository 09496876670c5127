// Expected numbers are those of Apache's filter module 5.5.0, and of Guava 32.

#include "broker/filter/bit_positions.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern::broker {
namespace {

using ::testing::ElementsAre;

TEST(BitPositions, HashesTextsOfEveryLength) {
  EXPECT_EQ(murmur3(""), 0U);
  EXPECT_EQ(murmur3("a"), 0x8555'5565'F659'7889U);
  EXPECT_EQ(murmur3("g#T"), 0x9F7B'8BC1'9F04'1A29U);
  EXPECT_EQ(murmur3("12345678"), 0x3B4A'6406'38B1'419CU);
  EXPECT_EQ(murmur3("123456789"), 0x3C84'645E'DB66'CCA4U);
  EXPECT_EQ(murmur3("1234567890123456"), 0x4FBE'5DC5'C0E3'2CF8U);
  EXPECT_EQ(murmur3("12345678901234567"), 0x7486'1796'8026'B77EU);
  EXPECT_EQ(murmur3("consumer-group#%RETRY%consumer-group-\xC3\xA9\xE4\xB8\xAD"), 0x49BE'ED13'7C31'4B77U);
}

TEST(BitPositions, MeasureTheBitMapsAsApacheDoes) {
  EXPECT_EQ(bit_map_size(32, 20), (BitMapSize{112, 3}));
  EXPECT_EQ(bit_map_size(32, 1), (BitMapSize{312, 7}));
  EXPECT_EQ(bit_map_size(1, 50), (BitMapSize{8, 1}));
  EXPECT_EQ(bit_map_size(1000, 99), (BitMapSize{24, 1}));
  EXPECT_EQ(bit_map_size(64, 25), (BitMapSize{192, 2}));
  EXPECT_EQ(bit_map_size(100'000, 20), (BitMapSize{334'984, 3}));
}

TEST(BitPositions, AreApachesForEveryGroup) {
  const auto size = bit_map_size(32, 20);
  EXPECT_THAT(bit_positions("g", "T", size), ElementsAre(90, 68, 28));
  EXPECT_THAT(bit_positions("group", "topic", size), ElementsAre(79, 21, 21));
  EXPECT_THAT(bit_positions("consumer-group", "%RETRY%consumer-group-\xC3\xA9", size), ElementsAre(14, 59, 104));
}

}  // namespace
}  // namespace tern::broker
