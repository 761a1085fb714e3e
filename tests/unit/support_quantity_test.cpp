#include <cstdint>
#include <limits>
#include <optional>

#include <gtest/gtest.h>

#include "common/support/quantity.hpp"

namespace {

using support::format_quantity;
using support::kNoUnit;
using support::kSizeUnits;
using support::kTimeUnits;
using support::parse_quantity;

TEST(Quantity, ParsesWholeNumbers) {
  EXPECT_EQ(parse_quantity("0", kNoUnit), 0);
  EXPECT_EQ(parse_quantity("-12", kNoUnit), -12);
  EXPECT_EQ(parse_quantity("9223372036854775807", kNoUnit),
            std::numeric_limits<std::int64_t>::max());
}

TEST(Quantity, ParsesUnits) {
  EXPECT_EQ(parse_quantity("7", kSizeUnits), 7);
  EXPECT_EQ(parse_quantity("64K", kSizeUnits), 65536);
  EXPECT_EQ(parse_quantity("3M", kSizeUnits), 3145728);
  EXPECT_EQ(parse_quantity("1G", kSizeUnits), 1073741824);
  EXPECT_EQ(parse_quantity("250ns", kTimeUnits), 250);
  EXPECT_EQ(parse_quantity("10us", kTimeUnits), 10'000);
  EXPECT_EQ(parse_quantity("500ms", kTimeUnits), 500'000'000);
  EXPECT_EQ(parse_quantity("30s", kTimeUnits), 30'000'000'000);
  EXPECT_EQ(parse_quantity("2min", kTimeUnits), 120'000'000'000);
  EXPECT_EQ(parse_quantity("1h", kTimeUnits), 3'600'000'000'000);
}

TEST(Quantity, RefusesEverythingElse) {
  for (const char* text :
       {"", "K", "abc", " 1", "1 ", "1 K", "1KB", "1k", "1.5K", "+1", "0x10", "--1", "-", "1K1"}) {
    EXPECT_EQ(parse_quantity(text, kSizeUnits), std::nullopt) << text;
  }
  EXPECT_EQ(parse_quantity("5", kTimeUnits), std::nullopt);
  EXPECT_EQ(parse_quantity("5m", kTimeUnits), std::nullopt);
  EXPECT_EQ(parse_quantity("5K", kNoUnit), std::nullopt);
}

TEST(Quantity, RefusesWhatDoesNotFit) {
  EXPECT_EQ(parse_quantity("9223372036854775808", kNoUnit), std::nullopt);
  EXPECT_EQ(parse_quantity("8589934591G", kSizeUnits), 8589934591LL << 30);
  EXPECT_EQ(parse_quantity("8589934592G", kSizeUnits), std::nullopt);
  EXPECT_EQ(parse_quantity("2562048h", kTimeUnits), std::nullopt);
}

TEST(Quantity, FormatsInTheLargestUnitThatIsExact) {
  EXPECT_EQ(format_quantity(0, kSizeUnits), "0");
  EXPECT_EQ(format_quantity(1000, kSizeUnits), "1000");
  EXPECT_EQ(format_quantity(65536, kSizeUnits), "64K");
  EXPECT_EQ(format_quantity(1 << 20, kSizeUnits), "1M");
  EXPECT_EQ(format_quantity((1 << 20) + 1024, kSizeUnits), "1025K");
  EXPECT_EQ(format_quantity(90'000'000'000, kTimeUnits), "90s");
  EXPECT_EQ(format_quantity(60'000'000'000, kTimeUnits), "1min");
  EXPECT_EQ(format_quantity(1'500'000'000, kTimeUnits), "1500ms");
}

}  // namespace
