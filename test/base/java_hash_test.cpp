#include "tern/base/java_hash.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace tern {
namespace {

using namespace std::string_view_literals;

struct Known {
  std::string_view text;
  std::int32_t hash;
};

// The hashes are what Java prints for new String(bytes, UTF_8).hashCode().
TEST(JavaHash, EqualsJavasForWellFormedText) {
  for (const Known& known : {
           Known{"", 0},
           {"TagA", 2598919},
           {"hello", 99162322},
           {"\0"sv, 0},
           {"a\0b"sv, 93315},
           {"TBW102", -1826525782},
           {"polygenelubricants", -2147483647 - 1},
           {"\xE4\xBD\xA0\xE5\xA5\xBD", 652829},  // two Chinese letters
           {"caf\xC3\xA9", 3045921},              // a two-byte letter
           {"\xF0\x9F\x98\x80", 1772899},         // outside the first plane: two UTF-16 units
           {"\xF4\x8F\xBF\xBF", 1803232},         // the last code point
       }) {
    EXPECT_EQ(java_hash(known.text), known.hash) << known.text;
  }
}

TEST(JavaHash, CountsIllFormedBytesAsTheReplacementCharacter) {
  const std::int32_t replacement = java_hash("\xEF\xBF\xBD");
  EXPECT_EQ(replacement, 0xFFFD);
  EXPECT_EQ(java_hash("\x80"), replacement);      // a continuation of nothing
  EXPECT_EQ(java_hash("\xFF"), replacement);      // never a UTF-8 byte
  EXPECT_EQ(java_hash("\xE4\xBD"), replacement);  // cut off
  EXPECT_EQ(java_hash("\xE4\xBD"
                      "A"),
            java_hash("\xEF\xBF\xBD"
                      "A"));
  EXPECT_EQ(java_hash("\xC0\x80"), java_hash("\xEF\xBF\xBD\xEF\xBF\xBD"));  // an overlong form
}

TEST(JavaHash, ContinuesFromASeed) {
  EXPECT_EQ(java_hash("llo", java_hash("he")), java_hash("hello"));
}

}  // namespace
}  // namespace tern
