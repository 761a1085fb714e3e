// submit_and_wait() with a time limit, in both forms: the argument of io_uring_enter (5.11), and the
// TIMEOUT request that stands in for it on older kernels, whose completion nobody sees.

#include "common/support/cpu_clock.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

constexpr std::int64_t kMs = 1'000'000;

class WaitTimeout : public testing::TestWithParam<bool> {
 protected:
  static uring::Ring ring_of_this_form() {
    uring::FeatureMask mask;
    mask.set(static_cast<std::size_t>(uring::Feature::ExtArg), GetParam());
    const auto features = uring::Features::detect(mask);
    CHECK(features.has_value());
    return *uring::Ring::create({.sq_entries = 2}, *features);
  }
};

TEST_P(WaitTimeout, EndsTheWaitNotBeforeItsTime) {
  uring::Ring ring = ring_of_this_form();
  const std::uint64_t start = support::now_ns();
  const auto waited = ring.submit_and_wait({.wait_nr = 1, .timeout_ns = 3 * kMs});
  EXPECT_GE(support::now_ns() - start, std::uint64_t{3 * kMs});
  EXPECT_TRUE(waited.has_value() || waited.error().value == ETIME);
  std::array<uring::io_uring_cqe, 4> cqes;
  EXPECT_EQ(ring.reap(cqes), 0U);
  EXPECT_EQ(ring.internal_failures(), 0U);
}

TEST_P(WaitTimeout, LeavesNothingBehindWhenCompletionsComeFirst) {
  uring::Ring ring = ring_of_this_form();
  constexpr std::int64_t kLong = 3600'000 * kMs;
  for (std::uint64_t round = 1; round <= 100; ++round) {
    uring::io_uring_sqe* sqe = ring.next_sqe();
    ASSERT_NE(sqe, nullptr);
    uring::prep_nop(*sqe);
    sqe->user_data = round;
    ASSERT_TRUE(ring.submit_and_wait({.wait_nr = 1, .timeout_ns = kLong}).has_value());
    std::array<uring::io_uring_cqe, 8> cqes;
    ASSERT_EQ(ring.reap(cqes), 1U);
    EXPECT_EQ(cqes[0].user_data, round);
  }
}

// A time so short that it is over before the wait begins: the TIMEOUT request then completes before
// anybody waits, and that ends no wait for several.
TEST_P(WaitTimeout, EndsAWaitForSeveralHoweverEarlyItFires) {
  uring::Ring ring = ring_of_this_form();
  for (int round = 0; round < 500; ++round) {
    const auto waited = ring.submit_and_wait({.wait_nr = 4, .timeout_ns = 1});
    ASSERT_TRUE(waited.has_value() || waited.error().value == ETIME);
    std::array<uring::io_uring_cqe, 4> cqes;
    ASSERT_EQ(ring.reap(cqes), 0U);
  }
}

TEST_P(WaitTimeout, GivesWhatCameUntilThen) {
  uring::Ring ring = ring_of_this_form();
  uring::prep_nop(*ring.next_sqe());
  ASSERT_TRUE(ring.submit_and_wait({.wait_nr = 4, .timeout_ns = kMs}).has_value());
  std::array<uring::io_uring_cqe, 4> cqes;
  EXPECT_EQ(ring.reap(cqes), 1U);
}

TEST_P(WaitTimeout, OfZeroOnlyLooks) {
  uring::Ring ring = ring_of_this_form();
  const auto waited = ring.submit_and_wait({.wait_nr = 1, .timeout_ns = 0});
  EXPECT_TRUE(waited.has_value() || waited.error().value == ETIME);
}

INSTANTIATE_TEST_SUITE_P(Forms, WaitTimeout, testing::Values(false, true), [](const auto& form) {
  return form.param ? "TimeoutRequest" : "EnterArgument";
});

}  // namespace
