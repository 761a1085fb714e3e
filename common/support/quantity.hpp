#pragma once
// Whole numbers with a unit behind them, as options and reports write them: 64K, 30s.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace support {

struct Unit {
  std::string_view name;
  std::int64_t worth;
};

// In ascending order, from a unit that is worth 1.
inline constexpr auto kNoUnit = std::to_array<Unit>({{"", 1}});
inline constexpr auto kSizeUnits =
    std::to_array<Unit>({{"", 1}, {"K", 1LL << 10}, {"M", 1LL << 20}, {"G", 1LL << 30}});
inline constexpr auto kTimeUnits = std::to_array<Unit>({{"ns", 1},
                                                        {"us", 1000},
                                                        {"ms", 1'000'000},
                                                        {"s", 1'000'000'000},
                                                        {"min", 60'000'000'000},
                                                        {"h", 3'600'000'000'000}});

// A number and the name of one of the units, with nothing before, between or behind. Nothing if it is
// anything else, or more than 63 bits hold.
[[nodiscard]] std::optional<std::int64_t> parse_quantity(std::string_view text,
                                                         std::span<const Unit> units);

// In the largest unit that leaves a whole number: 65536 is "64K", and 0 is in the smallest.
[[nodiscard]] std::string format_quantity(std::int64_t value, std::span<const Unit> units);

}  // namespace support
