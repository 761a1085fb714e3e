// Writing to a connection that the other side has reset: who gets a signal for it.

#include <signal.h>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

volatile sig_atomic_t sigpipes = 0;

class DeadSocket : public testing::Test {
 protected:
  DeadSocket() {
    sigpipes = 0;
    struct sigaction count {};
    count.sa_handler = [](int) { sigpipes = sigpipes + 1; };
    CHECK(::sigaction(SIGPIPE, &count, &before_) == 0);
    kernel_test::reset(sockets_.far);
    CHECK(kernel_test::await(sockets_.near.get(), POLLIN, 10'000) != 0);
    std::byte byte;
    CHECK(::recv(sockets_.near.get(), &byte, 1, 0) < 0 && errno == ECONNRESET);
  }
  ~DeadSocket() override { ::sigaction(SIGPIPE, &before_, nullptr); }

  const std::array<std::byte, 8> bytes_{};
  kernel_test::TcpPair sockets_;
  uring::Ring ring_ = kernel_test::make_ring();

 private:
  struct sigaction before_ {};
};

TEST_F(DeadSocket, ASendIsEpipeAndNoSignalWhateverItsFlags) {
  for (const std::uint32_t msg_flags : {std::uint32_t{MSG_NOSIGNAL}, 0U}) {
    const auto cqe = kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
      uring::prep_send(sqe, sockets_.near.get(), bytes_, 0);
      sqe.msg_flags = msg_flags;
    });
    EXPECT_EQ(cqe.res, -EPIPE);
    EXPECT_EQ(sigpipes, 0) << "the kernel adds MSG_NOSIGNAL";
  }
}

TEST_F(DeadSocket, AWriteRaisesItAndHasNoFlagAgainstIt) {
  const auto cqe = kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
    uring::prep_write(sqe, sockets_.near.get(), bytes_, 0);
  });
  EXPECT_EQ(cqe.res, -EPIPE);
  EXPECT_EQ(sigpipes, 1);
}

}  // namespace
