// Cancelling: the cancel has a completion of its own, and so has its target.

#include <algorithm>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

class Cancel : public testing::Test {
 protected:
  void arm_recv(std::uint64_t user_data, int msg_flags = 0) {
    uring::io_uring_sqe* sqe = ring_.next_sqe();
    uring::prep_recv(*sqe, sockets_.near.get(), buffer_, msg_flags);
    sqe->user_data = user_data;
    ASSERT_TRUE(ring_.submit().has_value());
  }

  uring::Ring ring_ = kernel_test::make_ring();
  std::array<std::byte, 8> buffer_{};
  kernel_test::SocketPair sockets_;
};

TEST_F(Cancel, BothComplete) {
  arm_recv(1);
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  uring::prep_cancel(*sqe, 1, 0);
  sqe->user_data = 2;
  const auto cqes = kernel_test::collect(ring_, 2);
  const auto of = [&](std::uint64_t user_data) {
    return std::ranges::find(cqes, user_data, &uring::io_uring_cqe::user_data)->res;
  };
  EXPECT_EQ(of(1), -ECANCELED);
  EXPECT_EQ(of(2), 0);
}

TEST_F(Cancel, OfNothingIsEnoent) {
  const auto cqe =
      kernel_test::run_one(ring_, [](uring::io_uring_sqe& sqe) { uring::prep_cancel(sqe, 99, 0); });
  EXPECT_EQ(cqe.res, -ENOENT);
}

TEST_F(Cancel, APartlyDoneRecvReturnsItsBytes) {
  NEEDS_LINUX(6, 1, "it completes with -ECANCELED, and the bytes are lost");
  kernel_test::write_text(sockets_.far.get(), "abc");
  arm_recv(1, MSG_WAITALL);
  ASSERT_TRUE(kernel_test::is_quiet(ring_)) << "it has three bytes and waits for eight";
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  uring::prep_cancel(*sqe, 1, 0);
  sqe->user_data = 2;
  for (const auto& cqe : kernel_test::collect(ring_, 2)) {
    EXPECT_EQ(cqe.res, cqe.user_data == 1 ? 3 : 0) << "not -ECANCELED: the bytes would be lost";
  }
}

TEST_F(Cancel, ByDescriptorTakesThemAll) {
  NEEDS_FEATURE(CancelFd);
  arm_recv(1);
  arm_recv(2);
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  uring::prep_cancel_fd(*sqe, sockets_.near.get(), uring::IORING_ASYNC_CANCEL_ALL);
  sqe->user_data = 3;
  for (const auto& cqe : kernel_test::collect(ring_, 3)) {
    EXPECT_EQ(cqe.res, cqe.user_data == 3 ? 2 : -ECANCELED) << "user_data " << cqe.user_data;
  }
}

}  // namespace
