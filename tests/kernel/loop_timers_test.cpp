// The loop's timers, waited for in the ring: in io_uring_enter's argument, or by a TIMEOUT request
// on a ring without EXT_ARG.

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/cpu_clock.hpp"
#include "common/uring/prep.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kHour = 3'600'000 * kMs;
constexpr std::uint8_t kNop = 1;

class LoopTimers : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, LoopTimers, all_ring_kinds(), name_of);

TEST_P(LoopTimers, FireInTheOrderOfTheirDeadlinesAndNotBefore) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint64_t start = support::now_ns();
  ASSERT_TRUE(loop.timers().add(start + 9 * kMs, 3).has_value());
  ASSERT_TRUE(loop.timers().add(start + 3 * kMs, 1).has_value());
  ASSERT_TRUE(loop.timers().add(start + 6 * kMs, 2).has_value());
  std::vector<std::uint64_t> fired;
  app.timer = [&](std::uint64_t payload, std::uint64_t deadline_ns) {
    EXPECT_EQ(deadline_ns, start + payload * 3 * kMs);
    EXPECT_GE(support::now_ns(), deadline_ns);
    fired.push_back(payload);
    app.done = fired.size() == 3;
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(fired, std::vector<std::uint64_t>({1, 2, 3}));
  // A loop that slept between them; one that asked the clock in a circle takes thousands.
  EXPECT_LT(loop.counters().turns, 100U);
}

TEST_P(LoopTimers, OneThatIsDueFiresWithoutAWait) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  ASSERT_TRUE(loop.timers().add(1, 7).has_value());
  app.timer = [&](std::uint64_t payload, std::uint64_t) {
    EXPECT_EQ(payload, 7U);
    app.done = true;
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(loop.counters().turns, 1U);
}

TEST_P(LoopTimers, ATimerAddedByAHandlerIsWaitedFor) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  ASSERT_TRUE(loop.timers().add(support::now_ns() + kHour, 1).has_value());
  arm_nop(loop, slot, kNop);
  std::uint64_t deadline = 0;
  app.completion = [&](OpId, const io_uring_cqe&) {
    deadline = support::now_ns() + 2 * kMs;
    EXPECT_TRUE(loop.timers().add(deadline, 2).has_value());
  };
  app.timer = [&](std::uint64_t payload, std::uint64_t deadline_ns) {
    EXPECT_EQ(payload, 2U) << "the nearer one";
    EXPECT_EQ(deadline_ns, deadline);
    app.done = true;
  };
  ASSERT_TRUE(loop.run(app).has_value());
}

// Three timers are due at once, each fills the SQ of 4, and so does before_wait() in the same turn.
TEST_P(LoopTimers, EveryTimersHandlerFindsRoom) {
  constexpr std::uint32_t kTimers = 3;
  constexpr std::uint32_t kOperations = (kTimers + 1) * Application::kMaxSqesPerHandler;
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  const auto arm_as_many_as_allowed = [&] {
    for (std::uint32_t i = 0; i < Application::kMaxSqesPerHandler; ++i) {
      uring::prep_nop(loop.arm(slot, kNop));
    }
  };
  for (std::uint32_t i = 0; i < kTimers; ++i) {
    ASSERT_TRUE(loop.timers().add(1, i).has_value());
  }
  app.timer = [&](std::uint64_t, std::uint64_t) { arm_as_many_as_allowed(); };
  app.wait = [&] {
    if (loop.counters().turns == 1) {
      arm_as_many_as_allowed();
    }
  };
  std::uint32_t completed = 0;
  app.completion = [&](OpId, const io_uring_cqe&) { app.done = ++completed == kOperations; };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(completed, kOperations);
}

// A far deadline bounds every wait and must delay none: a thousand rounds end long before it. On a
// ring without EXT_ARG each of these waits submits a TIMEOUT, and none may pile up.
TEST_P(LoopTimers, AFarTimerDelaysNoCompletion) {
  constexpr std::uint32_t kRounds = 1000;
  uring::Ring ring = make_ring(4, 8);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  const auto far_away = loop.timers().add(support::now_ns() + kHour, 1);
  ASSERT_TRUE(far_away.has_value());
  arm_nop(loop, slot, kNop);
  std::uint32_t completed = 0;
  app.completion = [&](OpId, const io_uring_cqe&) {
    app.done = ++completed == kRounds;
    if (!app.done) {
      uring::prep_nop(loop.arm(slot, kNop));
    }
  };
  app.timer = [](std::uint64_t, std::uint64_t) { FAIL() << "an hour has not passed"; };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(completed, kRounds);
  EXPECT_EQ(ring.overflow_flushes(), 0U);
  EXPECT_EQ(ring.internal_failures(), 0U);
}

}  // namespace
