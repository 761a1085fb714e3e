#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "common/http/date.hpp"

namespace {

using http::parse_date;

std::string formatted(std::int64_t seconds) {
  std::array<char, http::kDateBytes> text{};
  http::format_date(seconds, text);
  return {text.data(), text.size()};
}

constexpr struct {
  std::int64_t seconds;
  const char* text;
} kDates[] = {
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {951'782'399, "Mon, 28 Feb 2000 23:59:59 GMT"},
    {951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {951'868'800, "Wed, 01 Mar 2000 00:00:00 GMT"},
    {1'709'164'800, "Thu, 29 Feb 2024 00:00:00 GMT"},
    {4'107'542'400, "Mon, 01 Mar 2100 00:00:00 GMT"},
    {http::kLastDate_seconds, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

TEST(HttpDate, IsFormatted) {
  for (const auto& date : kDates) {
    EXPECT_EQ(formatted(date.seconds), date.text);
  }
}

TEST(HttpDate, IsReadBack) {
  for (const auto& date : kDates) {
    EXPECT_EQ(parse_date(date.text), date.seconds) << date.text;
  }
  constexpr std::int64_t kPrime = 1'234'567;
  for (std::int64_t seconds = 0; seconds < 5'000'000'000; seconds += kPrime) {
    ASSERT_EQ(parse_date(formatted(seconds)), seconds);
  }
}

TEST(HttpDate, TheObsoleteFormsAreRead) {
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(parse_date("Wednesday, 01-Mar-00 00:00:00 GMT"), 951'868'800);
  EXPECT_EQ(parse_date("Thursday, 01-Jan-70 00:00:00 GMT"), 0);
  EXPECT_EQ(parse_date("Sunday, 01-Jan-69 00:00:00 GMT"), 3'124'224'000);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), 784'111'777);
  EXPECT_EQ(parse_date("Thu Feb 29 00:00:00 2024"), 1'709'164'800);
}

TEST(HttpDate, TheWeekdayNeedNotBeRightAndASecondMayLeap) {
  EXPECT_EQ(parse_date("Mon, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1'483'228'800);
}

TEST(HttpDate, EverythingElseIsNoDate) {
  for (const char* text : {"",
                           "GMT",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun,06 Nov 1994 08:49:37 GMT",
                           "Sun, 06-Nov-1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 29 Feb 2023 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 Nov 1994 -8:49:37 GMT",
                           "Sun, 06 Nov +994 08:49:37 GMT",
                           "Sun, ",
                           "Sunday, ",
                           "Sonntag, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 94",
                           "784111777"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

TEST(HttpDate, ReachesFrom1970To9999) {
  EXPECT_FALSE(http::has_date(-1));
  EXPECT_TRUE(http::has_date(0));
  EXPECT_TRUE(http::has_date(http::kLastDate_seconds));
  EXPECT_FALSE(http::has_date(http::kLastDate_seconds + 1));
  EXPECT_EQ(parse_date("Wed, 31 Dec 1969 23:59:59 GMT"), -1);
}

TEST(HttpDateDeathTest, ATimeWithoutDateIsNotFormatted) {
  EXPECT_DEATH(formatted(-1), "has_date");
  EXPECT_DEATH(formatted(http::kLastDate_seconds + 1), "has_date");
}

TEST(DateCache, ChangesWithTheSecond) {
  http::DateCache cache;
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(cache.at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(784'111'778), "Sun, 06 Nov 1994 08:49:38 GMT");
}

}  // namespace
