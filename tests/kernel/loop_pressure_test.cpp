// A loop whose queues are far too small for what its handlers arm: there is always room for the
// next handler, nothing is lost when the CQ overflows, and a flood of completions cannot keep the
// timers waiting.

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/uring/prep.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;

constexpr std::uint8_t kNop = 1;

class LoopPressure : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, LoopPressure, all_ring_kinds(), name_of);

// Each NOP arms three more, six generations deep: 364 handlers on an SQ of 4 and a CQ of 8.
TEST_P(LoopPressure, EveryHandlerFindsRoomAndNothingIsLost) {
  constexpr std::uint16_t kDepth = 6;
  static_assert(Application::kMaxSqesPerHandler == 3);
  uring::Ring ring = make_ring(4, 8);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  arm_nop(loop, slot, kNop, 1);
  std::vector<std::uint32_t> completed(kDepth + 1);
  app.completion = [&](OpId id, const io_uring_cqe& cqe) {
    EXPECT_EQ(cqe.res, 0);
    ++completed.at(id.aux);
    if (id.aux < kDepth) {
      for (std::uint32_t i = 0; i < Application::kMaxSqesPerHandler; ++i) {
        uring::prep_nop(loop.arm(slot, kNop, static_cast<std::uint16_t>(id.aux + 1)));
      }
    }
    app.done = loop.in_flight() == 1;  // this one ends when the handler returns
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(completed, std::vector<std::uint32_t>({0, 1, 3, 9, 27, 81, 243}));
  EXPECT_EQ(loop.in_flight(), 0U);
  EXPECT_EQ(ring.cq().overflow(), 0U) << "lost for real";
}

TEST_P(LoopPressure, MakeRoomSubmitsWhenTheQueueIsFull) {
  constexpr std::uint32_t kOperations = 100;
  uring::Ring ring = make_ring(4, 256);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  for (std::uint32_t i = 0; i < kOperations; ++i) {
    arm_nop(loop, slot, kNop);
  }
  EXPECT_EQ(loop.in_flight(), kOperations);
  std::uint32_t completed = 0;
  app.completion = [&](OpId, const io_uring_cqe&) { app.done = ++completed == kOperations; };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(completed, kOperations);
}

// Not on an SQPOLL ring, where the completions come from another thread, at its own pace.
class LoopFlood : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, LoopFlood, testing::Values(kPlain, kCoop, kDefer, kAs510), name_of);

// 256 NOPs that never end: every handler arms the next one, and because the SQ is full after four,
// it is submitted and complete before the loop has emptied the CQ. Without a bound on the batches
// of one turn, the timer that is due would never be looked at.
TEST_P(LoopFlood, DoesNotKeepATimerWaiting) {
  constexpr std::uint64_t kBatchBound = 64 * 64;
  constexpr std::uint64_t kFarTooMany = 100 * kBatchBound;
  uring::Ring ring = make_ring(4, 512);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  for (std::uint32_t i = 0; i < 256; ++i) {
    arm_nop(loop, slot, kNop);
  }
  constexpr std::uint64_t kLongAgo = 1;
  ASSERT_TRUE(loop.timers().add(kLongAgo, 0).has_value());
  std::uint64_t completed = 0;
  std::uint64_t before_timer = 0;
  bool stop = false;
  app.timer = [&](std::uint64_t, std::uint64_t) {
    before_timer = completed;
    stop = true;
  };
  app.completion = [&](OpId, const io_uring_cqe&) {
    stop = stop || ++completed == kFarTooMany;
    if (!stop) {
      uring::prep_nop(loop.arm(slot, kNop));
    }
    app.done = stop && loop.in_flight() == 1;
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_GT(before_timer, 0U) << "completions come first in a turn";
  EXPECT_LE(before_timer, kBatchBound);
}

}  // namespace
