#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/histogram.hpp"
#include "common/support/statistics.hpp"

namespace {

using support::Histogram;

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();
constexpr double kPercents[] = {0, 1, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

// The value at the same rank in the sorted samples.
std::uint64_t exact_percentile(std::vector<std::uint64_t> samples, double percent) {
  std::ranges::sort(samples);
  return samples[support::nearest_rank(percent, samples.size()) - 1];
}

// Never below the exact one, and no more than a 128th above.
void expect_close(const Histogram& histogram, const std::vector<std::uint64_t>& samples) {
  for (const double percent : kPercents) {
    const std::uint64_t exact = exact_percentile(samples, percent);
    const std::uint64_t found = histogram.percentile(percent);
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(found - exact, exact / 128) << percent;
  }
}

Histogram histogram_of(const std::vector<std::uint64_t>& samples) {
  Histogram histogram;
  for (const std::uint64_t sample : samples) {
    histogram.record(sample);
  }
  return histogram;
}

// Spread evenly over the powers of two, so that all parts of the histogram are used.
std::vector<std::uint64_t> samples_of_all_sizes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> samples(count);
  std::ranges::generate(samples, [&] { return random() >> (random() % 64); });
  return samples;
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.percentile(50), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 256; ++value) {
    histogram.record(value);
  }
  for (std::uint64_t value = 0; value < 256; ++value) {
    EXPECT_EQ(histogram.percentile(static_cast<double>(value + 1) * 100 / 256), value);
  }
}

TEST(Histogram, OneValueIsEveryPercentile) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{256},
                                    std::uint64_t{123'456'789}, kLargest}) {
    const Histogram histogram = histogram_of({value});
    for (const double percent : kPercents) {
      EXPECT_EQ(histogram.percentile(percent), value);
    }
  }
}

// The values around each power of two are where an index would be off by one.
TEST(Histogram, NeighboursOfPowersOfTwoKeepTheirOrderAndTheirError) {
  std::vector<std::uint64_t> samples;
  for (int bit = 1; bit < 64; ++bit) {
    const std::uint64_t power = 1ULL << bit;
    samples.insert(samples.end(), {power - 1, power, power + 1});
  }
  samples.push_back(kLargest);
  const Histogram histogram = histogram_of(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double percent = 100 * static_cast<double>(i + 1) / static_cast<double>(samples.size());
    const std::uint64_t exact = exact_percentile(samples, percent);
    EXPECT_GE(histogram.percentile(percent), exact);
    EXPECT_LE(histogram.percentile(percent) - exact, exact / 128) << exact;
  }
}

TEST(Histogram, PercentilesAreCloseToThoseOfTheSortedSamples) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const auto samples = samples_of_all_sizes(20'000, seed);
    expect_close(histogram_of(samples), samples);
  }
}

TEST(Histogram, PercentilesOfLatenciesAreClose) {
  std::mt19937_64 random(4);
  std::lognormal_distribution<double> latency_ns(std::log(50'000), 1.0);
  std::vector<std::uint64_t> samples(20'000);
  std::ranges::generate(samples, [&] { return static_cast<std::uint64_t>(latency_ns(random)); });
  expect_close(histogram_of(samples), samples);
}

TEST(Histogram, CountMinMaxAndMeanAreExact) {
  const Histogram histogram = histogram_of({1000, 3, 1'000'000, 500'003});
  EXPECT_EQ(histogram.count(), 4u);
  EXPECT_EQ(histogram.min(), 3u);
  EXPECT_EQ(histogram.max(), 1'000'000u);
  EXPECT_EQ(histogram.mean(), 375'251.5);
}

TEST(Histogram, MergedItIsTheHistogramOfAllSamples) {
  auto samples = samples_of_all_sizes(5000, 5);
  const auto others = samples_of_all_sizes(3000, 6);
  Histogram histogram = histogram_of(samples);
  histogram.merge(histogram_of(others));
  samples.insert(samples.end(), others.begin(), others.end());
  const Histogram all = histogram_of(samples);

  EXPECT_EQ(histogram.count(), 8000u);
  EXPECT_EQ(histogram.min(), all.min());
  EXPECT_EQ(histogram.max(), all.max());
  EXPECT_NEAR(histogram.mean() / all.mean(), 1, 1e-9);
  for (const double percent : kPercents) {
    EXPECT_EQ(histogram.percentile(percent), all.percentile(percent));
  }
}

TEST(Histogram, MergingAnEmptyOneChangesNothing) {
  Histogram histogram = histogram_of({5, 7});
  histogram.merge(Histogram());
  EXPECT_EQ(histogram.min(), 5u);
  EXPECT_EQ(histogram.max(), 7u);
  EXPECT_EQ(histogram.count(), 2u);
}

}  // namespace
