// io_uring_enter returns the number of SQEs that it took, never a number of completions. How a wait
// ended (ETIME, EINTR) shows only if nothing was submitted by the same call.

#include <signal.h>
#include <sys/time.h>

#include "tests/kernel/kernel_test.hpp"

namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(EnterReturnValue, CountsSubmissionsAndNotCompletions) {
  uring::Ring ring = kernel_test::make_ring();
  for (int i = 0; i < 3; ++i) {
    uring::prep_nop(*ring.next_sqe());
  }
  EXPECT_EQ(ring.submit_and_wait(3).value_or(99), 3U);
  EXPECT_EQ(ring.cq().ready(), 3U);
  EXPECT_EQ(ring.submit_and_wait(3).value_or(99), 0U) << "three are ready, none was submitted";
}

TEST(EnterReturnValue, EtimeOnlyIfNothingWasSubmitted) {
  NEEDS_FEATURE(ExtArg);
  uring::Ring ring = kernel_test::make_ring();
  const auto waited = ring.submit_and_wait({.wait_nr = 1, .timeout_ns = kMs});
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().value, ETIME);

  uring::prep_nop(*ring.next_sqe());
  EXPECT_EQ(ring.submit_and_wait({.wait_nr = 2, .timeout_ns = kMs}).value_or(99), 1U)
      << "the wait for two timed out all the same";
  EXPECT_EQ(ring.cq().ready(), 1U);
}

// Every millisecond a signal, for as long as this object lives.
class SignalRain {
 public:
  explicit SignalRain(int flags) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    action.sa_flags = flags;
    ::sigaction(SIGALRM, &action, &old_action_);
    const itimerval every{.it_interval = {.tv_sec = 0, .tv_usec = 1000},
                          .it_value = {.tv_sec = 0, .tv_usec = 1000}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
  }
  SignalRain(const SignalRain&) = delete;
  SignalRain& operator=(const SignalRain&) = delete;
  ~SignalRain() {
    const itimerval off{};
    ::setitimer(ITIMER_REAL, &off, nullptr);
    ::sigaction(SIGALRM, &old_action_, nullptr);
  }

 private:
  struct sigaction old_action_ {};
};

TEST(EnterReturnValue, EintrComesEvenWithSaRestart) {
  uring::Ring ring = kernel_test::make_ring();
  const SignalRain rain(SA_RESTART);
  const auto waited = ring.submit_and_wait(1);
  ASSERT_FALSE(waited.has_value()) << "nothing can complete on this ring";
  EXPECT_EQ(waited.error().value, EINTR);
}

TEST(EnterReturnValue, EintrIsHiddenBehindASubmission) {
  uring::Ring ring = kernel_test::make_ring();
  const SignalRain rain(0);
  uring::prep_nop(*ring.next_sqe());
  EXPECT_EQ(ring.submit_and_wait(2).value_or(99), 1U) << "a signal ended the wait for two";
}

// It ends a wait that has begun. One that fired before is a completion like others: a wait for 16
// would not end. So the time is long enough for the wait to begin, and there is a second one.
TEST(EnterReturnValue, ATimeoutsCompletionEndsAnyWait) {
  uring::Ring ring = kernel_test::make_ring();
  const std::array times{uring::to_timespec(50 * kMs), uring::to_timespec(5'000 * kMs)};
  for (const __kernel_timespec& time : times) {
    uring::prep_timeout(*ring.next_sqe(), &time, 0, 0);
  }
  ASSERT_TRUE(ring.submit_and_wait(16).has_value());
  std::array<uring::io_uring_cqe, 4> cqes;
  ASSERT_GE(ring.reap(cqes), 1U) << "a completion ended a wait for 16";
  EXPECT_EQ(cqes[0].res, -ETIME);
}

}  // namespace
