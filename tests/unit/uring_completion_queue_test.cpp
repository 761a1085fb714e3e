// The completion queue over plain arrays, with the kernel's side played step by step.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "common/uring/completion_queue.hpp"
#include "tests/barriers/fake_kernel.hpp"

namespace {

using fake_kernel::CompletionSide;
using uring::CompletionQueue;

constexpr std::uint32_t kEntries = 4;

// Posts CQEs with the user_data first, first + 1 ... and shows them. Returns how many fitted.
std::uint32_t post(CompletionSide& kernel, std::uint64_t first, std::uint32_t count) {
  std::uint32_t posted = 0;
  while (posted < count &&
         kernel.post({.user_data = first + posted, .res = -static_cast<int>(posted), .flags = 9})) {
    ++posted;
  }
  kernel.commit();
  return posted;
}

std::vector<std::uint64_t> copy_out(CompletionQueue& cq, std::size_t most) {
  std::vector<uring::io_uring_cqe> cqes(most);
  const std::uint32_t count = cq.copy_out(cqes);
  std::vector<std::uint64_t> user_data;
  for (const uring::io_uring_cqe& cqe : std::span(cqes).first(count)) {
    user_data.push_back(cqe.user_data);
  }
  return user_data;
}

// Whatever the indices are.
class CompletionQueueIndices : public testing::TestWithParam<std::uint32_t> {
 protected:
  CompletionSide kernel_{kEntries, GetParam()};
  CompletionQueue cq_{kernel_.pointers(), nullptr};
};

INSTANTIATE_TEST_SUITE_P(Indices, CompletionQueueIndices,
                         testing::Values(0U, 0xffff'ffffU, 0xffff'fffdU, 0x7fff'fffeU));

TEST_P(CompletionQueueIndices, DeliversInOrderRoundAfterRound) {
  std::uint64_t next = 1;
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (std::uint32_t count = 1; count <= kEntries; ++count) {
      EXPECT_EQ(post(kernel_, next, count), count);
      EXPECT_EQ(cq_.ready(), count);
      std::vector<std::uint64_t> expected(count);
      for (std::uint64_t& user_data : expected) {
        user_data = next++;
      }
      EXPECT_EQ(copy_out(cq_, kEntries), expected);
      EXPECT_EQ(cq_.ready(), 0U);
    }
  }
  EXPECT_EQ(cq_.shared_head(), GetParam() + 5 * (1 + 2 + 3 + 4));
  EXPECT_EQ(cq_.shared_tail(), cq_.shared_head());
}

TEST_P(CompletionQueueIndices, AFullQueueTakesMoreOnlyAfterTheHeadMoved) {
  EXPECT_EQ(post(kernel_, 0, kEntries + 3), kEntries);
  EXPECT_EQ(cq_.ready(), kEntries);
  EXPECT_EQ(post(kernel_, kEntries, 3), 0U);
  EXPECT_EQ(copy_out(cq_, 2), std::vector<std::uint64_t>({0, 1}));
  EXPECT_EQ(post(kernel_, kEntries, 3), 2U);
  EXPECT_EQ(copy_out(cq_, 8), std::vector<std::uint64_t>({2, 3, 4, 5}));
}

TEST_P(CompletionQueueIndices, LooksAtSlotsInPlaceUntilAdvance) {
  post(kernel_, 5, 3);
  EXPECT_EQ(cq_.at(0).user_data, 5U);
  EXPECT_EQ(cq_.at(2).user_data, 7U);
  EXPECT_EQ(kernel_.head(), GetParam()) << "looking gives nothing back";
  cq_.advance(2);
  EXPECT_EQ(kernel_.head(), GetParam() + 2);
  EXPECT_EQ(cq_.ready(), 1U);
  EXPECT_EQ(cq_.at(0).user_data, 7U);
}

TEST(CompletionQueue, WhatIsNotCommittedIsNotSeen) {
  CompletionSide kernel(kEntries, 0);
  CompletionQueue cq(kernel.pointers(), nullptr);
  ASSERT_TRUE(kernel.post({.user_data = 1, .res = 0, .flags = 0}));
  EXPECT_EQ(cq.ready(), 0U);
  EXPECT_EQ(copy_out(cq, 4), std::vector<std::uint64_t>());
  kernel.commit();
  EXPECT_EQ(copy_out(cq, 4), std::vector<std::uint64_t>({1}));
}

TEST(CompletionQueue, CopiesEveryField) {
  CompletionSide kernel(kEntries, 0);
  CompletionQueue cq(kernel.pointers(), nullptr);
  const uring::io_uring_cqe posted{
      .user_data = 0x1122'3344'5566'7788, .res = -104, .flags = uring::IORING_CQE_F_MORE};
  ASSERT_TRUE(kernel.post(posted));
  kernel.commit();
  std::array<uring::io_uring_cqe, 1> copied;
  ASSERT_EQ(cq.copy_out(copied), 1U);
  EXPECT_EQ(copied[0].user_data, posted.user_data);
  EXPECT_EQ(copied[0].res, posted.res);
  EXPECT_EQ(copied[0].flags, posted.flags);
}

// A copy that the kernel may not disturb: the slots that copy_out() gave back are filled again at
// once, and the copies stay.
TEST(CompletionQueue, CopiesOutliveTheirSlots) {
  CompletionSide kernel(kEntries, 0);
  CompletionQueue cq(kernel.pointers(), nullptr);
  post(kernel, 0, kEntries);
  std::array<uring::io_uring_cqe, kEntries> copied;
  ASSERT_EQ(cq.copy_out(copied), kEntries);
  EXPECT_EQ(post(kernel, 100, kEntries), kEntries);
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    EXPECT_EQ(copied[i].user_data, i);
  }
}

// The head is stored with a known value in place of it: only a store changes that.
TEST(CompletionQueue, CopyingNothingStoresNothing) {
  CompletionSide kernel(kEntries, 20);
  CompletionQueue cq(kernel.pointers(), nullptr);
  constexpr std::uint32_t kUntouched = 0xdead'beef;
  kernel.head() = kUntouched;
  EXPECT_EQ(copy_out(cq, 4), std::vector<std::uint64_t>());
  EXPECT_EQ(kernel.head(), kUntouched);

  kernel.head() = 20;
  post(kernel, 0, 2);
  kernel.head() = kUntouched;
  EXPECT_EQ(cq.copy_out({}), 0U) << "no room to copy to";
  EXPECT_EQ(kernel.head(), kUntouched);
  EXPECT_EQ(copy_out(cq, 4), std::vector<std::uint64_t>({0, 1}));
  EXPECT_EQ(kernel.head(), 22U);
}

// The head lies in the memory that the last copy goes to: had it been stored before that copy, or
// once per copy, the copy would have written over it.
TEST(CompletionQueue, StoresTheHeadAfterTheLastCopy) {
  CompletionSide kernel(kEntries, 0xffff'fffe);
  std::array<uring::io_uring_cqe, 3> copied{};
  uring::CqPointers pointers = kernel.pointers();
  copied[2].flags = *pointers.head;
  pointers.head = &copied[2].flags;
  CompletionQueue cq(pointers, nullptr);
  post(kernel, 0, 3);
  ASSERT_EQ(cq.copy_out(copied), 3U);
  EXPECT_EQ(copied[2].flags, 1U);
}

TEST(CompletionQueue, ReportsRealLoss) {
  CompletionSide kernel(kEntries, 0);
  const CompletionQueue cq(kernel.pointers(), nullptr);
  EXPECT_EQ(cq.overflow(), 0U);
  kernel.overflow() = 3;
  EXPECT_EQ(cq.overflow(), 3U);
  EXPECT_EQ(cq.entries(), kEntries);
}

TEST(CompletionQueueDeath, ASizeThatIsNoPowerOfTwo) {
  CompletionSide kernel(8, 0);
  uring::CqPointers pointers = kernel.pointers();
  pointers.entries = 6;
  EXPECT_DEATH(CompletionQueue(pointers, nullptr), "power of two");
}

}  // namespace
