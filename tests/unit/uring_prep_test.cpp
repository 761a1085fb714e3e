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

TEST(PrepRecvMultishot, WithALimit) {
  uring::io_uring_sqe sqe{};
  uring::prep_recv_multishot(sqe, 3, 7, 0, 5000);
  EXPECT_EQ(sqe.optlen, 5000U);
  uring::io_uring_sqe without{};
  uring::prep_recv_multishot(without, 3, 7, 0);
  EXPECT_EQ(without.optlen, 0U) << "anything else is EINVAL before Linux 6.17";
}

TEST(PrepSendmsg, NeverRaisesASignal) {
  uring::io_uring_sqe sqe{};
  const msghdr message{};
  uring::prep_sendmsg(sqe, 3, &message, MSG_DONTWAIT);
  EXPECT_EQ(sqe.opcode, uring::IORING_OP_SENDMSG);
  EXPECT_EQ(sqe.addr, uring::user_address(&message));
  EXPECT_EQ(sqe.len, 1U);
  EXPECT_EQ(sqe.msg_flags, static_cast<std::uint32_t>(MSG_DONTWAIT | MSG_NOSIGNAL));
}

TEST(AcceptDirect, LeavesThePlaceToTheKernel) {
  uring::io_uring_sqe sqe{};
  uring::prep_accept_multishot(sqe, 3, SOCK_NONBLOCK);
  uring::accept_direct(sqe);
  EXPECT_EQ(sqe.file_index, uring::IORING_FILE_INDEX_ALLOC);
}

TEST(PrepCloseDirect, NamesThePlaceAndNoDescriptor) {
  uring::io_uring_sqe sqe{};
  uring::prep_close_direct(sqe, 0);
  EXPECT_EQ(sqe.opcode, uring::IORING_OP_CLOSE);
  EXPECT_EQ(sqe.fd, 0) << "anything else is EINVAL";
  EXPECT_EQ(sqe.file_index, 1U);
}

}  // namespace
