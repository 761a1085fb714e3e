// What the kernel makes of these fields is the business of tests/kernel. Here: what they are, where
// kernels differ about them and only the oldest ones would notice.

#include <gtest/gtest.h>

#include "common/uring/prep.hpp"

namespace {

TEST(PrepRecvSelect, AsksForMoreThanAnyBufferHolds) {
  uring::io_uring_sqe sqe{};
  uring::prep_recv_select(sqe, 3, 7, MSG_DONTWAIT);
  EXPECT_EQ(sqe.opcode, uring::IORING_OP_RECV);
  EXPECT_EQ(sqe.len, 0x7fff'ffffU) << "up to Linux 5.15 a size of 0 receives 0 bytes";
  EXPECT_EQ(sqe.flags, uring::IOSQE_BUFFER_SELECT);
  EXPECT_EQ(sqe.buf_group, 7U);
  EXPECT_EQ(sqe.msg_flags, static_cast<std::uint32_t>(MSG_DONTWAIT));
}

TEST(PrepRecvMultishot, GivesNoSize) {
  uring::io_uring_sqe sqe{};
  uring::prep_recv_multishot(sqe, 3, 7, 0);
  EXPECT_EQ(sqe.len, 0U) << "a size is EINVAL on Linux 6.1";
  EXPECT_EQ(sqe.ioprio, uring::IORING_RECV_MULTISHOT);
  EXPECT_EQ(sqe.flags, uring::IOSQE_BUFFER_SELECT);
  EXPECT_EQ(sqe.buf_group, 7U);
}

}  // namespace
