#pragma once
// The results as text, a comparison as soon as it is there, and as JSON.

#include <cstdint>
#include <span>
#include <string>

#include "m2_file_server/bench/serve_cpus.hpp"
#include "m2_file_server/bench/serve_measure.hpp"

namespace file_server::serve_bench {

// How it was measured.
struct Setting {
  Cpus cpus;
  Slices slices;
  std::uint32_t threads;
};

// What is compared, and what a reader must know to compare it fairly.
[[nodiscard]] std::string heading_as_text(const Setting& setting);
[[nodiscard]] std::string duel_as_text(const Duel& duel);

// {"cpus":{"server":..|null,"client":..|null,"shared":..},"slice_ns":..,"pairs":..,"threads":..,
//  "comparisons":[{"file_bytes":..,"clients":..,"connections":"per request"|"kept alive",
//    "servers":[{"name":"ring","requests":..,"requests_per_second":..,"cpu_ns_per_request":..,
//      "p50_ns":..,"p99_ns":..,"clients_answered":..}, the other one],
//    "ratios":{"requests_per_second":{"median":..,"interval_95":[..]|null,"pairs":..,"verdict":..},
//      "cpu_ns_per_request":.., "p50_ns":.., "p99_ns":..}}]}
// Ratios are ours / other.
[[nodiscard]] std::string as_json(const Setting& setting, std::span<const Duel> duels);

}  // namespace file_server::serve_bench
