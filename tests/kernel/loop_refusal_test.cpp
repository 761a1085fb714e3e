// The kernel refuses to take SQEs for a while (EBUSY: a backlog of completions, as older kernels say
// it; EAGAIN: no memory), or will never take any again. The loop reaps and goes on, or gives up.
// A refused call is one that a filter of this test answers.

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/support/signal_source.hpp"
#include "common/uring/prep.hpp"
#include "tests/kernel/enter_faults.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;
using kernel_test::EnterCall;
using kernel_test::with_enter_faults;

constexpr std::uint8_t kNop = 1;

class LoopRefusal : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, LoopRefusal, testing::Values(kPlain, kCoop, kDefer, kAs510), name_of);

bool only_submits(const EnterCall& call) {
  return (call.flags & uring::IORING_ENTER_GETEVENTS) == 0;
}

// Handlers fill an SQ of 4, so that room is made by submitting, and each of these submits is refused
// twice before it works. Completions that are reaped meanwhile wait for their turn: all of them are
// dispatched, once, in their order, and never while another handler runs.
TEST_P(LoopRefusal, CompletionsAreHeldWhileSubmitsAreRefused) {
  constexpr std::uint16_t kOperations = 60;
  std::uint32_t submits = 0;
  std::atomic<std::uint64_t> refused = 0;
  const auto refuse_two_of_three = [&](const EnterCall& call) {
    const bool refuse = only_submits(call) && submits++ % 3 != 2;
    refused += refuse ? 1 : 0;
    return refuse ? EBUSY : 0;
  };
  SKIP_UNLESS_FILTERED(with_enter_faults(refuse_two_of_three, [&] {
    uring::Ring ring = make_ring(4, 16);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    std::uint16_t armed = 0;
    const auto arm = [&] { uring::prep_nop(loop.arm(slot, kNop, armed++)); };
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(loop.make_room(1).has_value());
      arm();
    }
    std::vector<std::uint16_t> completed;
    bool in_handler = false;
    app.completion = [&](OpId id, const io_uring_cqe&) {
      EXPECT_FALSE(in_handler);
      in_handler = true;
      completed.push_back(id.aux);
      if (armed < kOperations) {
        arm();
      }
      EXPECT_TRUE(loop.make_room(3).has_value());  // refused here, too
      in_handler = false;
      app.done = completed.size() == kOperations;
    };
    ASSERT_TRUE(loop.run(app).has_value());
    std::vector<std::uint16_t> in_order(kOperations);
    for (std::uint16_t i = 0; i < kOperations; ++i) {
      in_order[i] = i;
    }
    EXPECT_EQ(completed, in_order);
    EXPECT_EQ(loop.counters().refused_submits, refused.load());
    EXPECT_GT(refused.load(), 0U);
  }));
}

// Three NOPs complete, and their completions are held when the room for before_wait() is made. What
// is in flight then, polls of an eventfd, waits for the NOPs' handlers: the loop must not wait for it
// before it has dispatched what it holds.
TEST_P(LoopRefusal, TheLoopDoesNotSleepOnWhatItHolds) {
  std::uint32_t submits = 0;
  const auto refuse_the_second = [&](const EnterCall& call) {
    return only_submits(call) && ++submits == 2 ? EBUSY : 0;
  };
  SKIP_UNLESS_FILTERED(with_enter_faults(refuse_the_second, [&] {
    constexpr std::uint8_t kPoll = 2;
    const base::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    ASSERT_TRUE(loop.timers().add(1, kNop).has_value());
    ASSERT_TRUE(loop.timers().add(2, kPoll).has_value());
    app.timer = [&](std::uint64_t kind, std::uint64_t) {
      for (std::uint32_t i = 0; i < Application::kMaxSqesPerHandler; ++i) {
        uring::io_uring_sqe& sqe = loop.arm(slot, static_cast<std::uint8_t>(kind));
        if (kind == kNop) {
          uring::prep_nop(sqe);
        } else {
          uring::prep_poll_add(sqe, event.get(), POLLIN);
        }
      }
    };
    app.completion = [&](OpId id, const io_uring_cqe&) {
      if (id.kind == kNop) {
        const std::uint64_t one = 1;
        EXPECT_EQ(::write(event.get(), &one, sizeof one), 8);
      }
      app.done = loop.in_flight() == 1;
    };
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_EQ(loop.counters().refused_submits, 1U);
    EXPECT_EQ(loop.counters().completions, 6U);
  }));
}

TEST_P(LoopRefusal, ARefusedWaitIsTriedAgain) {
  for (const int error : {EBUSY, EAGAIN}) {
    std::uint32_t waits = 0;
    const auto refuse_the_first = [&](const EnterCall& call) {
      return !only_submits(call) && waits++ == 0 ? error : 0;
    };
    SKIP_UNLESS_FILTERED(with_enter_faults(refuse_the_first, [&] {
      uring::Ring ring = make_ring(4);
      EventLoop loop(ring, {.slots = 1});
      Application app;
      arm_nop(loop, loop.slots().acquire().value(), kNop);
      app.completion = [&](OpId, const io_uring_cqe&) { app.done = true; };
      EXPECT_TRUE(loop.run(app).has_value());
      EXPECT_EQ(loop.counters().refused_submits, 1U) << error;
      EXPECT_EQ(loop.counters().completions, 1U);
    }));
  }
}

// An error that no retry mends ends the run, and says which one it was.
TEST_P(LoopRefusal, AnErrorForGoodEndsTheRun) {
  SKIP_UNLESS_FILTERED(
      with_enter_faults([](const EnterCall& call) { return only_submits(call) ? 0 : EBADR; },
                        [&] {
                          uring::Ring ring = make_ring(4);
                          EventLoop loop(ring, {.slots = 1});
                          Application app;
                          arm_nop(loop, loop.slots().acquire().value(), kNop);
                          const auto ended = loop.run(app);
                          ASSERT_FALSE(ended.has_value());
                          EXPECT_EQ(ended.error().value, EBADR);
                        }));
}

TEST_P(LoopRefusal, AnErrorForGoodInMakeRoomEndsTheRun) {
  SKIP_UNLESS_FILTERED(
      with_enter_faults([](const EnterCall& call) { return only_submits(call) ? EEXIST : 0; },
                        [&] {
                          uring::Ring ring = make_ring(4);
                          EventLoop loop(ring, {.slots = 1});
                          Application app;
                          const std::uint32_t slot = loop.slots().acquire().value();
                          arm_nop(loop, slot, kNop);
                          arm_nop(loop, slot, kNop);
                          app.completion = [&](OpId, const io_uring_cqe&) {
                            for (std::uint32_t i = 0; i < Application::kMaxSqesPerHandler; ++i) {
                              uring::prep_nop(loop.arm(slot, kNop));
                            }
                          };
                          const auto ended = loop.run(app);
                          ASSERT_FALSE(ended.has_value());
                          EXPECT_EQ(ended.error().value, EEXIST);
                        }));
}

// The signal's completion is among those held back when the application finishes. run() must take
// it from there, and not wait for it in the ring for ever.
TEST_P(LoopRefusal, AHeldSignalDoesNotKeepRunFromEnding) {
  std::atomic<bool> refuse_next = false;
  const auto refuse_on_demand = [&](const EnterCall& call) {
    return only_submits(call) && refuse_next.exchange(false) ? EBUSY : 0;
  };
  SKIP_UNLESS_FILTERED(with_enter_faults(refuse_on_demand, [&] {
    const auto signals = support::SignalSource::create({SIGUSR1});
    ASSERT_TRUE(signals.has_value());
    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1}, &*signals);
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    arm_nop(loop, slot, kNop);
    arm_nop(loop, slot, kNop);
    std::uint32_t completed = 0;
    app.completion = [&](OpId, const io_uring_cqe&) {
      if (++completed == 2) {
        app.done = true;
        return;
      }
      // Fills the SQ, as buffers that go back by requests do.
      for (int i = 0; i < 3; ++i) {
        uring::io_uring_sqe* sqe = ring.next_sqe();
        ASSERT_NE(sqe, nullptr);
        uring::prep_nop(*sqe);
        sqe->user_data = uring::Ring::kInternalUserData;
      }
      // The signal arrives, the poll completes, and the submit for the next handler is refused.
      ASSERT_EQ(::raise(SIGUSR1), 0);
      ASSERT_TRUE(ring.get_events().has_value());
      refuse_next = true;
    };
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_FALSE(refuse_next) << "the submit was not made";
    EXPECT_EQ(loop.counters().refused_submits, 1U);
    EXPECT_EQ(signals->next(), SIGUSR1) << "it came too late for this run";
  }));
}

}  // namespace
