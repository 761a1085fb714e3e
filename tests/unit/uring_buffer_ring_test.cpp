// The provided-buffer ring over a plain array.

#include <array>
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include "common/uring/buffer_ring.hpp"
#include "tests/barriers/fake_kernel.hpp"

namespace {

using fake_kernel::BufferSide;
using uring::BufferRing;

constexpr std::uint32_t kEntries = 4;

// An address for each buffer id, of memory that nobody touches.
void* address_of(std::uint16_t id) {
  static std::array<std::byte, 65536> memory;
  return &memory[id];
}

void add(BufferRing& ring, std::uint16_t id) {
  ring.add(address_of(id), 1000U + id, id);
}

void expect_taken(BufferSide& kernel, std::uint16_t id) {
  const auto buffer = kernel.take();
  ASSERT_TRUE(buffer.has_value());
  EXPECT_EQ(buffer->addr, reinterpret_cast<std::uintptr_t>(address_of(id)));
  EXPECT_EQ(buffer->len, 1000U + id);
  EXPECT_EQ(buffer->bid, id);
}

TEST(BufferRing, DeliversInOrderWhatWasPublished) {
  BufferSide kernel(kEntries);
  BufferRing ring(kernel.ring(), kEntries);
  add(ring, 11);
  add(ring, 22);
  ring.publish();
  add(ring, 33);
  expect_taken(kernel, 11);
  expect_taken(kernel, 22);
  EXPECT_FALSE(kernel.take().has_value()) << "the third is not published yet";
  ring.publish();
  expect_taken(kernel, 33);
  EXPECT_FALSE(kernel.take().has_value());
}

TEST(BufferRing, TheTailMovesOncePerPublish) {
  BufferSide kernel(kEntries);
  BufferRing ring(kernel.ring(), kEntries);
  add(ring, 1);
  add(ring, 2);
  EXPECT_EQ(kernel.ring()->tail, 0U);
  EXPECT_EQ(ring.local_tail(), 2U);
  ring.publish();
  EXPECT_EQ(kernel.ring()->tail, 2U);
}

// The tail lies in entry 0. Filling that entry again, with the tail at any value, must not move it.
TEST(BufferRing, FillingEntryZeroLeavesTheTailInIt) {
  BufferSide kernel(kEntries);
  BufferRing ring(kernel.ring(), kEntries);
  for (std::uint16_t id = 0; id < kEntries; ++id) {
    add(ring, id);
  }
  ring.publish();
  for (std::uint16_t id = 0; id < kEntries; ++id) {
    expect_taken(kernel, id);
  }
  ASSERT_EQ(kernel.ring()->tail, kEntries);
  add(ring, 77);
  EXPECT_EQ(kernel.entry(0).bid, 77U) << "this one went into entry 0";
  EXPECT_EQ(kernel.ring()->tail, kEntries) << "and the tail stayed";
  EXPECT_FALSE(kernel.take().has_value());
  ring.publish();
  expect_taken(kernel, 77);
}

// 16 bits: the tail comes round after 65536 buffers, and equal head and tail mean empty, not full.
TEST(BufferRing, TheTailWrapsAt16Bits) {
  BufferSide kernel(kEntries);
  BufferRing ring(kernel.ring(), kEntries);
  for (std::uint32_t i = 0; i < 65536 + 10; ++i) {
    const auto id = static_cast<std::uint16_t>(i);
    add(ring, id);
    ring.publish();
    ASSERT_EQ(kernel.ring()->tail, static_cast<std::uint16_t>(i + 1));
    expect_taken(kernel, id);
    ASSERT_FALSE(kernel.take().has_value());
  }
  EXPECT_EQ(ring.local_tail(), 10U);
}

TEST(BufferRing, TheLargestRingIsFilledToTheLastEntry) {
  constexpr std::uint32_t kMost = 32768;
  BufferSide kernel(kMost);
  BufferRing ring(kernel.ring(), kMost);
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t id = 0; id < kMost; ++id) {
      add(ring, static_cast<std::uint16_t>(id));
    }
    ring.publish();
    for (std::uint32_t id = 0; id < kMost; ++id) {
      expect_taken(kernel, static_cast<std::uint16_t>(id));
      ASSERT_FALSE(HasFatalFailure());
    }
    EXPECT_FALSE(kernel.take().has_value());
  }
}

TEST(BufferRing, OneEntryIsARing) {
  BufferSide kernel(1);
  BufferRing ring(kernel.ring(), 1);
  for (std::uint16_t id = 1; id < 5; ++id) {
    add(ring, id);
    ring.publish();
    expect_taken(kernel, id);
    EXPECT_FALSE(kernel.take().has_value());
  }
}

TEST(BufferRingDeath, ASizeThatTheKernelRefuses) {
  BufferSide kernel(8);
  EXPECT_DEATH(BufferRing(kernel.ring(), 6), "has_single_bit");
  EXPECT_DEATH(BufferRing(kernel.ring(), 65536), "32768");
}

}  // namespace
