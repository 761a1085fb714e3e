// A wait with min_wait_usec in the argument of io_uring_enter: it wants several completions, but only
// for so long. What ends it and what does not.

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>

#include "common/support/cpu_clock.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;
using std::chrono::milliseconds;

constexpr std::int64_t kMs = 1'000'000;
// A wait that is not for this time has ended for another reason, on however slow a machine.
constexpr std::uint32_t kLongUs = 10'000'000;
constexpr std::int64_t kLongNs = 10'000 * kMs;
constexpr std::uint32_t kShortUs = 15'000;

class MinWait : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(MinWait);
    LoopTest::SetUp();
  }

  // A RECV that waits for its peer: see send_to(). Submitted, so that a wait has nothing to submit
  // and tells how it ended.
  static void receive(uring::Ring& ring, const kernel_test::SocketPair& sockets,
                      std::span<std::byte> buffer) {
    uring::prep_recv(*ring.next_sqe(), sockets.near.get(), buffer, 0);
    kernel_test::submit_all(ring);
  }

  static void send_to(const kernel_test::SocketPair& sockets) {
    kernel_test::write_text(sockets.far.get(), "x");
  }

  // So that no wait lasts for ever: the completion of a TIMEOUT ends any.
  static void end_any_wait_after_a_minute(uring::Ring& ring) {
    static constexpr __kernel_timespec kMinute{.tv_sec = 60, .tv_nsec = 0};
    uring::prep_timeout(*ring.next_sqe(), &kMinute, 0, 0);
    kernel_test::submit_all(ring);
  }

  [[nodiscard]] std::uint64_t passed_us() const { return (support::now_ns() - start_ns_) / 1000; }

  std::array<std::byte, 1> first_{};
  std::array<std::byte, 1> second_{};
  std::uint64_t start_ns_ = support::now_ns();
};

INSTANTIATE_TEST_SUITE_P(On, MinWait, new_ring_kinds(), name_of);

// --- all of them come ----------------------------------------------------------------------------------

TEST_P(MinWait, CountsWhatTheSubmitItselfBrings) {
  uring::Ring ring = make_ring(4);
  for (int i = 0; i < 3; ++i) {
    uring::prep_nop(*ring.next_sqe());
  }
  ASSERT_TRUE(ring.submit_and_wait({.wait_nr = 3, .min_wait_us = kLongUs}).has_value());
  EXPECT_LT(passed_us(), kLongUs);
  EXPECT_EQ(ring.cq().ready(), 3U);
}

// Two of the three are there before the wait begins, and are not yet reaped.
TEST_P(MinWait, EndsWithTheLastOfThoseWanted) {
  uring::Ring ring = make_ring(4);
  const kernel_test::SocketPair sockets;
  receive(ring, sockets, first_);
  uring::prep_nop(*ring.next_sqe());
  uring::prep_nop(*ring.next_sqe());
  std::thread peer([&] {
    std::this_thread::sleep_for(milliseconds(20));
    send_to(sockets);
  });
  const auto waited = ring.submit_and_wait({.wait_nr = 3, .min_wait_us = kLongUs});
  EXPECT_LT(passed_us(), kLongUs);
  peer.join();
  EXPECT_TRUE(waited.has_value());
  EXPECT_EQ(ring.cq().ready(), 3U);
}

TEST_P(MinWait, EndsAsSoonAsAllAreThere) {
  uring::Ring ring = make_ring(4);
  const kernel_test::SocketPair one;
  const kernel_test::SocketPair two;
  receive(ring, one, first_);
  receive(ring, two, second_);
  std::thread peer([&] {
    for (const auto* sockets : {&one, &two}) {
      std::this_thread::sleep_for(milliseconds(20));
      send_to(*sockets);
    }
  });
  const auto waited =
      ring.submit_and_wait({.wait_nr = 2, .timeout_ns = kLongNs, .min_wait_us = kLongUs});
  EXPECT_LT(passed_us(), kLongUs);
  peer.join();
  EXPECT_TRUE(waited.has_value());
  EXPECT_EQ(ring.cq().ready(), 2U);
}

// --- fewer come ----------------------------------------------------------------------------------------

TEST_P(MinWait, SettlesForOneCompletionAfterItsTime) {
  uring::Ring ring = make_ring(4);
  uring::prep_nop(*ring.next_sqe());
  ASSERT_TRUE(ring.submit_and_wait({.wait_nr = 2, .timeout_ns = kLongNs, .min_wait_us = kShortUs})
                  .has_value());
  EXPECT_GE(passed_us(), kShortUs);
  EXPECT_LT(passed_us(), kLongUs);
  EXPECT_EQ(ring.cq().ready(), 1U);
}

// As above, but it comes while the wait lasts: with DEFER_TASKRUN it is not in the CQ before the wait
// has ended.
TEST_P(MinWait, SettlesForOneThatHasComeMeanwhile) {
  uring::Ring ring = make_ring(4);
  const kernel_test::SocketPair sockets;
  receive(ring, sockets, first_);
  std::thread peer([&] { send_to(sockets); });
  const auto waited =
      ring.submit_and_wait({.wait_nr = 2, .timeout_ns = kLongNs, .min_wait_us = kShortUs});
  EXPECT_GE(passed_us(), kShortUs);
  EXPECT_LT(passed_us(), kLongUs);
  peer.join();
  EXPECT_TRUE(waited.has_value());
  EXPECT_EQ(ring.cq().ready(), 1U);
}

// --- none comes ----------------------------------------------------------------------------------------

TEST_P(MinWait, WithATimeLimitItGoesOnForOne) {
  uring::Ring ring = make_ring(4);
  const kernel_test::SocketPair sockets;
  receive(ring, sockets, first_);
  std::thread peer([&] {
    std::this_thread::sleep_for(milliseconds(60));
    send_to(sockets);
  });
  const auto waited =
      ring.submit_and_wait({.wait_nr = 4, .timeout_ns = kLongNs, .min_wait_us = kShortUs});
  EXPECT_LT(passed_us(), kLongUs);
  peer.join();
  EXPECT_TRUE(waited.has_value()) << waited.error().name();
  EXPECT_EQ(ring.cq().ready(), 1U);
}

TEST_P(MinWait, WithoutATimeLimitItEndsWithEtime) {
  uring::Ring ring = make_ring(4);
  end_any_wait_after_a_minute(ring);
  const auto waited = ring.submit_and_wait({.wait_nr = 2, .min_wait_us = kShortUs});
  EXPECT_GE(passed_us(), kShortUs);
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().value, ETIME);
  EXPECT_EQ(ring.cq().ready(), 0U);
}

TEST_P(MinWait, AShorterTimeLimitDoesNotEndItEarlier) {
  uring::Ring ring = make_ring(4);
  const auto waited =
      ring.submit_and_wait({.wait_nr = 2, .timeout_ns = kMs, .min_wait_us = kShortUs});
  EXPECT_GE(passed_us(), kShortUs);
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().value, ETIME);
}

}  // namespace
