#include "common/support/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/base/check.hpp"

namespace support {
namespace {

std::vector<double> sorted(std::span<const double> samples) {
  std::vector<double> copy(samples.begin(), samples.end());
  std::ranges::sort(copy);
  return copy;
}

double median_of_sorted(const std::vector<double>& samples) {
  CHECK(!samples.empty());
  const std::size_t half = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[half] : (samples[half - 1] + samples[half]) / 2;
}

std::optional<Interval> interval_of_sorted(const std::vector<double>& samples) {
  const auto ranks = median_interval_ranks(samples.size());
  if (!ranks) {
    return std::nullopt;
  }
  return Interval{.low = samples[ranks->low - 1], .high = samples[ranks->high - 1]};
}

Verdict judge(const Interval& ratio, Better better) {
  if (ratio.low <= 1 && ratio.high >= 1) {
    return Verdict::Tie;
  }
  const bool ours_is_higher = ratio.low > 1;
  return ours_is_higher == (better == Better::Higher) ? Verdict::Faster : Verdict::Slower;
}

}  // namespace

std::uint64_t nearest_rank(double percent, std::uint64_t count) {
  CHECK(count > 0);
  CHECK(percent >= 0 && percent <= 100);
  if (percent >= 100) {
    return count;  // exactly, also where a double has not enough digits for the count
  }
  // 99.9 has no exact binary form: 99.9 / 100 * 1000 comes out a hair above 999, which must not be
  // rounded up to 1000.
  constexpr double kRounding = 1e-12;
  const double exact = percent / 100 * static_cast<double>(count);
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(exact * (1 - kRounding))), 1);
}

double percentile(std::span<const double> samples, double percent) {
  const std::uint64_t rank = nearest_rank(percent, samples.size());
  return sorted(samples)[rank - 1];
}

double median(std::span<const double> samples) {
  return median_of_sorted(sorted(samples));
}

std::optional<Ranks> median_interval_ranks(std::size_t count) {
  constexpr double kTail = 0.025;
  // Adds up P(k of `count` samples are below the median) from k = 0 while the sum stays in the
  // tail: as many samples can be cut off each end. The terms are kept as logarithms, since
  // 0.5^count is too small for a double beyond 1074 samples.
  const auto n = static_cast<double>(count);
  double log_term = -n * std::log(2.0);
  double sum = std::exp(log_term);
  std::size_t cut = 0;
  while (sum <= kTail && cut < count / 2) {
    const auto k = static_cast<double>(cut);
    log_term += std::log((n - k) / (k + 1));
    sum += std::exp(log_term);
    ++cut;
  }
  if (cut == 0) {
    return std::nullopt;
  }
  return Ranks{.low = cut, .high = count + 1 - cut};
}

std::optional<Interval> median_interval(std::span<const double> samples) {
  return interval_of_sorted(sorted(samples));
}

Comparison compare_pairs(std::span<const double> ours, std::span<const double> reference,
                         Better better) {
  CHECK(ours.size() == reference.size(), "they are pairs");
  std::vector<double> ratios;
  ratios.reserve(ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CHECK(ours[i] >= 0 && reference[i] >= 0);
    if (ours[i] > 0 || reference[i] > 0) {
      ratios.push_back(ours[i] / reference[i]);  // infinite if reference did nothing: sorts last
    }
  }
  Comparison comparison;
  comparison.pairs = ratios.size();
  if (ratios.empty()) {
    return comparison;
  }
  std::ranges::sort(ratios);
  comparison.median_ratio = median_of_sorted(ratios);
  comparison.interval_95 = interval_of_sorted(ratios);
  if (comparison.interval_95) {
    comparison.verdict = judge(*comparison.interval_95, better);
  }
  return comparison;
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::TooFewPairs:
      return "too few pairs";
    case Verdict::Tie:
      return "tie";
    case Verdict::Faster:
      return "faster";
    case Verdict::Slower:
      return "slower";
  }
  return "?";
}

}  // namespace support
