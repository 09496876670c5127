#include "tern/base/crc32.hpp"

#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tern {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Crc32, MatchesThePublishedCheckValue) {
  EXPECT_EQ(crc32(bytes_of("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32(bytes_of("The quick brown fox jumps over the lazy dog")), 0x414FA339U);
}

TEST(Crc32, IsZeroOfNothing) {
  EXPECT_EQ(crc32({}), 0U);
}

TEST(Crc32, ContinuesFromWhatCameBefore) {
  const std::string_view text = "123456789";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(crc32(bytes_of(text.substr(cut)), crc32(bytes_of(text.substr(0, cut)))), 0xCBF43926U);
  }
}

TEST(Crc32, OfTheFrontIsJoinedToWhatStandsBehindIt) {
  const std::string text(100'000, 'x');
  const std::string_view all = text;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{88}, all.size()}) {
    for (const std::size_t cut : {std::size_t{0}, size / 3, size}) {
      const auto behind = bytes_of(all.substr(cut, size - cut));
      const Crc32Behind summed(crc32(behind), behind.size());
      EXPECT_EQ(summed.joined_to(crc32(bytes_of(all.substr(0, cut)))), crc32(bytes_of(all.substr(0, size))))
          << cut << " of " << size;
    }
  }
}

TEST(Crc32, DropsTheHighestBitInItsStoredForm) {
  EXPECT_EQ(crc32_31(bytes_of("123456789")), 0x4BF43926);
  EXPECT_EQ(crc32_31(bytes_of("The quick brown fox jumps over the lazy dog")), 0x414FA339);
}

}  // namespace
}  // namespace tern
