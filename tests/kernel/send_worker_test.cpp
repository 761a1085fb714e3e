// When a SEND that waits for room costs a worker thread.

#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/worker_threads.hpp"

namespace {

class SendWorker : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernel_test::workers_are_threads_of_the_process()) {
      GTEST_SKIP() << "this kernel's workers are no threads of the process";
    }
    kernel_test::fill(sockets_.near.get());
  }

  void send(uring::Ring& ring, int msg_flags) {
    uring::prep_send(kernel_test::next(ring, 1), sockets_.near.get(), bytes_, msg_flags);
    kernel_test::submit_all(ring);
  }
  // Lets the request that waits go on to its end.
  std::int32_t collect_while_reading(uring::Ring& ring) {
    for (int i = 0; i < 1'000 && kernel_test::stays_quiet(ring); ++i) {
      kernel_test::drain(sockets_.far.get());
    }
    return kernel_test::collect(ring, 1).front().res;
  }

  const std::array<std::byte, 1024> bytes_{};
  kernel_test::TcpPair sockets_;
};

TEST_F(SendWorker, OneThatWaitsNeedsNone) {
  const bool worker = kernel_test::makes_a_worker([&](uring::Ring& ring) {
    send(ring, 0);
    EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "it waits";
    EXPECT_GT(collect_while_reading(ring), 0);
  });
  EXPECT_FALSE(worker) << "the kernel polls the socket for it";
}

// The poll says at once that something is there: the half-close, which nobody asked about. So the SEND
// is tried again, in vain, until a worker gets it, which waits in it as a thread waits in send(2).
TEST_F(SendWorker, OneThatWaitsForAHalfClosedClientTakesOne) {
  NOT_ON_LINUX(6, 12, "the poll says nothing of the half-close: see SocketPoll");
  ASSERT_EQ(::shutdown(sockets_.far.get(), SHUT_WR), 0);
  ASSERT_NE(kernel_test::await(sockets_.near.get(), POLLRDHUP, 10'000), 0);
  const bool worker = kernel_test::makes_a_worker([&](uring::Ring& ring) {
    send(ring, 0);
    EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "it waits";
    EXPECT_FALSE(kernel_test::worker_threads().empty());
    EXPECT_GT(collect_while_reading(ring), 0);
  });
  EXPECT_TRUE(worker);
}

TEST_F(SendWorker, WithDontwaitTheHalfClosedClientTakesNone) {
  ASSERT_EQ(::shutdown(sockets_.far.get(), SHUT_WR), 0);
  ASSERT_NE(kernel_test::await(sockets_.near.get(), POLLRDHUP, 10'000), 0);
  const bool worker = kernel_test::makes_a_worker([&](uring::Ring& ring) {
    send(ring, MSG_DONTWAIT);
    EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EAGAIN);
  });
  EXPECT_FALSE(worker);
}

TEST_F(SendWorker, ACancelOfWhatAWorkerWaitsInIsEalreadyAndInterruptsIt) {
  NEEDS_LINUX(6, 12, "not tried");
  NOT_ON_LINUX(6, 12, "no worker waits in it");
  ASSERT_EQ(::shutdown(sockets_.far.get(), SHUT_WR), 0);
  ASSERT_NE(kernel_test::await(sockets_.near.get(), POLLRDHUP, 10'000), 0);
  uring::Ring ring = kernel_test::make_ring();
  send(ring, 0);
  ASSERT_TRUE(kernel_test::stays_quiet(ring)) << "a worker waits in it";
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(kernel_test::res_of(cqes, 2), -EALREADY);
  EXPECT_EQ(kernel_test::res_of(cqes, 1), -EINTR) << "and not ECANCELED";
}

}  // namespace
