// Signals come through the ring like everything else, and the loop leaves nothing of it behind.

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/signal_source.hpp"
#include "common/uring/prep.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;
using support::SignalSource;

constexpr std::uint8_t kNop = 1;

// To the process, as kill(1) and a service manager do it. KERNEL(6.18): a signal sent to one thread,
// as raise(3) does it, is not seen by a poll that the thread of an SQPOLL ring has armed.
void send(int signal) {
  ASSERT_EQ(::kill(::getpid(), signal), 0);
}

class LoopSignals : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, LoopSignals, all_ring_kinds(), name_of);

TEST_P(LoopSignals, ArriveThroughTheRing) {
  const auto signals = SignalSource::create({SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1}, &*signals);
  Application app;
  std::vector<int> seen;
  app.signal = [&](int number) {
    seen.push_back(number);
    if (number == SIGUSR1) {
      send(SIGUSR2);  // while the first is being handled
    } else {
      app.done = true;
    }
  };
  send(SIGUSR1);  // before the loop runs
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(seen, std::vector<int>({SIGUSR1, SIGUSR2}));
}

// The poll is one-shot: it must be armed again after each signal.
TEST_P(LoopSignals, ArriveAgainAndAgain) {
  const auto signals = SignalSource::create({SIGUSR1});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1}, &*signals);
  Application app;
  std::uint32_t seen = 0;
  std::uint32_t raised = 0;
  app.signal = [&](int) { app.done = ++seen == 5; };
  app.wait = [&] {
    if (raised == seen && raised < 5) {  // the last one has been handled: no two are merged
      ++raised;
      send(SIGUSR1);
    }
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(seen, 5U);
}

// Two signals are there at once, and each fills the SQ of 4.
TEST_P(LoopSignals, EverySignalsHandlerFindsRoom) {
  const auto signals = SignalSource::create({SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1}, &*signals);
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  app.signal = [&](int) {
    for (std::uint32_t i = 0; i < Application::kMaxSqesPerHandler; ++i) {
      uring::prep_nop(loop.arm(slot, kNop));
    }
  };
  std::uint32_t completed = 0;
  app.completion = [&](OpId, const io_uring_cqe&) {
    app.done = ++completed == 2 * Application::kMaxSqesPerHandler;
  };
  send(SIGUSR1);
  send(SIGUSR2);
  ASSERT_TRUE(loop.run(app).has_value());
}

// After run() the poll is gone: a signal that comes now completes nothing.
TEST_P(LoopSignals, RunLeavesNothingInFlight) {
  const auto signals = SignalSource::create({SIGUSR1});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1}, &*signals);
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  arm_nop(loop, slot, kNop);
  app.completion = [&](OpId, const io_uring_cqe&) { app.done = true; };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(loop.in_flight(), 0U);
  EXPECT_TRUE(kernel_test::is_quiet(ring));
  EXPECT_EQ(ring.sq().pending(), 0U);
  send(SIGUSR1);
  EXPECT_TRUE(kernel_test::is_quiet(ring)) << "the poll is still there";
  EXPECT_EQ(signals->next(), SIGUSR1);
}

TEST_P(LoopSignals, ALoopCanRunAgain) {
  const auto signals = SignalSource::create({SIGUSR1});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1}, &*signals);
  for (int run = 0; run < 3; ++run) {
    Application app;
    bool seen = false;
    app.signal = [&](int) { seen = app.done = true; };
    send(SIGUSR1);
    ASSERT_TRUE(loop.run(app).has_value());
    EXPECT_TRUE(seen);
  }
}

}  // namespace
