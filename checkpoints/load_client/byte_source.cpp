#include "checkpoints/load_client/byte_source.hpp"

#include "checkpoints/load_client/random.hpp"
#include "common/base/check.hpp"

namespace load_client {
namespace {

// Prime, and small enough that it stays in a second-level cache.
constexpr std::size_t kPatternPeriod = 262'139;
constexpr std::size_t kLongestPiece = 256 << 10;

}  // namespace

ByteSource::ByteSource(std::span<const std::byte> period, std::size_t longest)
    : period_(period.size()), memory_(period.size() + longest) {
  CHECK(!period.empty(), "a stream of nothing has no next byte");
  for (std::size_t begin = 0; begin < memory_.size(); begin += period_) {
    const std::size_t size = std::min(period_, memory_.size() - begin);
    std::copy_n(period.begin(), size, memory_.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

ByteSource make_pattern(std::uint64_t seed) {
  std::vector<std::byte> period(kPatternPeriod);
  Random random(seed);
  constexpr std::size_t kBytesPerNumber = 8;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < period.size(); ++i) {
    if (i % kBytesPerNumber == 0) {
      number = random.next();
    }
    period[i] = static_cast<std::byte>(number >> (i % kBytesPerNumber * 8));
  }
  return {period, kLongestPiece};
}

std::uint64_t stream_begin(std::uint64_t seed, std::uint32_t connection, std::uint64_t life) {
  return mix(mix(mix(seed) ^ connection) ^ life) % kPatternPeriod;
}

}  // namespace load_client
