#include "common/support/format_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdio>

namespace support {

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t kStep = 1024;
  if (bytes < kStep) {
    return std::to_string(bytes) + " B";
  }
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  // What would be printed as 1024.0 belongs to the next unit.
  constexpr double kRoundsUp = 1023.95;
  while (value >= kRoundsUp && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace support
