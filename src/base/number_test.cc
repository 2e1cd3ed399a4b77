#include "base/number.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"

namespace tandem {
namespace {

TEST(Integers, AreReadStrictly) {
  EXPECT_EQ(parse_int64("0"), 0);
  EXPECT_EQ(parse_int64("-1"), -1);
  EXPECT_EQ(parse_int64("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parse_int64("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parse_uint64("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  for (const Bytes bad : {"", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1a", "0x1", "--1",
                          "9223372036854775808", "-9223372036854775809"}) {
    EXPECT_FALSE(parse_int64(bad)) << bad;
  }
  EXPECT_FALSE(parse_uint64("18446744073709551616"));
  EXPECT_FALSE(parse_uint64("99999999999999999999"));
}

TEST(Integers, ComeBackAsTheyWere) {
  Random random(3);
  for (int i = 0; i < 10000; ++i) {
    const auto value = static_cast<int64_t>(random.next() >> random.below(64));
    ASSERT_EQ(parse_int64(int64_text(value)), value);
    ASSERT_EQ(int64_text(-value), std::to_string(-value));
  }
  EXPECT_EQ(int64_text(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
}

TEST(Doubles, AreReadAsRedisReadsThem) {
  EXPECT_EQ(parse_double("0x10"), 16.0);
  EXPECT_EQ(parse_double("0x1p3"), 8.0);
  EXPECT_EQ(parse_double(".5"), 0.5);
  EXPECT_EQ(parse_double("5."), 5.0);
  EXPECT_EQ(parse_double("+3"), 3.0);
  EXPECT_EQ(parse_double("1e5"), 1e5);
  EXPECT_EQ(parse_double("Infinity"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_double("-INF"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_double(std::string(300, '0') + "7"), 7.0);
  for (const Bytes bad :
       {"", "nan", "-nan", " 1", "1 ", "1e400", "-1e400", "1e-400", "1e", "infin", "1,5"}) {
    EXPECT_FALSE(parse_double(bad)) << bad;
  }
  EXPECT_FALSE(parse_double(Bytes("1\0", 2)));
}

TEST(Doubles, AreReadLooselyAsBounds) {
  EXPECT_EQ(parse_bound(""), 0);
  EXPECT_EQ(parse_bound(" \t-1.5"), -1.5);
  EXPECT_EQ(parse_bound("0x1p4"), 16);
  EXPECT_EQ(parse_bound("1e400"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_bound("-1e-400"), 0);
  EXPECT_EQ(parse_bound(Bytes("3\0x", 3)), 3);
  EXPECT_FALSE(parse_bound("1 ") || parse_bound("1x") || parse_bound("nan") || parse_bound("("));
}

TEST(Weights, AreBoundsThatFitADouble) {
  EXPECT_EQ(parse_weight(""), 0);
  EXPECT_EQ(parse_weight(" 7"), 7);
  EXPECT_EQ(parse_weight("-3"), -3);
  EXPECT_EQ(parse_weight("0x10"), 16);
  EXPECT_EQ(parse_weight("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(parse_weight(Bytes("3\0x", 3)), 3);
  EXPECT_EQ(parse_weight("-inf"), -std::numeric_limits<double>::infinity());
  for (const Bytes text : {"1e999", "1e-999", "nan", "1_", "7 ", "x"}) {
    EXPECT_FALSE(parse_weight(text).has_value()) << text;
  }
}

TEST(Doubles, PrintAsRedisPrintsThem) {
  EXPECT_EQ(double_text(3), "3");
  EXPECT_EQ(double_text(-3), "-3");
  EXPECT_EQ(double_text(0), "0");
  EXPECT_EQ(double_text(-0.0), "-0");
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_EQ(double_text(-123.456), "-123.456");
  EXPECT_EQ(double_text(1e18), "1000000000000000000");
  EXPECT_EQ(double_text(1e20), "1e+20");
  EXPECT_EQ(double_text(1.5e300), "1.5e+300");
  EXPECT_EQ(double_text(0.000001), "0.000001");
  EXPECT_EQ(double_text(1e-7), "1e-7");
  EXPECT_EQ(double_text(1.25e-9), "1.25e-9");
  EXPECT_EQ(double_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(double_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(double_text(std::nan("")), "nan");
}

TEST(Doubles, ComeBackAsTheyWere) {
  Random random(17);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<double>(random.next());
    if (std::isnan(value)) continue;
    char text[kDoubleTextMax];
    const size_t length = write_double(text, value);
    ASSERT_LE(length, kDoubleTextMax);
    if (std::fpclassify(value) == FP_SUBNORMAL) continue;
    ASSERT_EQ(parse_double(Bytes(text, length)), value) << Bytes(text, length);
  }
}

TEST(LongDoubles, PrintWithoutAnExponent) {
  EXPECT_EQ(long_double_text(3.0L), "3");
  EXPECT_EQ(long_double_text(100.0L), "100");
  EXPECT_EQ(long_double_text(0.1L), "0.1");
  EXPECT_EQ(long_double_text(10.5L + 0.1L), "10.6");
  EXPECT_EQ(long_double_text(1e-20L), "0");
  EXPECT_EQ(long_double_text(-1e-20L), "0");
  EXPECT_EQ(long_double_text(123456789012345678.25L), "123456789012345678.25");
  EXPECT_EQ(long_double_text(1e30L), "1000000000000000000024696061952");
  EXPECT_EQ(long_double_text(*parse_long_double("1e4932")).substr(0, 24),
            "100000000000000000000601");
  EXPECT_EQ(parse_long_double("3.0e3"), 3000.0L);
  EXPECT_FALSE(parse_long_double("nan"));
  EXPECT_FALSE(parse_long_double(std::string(6000, '0')));
}

TEST(Ascii, FoldsLettersOnly) {
  EXPECT_TRUE(equal_ignore_case("GeT", "gEt"));
  EXPECT_FALSE(equal_ignore_case("get", "gets"));
  EXPECT_FALSE(equal_ignore_case("[", "{"));
  EXPECT_EQ(to_lower("A[Z\xc4"), "a[z\xc4");
}

}  // namespace
}  // namespace tandem
