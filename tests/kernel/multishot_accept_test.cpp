// A multishot ACCEPT: one request, a completion per connection, and what ends it.

#include <set>

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

using namespace loop_test;

class MultishotAccept : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(MultishotAccept);
    LoopTest::SetUp();
  }

  void arm(uring::Ring& ring, std::uint64_t user_data, int accept_flags = SOCK_CLOEXEC) {
    uring::prep_accept_multishot(kernel_test::next(ring, user_data), listener_.get(), accept_flags);
    kernel_test::submit_all(ring);
  }

  void connect(int count) {
    for (int i = 0; i < count; ++i) {
      clients_.push_back(kernel_test::connect_to(listener_));
    }
  }

  // The next completions, which must all bring connections and say whether more will follow.
  void expect_connections(uring::Ring& ring, std::uint32_t count, bool the_last_has_more) {
    const auto cqes = kernel_test::collect(ring, count);
    ASSERT_EQ(cqes.size(), count);
    for (std::size_t i = 0; i < cqes.size(); ++i) {
      EXPECT_GE(cqes[i].res, 0) << "completion " << i;
      accepted_.emplace_back(cqes[i].res);
      const bool more = the_last_has_more || i + 1 < cqes.size();
      EXPECT_EQ((cqes[i].flags & uring::IORING_CQE_F_MORE) != 0, more) << "completion " << i;
    }
  }

  base::UniqueFd listener_ = kernel_test::make_listener();
  std::vector<base::UniqueFd> clients_;
  std::vector<base::UniqueFd> accepted_;
};
INSTANTIATE_TEST_SUITE_P(On, MultishotAccept, new_ring_kinds(), name_of);

TEST_P(MultishotAccept, OneRequestTakesOneConnectionAfterTheOther) {
  uring::Ring ring = make_ring(4);
  arm(ring, 1);
  for (int i = 0; i < 20; ++i) {
    connect(1);
    expect_connections(ring, 1, true);
  }
}

TEST_P(MultishotAccept, TakesAllThatWaitInOneEnter) {
  uring::Ring ring = make_ring(4, 16);
  connect(6);
  uring::prep_accept_multishot(kernel_test::next(ring, 1), listener_.get(), SOCK_CLOEXEC);
  ASSERT_TRUE(ring.submit_and_wait(1).has_value());
  EXPECT_EQ(ring.cq().ready(), 6U) << "whoever wanted to stop it behind the first comes too late";
  expect_connections(ring, 6, true);
}

TEST_P(MultishotAccept, MakesEachSocketWithTheFlagsOfTheRequest) {
  for (const int flags : {0, SOCK_NONBLOCK | SOCK_CLOEXEC}) {
    uring::Ring ring = make_ring(4);
    listener_ = kernel_test::make_listener();  // an ACCEPT outlives its ring for a while
    arm(ring, 1, flags);
    connect(2);
    for (const auto& cqe : kernel_test::collect(ring, 2)) {
      ASSERT_GE(cqe.res, 0);
      const base::UniqueFd fd(cqe.res);
      EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_NONBLOCK, flags != 0 ? O_NONBLOCK : 0);
      EXPECT_EQ(::fcntl(fd.get(), F_GETFD), flags != 0 ? FD_CLOEXEC : 0);
    }
  }
}

// Nobody reaps, and the CQ has four places. The completion that finds no place is kept, as every
// one is, and it is the last.
TEST_P(MultishotAccept, EndsWhenTheCqIsFullAndItsLastCompletionBringsAConnection) {
  uring::Ring ring = make_ring(2, 4);
  arm(ring, 1);
  connect(8);
  expect_connections(ring, 5, false);
  EXPECT_EQ(ring.cq().overflow(), 0U) << "nothing was lost";
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "nobody takes the other three";
  arm(ring, 2);
  expect_connections(ring, 3, true);
}

TEST_P(MultishotAccept, EndsWhenTheListenerIsShutDown) {
  uring::Ring ring = make_ring(4);
  arm(ring, 1);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  ASSERT_EQ(::shutdown(listener_.get(), SHUT_RDWR), 0);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, -EINVAL);
  EXPECT_EQ(cqe.flags & uring::IORING_CQE_F_MORE, 0U);
}

TEST_P(MultishotAccept, AClosedListenerGoesOnAccepting) {
  uring::Ring ring = make_ring(4);
  arm(ring, 1);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  const sockaddr_in address = kernel_test::address_of(listener_);
  listener_.reset();
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
  const base::UniqueFd client = kernel_test::make_client();
  kernel_test::connect(client, address);
  expect_connections(ring, 1, true);
}

TEST_P(MultishotAccept, IsEndedByACancel) {
  uring::Ring ring = make_ring(4);
  arm(ring, 1);
  connect(1);
  expect_connections(ring, 1, true);
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(kernel_test::res_of(cqes, 1), -ECANCELED);
  EXPECT_EQ(kernel_test::res_of(cqes, 2), 0);
  for (const auto& cqe : cqes) {
    EXPECT_EQ(cqe.flags & uring::IORING_CQE_F_MORE, 0U);
  }
  connect(1);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "it takes no more";
}

TEST_P(MultishotAccept, TwoOnOneListenerTakeEachConnectionOnce) {
  uring::Ring ring = make_ring(4);
  arm(ring, 1);
  arm(ring, 2);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "neither is refused";
  connect(6);
  expect_connections(ring, 6, true);
  std::set<int> numbers;
  for (const auto& fd : accepted_) {
    numbers.insert(fd.get());
  }
  EXPECT_EQ(numbers.size(), 6U);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
}

}  // namespace
