#pragma once
// What a way to read has in common with the others when it is measured: it is given a walk over the
// file and some time, verifies every block, and says what that took.

#include <cstdint>
#include <functional>
#include <vector>

#include "common/support/cpu_clock.hpp"
#include "common/support/histogram.hpp"
#include "m2_file_server/bench/read_blocks.hpp"
#include "m2_file_server/bench/read_file.hpp"
#include "m2_file_server/bench/read_way.hpp"

namespace file_server::bench_read {

struct Slice {
  std::uint64_t reads;
  std::uint64_t wall_ns;
  std::uint64_t cpu_ns;  // of all threads of this process, io-wq's among them (Linux 5.12)

  [[nodiscard]] double reads_per_s() const {
    return static_cast<double>(reads) * 1e9 / static_cast<double>(wall_ns);
  }
  [[nodiscard]] double cpu_ns_per_read() const {
    return static_cast<double>(cpu_ns) / static_cast<double>(reads);
  }
};

class Stopwatch {
 public:
  [[nodiscard]] std::uint64_t start_ns() const { return start_ns_; }
  [[nodiscard]] Slice stop(std::uint64_t reads) const {
    return {.reads = reads,
            .wall_ns = support::now_ns() - start_ns_,
            .cpu_ns = support::process_cpu_ns() - start_cpu_ns_};
  }

 private:
  std::uint64_t start_cpu_ns_ = support::process_cpu_ns();
  std::uint64_t start_ns_ = support::now_ns();
};

// Reads until the time is over or the walk at its end; what has begun is waited for and counted.
// The times from the wish to read a block to the block go to `latency_ns`.
using ReadSlice = std::function<Outcome<Slice>(const Walk& walk, std::uint64_t duration_ns,
                                               support::Histogram& latency_ns)>;

struct Contender {
  ReadWay way;
  ReadSlice read;

  // What was measured, an element for each slice.
  std::vector<double> reads_per_s = {};
  std::vector<double> cpu_ns_per_read = {};
  support::Histogram latency_ns = {};
  double io_wq_share = 0;  // the most of a slice's CPU time that io-wq threads had
};

}  // namespace file_server::bench_read
