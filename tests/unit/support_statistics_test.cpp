#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/statistics.hpp"

namespace {

using support::Better;
using support::Ranks;
using support::Verdict;

TEST(NearestRank, IsTheSmallestThatCoversThePercentage) {
  EXPECT_EQ(support::nearest_rank(0, 10), 1u);
  EXPECT_EQ(support::nearest_rank(10, 10), 1u);
  EXPECT_EQ(support::nearest_rank(10.1, 10), 2u);
  EXPECT_EQ(support::nearest_rank(50, 10), 5u);
  EXPECT_EQ(support::nearest_rank(50, 11), 6u);
  EXPECT_EQ(support::nearest_rank(100, 10), 10u);
  EXPECT_EQ(support::nearest_rank(50, 1), 1u);
}

TEST(NearestRank, RoundingErrorsDoNotMoveIt) {
  for (std::uint64_t thousands = 1; thousands <= 1'000'000; thousands *= 10) {
    EXPECT_EQ(support::nearest_rank(99.9, thousands * 1000), thousands * 999);
    EXPECT_EQ(support::nearest_rank(29, thousands * 100), thousands * 29);
    EXPECT_EQ(support::nearest_rank(7, thousands * 100), thousands * 7);
  }
  EXPECT_EQ(support::nearest_rank(100, std::numeric_limits<std::uint64_t>::max()),
            std::numeric_limits<std::uint64_t>::max());
}

TEST(Percentile, IsAMeasuredSample) {
  const std::vector<double> samples = {15, 20, 35, 40, 50};
  EXPECT_EQ(support::percentile(samples, 5), 15);
  EXPECT_EQ(support::percentile(samples, 30), 20);
  EXPECT_EQ(support::percentile(samples, 40), 20);
  EXPECT_EQ(support::percentile(samples, 50), 35);
  EXPECT_EQ(support::percentile(samples, 100), 50);
}

TEST(Percentile, SortsFirst) {
  const std::vector<double> samples = {50, 15, 40, 20, 35};
  EXPECT_EQ(support::percentile(samples, 50), 35);
}

TEST(Median, OfOddAndEvenNumbers) {
  EXPECT_EQ(support::median(std::vector<double>{3}), 3);
  EXPECT_EQ(support::median(std::vector<double>{9, 1, 5}), 5);
  EXPECT_EQ(support::median(std::vector<double>{9, 1, 5, 4}), 4.5);
}

// The known values are those of the tables of the sign test at 5%, two-sided.
TEST(MedianInterval, RanksForKnownNumbers) {
  for (std::size_t few = 0; few <= 5; ++few) {
    EXPECT_FALSE(support::median_interval_ranks(few).has_value()) << few;
  }
  EXPECT_EQ(support::median_interval_ranks(6), (Ranks{1, 6}));
  EXPECT_EQ(support::median_interval_ranks(8), (Ranks{1, 8}));
  EXPECT_EQ(support::median_interval_ranks(9), (Ranks{2, 8}));
  EXPECT_EQ(support::median_interval_ranks(10), (Ranks{2, 9}));
  EXPECT_EQ(support::median_interval_ranks(20), (Ranks{6, 15}));
  EXPECT_EQ(support::median_interval_ranks(30), (Ranks{10, 21}));
  EXPECT_EQ(support::median_interval_ranks(100), (Ranks{40, 61}));
}

TEST(MedianInterval, RanksForManySamples) {
  // For large numbers the binomial is nearly normal: n / 2 -+ 0.98 sqrt(n).
  const auto ranks = support::median_interval_ranks(10'000);
  ASSERT_TRUE(ranks.has_value());
  EXPECT_NEAR(static_cast<double>(ranks->low), 4902, 1);
  EXPECT_NEAR(static_cast<double>(ranks->high), 5099, 1);
}

TEST(MedianInterval, IsTheSamplesAtTheRanks) {
  std::vector<double> samples;
  for (int i = 20; i >= 1; --i) {
    samples.push_back(i);
  }
  const auto interval = support::median_interval(samples);
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(interval->low, 6);
  EXPECT_EQ(interval->high, 15);
}

// What the interval promises: of many sets of samples, about 95% have the true median in it. The
// distribution is skewed, as timings are. 20 samples promise 95.9%; the seed is fixed.
TEST(MedianInterval, CoversTheTrueMedianAsOftenAsPromised) {
  std::mt19937 random(5);
  std::exponential_distribution<double> skewed(1);
  const double true_median = std::log(2.0);
  constexpr int kSets = 10'000;
  int covered = 0;
  for (int set = 0; set < kSets; ++set) {
    std::vector<double> samples(20);
    std::ranges::generate(samples, [&] { return skewed(random); });
    const auto interval = support::median_interval(samples);
    ASSERT_TRUE(interval.has_value());
    covered += interval->low <= true_median && true_median <= interval->high ? 1 : 0;
  }
  EXPECT_GT(covered, 9500);
  EXPECT_LT(covered, 9680);
}

std::vector<double> times(const std::vector<double>& values, double factor) {
  std::vector<double> result = values;
  for (double& value : result) {
    value *= factor;
  }
  return result;
}

TEST(ComparePairs, ADifferenceInEveryPairIsSeenThroughAnyCommonNoise) {
  // From pair to pair the machine is up to 10,000 times slower, which is in both.
  const std::vector<double> reference = {1, 10'000, 5, 900, 2, 70, 3, 8000, 40, 6};
  const std::vector<double> ours = times(reference, 1.1);
  const auto more_per_second = support::compare_pairs(ours, reference, Better::Higher);
  EXPECT_EQ(more_per_second.pairs, 10u);
  EXPECT_NEAR(more_per_second.median_ratio, 1.1, 1e-9);
  ASSERT_TRUE(more_per_second.interval_95.has_value());
  EXPECT_NEAR(more_per_second.interval_95->low, 1.1, 1e-9);
  EXPECT_NEAR(more_per_second.interval_95->high, 1.1, 1e-9);
  EXPECT_EQ(more_per_second.verdict, Verdict::Faster);
  EXPECT_EQ(support::compare_pairs(reference, ours, Better::Higher).verdict, Verdict::Slower);

  EXPECT_EQ(support::compare_pairs(ours, reference, Better::Lower).verdict, Verdict::Slower);
  EXPECT_EQ(support::compare_pairs(reference, ours, Better::Lower).verdict, Verdict::Faster);
}

TEST(ComparePairs, AnIntervalWithOneInItIsATie) {
  // 10 pairs: the interval is from the 2nd to the 9th ratio.
  const std::vector<double> reference(10, 1.0);
  const std::vector<double> mixed = {0.5, 0.9, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2};
  EXPECT_EQ(support::compare_pairs(mixed, reference, Better::Higher).verdict, Verdict::Tie);
  const std::vector<double> one_outlier = {0.5, 1.1, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2};
  EXPECT_EQ(support::compare_pairs(one_outlier, reference, Better::Higher).verdict,
            Verdict::Faster);
  EXPECT_EQ(support::compare_pairs(reference, reference, Better::Higher).verdict, Verdict::Tie);
}

TEST(ComparePairs, FewPairsAreNoVerdict) {
  const std::vector<double> ours(5, 2.0);
  const std::vector<double> reference(5, 1.0);
  const auto comparison = support::compare_pairs(ours, reference, Better::Higher);
  EXPECT_EQ(comparison.median_ratio, 2);
  EXPECT_FALSE(comparison.interval_95.has_value());
  EXPECT_EQ(comparison.verdict, Verdict::TooFewPairs);
  EXPECT_EQ(support::compare_pairs({}, {}, Better::Higher).verdict, Verdict::TooFewPairs);
}

TEST(ComparePairs, ASliceInWhichOneSideDidNothingCounts) {
  const std::vector<double> ours = {0, 1, 1, 1, 1, 1, 0};
  const std::vector<double> reference = {1, 0, 1, 1, 1, 1, 0};
  const auto comparison = support::compare_pairs(ours, reference, Better::Higher);
  EXPECT_EQ(comparison.pairs, 6u);  // without the one in which nobody did anything
  EXPECT_EQ(comparison.median_ratio, 1);
  ASSERT_TRUE(comparison.interval_95.has_value());
  EXPECT_EQ(comparison.interval_95->low, 0);
  EXPECT_EQ(comparison.interval_95->high, std::numeric_limits<double>::infinity());
  EXPECT_EQ(comparison.verdict, Verdict::Tie);
}

TEST(ComparePairs, VerdictsHaveNames) {
  EXPECT_STREQ(support::verdict_name(Verdict::Faster), "faster");
  EXPECT_STREQ(support::verdict_name(Verdict::Slower), "slower");
  EXPECT_STREQ(support::verdict_name(Verdict::Tie), "tie");
  EXPECT_STREQ(support::verdict_name(Verdict::TooFewPairs), "too few pairs");
}

}  // namespace
