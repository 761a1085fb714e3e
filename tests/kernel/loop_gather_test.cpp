// EventLoop::gather(): the next wait is for more than one completion, for so long. A filter of this
// test looks at each io_uring_enter and lets it through.

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/uring/prep.hpp"
#include "tests/kernel/enter_faults.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;
using kernel_test::EnterCall;
using kernel_test::with_enter_faults;

constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kPoll = 2;
// A wait that is not for this time has ended for another reason, on however slow a machine.
constexpr std::uint32_t kLongUs = 10'000'000;
constexpr std::uint32_t kShortUs = 5000;

class LoopGather : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(MinWait);
    LoopTest::SetUp();
  }

  // Runs `body` and notes what its waits are for. Of the enters that only submit it refuses the one
  // with this number; 0: none.
  template <class Body>
  void look_at_waits(std::uint32_t refused_submit, Body body) {
    std::uint32_t submits = 0;
    const auto look = [&](const EnterCall& call) {
      if ((call.flags & uring::IORING_ENTER_GETEVENTS) == 0) {
        return ++submits == refused_submit ? EBUSY : 0;
      }
      waits_.push_back(call.min_complete);
      return 0;
    };
    SKIP_UNLESS_FILTERED(with_enter_faults(look, body));
  }

  std::vector<std::uint64_t> waits_;
};

INSTANTIATE_TEST_SUITE_P(On, LoopGather, new_ring_kinds(), name_of);

TEST_P(LoopGather, HoldsForTheNextWaitOnly) {
  look_at_waits(0, [&] {
    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    const std::uint64_t start = support::now_ns();
    app.wait = [&] {
      int nops = 1;
      if (loop.counters().turns == 1) {
        nops = 3;
        loop.gather(3, kLongUs);
      }
      for (int i = 0; i < nops && !app.done; ++i) {
        uring::prep_nop(loop.arm(slot, kNop));
      }
    };
    std::vector<std::uint64_t> turns;
    app.completion = [&](OpId, const io_uring_cqe&) {
      turns.push_back(loop.counters().turns);
      app.done = turns.size() == 5;
    };
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_EQ(turns, std::vector<std::uint64_t>({2, 2, 2, 3, 4}));
    EXPECT_LT(support::now_ns() - start, std::uint64_t{kLongUs} * 1000);
  });
  if (!IsSkipped()) {
    EXPECT_EQ(waits_, std::vector<std::uint64_t>({3, 1, 1}));
  }
}

TEST_P(LoopGather, IsContentWithFewerAfterItsTime) {
  look_at_waits(0, [&] {
    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    arm_nop(loop, loop.slots().acquire().value(), kNop);
    const std::uint64_t start = support::now_ns();
    app.wait = [&] { loop.gather(2, kShortUs); };
    app.completion = [&](OpId, const io_uring_cqe&) { app.done = true; };
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_GE(support::now_ns() - start, std::uint64_t{kShortUs} * 1000);
    EXPECT_EQ(loop.counters().turns, 2U);
  });
  if (!IsSkipped()) {
    EXPECT_EQ(waits_, std::vector<std::uint64_t>({2}));
  }
}

// KERNEL: without a timer the wait ends when its time is over, though nothing has come.
TEST_P(LoopGather, ATurnWithoutACompletionIsNoError) {
  look_at_waits(0, [&] {
    const base::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    uring::prep_poll_add(loop.arm(slot, kPoll), event.get(), POLLIN);
    app.wait = [&] {
      if (loop.counters().turns <= 2) {
        loop.gather(2, kShortUs);
      } else {
        const std::uint64_t one = 1;
        EXPECT_EQ(::write(event.get(), &one, sizeof one), 8);
      }
    };
    app.completion = [&](OpId, const io_uring_cqe&) { app.done = true; };
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_EQ(loop.counters().turns, 4U);
  });
  if (!IsSkipped()) {
    EXPECT_EQ(waits_, std::vector<std::uint64_t>({2, 2, 1}));
  }
}

// Room for before_wait() cannot be made at once: the completions of three NOPs are held meanwhile.
// They are not in the CQ any more, so no wait may count on them.
TEST_P(LoopGather, WhatTheLoopHoldsIsNotWaitedFor) {
  look_at_waits(2, [&] {
    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    const std::uint64_t start = support::now_ns();
    // Two timers that are due, and each fills the SQ: the first is submitted for the second.
    ASSERT_TRUE(loop.timers().add(1, 1).has_value());
    ASSERT_TRUE(loop.timers().add(2, 2).has_value());
    app.timer = [&](std::uint64_t, std::uint64_t) {
      for (std::uint32_t i = 0; i < Application::kMaxSqesPerHandler; ++i) {
        uring::prep_nop(loop.arm(slot, kNop));
      }
    };
    app.wait = [&] { loop.gather(3, kLongUs); };
    app.completion = [&](OpId, const io_uring_cqe&) { app.done = loop.in_flight() == 1; };
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_EQ(loop.counters().refused_submits, 1U);
    EXPECT_EQ(loop.counters().completions, 6U);
    EXPECT_LT(support::now_ns() - start, std::uint64_t{kLongUs} * 1000);
  });
  if (!IsSkipped()) {
    EXPECT_EQ(waits_.front(), 0U);
  }
}

}  // namespace
