// A NOP goes round: what user_data says is what the completion says, and res is 0.

#include "tests/kernel/kernel_test.hpp"

namespace {

TEST(Nop, ComesBackWithItsUserData) {
  uring::Ring ring = kernel_test::make_ring({.sq_entries = 4});
  const auto cqe = kernel_test::run_one(ring, [](uring::io_uring_sqe& sqe) {
    uring::prep_nop(sqe);
    sqe.user_data = 0x1122'3344'5566'7788;
  });
  EXPECT_EQ(cqe.user_data, 0x1122'3344'5566'7788U);
  EXPECT_EQ(cqe.res, 0);
  EXPECT_EQ(cqe.flags, 0U);
}

}  // namespace
