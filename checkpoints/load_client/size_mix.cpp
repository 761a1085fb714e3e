#include "checkpoints/load_client/size_mix.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "common/support/quantity.hpp"

namespace load_client {

std::expected<SizeMix, std::string> SizeMix::parse(std::string_view text) {
  constexpr std::int64_t kLargestWeight = 1'000'000;
  SizeMix mix;
  std::uint64_t weights = 0;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    const std::size_t colon = part.find(':');
    const auto size = support::parse_quantity(part.substr(0, colon), support::kSizeUnits);
    const auto weight = colon == std::string_view::npos
                            ? std::nullopt
                            : support::parse_quantity(part.substr(colon + 1), support::kNoUnit);
    if (!size || !weight || *size < 1 || *size > kLargest || *weight < 1 ||
        *weight > kLargestWeight) {
      return std::unexpected("needs parts like 4K:9 (size:weight) with commas in between, but '" +
                             std::string(part) + "' is none");
    }
    weights += static_cast<std::uint64_t>(*weight);
    mix.rows_.push_back({.size = static_cast<std::uint64_t>(*size), .weights_up_to_here = weights});
    if (part.size() == text.size()) {
      return mix;
    }
    text.remove_prefix(part.size() + 1);
  }
}

std::uint64_t SizeMix::largest() const {
  return std::ranges::max(rows_, {}, &Row::size).size;
}

}  // namespace load_client
