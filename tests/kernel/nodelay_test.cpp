// TCP_NODELAY, which a server without descriptors cannot set on its connections: they have it from
// their listener.

#include <netinet/tcp.h>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

void set_nodelay(const base::UniqueFd& fd) {
  const int on = 1;
  CHECK(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

class Nodelay : public testing::Test {
 protected:
  bool of_the_accepted_socket() {
    uring::Ring ring = kernel_test::make_ring();
    uring::prep_accept(kernel_test::next(ring, 1), listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    const base::UniqueFd accepted(kernel_test::collect(ring, 1).front().res);
    int value = 0;
    socklen_t size = sizeof value;
    CHECK(::getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
    return value != 0;
  }

  base::UniqueFd listener_ = kernel_test::make_listener();
};

TEST_F(Nodelay, IsInheritedFromTheListener) {
  set_nodelay(listener_);
  const base::UniqueFd client = kernel_test::connect_to(listener_);
  EXPECT_TRUE(of_the_accepted_socket());
}

TEST_F(Nodelay, IsOffOtherwise) {
  const base::UniqueFd client = kernel_test::connect_to(listener_);
  EXPECT_FALSE(of_the_accepted_socket());
}

TEST_F(Nodelay, IsInheritedWhenTheClientConnectsAndNotWhenItIsAccepted) {
  const base::UniqueFd client = kernel_test::connect_to(listener_);
  set_nodelay(listener_);
  EXPECT_FALSE(of_the_accepted_socket());
}

}  // namespace
