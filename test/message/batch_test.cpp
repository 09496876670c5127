#include "tern/message/batch.hpp"

#include <gtest/gtest.h>

#include "message/bytes.hpp"

namespace tern::message {
namespace {

std::string item(std::int32_t flag, std::string_view body, std::string_view properties) {
  std::string bytes;
  append_be(bytes, static_cast<std::int32_t>(kBatchItemSizeMin + body.size() + properties.size()));
  append_be(bytes, std::int32_t{0});
  append_be(bytes, std::int32_t{0});
  append_be(bytes, flag);
  append_be(bytes, static_cast<std::int32_t>(body.size()));
  bytes += body;
  append_be(bytes, static_cast<std::int16_t>(properties.size()));
  bytes += properties;
  return bytes;
}

// The error of the first item.
Error first_error(const std::string& bytes) {
  BatchReader reader(view(bytes));
  const auto first = reader.next();
  EXPECT_TRUE(first.has_value() && !first->has_value());
  EXPECT_FALSE(reader.next().has_value()) << "nothing follows an error";
  return first.has_value() && !first->has_value() ? first->error() : Error{};
}

TEST(BatchReader, FindsNothingInAnEmptyBody) {
  EXPECT_FALSE(BatchReader({}).next().has_value());
}

TEST(BatchReader, ReadsItemsInOrder) {
  const std::string bytes = item(7, "first",
                                 "A\x01"
                                 "1\x02") +
                            item(-1, "", "") + item(0, "third", "");
  BatchReader reader(view(bytes));
  const auto first = reader.next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->flag, 7);
  EXPECT_EQ(text((*first)->body), "first");
  EXPECT_EQ((*first)->properties,
            "A\x01"
            "1\x02");
  const auto second = reader.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->flag, -1);
  EXPECT_TRUE((*second)->body.empty());
  EXPECT_TRUE((*second)->properties.empty());
  const auto third = reader.next();
  ASSERT_TRUE(third && *third);
  EXPECT_EQ(text((*third)->body), "third");
  EXPECT_FALSE(reader.next().has_value());
}

TEST(BatchReader, IgnoresMagicAndCrc) {
  std::string bytes = patched(item(0, "b", ""), batch_offset_of::kMagic, std::int32_t{-1});
  bytes = patched(bytes, batch_offset_of::kBodyCrc, std::int32_t{-1});
  const auto first = BatchReader(view(bytes)).next();
  EXPECT_TRUE(first && *first);
}

TEST(BatchReader, RefusesEveryCutOffBody) {
  const std::string whole = item(0, "body",
                                 "A\x01"
                                 "1\x02");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(first_error(whole.substr(0, size)).code, Errc::kTruncated) << size;
  }
}

TEST(BatchReader, RefusesACutOffSecondItem) {
  const std::string bytes = item(0, "first", "") + item(0, "second", "");
  const std::string cut = bytes.substr(0, bytes.size() - 1);
  BatchReader reader(view(cut));
  const auto first = reader.next();
  EXPECT_TRUE(first && *first);
  const auto second = reader.next();
  ASSERT_TRUE(second && !*second);
  EXPECT_EQ(second->error().code, Errc::kTruncated);
  EXPECT_FALSE(reader.next().has_value());
}

TEST(BatchReader, RefusesASizeBelowTheSmallest) {
  for (const std::int32_t size : {0, -1, 21, INT32_MIN}) {
    EXPECT_EQ(first_error(patched(item(0, "body", ""), batch_offset_of::kTotalSize, size)),
              error(Errc::kBadLength, size));
  }
}

TEST(BatchReader, RefusesBodyLengthsThatDoNotFit) {
  const std::string good = item(0, "body", "");
  for (const std::int32_t length : {-1, 3, 5, 6, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(first_error(patched(good, batch_offset_of::kBodyLength, length)).code, Errc::kBadLength) << length;
  }
}

TEST(BatchReader, RefusesPropertyLengthsThatDoNotFit) {
  const std::string good = item(0, "body", "abc");
  const int at = batch_offset_of::kBody + 4;
  for (const int length : {-1, 0, 2, 4, 32'767}) {
    EXPECT_EQ(first_error(patched(good, at, static_cast<std::int16_t>(length))).code, Errc::kBadLength) << length;
  }
}

}  // namespace
}  // namespace tern::message
