#include "common/support/quantity.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace support {

std::optional<std::int64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [unit_begin, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  const std::string_view unit_name(unit_begin, static_cast<std::size_t>(end - unit_begin));
  const auto unit = std::ranges::find(units, unit_name, &Unit::name);
  if (unit == units.end()) {
    return std::nullopt;
  }
  std::int64_t product = 0;
  if (__builtin_mul_overflow(number, unit->worth, &product)) {
    return std::nullopt;
  }
  return product;
}

std::string format_quantity(std::int64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.worth == 0) {
      best = &unit;
    }
  }
  return std::to_string(value / best->worth) + std::string(best->name);
}

}  // namespace support
