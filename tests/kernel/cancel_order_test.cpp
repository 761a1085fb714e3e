// Which of the two completions of a cancel comes first: its own, or that of its target.

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

class CancelOrder : public LoopTest {
 protected:
  void arm_recv(uring::Ring& ring) {
    uring::prep_recv(kernel_test::next(ring, 1), sockets_.near.get(), buffer_, 0);
    kernel_test::submit_all(ring);
    ASSERT_TRUE(kernel_test::stays_quiet(ring));
    uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  }

  std::array<std::byte, 8> buffer_{};
  kernel_test::SocketPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, CancelOrder, all_ring_kinds(), name_of);

TEST_P(CancelOrder, TheCancelComesFirst) {
  NEEDS_LINUX(6, 1, "the target may come first");
  uring::Ring ring = make_ring(4);
  arm_recv(ring);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(cqes[0].user_data, 2U);
  EXPECT_EQ(cqes[0].res, 0);
  EXPECT_EQ(cqes[1].user_data, 1U);
  EXPECT_EQ(cqes[1].res, -ECANCELED);
}

class CancelOrderDeferred : public CancelOrder {};
INSTANTIATE_TEST_SUITE_P(On, CancelOrderDeferred, testing::Values(kDefer), name_of);

TEST_P(CancelOrderDeferred, TheTargetHasNotCompletedWhenTheSubmitReturns) {
  uring::Ring ring = make_ring(4);
  arm_recv(ring);
  ASSERT_TRUE(ring.submit().has_value());
  ASSERT_EQ(ring.cq().ready(), 1U);
  EXPECT_EQ(ring.cq().at(0).user_data, 2U) << "done, says the cancel";
  ASSERT_TRUE(ring.get_events().has_value());
  EXPECT_EQ(ring.cq().ready(), 2U) << "the target is still to come";
}

}  // namespace
