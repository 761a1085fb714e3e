// io_uring_enter stops at a bad SQE and returns how many it took, the bad one included. With
// IORING_SETUP_SUBMIT_ALL it goes on. Neither is all-or-nothing.

#include "tests/kernel/kernel_test.hpp"

namespace {

void prepare_six_with_a_bad_third(uring::Ring& ring) {
  for (std::uint64_t i = 1; i <= 6; ++i) {
    uring::io_uring_sqe* sqe = ring.next_sqe();
    uring::prep_nop(*sqe);
    if (i == 3) {
      sqe->opcode = 0xff;
    }
    sqe->user_data = i;
  }
}

TEST(SubmitAll, WithoutItTheSubmitEndsAtTheBadSqe) {
  uring::Ring ring = kernel_test::make_ring({.sq_entries = 8});
  prepare_six_with_a_bad_third(ring);
  EXPECT_EQ(ring.submit().value_or(0), 3U);
  EXPECT_EQ(ring.sq().pending(), 3U) << "the rest waits for the next enter";
  const auto first = kernel_test::collect(ring, 6);  // its enter submits the rest
  for (const auto& cqe : first) {
    EXPECT_EQ(cqe.res, cqe.user_data == 3 ? -EINVAL : 0) << "SQE " << cqe.user_data;
  }
}

TEST(SubmitAll, WithItEverySqeIsTaken) {
  NEEDS_FEATURE(SubmitAll);
  uring::Ring ring =
      kernel_test::make_ring({.sq_entries = 8, .setup_flags = uring::IORING_SETUP_SUBMIT_ALL});
  prepare_six_with_a_bad_third(ring);
  EXPECT_EQ(ring.submit().value_or(0), 6U);
  for (const auto& cqe : kernel_test::collect(ring, 6)) {
    EXPECT_EQ(cqe.res, cqe.user_data == 3 ? -EINVAL : 0) << "SQE " << cqe.user_data;
  }
}

}  // namespace
