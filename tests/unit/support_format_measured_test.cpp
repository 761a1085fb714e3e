#include <gtest/gtest.h>

#include "common/support/format_measured.hpp"

namespace {

TEST(FormatTime, HasThreeDigitsInTheUnitThatFits) {
  EXPECT_EQ(support::format_time(0), "0 ns");
  EXPECT_EQ(support::format_time(850), "850 ns");
  EXPECT_EQ(support::format_time(1234), "1.23 us");
  EXPECT_EQ(support::format_time(12'340), "12.3 us");
  EXPECT_EQ(support::format_time(4'560'000), "4.56 ms");
  EXPECT_EQ(support::format_time(123'400'000), "123 ms");
  EXPECT_EQ(support::format_time(1'230'000'000), "1.23 s");
}

TEST(FormatRatio, HasAnIntervalIfThereIsOne) {
  support::Comparison comparison{};
  comparison.median_ratio = 1.5;
  EXPECT_EQ(support::format_ratio(comparison), "1.500");
  comparison.interval_95 = {.low = 1.25, .high = 2};
  EXPECT_EQ(support::format_ratio(comparison), "1.500 [1.250 2.000]");
}

}  // namespace
