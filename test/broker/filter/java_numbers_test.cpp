#include "broker/filter/java_numbers.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace tern::broker {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(JavaNumbers, ReadsIntegersOfTheWholeRange) {
  EXPECT_EQ(java_int("0"), 0);
  EXPECT_EQ(java_int("-0"), 0);
  EXPECT_EQ(java_int("+0012"), 12);
  EXPECT_EQ(java_int("2147483647"), 2'147'483'647);
  EXPECT_EQ(java_int("-2147483648"), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(java_long("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(java_long("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
}

TEST(JavaNumbers, RefusesWhatIsNoInteger) {
  for (const char* text : {"", "+", "-", "--1", " 1", "1 ", "1.0", "1L", "0x1", "1_0", "2147483648", "-2147483649",
                           "99999999999999999999999999", "\xD9", "\xEF\xBC", "\xF0\x9D\x9F\x8F", "\xC0\xB1"}) {
    EXPECT_EQ(java_int(text), std::nullopt) << text;
  }
  EXPECT_EQ(java_long("9223372036854775808"), std::nullopt);
  EXPECT_EQ(java_long("-9223372036854775809"), std::nullopt);
}

TEST(JavaNumbers, ReadsTheDigitsOfEveryScript) {
  EXPECT_EQ(java_int("-\xD9\xA1\xD9\xA9"), -19) << "Arabic-Indic";
  EXPECT_EQ(java_int("\xEF\xBC\x91"
                     "2"),
            12)
      << "full width, and one of ASCII";
  EXPECT_EQ(java_int("\xD9\xAA"), std::nullopt) << "the sign behind the Arabic-Indic digits";
}

TEST(JavaNumbers, ReadsDecimalFloats) {
  EXPECT_EQ(java_double("1"), 1.0);
  EXPECT_EQ(java_double("\t+1.50 \n"), 1.5);
  EXPECT_EQ(java_double("-.5"), -0.5);
  EXPECT_EQ(java_double("5."), 5.0);
  EXPECT_EQ(java_double("1e3"), 1000.0);
  EXPECT_EQ(java_double("1E-3f"), 0.001);
  EXPECT_EQ(java_double("7D"), 7.0);
  EXPECT_EQ(java_double("4.9e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(java_double("1.7976931348623158e308"), std::numeric_limits<double>::max());
}

TEST(JavaNumbers, ReadsHexadecimalFloats) {
  EXPECT_EQ(java_double("0x1p3"), 8.0);
  EXPECT_EQ(java_double("-0X.8P+1"), -1.0);
  EXPECT_EQ(java_double("0x1.8p0d"), 1.5);
  EXPECT_EQ(java_double("0x1"), std::nullopt) << "the exponent must be there";
}

TEST(JavaNumbers, TakesWhatIsOutOfRangeForInfinityOrZero) {
  EXPECT_EQ(java_double("1e400"), kInfinity);
  EXPECT_EQ(java_double("-1e99999999999999999999"), -kInfinity);
  EXPECT_EQ(java_double("0.0000001e-400"), 0.0);
  EXPECT_EQ(java_double("1" + std::string(400, '0')), kInfinity);
  EXPECT_EQ(java_double("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(java_double("0." + std::string(400, '0') + "1e401"), 1.0);
  EXPECT_EQ(java_double("0e99999999999"), 0.0);
  EXPECT_EQ(java_double("0x1p1024"), kInfinity);
  EXPECT_EQ(java_double("0x1p-1080"), 0.0);
  EXPECT_EQ(java_double("Infinity"), kInfinity);
  EXPECT_EQ(java_double("-Infinity"), -kInfinity);
  EXPECT_TRUE(std::isnan(*java_double("-NaN")));
}

TEST(JavaNumbers, RefusesWhatIsNoFloat) {
  for (const char* text : {"", " ", ".", "e5", "1e", "1e+", "1.2.3", "1L", "1dd", "nan", "infinity", "Infinityd", "0x",
                           "0xp1", "0x.p1", "0x1p", "+-1", "1 2", "\xD9\xA1"}) {
    EXPECT_EQ(java_double(text), std::nullopt) << text;
  }
}

TEST(JavaNumbers, ReadsOnlyTrueAsTrue) {
  EXPECT_TRUE(java_bool("true"));
  EXPECT_TRUE(java_bool("TrUE"));
  for (const char* text : {"", "tru", "true ", "yes", "1", "\x14rue"}) EXPECT_FALSE(java_bool(text)) << text;
}

TEST(JavaNumbers, OrdersFloatsWithoutExceptions) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_LT(java_compare(-0.0, 0.0), 0);
  EXPECT_GT(java_compare(0.0, -0.0), 0);
  EXPECT_EQ(java_compare(nan, -nan), 0);
  EXPECT_GT(java_compare(nan, kInfinity), 0);
  EXPECT_LT(java_compare(-kInfinity, nan), 0);
  EXPECT_LT(java_compare(1.0, 2.0), 0);
  EXPECT_EQ(java_compare(-1.0, -1.0), 0);
}

}  // namespace
}  // namespace tern::broker
