#include "common/http/date.hpp"

#include <algorithm>
#include <chrono>

#include "common/base/check.hpp"
#include "common/http/characters.hpp"

namespace http {
namespace {

constexpr std::size_t kNameBytes = 3;
constexpr std::string_view kWeekdays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr auto kLongWeekdays = std::to_array<std::string_view>(
    {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"});

std::string_view name_at(std::string_view names, unsigned index) {
  return names.substr(index * kNameBytes, kNameBytes);
}

// Takes a date apart from left to right. After the first thing that is not there nothing is: ok()
// is asked once, at the end.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }

  void skip(std::string_view expected) {
    ok_ = ok_ && rest_.starts_with(expected);
    advance(expected.size());
  }

  int number(std::size_t digits) {
    const std::string_view text = rest_.substr(0, digits);
    ok_ = ok_ && text.size() == digits && std::ranges::all_of(text, is_digit);
    int value = 0;
    for (const char digit : ok_ ? text : std::string_view()) {
      constexpr int kBase = 10;
      value = value * kBase + (digit - '0');
    }
    advance(digits);
    return value;
  }

  // The day of the asctime form: a space stands for a first digit 0.
  int padded_number() {
    if (!rest_.starts_with(' ')) {
      return number(2);
    }
    advance(1);
    return number(1);
  }

  // Which of the three-letter names stands here, from 0.
  unsigned name(std::string_view names) {
    const std::string_view text = rest_.substr(0, kNameBytes);
    std::size_t at = 0;
    while (at < names.size() && names.substr(at, kNameBytes) != text) {
      at += kNameBytes;
    }
    ok_ = ok_ && at < names.size();
    advance(kNameBytes);
    return static_cast<unsigned>(at / kNameBytes);
  }

  void long_weekday() {
    const auto found = std::ranges::find_if(
        kLongWeekdays, [this](std::string_view day) { return rest_.starts_with(day); });
    ok_ = ok_ && found != kLongWeekdays.end();
    advance(ok_ ? found->size() : 0);
  }

 private:
  void advance(std::size_t bytes) { rest_.remove_prefix(std::min(bytes, rest_.size())); }

  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  int year = 0;
  unsigned month = 0;  // from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_time(Reader& reader, Fields& fields) {
  fields.hour = reader.number(2);
  reader.skip(":");
  fields.minute = reader.number(2);
  reader.skip(":");
  fields.second = reader.number(2);
}

void read_imf(Reader& reader, Fields& fields) {
  reader.name(kWeekdays);
  reader.skip(", ");
  fields.day = reader.number(2);
  reader.skip(" ");
  fields.month = reader.name(kMonths);
  reader.skip(" ");
  fields.year = reader.number(4);
  reader.skip(" ");
  read_time(reader, fields);
  reader.skip(" GMT");
}

void read_rfc850(Reader& reader, Fields& fields) {
  constexpr int kPivot = 70;
  constexpr int kCentury = 100;
  constexpr int kThisCentury = 2000;
  reader.long_weekday();
  reader.skip(", ");
  fields.day = reader.number(2);
  reader.skip("-");
  fields.month = reader.name(kMonths);
  reader.skip("-");
  const int year = reader.number(2);
  fields.year = year < kPivot ? kThisCentury + year : kThisCentury - kCentury + year;
  reader.skip(" ");
  read_time(reader, fields);
  reader.skip(" GMT");
}

void read_asctime(Reader& reader, Fields& fields) {
  reader.name(kWeekdays);
  reader.skip(" ");
  fields.month = reader.name(kMonths);
  reader.skip(" ");
  fields.day = reader.padded_number();
  reader.skip(" ");
  read_time(reader, fields);
  reader.skip(" ");
  fields.year = reader.number(4);
}

std::optional<std::int64_t> seconds_of(const Fields& fields) {
  constexpr int kLeapSecond = 60;  // is the first second of the next minute
  const std::chrono::year_month_day day(std::chrono::year(fields.year),
                                        std::chrono::month(fields.month + 1),
                                        std::chrono::day(static_cast<unsigned>(fields.day)));
  if (!day.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > kLeapSecond) {
    return std::nullopt;
  }
  const auto time = std::chrono::sys_days(day) + std::chrono::hours(fields.hour) +
                    std::chrono::minutes(fields.minute) + std::chrono::seconds(fields.second);
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

void put_number(std::span<char> out, unsigned value) {
  constexpr unsigned kBase = 10;
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit) {
    *digit = static_cast<char>('0' + value % kBase);
    value /= kBase;
  }
}

}  // namespace

void format_date(std::int64_t seconds, std::span<char, kDateBytes> out) {
  CHECK(has_date(seconds), "has_date() was asked");
  constexpr std::string_view kForm = "Day, 00 Mon 0000 00:00:00 GMT";
  static_assert(kForm.size() == kDateBytes);
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::ranges::copy(kForm, out.begin());
  std::ranges::copy(name_at(kWeekdays, std::chrono::weekday(day).c_encoding()), out.begin());
  put_number(out.subspan(5, 2), static_cast<unsigned>(date.day()));
  std::ranges::copy(name_at(kMonths, static_cast<unsigned>(date.month()) - 1), out.begin() + 8);
  put_number(out.subspan(12, 4), static_cast<unsigned>(static_cast<int>(date.year())));
  put_number(out.subspan(17, 2), static_cast<unsigned>(clock.hours().count()));
  put_number(out.subspan(20, 2), static_cast<unsigned>(clock.minutes().count()));
  put_number(out.subspan(23, 2), static_cast<unsigned>(clock.seconds().count()));
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  // The comma stands behind a short weekday, a long one, or nowhere.
  const std::size_t comma = text.find(',');
  Reader reader(text);
  Fields fields;
  if (comma == std::string_view::npos) {
    read_asctime(reader, fields);
  } else if (comma == kNameBytes) {
    read_imf(reader, fields);
  } else {
    read_rfc850(reader, fields);
  }
  return reader.at_end() ? seconds_of(fields) : std::nullopt;
}

std::string_view DateCache::at(std::int64_t seconds) {
  if (seconds != seconds_) {
    format_date(seconds, text_);
    seconds_ = seconds;
  }
  return {text_.data(), text_.size()};
}

}  // namespace http
