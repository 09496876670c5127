#include "broker/timer/recall_handle.hpp"

#include <gtest/gtest.h>

namespace tern::broker {
namespace {

// By java.util.Base64.getUrlEncoder() of "v1 TopicTest broker-a 1700000000001 AC11".
constexpr std::string_view kText = "djEgVG9waWNUZXN0IGJyb2tlci1hIDE3MDAwMDAwMDAwMDEgQUMxMQ==";

TEST(RecallHandle, IsWhatApachesClientsKnow) {
  EXPECT_EQ((RecallHandle{"TopicTest", "broker-a", 1'700'000'000'001, "AC11"}.encode()), kText);
}

TEST(RecallHandle, ComesBackAsItWas) {
  for (const std::string key : {"", "k", "kk", "kkk", "k with blanks ", "~?>\xff\xfe"}) {
    const auto handle = RecallHandle::decode(RecallHandle{"%RETRY%g", "b", 5, key}.encode());
    ASSERT_TRUE(handle) << key;
    EXPECT_EQ(handle->topic, "%RETRY%g");
    EXPECT_EQ(handle->broker_name, "b");
    EXPECT_EQ(handle->deliver_ms, 5);
    EXPECT_EQ(handle->unique_key, key);
  }
}

TEST(RecallHandle, IsReadWithoutPadding) {
  EXPECT_TRUE(RecallHandle::decode(kText.substr(0, kText.size() - 2)));
}

TEST(RecallHandle, HasNoTimeIfThatIsNoNumber) {
  for (const auto* text : {"djEgVCBiIHNvb24gaw==", "djEgVCBiIDk5OTk5OTk5OTk5OTk5OTk5OTk5OTkgaw=="}) {
    const auto handle = RecallHandle::decode(text);  // "soon", and more than 64 bits
    ASSERT_TRUE(handle) << text;
    EXPECT_EQ(handle->deliver_ms, -1);
  }
}

TEST(RecallHandle, IsNotForged) {
  for (const std::string text : {"", "=", "====", "A", "djEgVA===", "dj EgVA", "dj+gVA==", "djEg\n",
                                 "djIgVCBiIDUgaw==",  // v2 T b 5 k
                                 "djEgVCBiIDU="}) {   // four parts
    EXPECT_FALSE(RecallHandle::decode(text)) << text;
  }
  EXPECT_FALSE(RecallHandle::decode(std::string(100'000, 'A')));
}

}  // namespace
}  // namespace tern::broker
