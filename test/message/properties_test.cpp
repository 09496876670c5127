#include "tern/message/properties.hpp"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tern::message {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(std::string_view properties) {
  Pairs pairs;
  for_each_property(properties,
                    [&](std::string_view name, std::string_view value) { pairs.emplace_back(name, value); });
  return pairs;
}

// "A=1;B=2;" for readable properties.
std::string encoded(std::string_view readable) {
  std::string properties(readable);
  for (char& c : properties) {
    if (c == '=') c = kNameEnd;
    if (c == ';') c = kPairEnd;
  }
  return properties;
}

TEST(Properties, AreVisitedInOrder) {
  EXPECT_EQ(pairs_of(encoded("A=1;B=two;C=3;")), (Pairs{{"A", "1"}, {"B", "two"}, {"C", "3"}}));
}

TEST(Properties, MayLackTheLastEnd) {
  EXPECT_EQ(pairs_of(encoded("A=1;B=2")), (Pairs{{"A", "1"}, {"B", "2"}}));
}

TEST(Properties, DoNotCountWithoutNameValueOrSplit) {
  EXPECT_EQ(pairs_of(""), Pairs{});
  EXPECT_EQ(pairs_of(encoded(";;;")), Pairs{});
  EXPECT_EQ(pairs_of(encoded("=value;name=;plain;A;=;A=;AB=;=AB;")), Pairs{});
}

TEST(Properties, SplitAtTheFirstNameEnd) {
  EXPECT_EQ(pairs_of(encoded("A=b=c;")), (Pairs{{"A",
                                                 "b\x01"
                                                 "c"}}));
}

TEST(Properties, FindTheLastOfDuplicatesThatCounts) {
  EXPECT_EQ(find_property(encoded("A=1;B=2;A=3;"), "A"), "3");
  EXPECT_EQ(find_property(encoded("A=1;B=2;A=;"), "A"), "1");
}

TEST(Properties, FindNothingUnderPartsOfAName) {
  const std::string properties = encoded("TAGS=TagA;KEYS=k1 k2;");
  EXPECT_EQ(find_property(properties, "TAG"), std::nullopt);
  EXPECT_EQ(find_property(properties, "AGS"), std::nullopt);
  EXPECT_EQ(find_property(properties, "TagA"), std::nullopt);
  EXPECT_EQ(find_property(properties, ""), std::nullopt);
  EXPECT_EQ(find_property(properties, property::kKeys), "k1 k2");
}

TEST(PropertyWriter, WritesPairsWithEnds) {
  std::string to = encoded("A=1;");
  PropertyWriter writer(to);
  writer.add("B", "two");
  writer.add("C", std::int64_t{-3});
  writer.add("D", INT64_MIN);
  EXPECT_EQ(to, encoded("A=1;B=two;C=-3;D=-9223372036854775808;"));
}

TEST(PropertyWriter, LeavesEmptyNamesAndValuesOut) {
  std::string to;
  PropertyWriter(to).add("A", "");
  PropertyWriter(to).add("", "1");
  EXPECT_EQ(to, "");
}

TEST(PropertyWriter, CopiesWhatCountsOnce) {
  std::string to;
  PropertyWriter(to).copy(encoded("A=1;=x;B=2;A=3;C=;D=4"));
  EXPECT_EQ(to, encoded("B=2;A=3;D=4;"));
}

TEST(PropertyWriter, CopiesNothingOfExcludedNames) {
  std::string to;
  PropertyWriter(to).copy(encoded("A=1;B=2;A=3;C=4;"), "A", property::kTags, std::string("C"));
  EXPECT_EQ(to, encoded("B=2;"));
}

// Below and above the number of pairs from which a table finds the duplicates.
TEST(PropertyWriter, CopiesManyPairsAsItCopiesFew) {
  for (const std::size_t count : {PropertyWriter::kPairsInline - 1, PropertyWriter::kPairsInline,
                                  PropertyWriter::kPairsInline + 1, std::size_t{5'000}}) {
    std::string properties;
    std::string expected;
    for (std::size_t i = 0; i < count; ++i)
      PropertyWriter(properties).add("N" + std::to_string(i % 20), std::to_string(i));
    const std::size_t first_last = count < 20 ? 0 : count - 20;
    for (std::size_t i = first_last; i < count; ++i)
      PropertyWriter(expected).add("N" + std::to_string(i % 20), std::to_string(i));
    std::string to;
    PropertyWriter(to).copy(properties);
    EXPECT_EQ(to, expected) << count;
  }
}

TEST(TagsCode, IsTheHashThatConsumersCompute) {
  EXPECT_EQ(tags_code(encoded("TAGS=TagA;")), 2598919);
  EXPECT_EQ(tags_code(encoded("TAGS=TagA;TAGS=TagB;")), 2598920);
}

TEST(TagsCode, IsSignExtended) {
  EXPECT_EQ(tags_code(encoded("TAGS=_RECALL_TAG_;")), -847619372);
}

TEST(TagsCode, IsZeroWithoutATag) {
  EXPECT_EQ(tags_code(""), 0);
  EXPECT_EQ(tags_code(encoded("TAGS=;KEYS=k;")), 0);
}

}  // namespace
}  // namespace tern::message
