#include "common/support/histogram.hpp"

#include <algorithm>
#include <bit>

#include "common/base/check.hpp"
#include "common/support/statistics.hpp"

namespace support {
namespace {

constexpr std::size_t kValueBits = 64;
constexpr std::size_t kDetailBits = 7;  // behind the highest one
constexpr std::uint64_t kPerPower = 1ULL << kDetailBits;
// The exact values are two groups of kPerPower; each power of two above them is one.
constexpr std::size_t kBuckets = kPerPower * (kValueBits - kDetailBits + 1);

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::record(std::uint64_t value) {
  ++buckets_[bucket_of(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(double percent) const {
  if (count_ == 0) {
    return 0;
  }
  const std::uint64_t rank = nearest_rank(percent, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) {
      return std::min(highest_in(bucket), max_);
    }
  }
  CHECK(false, "the buckets hold as many values as were counted");
}

// Which power of two it is, is counted in the low bits that are dropped: none up to 255. What is left
// of a larger value is 128 to 255, so that each power's buckets follow those of the one before.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  constexpr std::uint64_t kLargestExact = 2 * kPerPower - 1;
  const std::size_t dropped_bits =
      static_cast<std::size_t>(std::bit_width(value | kLargestExact)) - (kDetailBits + 1);
  return dropped_bits * kPerPower + (value >> dropped_bits);
}

std::uint64_t Histogram::highest_in(std::size_t bucket) {
  if (bucket < 2 * kPerPower) {
    return bucket;
  }
  const std::size_t dropped_bits = bucket / kPerPower - 1;
  const std::uint64_t kept = bucket % kPerPower + kPerPower;
  const std::uint64_t lowest = kept << dropped_bits;
  return lowest + ((1ULL << dropped_bits) - 1);
}

}  // namespace support
