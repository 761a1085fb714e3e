// What happens to requests in flight when their ring is closed: the kernel cancels them, in its own
// time, and drops what they held.

#include <poll.h>
#include <unistd.h>

#include <optional>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

TEST(RingClose, CancelsWhatIsInFlightAndLetsItsFilesGo) {
  kernel_test::SocketPair sockets;
  std::array<std::byte, 4> buffer{};  // outlives the request: the ring is gone long before the end
  {
    uring::Ring ring = kernel_test::make_ring();
    uring::prep_recv(*ring.next_sqe(), sockets.near.get(), buffer, 0);
    ASSERT_TRUE(ring.submit().has_value());
    sockets.near.reset();
    pollfd peer{.fd = sockets.far.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&peer, 1, 0), 0) << "our descriptor is closed, but the recv holds the socket";
  }
  pollfd peer{.fd = sockets.far.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&peer, 1, 10'000), 1) << "the end of the connection reaches the peer";
  char byte = 0;
  EXPECT_EQ(::read(sockets.far.get(), &byte, 1), 0);
}

}  // namespace
