#pragma once
// Two servers under the same load, in short slices that alternate A B B A: what disturbs the
// machine disturbs both slices of a pair, and cancels in their ratio.

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "common/support/histogram.hpp"
#include "common/support/statistics.hpp"
#include "m2_file_server/bench/serve_load.hpp"
#include "m2_file_server/bench/serve_servers.hpp"

namespace file_server::serve_bench {

// One slice.
struct Sample {
  double requests_per_second = 0;
  double cpu_ns_per_request = 0;  // of the server's process, all its threads
  double p50_ns = 0;
  double p99_ns = 0;
};

// All slices of one server together.
struct ServerFigures {
  std::string name;
  std::uint64_t requests = 0;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t cpu_ns = 0;
  support::Histogram latency_ns;
  std::uint32_t clients_answered = 0;
  std::vector<Sample> samples;

  [[nodiscard]] double requests_per_second() const;
  [[nodiscard]] double cpu_ns_per_request() const;
};

struct DuelPlan {
  const ServedFile* file;
  std::uint32_t clients;
  Connections connections;
};

struct Duel {
  DuelPlan plan;
  ServerFigures ours;
  ServerFigures other;

  [[nodiscard]] support::Comparison compare(double Sample::*value, support::Better better) const;
};

struct Slices {
  std::uint64_t slice_ns;
  std::uint32_t pairs;
};

// A slice of each comes first that is not counted: it opens the connections and the files. The
// error is a sentence.
[[nodiscard]] std::expected<Duel, std::string> measure_duel(const ServerProcess& ours,
                                                            const ServerProcess& other,
                                                            const DuelPlan& plan,
                                                            const Slices& slices, int interrupt_fd);

}  // namespace file_server::serve_bench
