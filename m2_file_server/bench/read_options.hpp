#pragma once
// The command line of `m2_file_server bench read`.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "m2_file_server/bench/read_way.hpp"

namespace file_server::bench_read {

struct ReadOptions {
  std::vector<ReadWay> ways;  // that are asked for
  std::chrono::nanoseconds slice = std::chrono::milliseconds(100);
  std::uint32_t pairs = 10;
  std::uint64_t size = 256 << 20;
  std::uint64_t seed = 1;
  std::string file;
  std::string directory = ".";
  std::string json;  // empty: none; "-": stdout
};

// The exit status when there is nothing to run: after --help, or an error that is printed then.
[[nodiscard]] std::optional<int> parse_read_options(int argc, char** argv, ReadOptions& options);

}  // namespace file_server::bench_read
