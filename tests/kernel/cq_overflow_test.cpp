// A full CQ loses nothing (IORING_FEAT_NODROP, 5.5): what does not fit waits in the kernel.
// The sign of it is a bit in the *SQ's* flags; the CQ's overflow counter counts real loss.

#include "tests/kernel/kernel_test.hpp"

namespace {

constexpr std::uint32_t kNops = 66;

class CqOverflow : public testing::TestWithParam<std::uint32_t> {
 protected:
  // SQ 4, CQ 8, and 66 NOPs submitted without reaping any. Every enter takes its 4.
  static uring::Ring overfull_ring(std::uint32_t setup_flags) {
    uring::Ring ring =
        kernel_test::make_ring({.sq_entries = 4, .cq_entries = 8, .setup_flags = setup_flags});
    for (std::uint32_t i = 0; i < kNops; ++i) {
      uring::io_uring_sqe* sqe = ring.next_sqe();
      if (sqe == nullptr) {
        EXPECT_EQ(ring.submit().value_or(0), 4U) << "no EBUSY, whatever the backlog";
        sqe = ring.next_sqe();
      }
      CHECK(sqe != nullptr);
      uring::prep_nop(*sqe);
      sqe->user_data = i;
    }
    EXPECT_TRUE(ring.submit().has_value());
    return ring;
  }
};

TEST_P(CqOverflow, KeepsEveryCompletionInOrder) {
  NEEDS_LINUX(5, 15, "an enter with a backlog of completions takes nothing and says EBUSY");
  uring::Ring ring = overfull_ring(GetParam());
  std::vector<std::uint64_t> seen;
  std::array<uring::io_uring_cqe, 64> batch;
  ASSERT_TRUE(ring.get_events().has_value());
  EXPECT_EQ(ring.cq().ready(), 8U) << "the CQ is full";
  EXPECT_TRUE(ring.sq().cq_overflowed()) << "and the flag says that there is more";
  while (const std::uint32_t count = ring.reap(batch)) {
    for (std::uint32_t i = 0; i < count; ++i) {
      seen.push_back(batch[i].user_data);
    }
  }
  ASSERT_EQ(seen.size(), kNops);
  for (std::uint32_t i = 0; i < kNops; ++i) {
    EXPECT_EQ(seen[i], i);
  }
  EXPECT_EQ(ring.cq().overflow(), 0U) << "nothing was really lost";
  EXPECT_FALSE(ring.sq().cq_overflowed());
  EXPECT_GT(ring.overflow_flushes(), 0U);
}

TEST_P(CqOverflow, IsFlushedOneCqFullPerGetevents) {
  NEEDS_LINUX(6, 1, "a flush or a submit may post in other portions");
  uring::Ring ring = overfull_ring(GetParam());
  ASSERT_TRUE(ring.get_events().has_value());
  ASSERT_EQ(ring.cq().ready(), 8U);
  ring.cq().advance(8);

  // A submit without GETEVENTS flushes nothing, although there is room now.
  uring::prep_nop(*ring.next_sqe());
  ASSERT_EQ(ring.submit().value_or(0), 1U);
  EXPECT_EQ(ring.cq().ready(), 0U);
  EXPECT_TRUE(ring.sq().cq_overflowed());

  std::uint32_t reaped = 8;
  for (int flush = 1; reaped < kNops + 1; ++flush) {
    ASSERT_TRUE(ring.get_events().has_value());
    const std::uint32_t ready = ring.cq().ready();
    EXPECT_EQ(ready, std::min(8U, kNops + 1 - reaped)) << "flush " << flush;
    ASSERT_GT(ready, 0U);
    ring.cq().advance(ready);
    reaped += ready;
  }
  EXPECT_FALSE(ring.sq().cq_overflowed());
}

INSTANTIATE_TEST_SUITE_P(Rings, CqOverflow,
                         testing::Values(0U, uring::IORING_SETUP_COOP_TASKRUN,
                                         uring::IORING_SETUP_SINGLE_ISSUER |
                                             uring::IORING_SETUP_DEFER_TASKRUN),
                         [](const auto& instance) {
                           return instance.param == 0 ? "Plain"
                                  : instance.param == uring::IORING_SETUP_COOP_TASKRUN
                                      ? "CoopTaskrun"
                                      : "DeferTaskrun";
                         });

}  // namespace
