#pragma once
// The benchmark's result as a table and as JSON.

#include <span>
#include <string>

#include "docs/epoll_reference/bench/measure.hpp"

namespace epoll_reference {

void print_report(std::span<const Contender> contenders, std::span<const Pairing> pairings);

// {"unit":"ns","operations":[{"name":..,"median":..,"interval_95":[..]|null,"bar":..|null,
//   "below_bar":true|false|null}],
//  "comparisons":[{"ours":..,"reference":..,"ratio":..,"interval_95":..,"overhead":..,"pairs":..,
//   "verdict":..}]}
[[nodiscard]] std::string report_as_json(std::span<const Contender> contenders,
                                         std::span<const Pairing> pairings);

}  // namespace epoll_reference
