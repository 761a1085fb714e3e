#pragma once
// Dates as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110, section
// 5.6.7), in seconds since 1970 on our side. No clock, no time zone, no locale.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace http {

inline constexpr std::size_t kDateBytes = 29;
inline constexpr std::int64_t kLastDate_seconds = 253'402'300'799;  // 31 Dec 9999 23:59:59

// Only what lies from 1970 to 9999 can be formatted.
[[nodiscard]] constexpr bool has_date(std::int64_t seconds) {
  return seconds >= 0 && seconds <= kLastDate_seconds;
}

// Of a time that has_date().
void format_date(std::int64_t seconds, std::span<char, kDateBytes> out);

// Reads an IMF-fixdate and the two obsolete forms, "Sunday, 06-Nov-94 08:49:37 GMT" and
// "Sun Nov  6 08:49:37 1994". Nothing if it is none of them, or no day of the calendar. The name of
// the weekday must be one, but not the right one. Two-digit years are those from 1970 to 2069.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text);

// The Date field is the same for all answers of a second: formatted once, kept by the owner.
class DateCache {
 public:
  // Good until the next call.
  [[nodiscard]] std::string_view at(std::int64_t seconds);

 private:
  std::int64_t seconds_ = -1;
  std::array<char, kDateBytes> text_{};
};

}  // namespace http
