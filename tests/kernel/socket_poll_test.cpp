// A poll of a socket, and the end of the other side.

#include <poll.h>
#include <sys/socket.h>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

// The socket cannot take a byte more: POLLOUT is not due. Yet the poll completes, for something that
// it was not asked about.
TEST(SocketPoll, ReportsAHalfCloseUnasked) {
  NEEDS_LINUX(6, 1, "not tried");
  uring::Ring ring = kernel_test::make_ring();
  kernel_test::SocketPair sockets;
  const std::array<std::byte, 4096> bytes{};
  while (::send(sockets.near.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
  }
  uring::io_uring_sqe* sqe = ring.next_sqe();
  uring::prep_poll_add(*sqe, sockets.near.get(), POLLOUT);
  ASSERT_TRUE(ring.submit().has_value());
  ASSERT_TRUE(kernel_test::is_quiet(ring)) << "there is no room, and nothing to report";

  ASSERT_EQ(::shutdown(sockets.far.get(), SHUT_WR), 0);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res & POLLRDHUP, POLLRDHUP);
  EXPECT_EQ(cqe.res & POLLOUT, 0) << "a SEND would only find the socket full";
}

}  // namespace
