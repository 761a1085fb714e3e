// O_NONBLOCK on a socket: requests wait all the same. What does not wait says so with MSG_DONTWAIT.

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

class NonblockingSocket : public LoopTest {
 protected:
  NonblockingSocket() { kernel_test::set_nonblocking(sockets_.near.get()); }

  std::vector<std::byte> bytes_ = std::vector<std::byte>(64 * 1024);
  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, NonblockingSocket, all_ring_kinds(), name_of);

TEST_P(NonblockingSocket, ARecvWaitsAllTheSame) {
  uring::Ring ring = make_ring(4);
  uring::prep_recv(kernel_test::next(ring, 1), sockets_.near.get(), bytes_, 0);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "no EAGAIN";
  kernel_test::write_text(sockets_.far.get(), "late");
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 4);
}

TEST_P(NonblockingSocket, ARecvWithDontwaitIsEagain) {
  uring::Ring ring = make_ring(4);
  uring::prep_recv(kernel_test::next(ring, 1), sockets_.near.get(), bytes_, MSG_DONTWAIT);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EAGAIN);
}

TEST_P(NonblockingSocket, AReadWaitsAllTheSame) {
  NEEDS_LINUX(6, 1, "a READ of a non-blocking socket may complete with EAGAIN");
  uring::Ring ring = make_ring(4);
  uring::prep_read(kernel_test::next(ring, 1), sockets_.near.get(), bytes_, 0);
  kernel_test::submit_all(ring);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "no EAGAIN";
  kernel_test::write_text(sockets_.far.get(), "late");
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 4);
}

TEST_P(NonblockingSocket, ASendWaitsAllTheSame) {
  uring::Ring ring = make_ring(4);
  kernel_test::fill(sockets_.near.get());
  uring::prep_send(kernel_test::next(ring, 1), sockets_.near.get(), bytes_, 0);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "no EAGAIN";
  for (int i = 0; i < 1'000 && kernel_test::stays_quiet(ring); ++i) {
    kernel_test::drain(sockets_.far.get());
  }
  EXPECT_GT(kernel_test::collect(ring, 1).front().res, 0);
}

TEST_P(NonblockingSocket, AnAcceptWaitsAllTheSame) {
  NEEDS_LINUX(6, 1, "an ACCEPT on a non-blocking listener may complete with EAGAIN");
  uring::Ring ring = make_ring(4);
  const base::UniqueFd listener = kernel_test::make_listener(SOCK_NONBLOCK);
  uring::prep_accept(kernel_test::next(ring, 1), listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "no EAGAIN";
  const base::UniqueFd client = kernel_test::connect_to(listener);
  const base::UniqueFd accepted(kernel_test::collect(ring, 1).front().res);
  EXPECT_TRUE(accepted.valid());
}

}  // namespace
