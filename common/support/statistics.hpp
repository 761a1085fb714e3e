#pragma once
// What a set of measurements says: median, percentile, how sure the median is, and whether one
// program is faster than another. Pure functions of the samples, which need not be sorted.
//
// Medians and ranks are used throughout and no mean or standard deviation: timings are skewed, and
// a few slices that another program on the machine disturbed must not decide a comparison.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace support {

// The rank, counted from 1, of the smallest of `count` sorted values that has at least `percent` of
// them at or below it ("nearest rank"). `percent` is from 0 to 100, `count` at least 1.
[[nodiscard]] std::uint64_t nearest_rank(double percent, std::uint64_t count);

// The sample at that rank: always one that was measured, never one in between.
[[nodiscard]] double percentile(std::span<const double> samples, double percent);

// The middle sample; the mean of the two middle ones if their number is even. At least one sample.
[[nodiscard]] double median(std::span<const double> samples);

struct Interval {
  double low;
  double high;
};

struct Ranks {
  std::size_t low;  // counted from 1
  std::size_t high;

  friend bool operator==(Ranks, Ranks) = default;
};

// Which two of `count` sorted samples enclose the true median with at least 95% probability,
// whatever the distribution. Each sample is below the true median with probability 1/2, so how many
// are below it is binomial; the ranks cut at most 2.5% off each end of that distribution. 20
// samples: ranks 6 and 15. Nothing for fewer than 6, for which even the extremes are not sure
// enough.
[[nodiscard]] std::optional<Ranks> median_interval_ranks(std::size_t count);

// The samples at these ranks.
[[nodiscard]] std::optional<Interval> median_interval(std::span<const double> samples);

enum class Better : std::uint8_t { Higher, Lower };  // requests per second, or nanoseconds

enum class Verdict : std::uint8_t { TooFewPairs, Tie, Faster, Slower };

struct Comparison {
  std::size_t pairs = 0;                   // that were used
  double median_ratio = 0;                 // ours / reference; 0 without a pair
  std::optional<Interval> interval_95;     // of the median ratio
  Verdict verdict = Verdict::TooFewPairs;  // about ours; a tie if the interval has 1 in it
};

// Element i of both was measured in the same short time, under the same disturbance: what disturbed
// both cancels in the ratio. Values are 0 or more. A pair of two zeros has no ratio and is left
// out. `better`: of the values that were measured.
[[nodiscard]] Comparison compare_pairs(std::span<const double> ours,
                                       std::span<const double> reference, Better better);

// "faster", "slower", "tie", "too few pairs".
[[nodiscard]] const char* verdict_name(Verdict verdict);

}  // namespace support
