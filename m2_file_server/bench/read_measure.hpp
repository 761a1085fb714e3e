#pragma once
// Measures the ways to read beside each other, in short slices.
//
// Those that find the same cache are measured in rounds, forwards and backwards: A B C, C B A, ...
// What changes slowly on the machine meets all of a round alike and cancels in the ratio of two of
// its slices; the turning keeps an early place in the round from being an advantage.

#include <cstdint>
#include <span>
#include <vector>

#include "common/support/statistics.hpp"
#include "m2_file_server/bench/read_contender.hpp"
#include "m2_file_server/bench/read_file.hpp"

namespace file_server::bench_read {

struct MeasureOptions {
  std::uint32_t rounds;
  std::uint64_t slice_ns;
  std::uint64_t seed;
};

// How much of the file was in the page cache before the slices, at worst: the most where it should
// be cold, the least where it should be hot.
struct CacheSeen {
  Cache cache;
  double worst_share;

  [[nodiscard]] bool as_wished() const {
    constexpr double kTolerated = 0.001;  // a page or two that somebody else uses
    return cache == Cache::Hot ? worst_share >= 1 - kTolerated : worst_share <= kTolerated;
  }
};

// Contenders with the same Cache must stand together. Fills in their samples; returns what the
// caches were like.
[[nodiscard]] Outcome<std::vector<CacheSeen>> measure(std::span<Contender> contenders,
                                                      ReadFile& file,
                                                      const MeasureOptions& options);

// Slices of the same round, of a contender and of the one that it is compared with.
struct Paired {
  const Contender* ours;
  const Contender* reference;

  [[nodiscard]] support::Comparison reads_per_s() const {
    return support::compare_pairs(ours->reads_per_s, reference->reads_per_s,
                                  support::Better::Higher);
  }
  [[nodiscard]] support::Comparison cpu_per_read() const {
    return support::compare_pairs(ours->cpu_ns_per_read, reference->cpu_ns_per_read,
                                  support::Better::Lower);
  }
};

// Each one by the ring with pread, and with the threads, of the same cache.
[[nodiscard]] std::vector<Paired> pairings(std::span<const Contender> contenders);

}  // namespace file_server::bench_read
