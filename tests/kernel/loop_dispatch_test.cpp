// Rules 1 and 2 of the dispatch: which completion ends an operation, when a slot is recycled, and
// what happens to a completion of a slot's earlier life.

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/uring/prep.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;

constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kOther = 2;

class LoopDispatch : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, LoopDispatch, all_ring_kinds(), name_of);

TEST_P(LoopDispatch, ACompletionComesToItsHandlerWithWhatWasArmed) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 8});
  Application app;
  static_cast<void>(loop.slots().acquire());
  const std::uint32_t slot = loop.slots().acquire().value();
  arm_nop(loop, slot, kOther, 0xbeef);
  EXPECT_EQ(loop.in_flight(), 1U);
  std::vector<OpId> seen;
  app.completion = [&](OpId id, const io_uring_cqe& cqe) {
    EXPECT_EQ(cqe.res, 0);
    EXPECT_EQ(loop.slots().ops_in_flight(slot), 1U) << "it ends after its handler";
    seen.push_back(id);
    app.done = true;
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(seen, std::vector<OpId>({loop.slots().id(slot, kOther, 0xbeef)}));
  EXPECT_EQ(loop.in_flight(), 0U);
  EXPECT_EQ(loop.slots().ops_in_flight(slot), 0U);
  EXPECT_EQ(loop.counters().completions, 1U);
  EXPECT_EQ(loop.counters().stale, 0U);
}

TEST_P(LoopDispatch, AFinishedApplicationIsNotKeptWaiting) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  app.done = true;
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(loop.counters().turns, 0U);
}

TEST_P(LoopDispatch, WhatAHandlerArmsComesBack) {
  constexpr std::uint64_t kRounds = 1000;
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  arm_nop(loop, slot, kNop);
  std::uint16_t expected_aux = 0;
  app.completion = [&](OpId id, const io_uring_cqe&) {
    EXPECT_EQ(id.aux, expected_aux++);
    if (loop.counters().turns < kRounds) {
      uring::prep_nop(loop.arm(slot, kNop, expected_aux));
    } else {
      app.done = true;
    }
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_GT(expected_aux, 0);
  EXPECT_EQ(loop.in_flight(), 0U);
}

// F_MORE keeps the operation: three completions of one accept, and only the fourth ends it.
TEST_P(LoopDispatch, MultishotEndsWithTheCompletionThatHasNoMore) {
  if (!features().has(uring::Feature::MultishotAccept)) {
    GTEST_SKIP() << "this ring has no multishot accept (Linux 5.19)";
  }
  const base::UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Only the family: the kernel chooses an unused name.
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  std::array<base::UniqueFd, 3> clients;
  for (base::UniqueFd& client : clients) {
    client.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  }

  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  constexpr std::uint8_t kAccept = 3;
  constexpr std::uint8_t kCancel = 4;
  ASSERT_TRUE(loop.make_room(1).has_value());
  uring::prep_accept_multishot(loop.arm(slot, kAccept), listener.get(), SOCK_CLOEXEC);
  std::vector<base::UniqueFd> accepted;
  std::vector<std::uint32_t> freed;
  app.completion = [&](OpId id, const io_uring_cqe& cqe) {
    if (id.kind == kCancel) {
      return;
    }
    if (cqe.res < 0) {
      EXPECT_EQ(cqe.res, -ECANCELED);
      EXPECT_EQ(cqe.flags & uring::IORING_CQE_F_MORE, 0U);
      return;
    }
    accepted.emplace_back(cqe.res);
    EXPECT_NE(cqe.flags & uring::IORING_CQE_F_MORE, 0U);
    if (accepted.size() == clients.size()) {
      EXPECT_EQ(loop.slots().ops_in_flight(slot), 1U) << "two completions ended nothing";
      EXPECT_FALSE(loop.slots().close(slot));
      uring::prep_cancel(loop.arm(slot, kCancel), pack(loop.slots().id(slot, kAccept)), 0);
    }
  };
  app.slot_free = [&](std::uint32_t which) {
    freed.push_back(which);
    app.done = true;
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(accepted.size(), clients.size());
  EXPECT_EQ(freed, std::vector<std::uint32_t>({slot}));
  EXPECT_EQ(loop.in_flight(), 0U);
  EXPECT_EQ(loop.counters().completions, clients.size() + 2);
}

TEST_P(LoopDispatch, AClosingSlotIsFreeAfterItsLastCompletion) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  arm_nop(loop, slot, kNop, 1);
  arm_nop(loop, slot, kNop, 2);
  arm_nop(loop, slot, kNop, 3);
  std::vector<std::uint16_t> completed;
  app.completion = [&](OpId id, const io_uring_cqe&) {
    completed.push_back(id.aux);
    EXPECT_EQ(loop.slots().acquire(), std::nullopt) << "not free before the handler has returned";
    if (completed.size() == 1) {
      EXPECT_FALSE(loop.slots().close(slot));
    }
  };
  std::uint32_t freed = 0;
  app.slot_free = [&](std::uint32_t which) {
    ++freed;
    EXPECT_EQ(which, slot);
    EXPECT_EQ(completed, std::vector<std::uint16_t>({1, 2, 3}));
    EXPECT_EQ(loop.slots().acquire(), slot) << "free now, with a new life";
    app.done = true;
  };
  ASSERT_TRUE(loop.run(app).has_value());
  EXPECT_EQ(freed, 1U);
}

// The kernel completes a request whose slot has begun another life. Ownership makes that
// impossible, so the test writes such a user_data by hand.
io_uring_cqe run_with_a_stale_completion(uring::Ring& ring, EventLoop& loop, OpId& stale_id) {
  Application app;
  const std::uint32_t slot = loop.slots().acquire().value();
  const OpId earlier = loop.slots().id(slot, kNop, 5);
  CHECK(loop.slots().close(slot));
  CHECK(loop.slots().acquire() == slot);

  uring::io_uring_sqe* sqe = ring.next_sqe();
  uring::prep_nop(*sqe);
  sqe->user_data = pack(earlier);
  arm_nop(loop, slot, kOther);

  io_uring_cqe stale{};
  app.stale = [&](OpId id, const io_uring_cqe& cqe) {
    stale_id = id;
    stale = cqe;
  };
  app.completion = [&](OpId id, const io_uring_cqe&) {
    EXPECT_EQ(id.kind, kOther) << "a stale completion never reaches a handler";
    app.done = true;
  };
  EXPECT_TRUE(loop.run(app).has_value());
  return stale;
}

#if defined(NDEBUG)
TEST_P(LoopDispatch, AStaleCompletionIsCountedAndHandedToOnStale) {
  uring::Ring ring = make_ring(4);
  EventLoop loop(ring, {.slots = 1});
  OpId id{};
  const io_uring_cqe cqe = run_with_a_stale_completion(ring, loop, id);
  EXPECT_EQ(id.kind, kNop);
  EXPECT_EQ(id.aux, 5);
  EXPECT_EQ(cqe.user_data, pack(id));
  EXPECT_EQ(loop.counters().stale, 1U);
  EXPECT_EQ(loop.counters().completions, 2U);
}
#else
TEST(LoopDispatchDeath, AStaleCompletionAbortsADebugBuild) {
  const auto in_the_child = [] {
    const auto features = uring::Features::detect();
    auto ring = uring::Ring::create({.sq_entries = 4}, *features);
    EventLoop loop(*ring, {.slots = 1});
    OpId id{};
    static_cast<void>(run_with_a_stale_completion(*ring, loop, id));
  };
  EXPECT_DEATH(in_the_child(), "a slot's earlier life");
}
#endif

// The death tests below make their ring in the child: a forked ring would belong to the parent.
template <class Use>
void with_a_loop(std::uint32_t sq_entries, Use use) {
  const auto features = uring::Features::detect();
  CHECK(features.has_value());
  auto ring = uring::Ring::create({.sq_entries = sq_entries}, *features);
  CHECK(ring.has_value());
  EventLoop loop(*ring, {.slots = 1});
  Application app;
  use(loop, app);
}

TEST(LoopDispatchDeath, FinishingWithAnOperationInFlight) {
  EXPECT_DEATH(with_a_loop(4,
                           [](EventLoop& loop, Application& app) {
                             arm_nop(loop, loop.slots().acquire().value(), kNop);
                             app.done = true;
                             static_cast<void>(loop.run(app));
                           }),
               "no operation in flight");
}

TEST(LoopDispatchDeath, AHandlerThatArmsMoreThanItSaid) {
  static_assert(Application::kMaxSqesPerHandler == 3);
  EXPECT_DEATH(with_a_loop(4,
                           [](EventLoop& loop, Application& app) {
                             const std::uint32_t slot = loop.slots().acquire().value();
                             arm_nop(loop, slot, kNop);
                             app.completion = [&](OpId, const io_uring_cqe&) {
                               for (int i = 0; i < 5; ++i) {
                                 uring::prep_nop(loop.arm(slot, kNop));
                               }
                             };
                             static_cast<void>(loop.run(app));
                           }),
               "more than kMaxSqesPerHandler");
}

TEST(LoopDispatchDeath, AnSqSmallerThanOneHandlersSqes) {
  EXPECT_DEATH(with_a_loop(2,
                           [](EventLoop& loop, Application& app) {
                             arm_nop(loop, loop.slots().acquire().value(), kNop);
                             static_cast<void>(loop.run(app));
                           }),
               "more SQEs at once than the SQ has");
}

}  // namespace
