#pragma once
// Measuring things against each other on a machine that does other things too.
//
// The clock is the CPU time of the whole process: it stands still while others run, and it counts
// the kernel's helper threads (io-wq), whose work is ours. (Not in it: interrupts, and before Linux
// 5.12 those threads.)
//
// Two things are compared in short slices that alternate A B B A, so that what disturbs the machine
// disturbs both slices of a pair and cancels in their ratio. All comparisons take turns, so that a
// slow minute does not hit one of them alone.

#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/errno.hpp"
#include "common/support/statistics.hpp"

namespace m1 {

// Something that can be done many times.
struct Contender {
  std::string name;
  std::uint64_t batch;  // operations are done in multiples of it
  std::function<base::Result<void>(std::uint64_t operations)> run;
  std::function<void()> after_slice = {};  // not measured
  std::uint64_t operations_per_slice = 0;  // 0: as many as a slice's time allows
  std::vector<double> samples_ns = {};     // CPU per operation, a sample per slice
};

// "Is `ours` cheaper than `reference`?" Indices into the contenders.
struct Pairing {
  std::size_t ours;
  std::size_t reference;
  std::string difference;                // what the two do differently
  std::optional<double> expected_ratio;  // said before it was measured
  std::vector<double> ours_ns = {};      // element i of both: neighbouring slices
  std::vector<double> reference_ns = {};

  [[nodiscard]] support::Comparison result() const {
    return support::compare_pairs(ours_ns, reference_ns, support::Better::Lower);
  }
};

// CPU nanoseconds per operation: the median of a few slices of `slice_ns`, after a first one that
// warms up and finds out how many operations that is. An error is that of the contender.
[[nodiscard]] base::Result<double> measure_alone(Contender& contender, std::uint64_t slice_ns);

// All pairings in turns, for `total_ns` of wall time but at least three times A B B A.
[[nodiscard]] base::Result<void> measure(std::span<Contender> contenders,
                                         std::span<Pairing> pairings, std::uint64_t slice_ns,
                                         std::uint64_t total_ns);

// Keeps the calling thread on the CPU it is on, until the end of the scope.
class PinnedToOneCpu {
 public:
  PinnedToOneCpu();
  PinnedToOneCpu(const PinnedToOneCpu&) = delete;
  PinnedToOneCpu& operator=(const PinnedToOneCpu&) = delete;
  ~PinnedToOneCpu();

  // None: it was not allowed.
  [[nodiscard]] std::optional<int> cpu() const { return cpu_; }

 private:
  cpu_set_t mask_before_{};
  std::optional<int> cpu_;
};

}  // namespace m1
