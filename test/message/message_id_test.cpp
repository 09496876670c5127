#include "tern/message/message_id.hpp"

#include <unordered_set>

#include <gtest/gtest.h>

namespace tern::message {
namespace {

TEST(OffsetMessageId, IsUpperCaseHexOfAddressPortAndPosition) {
  EXPECT_EQ(offset_message_id(*parse_host("127.0.0.1", 10911), 0x1ABCDEF), "7F00000100002A9F0000000001ABCDEF");
}

TEST(OffsetMessageId, Has56CharactersForIpv6) {
  EXPECT_EQ(offset_message_id(*parse_host("::1", 10911), 255),
            "00000000000000000000000000000001"
            "00002A9F"
            "00000000000000FF");
}

TEST(OffsetMessageId, IsAppendedBehindWhatIsThere) {
  std::string ids = offset_message_id(*parse_host("127.0.0.1", 1), 1) + ",";
  append_offset_message_id(*parse_host("127.0.0.1", 1), 2, ids);
  EXPECT_EQ(ids, "7F000001000000010000000000000001,7F000001000000010000000000000002");
}

TEST(OffsetMessageId, ComesBackFromItsText) {
  for (const char* address : {"192.168.1.254", "2001:db8::7"}) {
    for (const std::int64_t offset : {std::int64_t{0}, std::int64_t{123'456'789'012}, INT64_MAX}) {
      const Host host = *parse_host(address, 65'535);
      const auto id = parse_offset_message_id(offset_message_id(host, offset));
      ASSERT_TRUE(id);
      EXPECT_EQ(id->store_host, host);
      EXPECT_EQ(id->physical_offset, offset);
    }
  }
}

TEST(OffsetMessageId, IsReadInLowerCaseToo) {
  const auto id = parse_offset_message_id("7f00000100002a9f0000000001abcdef");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->physical_offset, 0x1ABCDEF);
}

TEST(OffsetMessageId, RefusesOtherLengths) {
  for (const std::size_t size : {0U, 1U, 31U, 33U, 55U, 57U, 34U}) {
    EXPECT_EQ(parse_offset_message_id(std::string(size, 'A')).error().code, Errc::kBadName) << size;
  }
}

TEST(OffsetMessageId, RefusesWhatIsNoHexDigit) {
  for (const char c : {'G', 'g', '/', ':', '@', '`', ' ', '\0', '\xC3'}) {
    for (const std::size_t at : {0U, 15U, 31U}) {
      std::string text(32, 'A');
      text[at] = c;
      EXPECT_EQ(parse_offset_message_id(text).error(), error(Errc::kBadName, static_cast<std::int64_t>(at))) << c;
    }
  }
}

TEST(UniqueKeyMaker, MakesUpperCaseHexOf32Characters) {
  UniqueKeyMaker maker(1);
  std::string key = "x";
  maker.append_next(key);
  ASSERT_EQ(key.size(), 33U);
  EXPECT_EQ(key.find_first_not_of("0123456789ABCDEF", 1), std::string::npos);
}

TEST(UniqueKeyMaker, NeverRepeatsAcrossMakersAndCounterHalves) {
  std::unordered_set<std::string> seen;
  std::size_t made = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL}) {
    UniqueKeyMaker maker(seed);
    for (int i = 0; i < 66'000; ++i, ++made) {
      std::string key;
      maker.append_next(key);
      seen.insert(std::move(key));
    }
  }
  EXPECT_EQ(seen.size(), made);
}

// The reader adds the milliseconds in characters 20 to 27 to the beginning of its month and searches from there.
TEST(UniqueKeyMaker, PutsATimeThatIsNeverTooLateWhereToolsLookForIt) {
  constexpr std::int64_t kHour = 3'600'000;
  constexpr std::int64_t kMarchFirst2026 = 1'772'323'200'000;
  const auto time_in = [](std::int64_t now_ms) {
    std::string key;
    UniqueKeyMaker(1).append_next(key, now_ms);
    return std::stoll(key.substr(20, 8), nullptr, 16);
  };
  EXPECT_EQ(time_in(0), 0);
  EXPECT_EQ(time_in(kMarchFirst2026), 0);
  EXPECT_EQ(time_in(kMarchFirst2026 + 5 * kHour), 0);
  EXPECT_EQ(time_in(kMarchFirst2026 + 100 * kHour + 7), 76 * kHour + 7);
  EXPECT_EQ(time_in(kMarchFirst2026 - 1), 27 * 24 * kHour - 1);
}

}  // namespace
}  // namespace tern::message
