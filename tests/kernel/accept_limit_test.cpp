// ACCEPT and the limit on descriptors (RLIMIT_NOFILE). It takes a number first and looks for a
// connection then, so a connection that it has no number for stays in the backlog.

#include <optional>

#include "tests/kernel/descriptor_limit.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

using namespace loop_test;
using kernel_test::DescriptorLimit;

// Not members of the test: UBSan looks at an object with virtual functions before it lets one be
// called, and needs descriptors for that.
void arm(uring::Ring& ring, const base::UniqueFd& listener) {
  uring::prep_accept(kernel_test::next(ring, 1), listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
  kernel_test::submit_all(ring);
}
void arm_multishot(uring::Ring& ring, const base::UniqueFd& listener) {
  uring::prep_accept_multishot(kernel_test::next(ring, 1), listener.get(), SOCK_CLOEXEC);
  kernel_test::submit_all(ring);
}
void connect(const base::UniqueFd& client, const base::UniqueFd& listener) {
  kernel_test::connect(client, kernel_test::address_of(listener));
}
void expect_a_connection(const uring::io_uring_cqe& cqe) {
  const base::UniqueFd accepted(cqe.res);
  EXPECT_TRUE(accepted.valid()) << cqe.res;
}

class AcceptLimit : public LoopTest {
 protected:
  base::UniqueFd listener_ = kernel_test::make_listener();
  base::UniqueFd client_ = kernel_test::make_client();  // no test has a number for one later on
};
INSTANTIATE_TEST_SUITE_P(On, AcceptLimit, all_ring_kinds(), name_of);

TEST_P(AcceptLimit, WithoutANumberItFailsAtOnceThoughNobodyWaits) {
  uring::Ring ring = make_ring(4);
  const DescriptorLimit limit(0);
  arm(ring, listener_);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EMFILE);
}

TEST_P(AcceptLimit, TheConnectionStaysInTheBacklog) {
  uring::Ring ring = make_ring(4);
  connect(client_, listener_);
  {
    const DescriptorLimit limit(0);
    arm(ring, listener_);
    EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EMFILE);
  }
  arm(ring, listener_);
  expect_a_connection(kernel_test::collect(ring, 1).front());
}

TEST_P(AcceptLimit, AMultishotEndsAndLeavesTheConnectionInTheBacklog) {
  NEEDS_FEATURE(MultishotAccept);
  if (GetParam().only_5_10) {
    GTEST_SKIP() << "masked";
  }
  uring::Ring ring = make_ring(4);
  const base::UniqueFd second = kernel_test::make_client();
  {
    const DescriptorLimit limit(1);
    arm_multishot(ring, listener_);
    connect(client_, listener_);
    connect(second, listener_);
    const auto cqes = kernel_test::collect(ring, 2);
    EXPECT_EQ(cqes[0].flags & uring::IORING_CQE_F_MORE, uring::IORING_CQE_F_MORE);
    EXPECT_EQ(cqes[1].res, -EMFILE);
    EXPECT_EQ(cqes[1].flags & uring::IORING_CQE_F_MORE, 0U);
    expect_a_connection(cqes[0]);
  }
  arm_multishot(ring, listener_);
  expect_a_connection(kernel_test::collect(ring, 1).front());
}

TEST_P(AcceptLimit, IsThatOfTheSubmitWhenItHasBeenLoweredSince) {
  uring::Ring ring = make_ring(4);
  arm(ring, listener_);
  const DescriptorLimit limit(0);
  connect(client_, listener_);
  expect_a_connection(kernel_test::collect(ring, 1).front());
}

TEST_P(AcceptLimit, IsThatOfTheSubmitWhenItHasBeenRaisedSince) {
  uring::Ring ring = make_ring(4);
  std::optional<DescriptorLimit> limit(1);
  arm(ring, listener_);
  ASSERT_TRUE(kernel_test::stays_quiet(ring)) << "there is a number for it";
  const base::UniqueFd takes_the_number(::dup(listener_.get()));
  limit.reset();
  connect(client_, listener_);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EMFILE);
}

}  // namespace
