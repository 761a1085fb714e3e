#pragma once
// The blocks of the file that is read: what is in them, and in which order they are read. Pure.
//
// Every 8 bytes of the file hold their own offset, so that any block says where it belongs, and a
// read that brought the wrong one, or nothing, is seen.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace file_server::bench_read {

inline constexpr std::size_t kBlockBytes = 4096;

// The least that a disk writes or fails to write at once.
inline constexpr std::size_t kSectorBytes = 512;

// What the 8 bytes at `offset` hold. The mark tells our files from others, zeros above all.
[[nodiscard]] constexpr std::uint64_t word_at(std::uint64_t offset) {
  constexpr std::uint64_t kMark = 0x6d32'5f62'6c6f'636b;
  return offset ^ kMark;
}

// `bytes` is a multiple of 8.
inline void fill_blocks(std::span<std::byte> bytes, std::uint64_t offset) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = word_at(offset + at);
    std::memcpy(&bytes[at], &word, sizeof word);
  }
}

// Whether this is the block that belongs to `offset`. It looks at a word of each sector, so that
// the look costs little beside the read.
[[nodiscard]] inline bool holds_block(std::span<const std::byte> block, std::uint64_t offset) {
  bool right = block.size() == kBlockBytes;
  for (std::size_t at = 0; at < block.size(); at += kSectorBytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, &block[at], sizeof word);
    right &= word == word_at(offset + at);
  }
  return right;
}

// Splitmix64: numbers that look random and depend on the seed alone.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

// All blocks of a file, each once, in a random order. Made before the clock runs; no block comes
// twice, which would find the cache warm that the first one left.
[[nodiscard]] inline std::vector<std::uint32_t> shuffled_blocks(std::uint32_t count,
                                                                std::uint64_t seed) {
  std::vector<std::uint32_t> blocks(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    blocks[i] = i;
  }
  for (std::uint32_t left = count; left > 1; --left) {
    seed = mix(seed);
    std::swap(blocks[left - 1], blocks[seed % left]);
  }
  return blocks;
}

// A way through the shuffled blocks, round and round, for a number of steps.
class Walk {
 public:
  // `order` must outlive the walk, and have a block.
  Walk(std::span<const std::uint32_t> order, std::size_t start, std::uint64_t steps)
      : order_(order), next_(start % order.size()), steps_(steps) {}

  // The offset of the next block; nothing at the end of the walk.
  [[nodiscard]] std::optional<std::uint64_t> next() {
    if (steps_ == 0) {
      return std::nullopt;
    }
    --steps_;
    const std::uint64_t block = order_[next_];
    next_ = next_ + 1 == order_.size() ? 0 : next_ + 1;
    return block * kBlockBytes;
  }

  // The `index`-th of `count` walks that together go as many steps, from starts that are evenly
  // apart: one that goes once round or less has no block twice.
  [[nodiscard]] Walk part(std::uint64_t index, std::uint64_t count) const {
    const std::uint64_t before = share(index, count);
    return {order_, next_ + order_.size() * index / count, share(index + 1, count) - before};
  }

 private:
  [[nodiscard]] std::uint64_t share(std::uint64_t index, std::uint64_t count) const {
    return steps_ / count * index + steps_ % count * index / count;
  }

  std::span<const std::uint32_t> order_;
  std::size_t next_;
  std::uint64_t steps_;
};

}  // namespace file_server::bench_read
