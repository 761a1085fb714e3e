// A poll of a socket, and the end of the other side.

#include <poll.h>
#include <sys/socket.h>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

// What a poll for these events says of a socket that cannot take a byte more, so that POLLOUT is not
// due, when the other side has closed its sending half.
std::int32_t events_of_a_half_close(std::uint32_t events) {
  uring::Ring ring = kernel_test::make_ring();
  kernel_test::SocketPair sockets;
  const std::array<std::byte, 4096> bytes{};
  while (::send(sockets.near.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
  }
  uring::io_uring_sqe* sqe = ring.next_sqe();
  uring::prep_poll_add(*sqe, sockets.near.get(), events);
  CHECK(ring.submit().has_value());
  EXPECT_TRUE(kernel_test::is_quiet(ring)) << "there is no room, and nothing to report";

  CHECK(::shutdown(sockets.far.get(), SHUT_WR) == 0);
  return kernel_test::collect(ring, 1).front().res;
}

TEST(SocketPoll, ReportsAHalfCloseUnasked) {
  NEEDS_LINUX(6, 1, "not tried");
  NOT_ON_LINUX(6, 12, "6.12.118 reports it only to who asks");
  const std::int32_t events = events_of_a_half_close(POLLOUT);
  EXPECT_EQ(events & POLLRDHUP, POLLRDHUP);
  EXPECT_EQ(events & POLLOUT, 0) << "a SEND would only find the socket full";
}

TEST(SocketPoll, ReportsAHalfCloseToWhoAsks) {
  NEEDS_LINUX(6, 1, "not tried");
  EXPECT_EQ(events_of_a_half_close(POLLOUT | POLLRDHUP) & (POLLRDHUP | POLLOUT), POLLRDHUP);
}

}  // namespace
