// LINK_TIMEOUT limits the request it is linked behind. Each of the two has its completion, in either
// case.

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

constexpr std::uint64_t kRecv = 1;
constexpr std::uint64_t kLimit = 2;

class LinkTimeout : public testing::Test {
 protected:
  // A recv, limited to `time`.
  void arm(const __kernel_timespec& time) {
    ASSERT_TRUE(ring_.sq().begin_chain(2));
    uring::io_uring_sqe* recv = ring_.next_sqe();
    uring::prep_recv(*recv, sockets_.near.get(), buffer_, 0);
    recv->user_data = kRecv;
    uring::io_uring_sqe* limit = ring_.next_sqe();
    uring::prep_link_timeout(*limit, &time, 0);
    limit->user_data = kLimit;
    ASSERT_TRUE(ring_.submit().has_value());
  }

  uring::Ring ring_ = kernel_test::make_ring();
  kernel_test::SocketPair sockets_;
  std::array<std::byte, 8> buffer_{};
};

TEST_F(LinkTimeout, HasItsOwnCompletionBesideTheCancelledRequests) {
  arm(uring::to_timespec(1'000'000));
  for (const auto& cqe : kernel_test::collect(ring_, 2)) {
    EXPECT_EQ(cqe.res, cqe.user_data == kLimit ? -ETIME : -ECANCELED)
        << "user_data " << cqe.user_data;
  }
}

TEST_F(LinkTimeout, FiresFirstAndThenTheRequestIsCancelled) {
  NEEDS_LINUX(6, 12, "the two may come in the other order");
  arm(uring::to_timespec(1'000'000));
  const auto cqes = kernel_test::collect(ring_, 2);
  EXPECT_EQ(cqes[0].user_data, kLimit);
  EXPECT_EQ(cqes[0].res, -ETIME);
  EXPECT_EQ(cqes[1].user_data, kRecv);
  EXPECT_EQ(cqes[1].res, -ECANCELED);
}

TEST_F(LinkTimeout, IsCancelledByARequestThatIsInTime) {
  kernel_test::write_text(sockets_.far.get(), "abc");
  arm(uring::to_timespec(3'600'000'000'000));
  for (const auto& cqe : kernel_test::collect(ring_, 2)) {
    EXPECT_EQ(cqe.res, cqe.user_data == kRecv ? 3 : -ECANCELED) << "user_data " << cqe.user_data;
  }
}

}  // namespace
