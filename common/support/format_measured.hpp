#pragma once
// Measured numbers for people: reports round, where options and JSON do not.

#include <string>

#include "common/support/statistics.hpp"

namespace support {

// With so many digits behind the point.
[[nodiscard]] std::string format_number(double number, int digits);

// "850 ns", "12.3 us", "4.56 ms", "1.23 s".
[[nodiscard]] std::string format_time(double ns);

// "1.234 [1.200 1.266]": the median of the ratios and its 95% interval, if there is one.
[[nodiscard]] std::string format_ratio(const Comparison& comparison);

}  // namespace support
