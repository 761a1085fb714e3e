#pragma once
// The command line of `m2_file_server bench serve`.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/support/quantity.hpp"

namespace file_server::serve_bench {

struct Options {
  std::vector<std::uint64_t> clients;
  std::vector<std::uint64_t> sizes;
  std::chrono::nanoseconds slice = std::chrono::milliseconds(100);
  std::uint32_t pairs = 12;
  std::uint32_t threads = 16;
  std::string json;  // a file, "-" for stdout, empty: none
};

// Nothing: go on. Else the exit status, after the help or a complaint.
[[nodiscard]] std::optional<int> parse_options(int argc, char** argv, Options& options);

// "1,10,100". Nothing if any of them is no number from min to max.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> parse_list(
    std::string_view text, std::span<const support::Unit> units, std::uint64_t min,
    std::uint64_t max);

}  // namespace file_server::serve_bench
