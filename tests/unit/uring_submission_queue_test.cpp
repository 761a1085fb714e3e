// The submission queue over plain arrays, with the kernel's side played step by step.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "common/uring/submission_queue.hpp"
#include "tests/barriers/fake_kernel.hpp"

namespace {

using fake_kernel::SqArray;
using fake_kernel::SubmissionSide;
using uring::SubmissionQueue;

constexpr std::uint32_t kEntries = 4;

// Takes up to `most` SQEs and returns their user_data.
std::vector<std::uint64_t> take(SubmissionSide& kernel, std::uint32_t most) {
  std::vector<std::uint64_t> seen;
  kernel.take(most, [&](const uring::io_uring_sqe& sqe) { seen.push_back(sqe.user_data); });
  return seen;
}

// Hands out SQEs with the user_data first, first + 1 ...; the queue must have room for them.
void prepare(SubmissionQueue& sq, std::uint64_t first, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    uring::io_uring_sqe* sqe = sq.next_sqe();
    ASSERT_NE(sqe, nullptr);
    sqe->user_data = first + i;
  }
}

struct Form {
  std::uint32_t first_index;
  SqArray array;
};

// Everything that must hold whatever the indices are, and with the array or without it.
class SubmissionQueueForms : public testing::TestWithParam<Form> {
 protected:
  SubmissionSide kernel_{kEntries, GetParam().first_index, GetParam().array};
  SubmissionQueue sq_{kernel_.pointers(), nullptr};
};

INSTANTIATE_TEST_SUITE_P(Indices, SubmissionQueueForms,
                         testing::Values(Form{0, SqArray::Present}, Form{0, SqArray::Absent},
                                         Form{0xffff'ffff, SqArray::Present},
                                         Form{0xffff'ffff, SqArray::Absent},
                                         Form{0xffff'fffd, SqArray::Present},
                                         Form{0xffff'fffd, SqArray::Absent},
                                         Form{0x7fff'fffe, SqArray::Present}));

TEST_P(SubmissionQueueForms, DeliversInOrderRoundAfterRound) {
  std::uint64_t next = 1;
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (std::uint32_t count = 1; count <= kEntries; ++count) {
      prepare(sq_, next, count);
      EXPECT_EQ(sq_.publish(), count);
      std::vector<std::uint64_t> expected(count);
      for (std::uint64_t& user_data : expected) {
        user_data = next++;
      }
      EXPECT_EQ(take(kernel_, kEntries), expected);
    }
  }
  EXPECT_EQ(kernel_.dropped(), 0U);
  EXPECT_EQ(sq_.local_tail(), GetParam().first_index + 5 * (1 + 2 + 3 + 4));
}

TEST_P(SubmissionQueueForms, IsFullAfterItsEntriesAndNotBefore) {
  EXPECT_EQ(sq_.space_left(), kEntries);
  prepare(sq_, 0, kEntries);
  EXPECT_EQ(sq_.space_left(), 0U);
  EXPECT_EQ(sq_.next_sqe(), nullptr);
  EXPECT_EQ(sq_.publish(), kEntries);
  EXPECT_EQ(sq_.next_sqe(), nullptr) << "published is not taken";
  EXPECT_EQ(sq_.unpublished(), 0U) << "a refused SQE does not count";
}

TEST_P(SubmissionQueueForms, TakenSlotsCanBeUsedAgain) {
  prepare(sq_, 0, kEntries);
  EXPECT_EQ(sq_.publish(), kEntries);
  EXPECT_EQ(take(kernel_, 1), std::vector<std::uint64_t>({0}));
  EXPECT_EQ(sq_.space_left(), 1U);
  prepare(sq_, kEntries, 1);
  EXPECT_EQ(sq_.next_sqe(), nullptr);
  EXPECT_EQ(sq_.publish(), kEntries);
  EXPECT_EQ(take(kernel_, kEntries), std::vector<std::uint64_t>({1, 2, 3, 4}));
}

TEST_P(SubmissionQueueForms, WhatTheKernelLeftIsSubmittedAgain) {
  prepare(sq_, 10, 3);
  EXPECT_EQ(sq_.publish(), 3U);
  EXPECT_EQ(take(kernel_, 2), std::vector<std::uint64_t>({10, 11}));
  EXPECT_EQ(sq_.pending(), 1U);
  EXPECT_EQ(sq_.publish(), 1U) << "nothing new, and one that was not taken";
  prepare(sq_, 13, 2);
  EXPECT_EQ(sq_.unpublished(), 2U);
  EXPECT_EQ(sq_.pending(), 3U);
  EXPECT_EQ(sq_.publish(), 3U);
  EXPECT_EQ(take(kernel_, kEntries), std::vector<std::uint64_t>({12, 13, 14}));
  EXPECT_EQ(sq_.pending(), 0U);
  EXPECT_EQ(sq_.publish(), 0U);
}

TEST_P(SubmissionQueueForms, TheTailMovesOncePerPublish) {
  const std::uint32_t before = kernel_.tail();
  prepare(sq_, 0, 3);
  EXPECT_EQ(kernel_.tail(), before);
  EXPECT_EQ(sq_.shared_tail(), before);
  EXPECT_EQ(take(kernel_, kEntries), std::vector<std::uint64_t>()) << "unseen until publish()";
  EXPECT_EQ(sq_.publish(), 3U);
  EXPECT_EQ(kernel_.tail(), before + 3);
  EXPECT_EQ(sq_.shared_tail(), before + 3);
}

TEST_P(SubmissionQueueForms, TheSqeOfAnIndexIsTheOneHandedOut) {
  prepare(sq_, 7, 2);
  const std::uint32_t first = GetParam().first_index;
  EXPECT_EQ(sq_.sqe_at(first).user_data, 7U);
  EXPECT_EQ(sq_.sqe_at(first + 1).user_data, 8U);
  EXPECT_EQ(sq_.shared_head(), first);
}

TEST(SubmissionQueue, HandsOutZeroedSqesAlsoFromUsedSlots) {
  SubmissionSide kernel(kEntries, 0);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  for (std::uint32_t round = 0; round < 2; ++round) {
    for (std::uint32_t slot = 0; slot < kEntries; ++slot) {
      std::memset(&kernel.sqe(slot), 0xff, sizeof(uring::io_uring_sqe));
      const uring::io_uring_sqe* sqe = sq.next_sqe();
      ASSERT_EQ(sqe, &kernel.sqe(slot));
      const auto* bytes = reinterpret_cast<const unsigned char*>(sqe);
      EXPECT_TRUE(std::all_of(bytes, bytes + sizeof *sqe, [](unsigned char b) { return b == 0; }))
          << "slot " << slot << " in round " << round;
    }
    static_cast<void>(sq.publish());
    take(kernel, kEntries);
  }
}

TEST(SubmissionQueue, TheArrayMapsEachSlotToItself) {
  SubmissionSide kernel(8, 0xffff'fffe, SqArray::Present);
  const SubmissionQueue sq(kernel.pointers(), nullptr);
  EXPECT_EQ(kernel.array(), std::vector<std::uint32_t>({0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(SubmissionQueue, ReadsTheFlagWord) {
  SubmissionSide kernel(kEntries, 0);
  const SubmissionQueue sq(kernel.pointers(), nullptr);
  struct Row {
    std::uint32_t bit;
    bool needs_wakeup;
    bool cq_overflowed;
    bool taskrun_pending;
  };
  for (const Row& row : {Row{0, false, false, false},  //
                         Row{uring::IORING_SQ_NEED_WAKEUP, true, false, false},
                         Row{uring::IORING_SQ_CQ_OVERFLOW, false, true, false},
                         Row{uring::IORING_SQ_TASKRUN, false, false, true}}) {
    kernel.set_flags(row.bit);
    EXPECT_EQ(sq.flags(), row.bit);
    EXPECT_EQ(sq.needs_wakeup(), row.needs_wakeup) << row.bit;
    EXPECT_EQ(sq.cq_overflowed(), row.cq_overflowed) << row.bit;
    EXPECT_EQ(sq.taskrun_pending(), row.taskrun_pending) << row.bit;
    kernel.clear_flags(row.bit);
  }
  EXPECT_EQ(sq.flags(), 0U);
}

TEST(SubmissionQueue, TheWakeUpQuestionChangesNoSharedWord) {
  SubmissionSide kernel(kEntries, 0xffff'ffff);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  prepare(sq, 0, 2);
  EXPECT_EQ(sq.publish(), 2U);
  EXPECT_FALSE(sq.needs_wakeup());
  EXPECT_EQ(kernel.tail(), 1U);
  EXPECT_EQ(take(kernel, kEntries), std::vector<std::uint64_t>({0, 1}));
}

TEST(SubmissionQueue, ReportsDroppedIndices) {
  SubmissionSide kernel(kEntries, 0);
  const SubmissionQueue sq(kernel.pointers(), nullptr);
  EXPECT_EQ(sq.dropped(), 0U);
  kernel.dropped() = 3;
  EXPECT_EQ(sq.dropped(), 3U);
}

// --- chains -------------------------------------------------------------------------------------

// The flags of the next SQEs that the kernel takes.
std::vector<std::uint32_t> take_flags(SubmissionSide& kernel) {
  std::vector<std::uint32_t> flags;
  kernel.take(kernel.entries(),
              [&](const uring::io_uring_sqe& sqe) { flags.push_back(sqe.flags); });
  return flags;
}

TEST_P(SubmissionQueueForms, AChainLinksAllButItsLast) {
  ASSERT_TRUE(sq_.begin_chain(3));
  prepare(sq_, 0, 4);
  EXPECT_EQ(sq_.publish(), 4U);
  EXPECT_EQ(take_flags(kernel_),
            std::vector<std::uint32_t>({uring::IOSQE_IO_LINK, uring::IOSQE_IO_LINK, 0, 0}))
      << "the fourth comes after the chain";
}

TEST_P(SubmissionQueueForms, AHardChainHardlinks) {
  ASSERT_TRUE(sq_.begin_chain(2, uring::IOSQE_IO_HARDLINK));
  prepare(sq_, 0, 2);
  EXPECT_EQ(sq_.publish(), 2U);
  EXPECT_EQ(take_flags(kernel_), std::vector<std::uint32_t>({uring::IOSQE_IO_HARDLINK, 0}));
}

TEST(SubmissionQueueChain, OfOneLinksNothing) {
  SubmissionSide kernel(kEntries, 0);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  ASSERT_TRUE(sq.begin_chain(1));
  prepare(sq, 0, 2);
  EXPECT_EQ(sq.publish(), 2U);
  EXPECT_EQ(take_flags(kernel), std::vector<std::uint32_t>({0, 0}));
}

TEST(SubmissionQueueChain, OneAfterTheOther) {
  SubmissionSide kernel(kEntries, 0);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  ASSERT_TRUE(sq.begin_chain(2));
  prepare(sq, 0, 2);
  ASSERT_TRUE(sq.begin_chain(2, uring::IOSQE_IO_HARDLINK));
  prepare(sq, 2, 2);
  EXPECT_EQ(sq.publish(), 4U);
  EXPECT_EQ(take_flags(kernel),
            std::vector<std::uint32_t>({uring::IOSQE_IO_LINK, 0, uring::IOSQE_IO_HARDLINK, 0}));
}

TEST_P(SubmissionQueueForms, AChainThatDoesNotFitChangesNothing) {
  prepare(sq_, 0, 2);
  EXPECT_FALSE(sq_.begin_chain(3));
  EXPECT_EQ(sq_.unpublished(), 2U);
  prepare(sq_, 2, 2);
  EXPECT_EQ(sq_.publish(), 4U) << "no chain has begun, so nothing is unfinished";
  EXPECT_EQ(take_flags(kernel_), std::vector<std::uint32_t>({0, 0, 0, 0}));
}

TEST_P(SubmissionQueueForms, AChainFitsOnceTheKernelHasTaken) {
  prepare(sq_, 0, kEntries);
  EXPECT_EQ(sq_.publish(), kEntries);
  EXPECT_FALSE(sq_.begin_chain(2));
  EXPECT_EQ(take(kernel_, 2), std::vector<std::uint64_t>({0, 1}));
  ASSERT_TRUE(sq_.begin_chain(2));
  prepare(sq_, 4, 2);
  EXPECT_EQ(sq_.publish(), 4U);
  EXPECT_EQ(take_flags(kernel_), std::vector<std::uint32_t>({0, 0, uring::IOSQE_IO_LINK, 0}));
}

TEST(SubmissionQueueChain, MayFillTheWholeQueue) {
  SubmissionSide kernel(kEntries, 0xffff'fffe);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  ASSERT_TRUE(sq.begin_chain(kEntries));
  prepare(sq, 0, kEntries);
  EXPECT_EQ(sq.publish(), kEntries);
  EXPECT_EQ(take_flags(kernel).back(), 0U);
}

TEST(SubmissionQueueDeath, PublishInsideAChain) {
  SubmissionSide kernel(kEntries, 0);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  ASSERT_TRUE(sq.begin_chain(3));
  prepare(sq, 0, 2);
  EXPECT_DEATH(static_cast<void>(sq.publish()), "must not straddle two submits");
}

TEST(SubmissionQueueDeath, AChainInsideAChain) {
  SubmissionSide kernel(kEntries, 0);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  ASSERT_TRUE(sq.begin_chain(2));
  EXPECT_DEATH(static_cast<void>(sq.begin_chain(1)), "chains do not nest");
}

TEST(SubmissionQueueDeath, AChainThatCanNeverFit) {
  SubmissionSide kernel(kEntries, 0);
  SubmissionQueue sq(kernel.pointers(), nullptr);
  EXPECT_DEATH(static_cast<void>(sq.begin_chain(kEntries + 1)), "must fit into the queue");
  EXPECT_DEATH(static_cast<void>(sq.begin_chain(0)), "must fit into the queue");
}

TEST(SubmissionQueueDeath, ASizeThatIsNoPowerOfTwo) {
  SubmissionSide kernel(8, 0);
  uring::SqPointers pointers = kernel.pointers();
  pointers.entries = 6;
  EXPECT_DEATH(SubmissionQueue(pointers, nullptr), "power of two");
}

}  // namespace
