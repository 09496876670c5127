#include "tern/base/byte_order.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace tern {
namespace {

TEST(ByteOrder, PutsTheMostSignificantByteFirst) {
  std::string bytes;
  append_be<std::int32_t>(bytes, 0x01020304);
  append_be<std::int16_t>(bytes, 0x0506);
  append_be<std::int8_t>(bytes, 0x07);
  append_be<std::uint64_t>(bytes, 0x08090A0B0C0D0E0FULL);
  EXPECT_EQ(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F");
}

template <class T>
void expect_to_survive(T value) {
  std::array<char, 16> bytes{};
  for (std::size_t misalignment = 0; misalignment < 8; ++misalignment) {
    store_be(bytes.data() + misalignment, value);
    EXPECT_EQ(load_be<T>(bytes.data() + misalignment), value);
  }
}

TEST(ByteOrder, ReadsBackWhatItStoredAtAnyAddress) {
  for (const std::int64_t value : {0LL, 1LL, -1LL, 0x1234567890ABCDEFLL}) {
    expect_to_survive(static_cast<std::int8_t>(value));
    expect_to_survive(static_cast<std::uint16_t>(value));
    expect_to_survive(static_cast<std::int32_t>(value));
    expect_to_survive(value);
  }
  expect_to_survive(std::numeric_limits<std::int64_t>::min());
  expect_to_survive(std::numeric_limits<std::int32_t>::max());
}

TEST(ByteOrder, TouchesOnlyTheBytesOfItsType) {
  std::array<char, 4> bytes{'a', 'b', 'c', 'd'};
  store_be<std::int16_t>(bytes.data() + 1, 0x4142);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "aABd");
}

}  // namespace
}  // namespace tern
