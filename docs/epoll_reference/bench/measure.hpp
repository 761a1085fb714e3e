#pragma once
// Measuring on a machine that does other things too: CPU time, short slices, medians.
//
// Two ways to do the same are compared in slices that alternate A B B A, so that what disturbs the
// machine disturbs both slices of a pair and cancels in their ratio. All take turns, so that a slow
// minute does not hit one of them alone.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/support/statistics.hpp"

namespace epoll_reference {

// Something that can be done many times.
struct Contender {
  std::string name;
  std::function<void(std::uint64_t operations)> run;  // in multiples of `batch`
  std::uint64_t batch = 1;
  std::optional<double> bar_ns = {};       // it should take less
  std::uint64_t operations_per_slice = 0;  // found out by measure()
  std::vector<double> samples_ns = {};     // CPU time of one operation, a sample per slice

  [[nodiscard]] double median_ns() const { return support::median(samples_ns); }
};

// What does `ours` cost beside `reference`? Indices into the contenders.
struct Pairing {
  std::size_t ours;
  std::size_t reference;
  std::vector<double> ours_ns = {};  // element i of both: neighbouring slices
  std::vector<double> reference_ns = {};

  [[nodiscard]] support::Comparison result() const {
    return support::compare_pairs(ours_ns, reference_ns, support::Better::Lower);
  }
  // What an operation of ours takes longer than one of the reference: the median of the pairs.
  [[nodiscard]] double overhead_ns() const;
};

// For `total_ns` of wall time, but at least six slices each: fewer give no interval. Those that are
// in no pairing are measured alone.
void measure(std::span<Contender> contenders, std::span<Pairing> pairings, std::uint64_t total_ns);

}  // namespace epoll_reference
