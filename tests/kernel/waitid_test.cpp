// WAITID waits for one child and has no multishot form, though its SQE has the place for such a flag.

#include <sys/wait.h>

#include "tests/kernel/kernel_test.hpp"

namespace {

TEST(Waitid, AMultishotOneIsEinval) {
  NEEDS_LINUX(6, 7, "there is no WAITID");
  uring::Ring ring = kernel_test::make_ring();
  siginfo_t info{};
  const auto wait_for_any_child = [&](uring::io_uring_sqe& sqe) {
    sqe.opcode = uring::IORING_OP_WAITID;
    sqe.len = P_ALL;
    sqe.file_index = WEXITED;
    sqe.addr2 = uring::user_address(&info);
  };
  EXPECT_EQ(kernel_test::run_one(ring, wait_for_any_child).res, -ECHILD) << "there is none";
  const auto cqe = kernel_test::run_one(ring, [&](uring::io_uring_sqe& sqe) {
    wait_for_any_child(sqe);
    sqe.ioprio = uring::IORING_ACCEPT_MULTISHOT;
  });
  EXPECT_EQ(cqe.res, -EINVAL);
}

}  // namespace
