// The blocks that `m2_file_server bench read` reads, and the order it reads them in.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "m2_file_server/bench/read_blocks.hpp"

namespace {

using namespace file_server::bench_read;

using Block = std::array<std::byte, kBlockBytes>;

std::vector<std::uint64_t> all_of(Walk walk) {
  std::vector<std::uint64_t> offsets;
  while (const auto offset = walk.next()) {
    offsets.push_back(*offset);
  }
  return offsets;
}

TEST(ReadBlocks, ABlockIsThatOfItsOwnOffset) {
  Block block;
  fill_blocks(block, 3 * kBlockBytes);
  EXPECT_TRUE(holds_block(block, 3 * kBlockBytes));
  EXPECT_FALSE(holds_block(block, 2 * kBlockBytes));
  EXPECT_FALSE(holds_block(block, 0));
}

TEST(ReadBlocks, ZerosAreNoBlock) {
  const Block block{};
  EXPECT_FALSE(holds_block(block, 0));
  EXPECT_FALSE(holds_block(block, 7 * kBlockBytes));
}

TEST(ReadBlocks, OneSectorOfAnotherBlockIsSeen) {
  for (std::size_t at = 0; at < kBlockBytes; at += kSectorBytes) {
    Block block;
    Block other;
    fill_blocks(block, 0);
    fill_blocks(other, kBlockBytes);
    std::copy_n(&other[at], kSectorBytes, &block[at]);
    EXPECT_FALSE(holds_block(block, 0)) << "sector at " << at;
  }
}

TEST(ReadBlocks, AShortBlockIsNone) {
  Block block;
  fill_blocks(block, 0);
  EXPECT_FALSE(holds_block(std::span(block).first(kSectorBytes), 0));
}

TEST(ReadBlocks, TheOrderHasEachBlockOnceAndDependsOnTheSeed) {
  constexpr std::uint32_t kBlocks = 1000;
  const auto order = shuffled_blocks(kBlocks, 1);
  auto sorted = order;
  std::ranges::sort(sorted);
  for (std::uint32_t i = 0; i < kBlocks; ++i) {
    ASSERT_EQ(sorted[i], i);
  }
  EXPECT_NE(order, sorted);
  EXPECT_EQ(order, shuffled_blocks(kBlocks, 1));
  EXPECT_NE(order, shuffled_blocks(kBlocks, 2));
}

TEST(ReadBlocks, AWalkGoesRoundFromItsStart) {
  const std::vector<std::uint32_t> order = {2, 0, 1};
  const std::vector<std::uint64_t> expected = {kBlockBytes, 2 * kBlockBytes, 0, kBlockBytes};
  EXPECT_EQ(all_of(Walk(order, 2, 4)), expected);
}

TEST(ReadBlocks, PartsOfOneRoundHaveEachBlockOnce) {
  constexpr std::uint32_t kBlocks = 1003;
  constexpr std::uint64_t kParts = 64;
  const auto order = shuffled_blocks(kBlocks, 5);
  const Walk walk(order, 700, kBlocks);
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t part = 0; part < kParts; ++part) {
    const auto some = all_of(walk.part(part, kParts));
    EXPECT_GE(some.size(), kBlocks / kParts);
    offsets.insert(offsets.end(), some.begin(), some.end());
  }
  std::ranges::sort(offsets);
  ASSERT_EQ(offsets.size(), kBlocks);
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    ASSERT_EQ(offsets[i], i * kBlockBytes);
  }
}

}  // namespace
