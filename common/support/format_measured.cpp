#include "common/support/format_measured.hpp"

#include <cstdio>
#include <utility>

namespace support {

std::string format_number(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string format_time(double ns) {
  if (ns < 1e3) {
    return format_number(ns, 0) + " ns";
  }
  const auto [unit, name] = ns < 1e6   ? std::pair(1e3, " us")
                            : ns < 1e9 ? std::pair(1e6, " ms")
                                       : std::pair(1e9, " s");
  const double value = ns / unit;
  return format_number(value, value < 10 ? 2 : value < 100 ? 1 : 0) + name;
}

std::string format_ratio(const Comparison& comparison) {
  std::string text = format_number(comparison.median_ratio, 3);
  if (comparison.interval_95) {
    text += " [" + format_number(comparison.interval_95->low, 3) + " " +
            format_number(comparison.interval_95->high, 3) + "]";
  }
  return text;
}

}  // namespace support
